"""Functions of inputs, and outputs that a preview knows.

While an input of a Helm chart is unknown, the Kubernetes provider renders nothing, and the preview announces the
deletion of everything in the chart: https://github.com/pulumi/pulumi-kubernetes/issues/3699.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

import pulumi
from pulumi import Input, Output

T = TypeVar("T")
NOT_YET_KNOWN: Final = "known-after-the-update"
"""What a preview shows instead of a text that only the update will know."""


def applied(function: Callable[..., T], *inputs: Any) -> Input[T]:
    """Return what a function makes of inputs: now if all of them are plain, else an output.

    So what is plain is refused before anything is declared, and an output with the same error when it is known.
    """
    if any(map(_is_output, inputs)):
        return Output.all(*inputs).apply(lambda known: function(*known))
    return function(*inputs)


def given(values: Input[Sequence[Any]] | None) -> bool:
    """Return whether a list has something in it; one that is not known yet is taken to have."""
    return isinstance(values, Output) or bool(values)


def suffixed(arns: Sequence[Input[str]]) -> list[tuple[str, Input[str]]]:
    """Return ARNs with what the names of their resources end in: who or what it is, or the place of an output.

    Where all are plain, none of them changes its name when another one comes or goes.
    """
    return [(slug(arn) if isinstance(arn, str) else str(place), arn) for place, arn in enumerate(arns)]


def slug(arn: str) -> str:
    """Return the part of an ARN that says who or what it is, as part of a resource's name."""
    return "-".join(arn.split(":")[4:]).replace("/", "-")


def _is_output(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_is_output, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_is_output, cast(Sequence[Any], value)))
    return isinstance(value, Output) or inspect.isawaitable(value)


def after(output: Output[T], resources: Sequence[pulumi.Resource]) -> Output[T]:
    """Return an output that waits for some resources, and that a preview always knows.

    An `apply` over the resources' outputs would make it unknown as soon as one of them is created or changes.
    """

    async def waited_for() -> set[pulumi.Resource]:
        return {*await output.resources(), *resources}

    value: Any = output.future(with_unknowns=True)
    return Output(waited_for(), value, output.is_known(), output.is_secret())


def known_in_previews(value: Any) -> Any:
    """Return a value with `NOT_YET_KNOWN` for each text in it that a preview does not know.

    An update gets the value itself.

    Args:
        value: mappings, lists and plain values, with outputs of texts or of mappings anywhere in them.
    """
    if not pulumi.runtime.is_dry_run():
        return value
    if isinstance(value, Mapping):
        return {key: known_in_previews(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [known_in_previews(inner) for inner in value]
    return _known(value) if isinstance(value, Output) else value


def _known(output: Output[Any]) -> Output[Any]:
    # One unknown text would make the whole output unknown; here each of them is replaced.
    async def replaced() -> Any:
        if await output.is_known():
            return await output.future()
        return _without_unknowns(await output.future(with_unknowns=True))

    async def known() -> bool:
        return True

    return Output(output.resources(), replaced(), known(), output.is_secret())


def _without_unknowns(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_unknowns(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_unknowns(inner) for inner in value]
    return value if isinstance(value, (str, int, float, bool)) else NOT_YET_KNOWN
