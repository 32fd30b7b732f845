"""Global Accelerator's server: JSON in, an action, JSON out. Every call is checked against AWS's model first."""

import json
from collections.abc import Callable
from typing import Any

from moto.core.utils import get_service_model
from werkzeug.wrappers import Request, Response

from sandbox.aws.accelerators.actions import ACTIONS
from sandbox.aws.accelerators.store import (
    AcceleratorError,
    Accelerators,
    Document,
    InvalidArgumentError,
    InvalidNextTokenError,
)
from sandbox.aws.constraints import message

_TYPE = "application/x-amz-json-1.1"


def application(home: Accelerators) -> Callable[..., Any]:
    """The service as a WSGI application."""
    model: Any = get_service_model("globalaccelerator")

    @Request.application
    def answer(request: Request) -> Response:
        name = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if name not in ACTIONS:
            return _refusal(501, "NotImplemented", f"the sandbox's Global Accelerator does not support {name}")
        try:
            found = _carry_out(home, name, model.operation_model(name).input_shape, request)
        except AcceleratorError as error:
            return _refusal(400, error.code, str(error))
        return Response(json.dumps(found), content_type=_TYPE)

    return answer


def _carry_out(home: Accelerators, name: str, shape: Any, request: Request) -> Document:
    parameters: Document = json.loads(request.get_data() or b"{}")
    if wrong := message(shape, parameters):
        raise InvalidArgumentError(wrong)
    if unknown := sorted(parameters.keys() - shape.members.keys()):
        raise InvalidArgumentError(f"{name} has no parameter {unknown[0]}")
    return _paged(ACTIONS[name](home, parameters), parameters)


def _paged(found: Document, parameters: Document) -> Document:
    """One page of a list: `MaxResults` from `NextToken`, which is a place in it."""
    most, start = parameters.get("MaxResults", 0), parameters.get("NextToken", "0")
    if not most and start == "0":
        return found
    if not start.isdigit():
        raise InvalidNextTokenError(f"The token {start} is not valid")
    [(name, entries)] = found.items()
    end = int(start) + (most or len(entries))
    more = {"NextToken": str(end)} if end < len(entries) else {}
    return {name: entries[int(start) : end], **more}


def _refusal(status: int, code: str, text: str) -> Response:
    body = json.dumps({"__type": code, "Message": text, "message": text})
    return Response(body, status, content_type=_TYPE)
