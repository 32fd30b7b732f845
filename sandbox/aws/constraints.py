"""AWS's model of parameters, which botocore carries: ranges, lengths, patterns, enumerations, in AWS's words."""

import functools
import re
from collections.abc import Iterator
from typing import Any

_UNICODE = (("\\p{L}", "\\w"), ("\\p{N}", "\\d"), ("\\p{Z}", "\\s"))
"""Character classes that Python's regular expressions lack, and their nearest equivalents."""


def message(shape: Any, parameters: Any) -> str:
    """AWS's message about all faults of a call; empty if there are none. Pure."""
    found = list(faults(shape, parameters, ""))
    errors = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {errors} detected: {'; '.join(found)}" if found else ""


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
    number = isinstance(value, int | float)
    what, measured = ("value", value) if number else ("length", len(value))
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
