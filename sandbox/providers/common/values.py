"""Converts property values of the Pulumi engine to plain Python, and back.

Plain means: None, bool, int, float, str, list, dict, assets, and two marks: `UNKNOWN` for a value that a preview does
not know yet, and `Secret` around values that are encrypted in the state. A whole number is an int, because boto3 and
Kubernetes do not accept 3.0 for 3.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pulumi.provider.experimental.property_value import Computed, PropertyValue, ResourceReference
from pulumi.runtime.rpc import UNKNOWN as UNKNOWN_ON_THE_WIRE

Properties = Mapping[str, PropertyValue]


class Unknown:
    """The type of `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
"""A value that is known only after an update. It equals only itself."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that the engine encrypts in the state and hides on the screen."""

    value: Any


def plain(value: PropertyValue) -> Any:
    """A property value without its secret marks.

    Example:
        >>> plain(PropertyValue({"replicas": PropertyValue(2.0)}))
        {'replicas': 2}
    """
    return _plain(value, mark_secrets=False)


def marked(value: PropertyValue) -> Any:
    """A property value with `Secret` around each secret in it, at any depth."""
    return _plain(value, mark_secrets=True)


def _plain(value: PropertyValue, *, mark_secrets: bool) -> Any:
    inner = value.value
    match inner:
        case str() if inner == UNKNOWN_ON_THE_WIRE:
            result = UNKNOWN
        case Computed():
            result = UNKNOWN
        case bool() | str() | None:
            result = inner
        case float():
            result = int(inner) if inner.is_integer() else inner
        case ResourceReference():
            result = plain(inner.resource_id) if inner.resource_id else inner.urn
        case Mapping():
            result = {key: _plain(item, mark_secrets=mark_secrets) for key, item in inner.items()}
        case Sequence():
            result = [_plain(item, mark_secrets=mark_secrets) for item in inner]
        case _:
            result = inner  # an asset or an archive
    return Secret(result) if mark_secrets and value.is_secret else result


def property_value(value: Any) -> PropertyValue:  # noqa: PLR0911 - one line for each kind of value
    """The inverse of `marked`: unknown values and secrets keep their marks."""
    match value:
        case PropertyValue():
            return value
        case Secret():
            return property_value(value.value).with_secret(is_secret=True)
        case Unknown():
            # PropertyValue.computed() cannot be marshalled (SDK 3.272.0); the engine reads this sentinel.
            return PropertyValue(UNKNOWN_ON_THE_WIRE)
        case bool() | str() | None:
            return PropertyValue(value)
        case int() | float():
            return PropertyValue(float(value))
        case Mapping():
            return PropertyValue({str(key): property_value(item) for key, item in value.items()})
        case Sequence() | set() | frozenset() | tuple():
            return PropertyValue([property_value(item) for item in value])
        case _:
            return PropertyValue(value)


def plain_properties(properties: Properties) -> dict[str, Any]:
    """`plain` of every property; a null property counts as not given."""
    values = {key: plain(value) for key, value in properties.items()}
    return {key: value for key, value in values.items() if value is not None}


def to_properties(values: Mapping[str, Any], secret: Iterable[str] = ()) -> dict[str, PropertyValue]:
    """Values as properties; those in `secret` become secrets. None is left out."""
    hidden = frozenset(secret)
    return {
        key: property_value(Secret(value) if key in hidden and not isinstance(value, Secret) else value)
        for key, value in values.items()
        if value is not None
    }


def secret_keys(properties: Properties) -> frozenset[str]:
    """The names of the properties that are secret or contain a secret at any depth."""
    return frozenset(key for key, value in properties.items() if value.contains_secret())


def has_unknown(value: Any) -> bool:
    """Whether a plain value is or contains `UNKNOWN`."""
    match value:
        case Unknown():
            return True
        case Secret():
            return has_unknown(value.value)
        case Mapping():
            return any(has_unknown(item) for item in value.values())
        case list() | tuple():
            return any(has_unknown(item) for item in value)
        case _:
            return False
