"""What a call asks for, as botocore's model of its service reads it."""

from functools import lru_cache
from typing import Any

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from sandbox.aws.call import Call
from sandbox.iam.conditions import CannotJudgeError
from sandbox.iam.requests import Operation

# The name in the signature -> the prefix of the actions, and the name of botocore's model, where they are not the same.
_PREFIXES = {"tagging": "tag"}
_MODELS = {"tagging": "resourcegroupstaggingapi", "elasticloadbalancing": "elbv2"}
_CLASSIC = "2012-06-01"
# Long lists that no rule looks at; moto's parser takes the square of their length.
_PASSED_OVER = ("Targets.", "IpPermissions.", "Filter.")


@lru_cache(maxsize=64)
def _service(name: str) -> Any:
    return get_service_model(name)


@lru_cache(maxsize=1024)
def _parser(service: str, operation: str, protocol: str) -> Any:
    return PROTOCOL_PARSERS[protocol](_service(service).operation_model(operation))


def operation_of(call: Call) -> Operation:
    """The operation of a call.

    Raises:
        CannotJudgeError: no model of the sandbox reads the call.
    """
    service = call.service or ""
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
    if protocol in {"ec2", "query"}:
        values = {key: value for key, value in call.parameters.items() if not key.startswith(_PASSED_OVER)}
        return name, _parser(service, name, protocol).parse({"values": values})
    request = Request.from_primitives(call.method, f"http://localhost{call.url}", call.headers, call.body)
    operation, fields = get_service_router(service).match(request)
    given = {"method": call.method, "headers": request.headers, "body": call.body, "url_path": request.path}
    parser = _parser(service, operation.name, protocol)
    return str(operation.name), parser.parse({**given, "values": request.args, "url_params": fields})
