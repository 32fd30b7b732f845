"""Runs rules as the SDK does, on worlds of made-up resources."""

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

from pulumi_policy import (
    Policy,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.policy import PolicyCustomTimeouts
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from pack.registry import BROKEN, Rule
from rules import RULES
from tests.policies.cases import Case, Edits
from tests.policies.resources import GIVEN, resource

World = dict[str, tuple[str, dict[str, Any]]]
OPTIONS = PolicyResourceOptions(
    protect=False,
    ignore_changes=[],
    delete_before_replace=None,
    aliases=[],
    custom_timeouts=PolicyCustomTimeouts(0, 0, 0),
    additional_secret_outputs=[],
)


def changed(props: dict[str, Any], edits: Edits) -> dict[str, Any]:
    """A copy with values put at paths: `None` takes the key away, the text `unknown` makes the value unknown."""
    props = deepcopy(props)
    for path, value in edits.items():
        *way, last = [part.replace("~", "/") for part in path.split("/")]
        target = _walk(props, way)
        key: Any = int(last) if isinstance(target, list) else last
        if value is None:
            target.pop(key, *([None] if isinstance(key, str) else []))
        else:
            target[key] = UNKNOWN_STRING_VALUE if value == "unknown" else value
    return props


def _walk(target: Any, way: list[str]) -> Any:
    for part in way:
        target = target[int(part)] if isinstance(target, list) else target.setdefault(part, {})
    return target


def world(case: Case, on: str, edits: Edits) -> World:
    """The resource that is broken, and what stands beside it."""
    token, props = resource(on)
    return {
        on: (token, changed(props, edits)),
        **{name: resource(name) for name in (case.on, *case.world) if name != on},
    }


def refusals(rule: Rule, things: World, settings: Mapping[str, Any] | None = None) -> list[str]:
    """What a rule says against a world: nothing if it accepts it."""
    given = (
        settings
        if settings is not None
        else next((values for name, values in GIVEN.get(rule.name, {}).items() if name in things), {})
    )
    found: list[str] = []

    def report(message: str, _urn: str | None = None) -> None:
        assert not message.startswith(BROKEN), (rule.name, message, things)
        found.append(message)

    policy = policy_of(rule.name)
    if isinstance(policy, StackValidationPolicy):
        policy.validate(StackValidationArgs(_stack(things), given), report)
    elif isinstance(policy, ResourceValidationPolicy):
        for name, (token, props) in things.items():
            policy.validate(arguments(token, props, name, given), report)
    return found


@cache
def policy_of(name: str) -> Policy:
    """A rule as the SDK has it."""
    return RULES[name].policy()


def arguments(token: str, props: dict[str, Any], name: str, settings: Mapping[str, Any]) -> ResourceValidationArgs:
    """A resource as the SDK hands it to a rule."""
    return ResourceValidationArgs(
        token, unknown_checking_proxy(props), f"urn:pulumi:s::p::{token}::{name}", name, OPTIONS, None, settings
    )


def _stack(things: World) -> list[PolicyResource]:
    return [
        PolicyResource(
            token,
            unknown_checking_proxy(props),
            f"urn:pulumi:s::p::{token}::{name}",
            name,
            OPTIONS,
            None,
            None,
            [],
            {},
        )
        for name, (token, props) in things.items()
    ]


def rule_named(name: str) -> Rule:
    """A rule, by the name that a case goes by."""
    return RULES[name]
