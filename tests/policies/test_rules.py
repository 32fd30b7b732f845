"""Every rule, tried in the same ways on a compliant resource that is broken in one way each."""

from typing import Any

import pytest

from fixtures.policies import GIVEN, NLB, resource
from pack.registry import camel
from rules import RULES
from tests.policies.cases import CASES, Case, Edits
from tests.policies.harness import UNKNOWN_MARK, refusals, remedied, rule_named, secret, world

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
    assert all(rule_named(name).instead in message for message in messages)


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


_ALLOWED = [param for param in _ALL if param.values[1].setting and not param.values[1].setting[2]]  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(("name", "case"), _ALLOWED)
def test_a_message_names_the_setting_that_would_allow_the_case(name: str, case: Case) -> None:
    assert case.setting
    settings, edits, _ = case.setting
    for message in refusals(rule_named(name), world(case, case.on, edits)):
        assert any(setting in message for setting in settings), message


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.settings])
def test_every_message_names_a_setting_of_its_rule(name: str) -> None:
    case = CASES[name]
    allowing = [camel(key) for key, setting in RULES[name].settings.items() if setting.allows]
    for on, edits in [(case.on, case.broken), *case.also]:
        for message in refusals(rule_named(name), world(case, on, edits)):
            assert any(setting in message for setting in allowing) or not allowing, message


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


_FIXED = [
    pytest.param(name, on, edits, id=f"{name}-{index}-{on}")
    for name, case in CASES.items()
    if RULES[name].remediation
    for index, (on, edits) in enumerate([(case.on, case.broken), *case.also])
]


@pytest.mark.parametrize(("name", "on", "edits"), _FIXED)
def test_a_remediated_resource_passes_its_own_rule(name: str, on: str, edits: Edits) -> None:
    rule = rule_named(name)
    things = world(CASES[name], on, edits)
    token, props = things[on]
    fixed = remedied(rule, token, props)
    if fixed is None:
        assert (name, on) in _NOT_FIXED
        return
    assert refusals(rule, {on: (token, fixed)}) == []


# Shapes for which the rule has no safe change to offer.
_NOT_FIXED = {
    ("controller-reads-no-secrets-cluster-wide", "cluster-role"),
}


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.remediation])
def test_a_remediation_leaves_compliant_resources_alone(name: str) -> None:
    token, props = resource(CASES[name].on)
    assert remedied(rule_named(name), token, props) is None


def test_a_remediation_keeps_secrets_and_unknowns_as_they_were() -> None:
    sent = {"deletionProtection": False, "name": UNKNOWN_MARK, "tags": {"note": secret("s3cr3t")}}
    fixed = remedied(rule_named("cluster-is-protected-from-deletion"), "aws:eks/cluster:Cluster", sent)
    assert fixed == {**sent, "deletionProtection": True}


def test_what_a_remediation_puts_in_the_place_of_a_secret_or_makes_of_one_is_secret() -> None:
    rule, token = rule_named("load-balancer-is-protected-from-deletion"), "kubernetes:core/v1:Service"
    _, props = resource("service")
    attributes = f"{NLB}attributes"
    props["metadata"]["annotations"][attributes] = secret("access_logs.s3.bucket=hidden-bucket")
    fixed = remedied(rule, token, props)
    wanted = "access_logs.s3.bucket=hidden-bucket,deletion_protection.enabled=true"
    assert fixed["metadata"]["annotations"][attributes] == secret(wanted)
    named = rule_named("ingress-names-its-class-in-its-spec")
    annotated = {"metadata": {"annotations": {"kubernetes.io/ingress.class": secret("hidden-class")}}, "spec": {}}
    moved = remedied(named, "kubernetes:networking.k8s.io/v1:Ingress", annotated)
    assert moved["spec"]["ingressClassName"] == secret("hidden-class")
