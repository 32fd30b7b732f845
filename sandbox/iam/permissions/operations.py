"""Parses a call with botocore's model of its service."""

import re
from functools import lru_cache
from typing import Any

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from sandbox.iam.language.conditions import CannotJudgeError
from sandbox.iam.permissions.demands import Operation
from sandbox.iam.wire.call import Call

# The name in the signature -> the actions' prefix and the name of botocore's model, if they differ.
_PREFIXES = {"tagging": "tag"}
_MODELS = {"tagging": "resourcegroupstaggingapi", "elasticloadbalancing": "elbv2"}
_CLASSIC = "2012-06-01"
# Long lists that no rule uses; moto's parser needs quadratic time for them.
_PASSED_OVER = ("Targets.", "IpPermissions.", "Filter.")
# moto takes a host name anywhere in the URL for the region of the request.
_HOST = re.compile(r"[a-z]{2}-[a-z]+-\d\.amazonaws\.com")


@lru_cache(maxsize=64)
def _service(name: str) -> Any:
    return get_service_model(name)


@lru_cache(maxsize=1024)
def _parser(service: str, operation: str, protocol: str) -> Any:
    return PROTOCOL_PARSERS[protocol](_service(service).operation_model(operation))


def operation_of(call: Call) -> Operation:
    """The operation of a call.

    Raises:
        CannotJudgeError: the sandbox has no model that can parse the call, or the call is ambiguous.
    """
    service = call.service or ""
    _check_path(call)
    classic = service == "elasticloadbalancing" and call.parameters.get("Version") == _CLASSIC
    try:
        name, parameters = _read(call, "elb" if classic else _MODELS.get(service, service))
    except (LookupError, ValueError, NotFound, NotImplementedError) as error:
        raise CannotJudgeError(f"the sandbox cannot read this call of {service} ({error})") from None
    return Operation(_PREFIXES.get(service, service), name, parameters, classic)


def _read(call: Call, service: str) -> tuple[str, dict[str, Any]]:
    """The operation's name and parameters."""
    protocol = determine_request_protocol(_service(service), call.headers.get("content-type"))
    name = call.parameters.get("Action", "")
    _check_reading(call, by_name=protocol in {"ec2", "query"})
    if protocol in {"ec2", "query"}:
        values = {key: value for key, value in call.parameters.items() if not key.startswith(_PASSED_OVER)}
        return name, _parser(service, name, protocol).parse({"values": values})
    request = Request.from_primitives(call.method, f"http://localhost{call.url}", call.headers, call.body)
    operation, fields = get_service_router(service).match(request)
    given = {"method": call.method, "headers": request.headers, "body": call.body, "url_path": request.path}
    parser = _parser(service, operation.name, protocol)
    return str(operation.name), parser.parse({**given, "values": request.args, "url_params": fields})


def _check_path(call: Call) -> None:
    if not call.url.startswith("/") or call.url.startswith("//"):
        raise CannotJudgeError(f"{call.url[:40]!r} is no path that begins with one slash")
    if _HOST.search(call.url) and call.service not in {"eks", "eks-auth"}:
        raise CannotJudgeError("the URL's parameters name a host: send them in the body")


def _check_reading(call: Call, *, by_name: bool) -> None:
    """Refuse ambiguous calls, so that what is executed is what was judged: one action, each parameter only once."""
    if "content-encoding" in call.headers:
        raise CannotJudgeError("the sandbox reads no encoded bodies")
    if not by_name:
        if "Action" in call.parameters:
            raise CannotJudgeError("a parameter names an action, and this service's calls name theirs otherwise")
        return
    if call.body and not call.is_form:
        raise CannotJudgeError("the body is no form: send application/x-www-form-urlencoded")
    if len(call.parameters) < len(call.fields):
        names = [name for name, _ in call.fields]
        raise CannotJudgeError(f"{next(name for name in names if names.count(name) > 1)} is given twice")
