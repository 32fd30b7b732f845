"""Replaces one of moto's functions with ours."""

from typing import Any


def replace(owner: Any, name: str, value: Any) -> Any:
    """Set `owner.name` to `value` and return the old value.

    Raises:
        AttributeError: it does not exist: moto has changed, and the correction must change too.
    """
    before = getattr(owner, name)
    setattr(owner, name, value)
    return before
