"""Tags of AWS resources."""

from collections.abc import Mapping
from typing import cast

from pulumi import Input, Output


def named(tags: Input[Mapping[str, Input[str]]] | None, name: str, **more: str) -> Output[Mapping[str, str]]:
    """Return the tags with a `Name`, which is what AWS's console shows; the caller's own tags win."""
    known = cast(Output[Mapping[str, str]], Output.from_input(tags or {}))  # from_input also resolves nested outputs
    return known.apply(lambda given: {"Name": name, **more, **given})
