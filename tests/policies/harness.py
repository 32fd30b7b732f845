"""Runs rules on worlds of test resources, like the pack's server."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from fixtures.policies import GIVEN, message, resource, urn
from pack.judge import CRASHED, fixed
from pack.properties import SECRET_SIGNATURE, SIGNATURE, plain, sent
from pack.registry import Rule
from pack.resources import Resource, Stack
from pack.secrets import Vault
from pack.session import Session
from pack.values import NotYetKnown
from rules import RULES
from tests.policies.cases import Case, Edits

World = dict[str, tuple[str, dict[str, Any]]]
UNKNOWN_MARK = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def secret(value: Any) -> dict[str, Any]:
    """A secret value in the engine's form."""
    return {SIGNATURE: SECRET_SIGNATURE, "value": value}


def changed(props: dict[str, Any], edits: Edits) -> dict[str, Any]:
    """A copy with values at paths: `None` removes the key, the text `unknown` makes the value unknown."""
    props = deepcopy(props)
    for path, value in edits.items():
        *way, last = [part.replace("~", "/") for part in path.split("/")]
        target = _walk(props, way)
        key: Any = int(last) if isinstance(target, list) else last
        if value is None:
            target.pop(key, *([None] if isinstance(key, str) else []))
        else:
            target[key] = UNKNOWN_MARK if value == "unknown" else value
    return props


def _walk(target: Any, way: list[str]) -> Any:
    for part in way:
        target = target[int(part)] if isinstance(target, list) else target.setdefault(part, {})
    return target


def world(case: Case, on: str, edits: Edits) -> World:
    """The broken resource, and its neighbours."""
    token, props = resource(on)
    return {
        on: (token, changed(props, edits)),
        **{name: resource(name) for name in (case.on, *case.world) if name != on},
    }


def content_rules(name: str) -> list[Rule]:
    """The rules that do not refuse a compliant resource alone; the others judge it by what else is in the world."""
    return [rule for rule in RULES.values() if not refusals(rule, {name: resource(name)})]


def refusals(
    rule: Rule, things: World, settings: Mapping[str, Any] | None = None, links: Mapping[str, Any] | None = None
) -> list[str]:
    """A rule's messages for a world: none if it accepts it.

    Args:
        rule: The rule.
        things: The resources by name, in the order of their declaration.
        settings: The rule's settings; by default those of `GIVEN` for the world.
        links: The sources of properties: `{"node-group.subnetIds": ["subnet"]}`.
    """
    given = settings if settings is not None else _given(rule, things)
    found = [said.message for said in session(rule, given).run(things, links or {}) if said.rule is rule]
    assert not any(message.startswith(CRASHED) for message in found), (rule.name, found, things)
    return found


def crashes(things: World) -> list[tuple[str, str]]:
    """The rules that crash on a world, and their messages."""
    run = Run(list(RULES.values()))
    run.configure({rule.name: _given(rule, things) for rule in RULES.values()}, {})
    return [(said.rule.name, said.message) for said in run.run(things, {}) if said.message.startswith(CRASHED)]


def _given(rule: Rule, things: World) -> Mapping[str, Any]:
    return next((values for name, values in GIVEN.get(rule.name, {}).items() if name in things), {})


class Run(Session):
    """A session that has seen a whole world."""

    def run(self, things: World, links: Mapping[str, Any]) -> list[Any]:
        """All messages about a world."""
        shown = [seen(token, props, name, links) for name, (token, props) in things.items()]
        said = [one for each in shown for one in self.declare(each)]
        return said + list(self.finish([seen(token, props, name, links) for name, (token, props) in things.items()]))


def session(rule: Rule, settings: Mapping[str, Any]) -> Run:
    """A session with one rule."""
    run = Run([rule])
    run.configure({rule.name: settings}, {})
    return run


def seen(token: str, props: dict[str, Any], name: str, links: Mapping[str, Any] | None = None) -> Resource:
    """A resource as rules see it."""
    vault = Vault()
    sources = {
        path.partition(".")[2]: [one for other in others for one in _urns(other)]
        for path, others in (links or {}).items()
        if path.partition(".")[0] == name
    }
    return Resource(token, plain(props, vault), urn(token, name), name, None, sources, vault)


def _urns(name: str) -> list[str]:
    return [urn(resource(name)[0], name)]


def remedied(rule: Rule, token: str, props: dict[str, Any], settings: Mapping[str, Any] | None = None) -> Any:
    """A resource after a rule's remediation; `None` if unchanged."""
    try:
        properties = fixed(rule, message(token, props, "one"), settings or {}, Stack([]))
    except NotYetKnown:
        return None
    return None if properties is None else sent(properties)


def rule_named(name: str) -> Rule:
    """The rule of a case."""
    return RULES[name]
