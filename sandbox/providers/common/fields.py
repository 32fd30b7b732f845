"""The inputs of a stand-in's type: which are required, their valid values, and the effect of a change."""

import difflib
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.provider.experimental.provider import CheckFailure, DiffResponse, PropertyDiff, PropertyDiffKind

from sandbox.providers.common.values import UNKNOWN, has_unknown

INTERNAL = "__"
"""Prefix of a provider's internal inputs; the engine does not show them."""


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a type.

    Attributes:
        replaces: A change replaces the resource.
        required: The program must give it.
        default: The service's value if the program gives none, and after the input is removed.
        same: Whether two known values mean the same to the service (a policy's JSON, a set in another order).
        inside: The valid names in an object, or in each object of a list; empty if all are valid.
    """

    replaces: bool = False
    required: bool = False
    default: Any = None
    same: Callable[[Any, Any], bool] = operator.eq
    inside: Mapping[str, "Field"] = field(default_factory=dict)


Fields = Mapping[str, Field]


def each(*names: str, **options: Any) -> dict[str, Field]:
    """Several inputs that are alike: `each("fromPort", "toPort", required=True)`."""
    return {name: Field(**options) for name in names}


def inside(*names: str, **more: Field) -> Fields:
    """The fields of a block whose members need no special handling, and more."""
    return {**each(*names), **more}


def same_by(meaning: Callable[[Any], Any]) -> Callable[[Any, Any], bool]:
    """A comparison of two values by what they mean to the service."""
    return lambda one, other: meaning(one) == meaning(other)


def same_set(one: Any, other: Any) -> bool:
    """Whether two lists have the same members, in any order.

    Example:
        >>> same_set(["a", "b"], ["b", "a"])
        True
    """
    if not (isinstance(one, list) and isinstance(other, list)):
        return one == other
    return sorted(map(repr, map(_ordered, one))) == sorted(map(repr, map(_ordered, other)))


def _ordered(value: Any) -> Any:
    """A value whose repr does not depend on the order of keys."""
    match value:
        case Mapping():
            return [(key, _ordered(value[key])) for key in sorted(value)]
        case list():
            return [_ordered(item) for item in value]
        case _:
            return value


def problems(
    inputs: Mapping[str, Any], fields: Fields, where: str, exists: Callable[[str], bool]
) -> list[CheckFailure]:
    """What is wrong with a program's inputs.

    Args:
        inputs: Plain values.
        fields: What the stand-in knows.
        where: The type or function, for the message.
        exists: Whether the installed SDK has an input with this (top-level) name; called only for an error.
    """
    return [
        CheckFailure(path, reason)
        for path, reason in _problems(inputs, fields, "", lambda path: _refusal(path, where, fields, exists))
    ]


def _problems(value: Any, fields: Fields, prefix: str, refusal: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _problems(item, fields, f"{prefix.removesuffix('.')}[{index}].", refusal)
    if not isinstance(value, Mapping):
        return
    for name in value:
        if name not in fields and not name.startswith(INTERNAL):
            yield f"{prefix}{name}", refusal(f"{prefix}{name}")
    for name, known in fields.items():
        if value.get(name) is None:
            if known.required:
                yield f"{prefix}{name}", f"`{prefix}{name}` is missing; give it a value"
        elif known.inside:
            yield from _problems(value[name], known.inside, f"{prefix}{name}.", refusal)


def _refusal(path: str, where: str, fields: Fields, exists: Callable[[str], bool]) -> str:
    top, _, inner = re.sub(r"\[\d+\]", "", path).partition(".")
    known = fields
    for name in [top, *inner.split(".")][: -1 if inner else 0]:
        known = known[name].inside
    close = difflib.get_close_matches(path.rsplit(".", 1)[-1], known, 1)
    if not inner and exists(top):
        return f"the sandbox's stand-in does not know the input `{path}` of {where}; it knows {listed(known)}"
    remedy = f"did you mean `{close[0]}`?" if close else f"known are {listed(known)}"
    return f"{where} has no input `{path}`; {remedy}"


def listed(names: Iterable[str]) -> str:
    """Names for the end of an error message."""
    return ", ".join(sorted(names))


def means_the_same(one: Any, other: Any, known: Field) -> bool:
    """Whether an input's two values require no change. An unknown value may always be a change."""
    if has_unknown(one) or has_unknown(other):
        return False
    if one is None or other is None:
        return (known.default if one is None else one) == (known.default if other is None else other)
    return known.same(one, other)


def changes(old: Mapping[str, Any], new: Mapping[str, Any], fields: Fields) -> dict[str, PropertyDiff]:
    """The differences between two sets of inputs, by top-level name; internal inputs are ignored."""
    found: dict[str, PropertyDiff] = {}
    for name in sorted({*old, *new}):
        known = fields.get(name, Field())
        before, after = old.get(name), new.get(name)
        if name.startswith(INTERNAL) or means_the_same(before, after, known):
            continue
        step = "ADD" if before is None else "DELETE" if after is None else "UPDATE"
        found[name] = PropertyDiff(PropertyDiffKind[step + ("_REPLACE" if known.replaces else "")], input_diff=True)
    return found


def diff_response(found: Mapping[str, PropertyDiff], *, delete_before_replace: bool = False) -> DiffResponse:
    """The engine's answer for the differences that `changes` found."""
    replaces = [name for name, diff in found.items() if diff.kind.name.endswith("REPLACE")]
    return DiffResponse(
        changes=bool(found),
        replaces=replaces,
        diffs=list(found),
        delete_before_replace=delete_before_replace and bool(replaces),
        detailed_diff=dict(found),
    )


def keep_meaning(live: Any, given: Any, known: Field) -> Any:
    """What a read returns for an input: the program's spelling if the service's value means the same."""
    if given is UNKNOWN or given is None or live is None:
        return live
    return given if means_the_same(live, given, known) else live
