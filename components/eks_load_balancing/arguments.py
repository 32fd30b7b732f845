"""The arguments of a component, checked against its TypedDict before anything is declared.

Only type checkers enforce a TypedDict. At run time a misspelt key would be ignored, and an output instead of a plain
value would become text in an annotation. Here both are refused in one line, as are a missing key and a value of another
type.
"""

import functools
import inspect
import re
import typing
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, ParamSpec, cast

from pulumi import Output

from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.forms import check_form

P = ParamSpec("P")

_NAMES: Final = {str: "text", int: "a whole number", bool: "true or false", Sequence: "a list", Mapping: "a map"}


def checked(init: Callable[P, None]) -> Callable[P, None]:
    """Check the `args` of a component's `__init__`, a TypedDict, and begin its errors with its name.

    An optional key whose value is None counts as not given. An output is checked when it is known, with the same
    errors.
    """
    signature = inspect.signature(init)
    kind = signature.parameters["args"].annotation

    @functools.wraps(init)
    def wrapper(*given: P.args, **named: P.kwargs) -> None:
        bound = signature.bind(*given, **named)
        component, name = type(bound.arguments["self"]).__name__, bound.arguments["name"]
        try:
            bound.arguments["args"] = check(kind, bound.arguments["args"], where=f"{component} {name!r}: ")
            init(*bound.args, **bound.kwargs)  # pyright: ignore[reportCallIssue] - as given, but for the checked args
        except InvalidInputError as error:
            raise InvalidInputError(f"{component} {name!r}: {error}", key=error.key) from None

    return wrapper


def check(kind: type, given: Any, path: str = "", where: str = "") -> dict[str, Any]:
    """Return arguments without those that are None.

    Args:
        kind: the TypedDict that they must fit.
        given: the arguments.
        path: where they are in the component's own arguments, such as `nodes.`.
        where: what the errors of outputs begin with, for nobody is there to catch them once they are known.

    Raises:
        InvalidInputError: the first thing that is wrong, with its key.
    """
    if not isinstance(given, Mapping):
        what = path.removesuffix(".") or "args"
        raise InvalidInputError(f"{what} is not a mapping but {given!r}: give one with keys of {kind.__name__}")
    annotations = kind.__annotations__
    present = {str(key): value for key, value in cast(Mapping[Any, Any], given).items() if value is not None}
    refuse_keys([*map(str, cast(Mapping[Any, Any], given))], present, annotations, _required(kind), path)
    return {key: _value(annotations[key], value, f"{path}{key}", where) for key, value in present.items()}


def refuse_keys(
    named: Collection[str], present: Collection[str], known: Collection[str], required: Collection[str], path: str = ""
) -> None:
    """Refuse unknown keys, and the absence of required ones.

    Args:
        named: the given keys.
        present: those of them that have a value.
        known: every valid key.
        required: those that must have a value.
        path: the prefix of each key in messages.

    Raises:
        InvalidInputError: one line with the first such key, and the nearest valid key.
    """
    for key in named:
        if key not in known:
            nearest = get_close_matches(key, known, 1)
            remedy = f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(sorted(known))}"
            raise InvalidInputError(f"{path}{key} is not an argument: {remedy}", key=f"{path}{key}")
    for key in required:
        if key not in present:
            raise InvalidInputError(f"{path}{key} is missing: give it", key=f"{path}{key}")


def _required(kind: type) -> list[str]:
    return [key for key in kind.__annotations__ if key in getattr(kind, "__required_keys__", ())]


def _value(kind: Any, value: Any, path: str, where: str) -> Any:
    """Return a value that fits an annotation and the form of its argument, or refuse it."""
    plain, takes_outputs = _without_input(kind)
    if plain is Any:
        return value
    if isinstance(value, Output) or inspect.isawaitable(value):
        if not takes_outputs:
            raise InvalidInputError(
                f"{path} is an output, and must be a plain value, for it is checked before anything is made: give the"
                " value itself, or declare the component where the value is known",
                key=path,
            )
        return Output.from_input(cast(Any, value)).apply(lambda known: _known(plain, known, path, where))
    if typing.is_typeddict(plain):
        return check(plain, value, f"{path}.", where)
    shape = typing.get_origin(plain) or plain
    if not _fits(shape, value):
        raise InvalidInputError(f"{path} {value!r} is not {_NAMES.get(shape, shape)}: give {_NAMES[shape]}", key=path)
    inner = typing.get_args(plain)
    if shape is Sequence:
        value = [_value(inner[0], each, f"{path}[{i}]", where) for i, each in enumerate(value)]
    elif shape is Mapping:
        value = {key: _value(inner[1], each, f"{path}.{key}", where) for key, each in value.items()}
    elif shape is int:
        value = int(value)  # a plugin's integers arrive as floats (SDK 3.272)
    return _of_its_form(value, path)


def _known(plain: Any, value: Any, path: str, where: str) -> Any:
    """Check what was an output before; one that turns out to be None counts as not given."""
    try:
        return None if value is None else _value(plain, value, path, where)
    except InvalidInputError as error:
        raise InvalidInputError(f"{where}{error}", key=error.key) from None


def _of_its_form(value: Any, path: str) -> Any:
    """Refuse a value that its argument cannot have. An item of a list is looked at with its list."""
    name = re.sub(r"\[\d+\]$", "", path)
    try:
        check_form(name.rpartition(".")[2], value)
    except InvalidInputError as error:
        raise InvalidInputError(f"{name}: {error}", key=name) from None
    return value


def _without_input(kind: Any) -> tuple[Any, bool]:
    """Return the plain type of an annotation, and whether outputs of it are accepted.

    `Input` is a union of the plain type, an awaitable and an output of it, of which the last is a forward reference.
    """
    if typing.get_origin(kind) is typing.NotRequired:
        kind = typing.get_args(kind)[0]
    if typing.get_origin(kind) is not typing.Union:
        return kind, False
    plain, *others = typing.get_args(kind)
    return plain, any(typing.get_origin(other) is Awaitable for other in others)


def _fits(shape: Any, value: Any) -> bool:
    if shape is int:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and value == int(value)
    if shape is Sequence:
        return isinstance(value, Sequence) and not isinstance(value, (str, bytes))
    return isinstance(value, shape)
