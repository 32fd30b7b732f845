"""One way to put a function of ours in the place of one of moto's."""

from typing import Any


def replace(owner: Any, name: str, value: Any) -> Any:
    """Set `owner.name` to `value` and return what it was.

    Raises:
        AttributeError: there is no such thing: moto has changed, and the correction with it must.
    """
    before = getattr(owner, name)
    setattr(owner, name, value)
    return before
