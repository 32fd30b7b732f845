"""Names in the installed pulumi-aws SDK. Only error messages and tests import this, because it takes a second."""

import importlib
import re
from typing import Any


def has_input(token: str, name: str) -> bool:
    """Whether a resource type has an input with this camelCase name."""
    return name in inputs(token)


def inputs(token: str) -> frozenset[str]:
    """The camelCase inputs of a resource type such as `aws:ec2/vpc:Vpc`; empty if the SDK has no such type."""
    module, _, cls = _parts(token)
    return _names(getattr(module, f"{cls}Args", None)) if module else frozenset()


def properties(token: str) -> frozenset[str]:
    """The camelCase properties of a resource type, including outputs."""
    module, _, cls = _parts(token)
    return _names(getattr(module, cls, None)) if module else frozenset()


def has_setting(name: str) -> bool:
    """Whether the provider has a configuration key with this camelCase name."""
    provider: Any = importlib.import_module("pulumi_aws.provider")
    return name in _names(provider.ProviderArgs)


def has_argument(token: str, name: str) -> bool:
    """Whether a function such as `aws:index/getRegion:getRegion` has an argument with this camelCase name."""
    return name in arguments(token)


def arguments(token: str) -> frozenset[str]:
    """The camelCase arguments of a function; empty if the SDK has no such function."""
    module, snake, _ = _parts(token)
    annotations: dict[str, Any] = getattr(getattr(module, snake, None), "__annotations__", {})
    return frozenset(camel(name) for name in annotations if name not in ("opts", "return"))


def results(token: str) -> frozenset[str]:
    """The camelCase results of a function; empty if the SDK has no such function."""
    module, _, cls = _parts(token)
    return _names(getattr(module, f"{cls[:1].upper()}{cls[1:]}Result", None)) if module else frozenset()


def camel(name: str) -> str:
    """A Python name in the engine's spelling.

    Example:
        >>> camel("cidr_block")
        'cidrBlock'
    """
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _parts(token: str) -> tuple[Any, str, str]:
    """The SDK's module for a token, its file's name, the name of the class or function."""
    _, path, cls = token.split(":")
    folder, _, name = path.rpartition("/")
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
    package = ".".join(part for part in ("pulumi_aws", folder.replace("index", ""), snake) if part)
    try:
        # The SDK loads folders on first use; a folder that was loaded from its own file lacks that file's classes.
        hasattr(importlib.import_module(package.rpartition(".")[0]), snake)
        return importlib.import_module(package), snake, cls
    except ModuleNotFoundError:
        return None, snake, cls


def _names(cls: Any) -> frozenset[str]:
    """The engine's names of the properties that the SDK generated for a class."""
    return (
        frozenset(
            getattr(member.fget, "_pulumi_name", None) or camel(name)
            for name, member in vars(cls).items()
            if isinstance(member, property)
        )
        if cls
        else frozenset()
    )
