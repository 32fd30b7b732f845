"""Combines and splits a resource's inputs and states. No I/O."""

from collections.abc import Mapping
from typing import Any

from pulumi.provider.experimental.property_value import PropertyValue

from sandbox.providers.aws.kind import Kind, State
from sandbox.providers.common.creation import automatic_name
from sandbox.providers.common.fields import Field, keep_meaning
from sandbox.providers.common.values import (
    UNKNOWN,
    Properties,
    has_unknown,
    plain_properties,
    secret_keys,
    to_properties,
)


def filled_in(kind: Kind, inputs: State) -> dict[str, Any]:
    """Blocks with members that AWS fills in, as a preview shows them."""
    return {
        name: {**inputs[name], **dict.fromkeys(members, UNKNOWN)}
        for name, members in kind.computed_inside.items()
        if isinstance(inputs.get(name), Mapping)
    }


def known_ones(properties: Properties) -> dict[str, Any]:
    """The properties without unknown values, plain."""
    return {name: value for name, value in plain_properties(properties).items() if not has_unknown(value)}


def given_ones(properties: Properties) -> dict[str, PropertyValue]:
    """The properties that are not null."""
    return {name: value for name, value in properties.items() if value.value is not None}


def named(kind: Kind, name: str, token: str, inputs: State) -> dict[str, Any]:
    """The automatic name of a resource without a name; empty if its type has no automatic name."""
    if kind.naming is None or kind.naming[0] in inputs:
        return {}
    prop, longest = kind.naming
    prefix = inputs.get(f"{prop}Prefix")
    if has_unknown(prefix):
        return {prop: UNKNOWN}
    return {prop: f"{prefix}{token}"[:longest] if prefix else automatic_name(name, token, longest)}


def inputs_read(kind: Kind, live: State, given: State, originals: Properties) -> dict[str, PropertyValue]:
    """The inputs that a read found: those that the program gives; for an import, all that differ from the default."""
    secret = secret_keys(originals) | set(kind.secrets)
    if not given:
        values = {
            name: only_known(live[name], known)
            for name, known in kind.fields.items()
            if live.get(name) not in (None, [], {}, "") and live[name] != known.default
        }
        return to_properties(values, secret)
    values: dict[str, Any] = {}
    for name, value in given.items():
        field = kind.fields.get(name)
        if field and name in live:
            found = keep_meaning(live[name], value, field)
            values[name] = found if found is value else keep_meaning(shaped(found, value, field), value, field)
        else:
            values[name] = value
    unchanged = {name: originals[name] for name, value in values.items() if value == given[name]}
    return {**to_properties(values, secret), **unchanged}


def only_known(live: Any, field: Field) -> Any:
    """The members of a block that a program may give, from a block that AWS has filled in."""
    match live:
        case Mapping() if field.inside:
            return {name: only_known(value, field.inside[name]) for name, value in live.items() if name in field.inside}
        case list() if field.inside:
            return [only_known(one, field) for one in live]
        case _:
            return live


def shaped(live: Any, given: Any, field: Field) -> Any:
    """AWS's values for the members that the program gave, in a block or in each block of a list."""
    match live, given:
        case Mapping(), Mapping() if field.inside:
            found = {name: shaped(live.get(name), given[name], field.inside.get(name, Field())) for name in given}
            return {name: value for name, value in found.items() if value is not None}
        case list(), list() if field.inside and len(live) == len(given):
            return [shaped(one, other, field) for one, other in zip(live, given, strict=True)]
        case _:
            return live
