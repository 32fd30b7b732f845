"""The table of functions (data sources) that the stand-in knows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, Final

from sandbox.providers.aws.session import Aws
from sandbox.providers.common.fields import Field, Fields

MODULES: Final = ("environment", "ec2", "eks", "lookups", "policy_document")

GLOBAL: Final = (
    "aws:iam/",
    "aws:index/getPartition",
    "aws:index/getCallerIdentity",
    "aws:index/getDefaultTags",
    "aws:index/getArn",
)
"""Prefixes of the tokens of functions that have no `region`."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    Attributes:
        token: Such as `aws:index/getRegion:getRegion`.
        answer: From the arguments (plain, by camelCase name) to the results; blocks.
        arguments: What a program may give.
        secrets: Results that are encrypted everywhere.
    """

    token: str
    answer: Callable[[Aws, dict[str, Any]], dict[str, Any]]
    arguments: Fields = field(default_factory=dict)
    secrets: tuple[str, ...] = ()

    @property
    def fields(self) -> Fields:
        """The arguments, including the region that every regional function takes."""
        return self.arguments if self.token.startswith(GLOBAL) else {**self.arguments, "region": Field()}


@cache
def functions() -> dict[str, Function]:
    """Every function by its token."""
    modules = [import_module(f"{__name__}.{module}") for module in MODULES]
    return {function.token: function for module in modules for function in module.FUNCTIONS}
