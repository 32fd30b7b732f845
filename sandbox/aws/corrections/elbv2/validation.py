"""What ELBv2 checks first in every call: AWS's model of its parameters, with AWS's messages.

The model (botocore's) has the ranges, lengths, patterns and enumerations. One answer names every fault:
`2 validation errors detected: Value '400' at 'healthCheckIntervalSeconds' failed to satisfy constraint: Member must
have value less than or equal to 300; ...`
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/CommonErrors.html
"""

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

from botocore import xform_name
from moto.core.utils import get_service_model
from moto.elbv2.responses import ELBV2Response

from sandbox.aws.corrections.errors import Refusal

_MODEL = "elbv2"
_UNICODE = (("\\p{L}", "\\w"), ("\\p{N}", "\\d"), ("\\p{Z}", "\\s"))
"""Character classes that Python's regular expressions lack, and their nearest equivalents."""
Function = Callable[..., Any]


def install() -> None:
    """Check every action of the server. Installed last, so that it runs before every other correction."""
    model: Any = get_service_model(_MODEL)
    for name in model.operation_names:
        method = xform_name(name)
        if hasattr(ELBV2Response, method):
            shape = model.operation_model(name).input_shape
            setattr(ELBV2Response, method, checked(getattr(ELBV2Response, method), shape))


def checked(method: Function, shape: Any) -> Function:
    """An action that is refused if its parameters do not match AWS's model."""

    @functools.wraps(method)
    def action(self: ELBV2Response) -> Any:
        found = list(faults(shape, self._get_params(), ""))
        if found:
            errors = "error" if len(found) == 1 else "errors"
            raise Refusal("ValidationError", f"{len(found)} validation {errors} detected: {'; '.join(found)}")
        return method(self)

    return action


def faults(shape: Any, value: Any, path: str) -> Iterator[str]:
    """How a value violates AWS's model; `path` is AWS's, `actions.1.member.redirectConfig.port`. Pure."""
    if shape.type_name == "structure":
        for name in shape.required_members:
            if name not in value:
                yield f"Value null at '{_below(path, name)}' failed to satisfy constraint: Member must not be null"
        for name, member in value.items():
            if name in shape.members:
                yield from faults(shape.members[name], member, _below(path, name))
    else:
        for constraint in _broken(shape, value):
            yield f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {constraint}"
        if shape.type_name == "list":
            for place, member in enumerate(value, 1):
                yield from faults(shape.member, member, f"{path}.{place}.member")


def _below(path: str, name: str) -> str:
    return f"{path}.{name[0].lower()}{name[1:]}".lstrip(".")


def _broken(shape: Any, value: Any) -> Iterator[str]:
    """The constraints that a string, a number or a list violates."""
    limits = shape.metadata
    what = "value" if isinstance(value, int) else "length"
    measured = value if isinstance(value, int) else len(value)
    if isinstance(value, bool):
        return
    if limits.get("enum") and value not in limits["enum"]:
        yield f"satisfy enum value set: [{', '.join(limits['enum'])}]"
    if "max" in limits and measured > limits["max"]:
        yield f"have {what} less than or equal to {limits['max']}"
    if "min" in limits and measured < limits["min"]:
        yield f"have {what} greater than or equal to {limits['min']}"
    if "pattern" in limits and not _expression(limits["pattern"]).fullmatch(str(value)):
        yield f"satisfy regular expression pattern: {limits['pattern']}"


@functools.cache
def _expression(pattern: str) -> re.Pattern[str]:
    for theirs, ours in _UNICODE:
        pattern = pattern.replace(theirs, ours)
    return re.compile(pattern)
