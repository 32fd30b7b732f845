"""Pulumi components that bring traffic straight to pods on EKS."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eks_load_balancing.components import *  # noqa: F403 - its __all__


def __getattr__(name: str) -> Any:
    """Import the components when the first of them is used: the SDKs take seconds, and the doctor needs none."""
    if name != "__all__" and not name[:1].isupper():  # a submodule that is not imported yet
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.components"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})
