"""Outputs that a preview knows.

While an input of a Helm chart is unknown, the Kubernetes provider renders nothing, and the preview announces the
deletion of everything in the chart: https://github.com/pulumi/pulumi-kubernetes/issues/3699.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import pulumi
from pulumi import Output

T = TypeVar("T")
NOT_YET_KNOWN: Final = "known-after-the-update"
"""What a preview shows instead of a text that only the update will know."""


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
