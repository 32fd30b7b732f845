"""Properties of AWS resources that a program gives beside the arguments of a component."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi

from eks_load_balancing.errors import InvalidInputError


def check_properties(properties: Mapping[str, Any], own: Mapping[str, str], key: str) -> Mapping[str, Any]:
    """Return properties, or say which of them has an argument of its own or is not spelt as Pulumi's schema spells it.

    Args:
        properties: by name, in camel case.
        own: the names of arguments, by that of the property that each of them sets.
        key: the argument that has them.
    """
    for name, value in properties.items():
        if name in own:
            raise InvalidInputError(f"{key}.{name} {value!r} has an argument of its own: give {own[name]}", key=key)
        if "_" in name or not name[:1].islower():
            raise InvalidInputError(
                f"{key}.{name} is not a property's name: give it in camel case, such as zonalShiftConfig", key=key
            )
    return properties


def with_properties(kind: str, properties: Mapping[str, Any]) -> pulumi.ResourceTransform:
    """Return a transform that puts properties over those of every resource of a type; maps are merged."""

    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ != kind:
            return None
        return pulumi.ResourceTransformResult(over(args.props, properties), args.opts)

    return transform


def over(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return our properties with theirs over them: maps key by key, anything else as a whole."""
    both: dict[str, Any] = {**ours, **theirs}
    for key, value in theirs.items():
        mine = ours.get(key)
        if isinstance(value, Mapping) and isinstance(mine, Mapping):
            both[key] = over(cast(Mapping[str, Any], mine), cast(Mapping[str, Any], value))
    return both
