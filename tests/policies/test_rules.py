"""Every rule, tried in the same ways on a compliant resource that is broken in one way each."""

from typing import Any

import pytest
from pulumi_policy import ResourceValidationPolicy
from pulumi_policy.deserialize import deserialize_properties, serialize_properties

from rules import RULES
from tests.policies.cases import CASES, Case, Edits
from tests.policies.harness import arguments, refusals, rule_named, world
from tests.policies.resources import GIVEN, resource

_ALL = [pytest.param(name, case, id=name) for name, case in CASES.items()]
_ALSO = [
    pytest.param(name, case, on, edits, id=f"{name}-{index}-{on}")
    for name, case in CASES.items()
    for index, (on, edits) in enumerate(case.also)
]
_PASSES = [
    pytest.param(name, case, on, edits, id=f"{name}-{index}-{on}")
    for name, case in CASES.items()
    for index, (on, edits) in enumerate(case.passes)
]


def test_every_rule_has_a_case_and_every_case_a_rule() -> None:
    assert set(CASES) == set(RULES)


def test_every_rule_with_settings_is_tried_with_another_setting() -> None:
    assert {name for name, rule in RULES.items() if rule.settings} == {
        name for name, case in CASES.items() if case.setting
    }


@pytest.mark.parametrize(("name", "case"), _ALL)
def test_a_compliant_resource_is_accepted(name: str, case: Case) -> None:
    assert refusals(rule_named(name), world(case, case.on, {})) == []


@pytest.mark.parametrize(("name", "case"), _ALL)
def test_a_resource_broken_in_one_way_is_refused(name: str, case: Case) -> None:
    messages = refusals(rule_named(name), world(case, case.on, case.broken))
    assert messages
    assert all(message.endswith(rule_named(name).instead) for message in messages)


@pytest.mark.parametrize(("name", "case"), _ALL)
def test_what_is_left_out_is_judged_by_its_default(name: str, case: Case) -> None:
    path, refused = case.missing
    assert bool(refusals(rule_named(name), world(case, case.on, {path: None}))) is refused


@pytest.mark.parametrize(("name", "case"), _ALL)
def test_what_is_not_known_yet_is_not_refused(name: str, case: Case) -> None:
    assert refusals(rule_named(name), world(case, case.on, {case.unknown: "unknown"})) == []


@pytest.mark.parametrize(("name", "case"), [param for param in _ALL if param.values[1].setting])  # pyright: ignore[reportAttributeAccessIssue]
def test_a_profile_changes_what_a_rule_demands(name: str, case: Case) -> None:
    assert case.setting
    settings, edits, refused = case.setting
    given: dict[str, Any] = GIVEN.get(name, {}).get(case.on, {})
    things = world(case, case.on, edits)
    assert bool(refusals(rule_named(name), things, {**given, **settings})) is refused
    assert bool(refusals(rule_named(name), things)) is not refused or settings_without_effect(name)


def settings_without_effect(name: str) -> bool:
    """Rules whose setting says what a remediation writes, or that are tried on another shape than the setting's."""
    return name in {
        "ingress-names-its-class-in-its-spec",
        "controller-reads-no-secrets-cluster-wide",
        "controller-webhook-certificate-is-stable",
    }


@pytest.mark.parametrize(("name", "case", "on", "edits"), _ALSO)
def test_other_shapes_and_ways_are_refused_too(name: str, case: Case, on: str, edits: Edits) -> None:
    assert refusals(rule_named(name), world(case, on, edits))
    if edits:
        assert refusals(rule_named(name), world(case, on, {})) == []


@pytest.mark.parametrize(("name", "case", "on", "edits"), _PASSES)
def test_what_only_looks_alike_is_accepted(name: str, case: Case, on: str, edits: Edits) -> None:
    assert refusals(rule_named(name), world(case, on, edits)) == []


_MENDED = [
    pytest.param(name, on, edits, id=f"{name}-{index}-{on}")
    for name, case in CASES.items()
    if RULES[name].remediation
    for index, (on, edits) in enumerate([(case.on, case.broken), *case.also])
]


@pytest.mark.parametrize(("name", "on", "edits"), _MENDED)
def test_a_remediated_resource_passes_its_own_rule(name: str, on: str, edits: Edits) -> None:
    rule = rule_named(name)
    things = world(CASES[name], on, edits)
    token, props = things[on]
    policy = rule.policy()
    assert isinstance(policy, ResourceValidationPolicy)
    mended: Any = policy.remediate(arguments(token, props, on, {}))
    if mended is None:
        assert (name, on) in _NOT_MENDED
        return
    assert refusals(rule, {on: (token, mended)}) == []


# Shapes for which the rule has no safe change to offer.
_NOT_MENDED = {
    ("controller-reads-no-secrets-cluster-wide", "cluster-role"),
}


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.remediation])
def test_a_remediation_leaves_compliant_resources_alone(name: str) -> None:
    token, props = resource(CASES[name].on)
    policy = rule_named(name).policy()
    assert isinstance(policy, ResourceValidationPolicy)
    assert policy.remediate(arguments(token, props, "one", {})) is None


def test_a_remediation_keeps_secrets_and_unknowns_as_they_were() -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "s3cr3t"}
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    sent = {"deletionProtection": False, "name": unknown, "tags": {"note": secret}}
    policy = rule_named("cluster-is-protected-from-deletion").policy()
    assert isinstance(policy, ResourceValidationPolicy)
    args = arguments("aws:eks/cluster:Cluster", {}, "one", {})
    args.props = deserialize_properties(sent, proxy_secrets=True)
    mended: Any = policy.remediate(args)
    assert serialize_properties(mended) == {**sent, "deletionProtection": True}
