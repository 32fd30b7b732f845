"""The pack's messages at the end of a preview: what it could not check yet, and what configuration exempts."""

from datetime import date
from typing import Any

import pytest

from fixtures.policies import resource, urn
from pack import waivers
from pack.configuration import problems
from pack.registry import Level
from pack.reports import JUDGED_LATER, REPORTS, WAIVERS
from rules import RULES
from tests.policies.harness import Run, World, changed

_VERSION = "cluster-version-is-supported"
_TRUST = "irsa-trust-names-one-service-account"
_CLUSTER = "aws:eks/cluster:Cluster"


def _run(things: World, config: dict[str, Any] | None = None, levels: dict[str, Level] | None = None) -> list[Any]:
    run = Run(RULES.values())
    run.configure(config or {}, levels or {})
    return run.run(things, {})


def _reports(things: World, config: dict[str, Any] | None = None) -> dict[str, list[str]]:
    said = _run(things, config)
    return {name: [one.message for one in said if one.rule.name == name] for name in REPORTS}


def _role(**edits: Any) -> World:
    token, props = resource("role")
    return {"role": (token, changed(props, {"inlinePolicies": None, **edits}))}


def test_a_trust_policy_that_is_unknown_is_reported_as_not_judged_yet() -> None:
    [said] = _reports(_role(assumeRolePolicy="unknown"))[JUDGED_LATER.name]
    assert said.startswith("1 resource has values that are not known yet")
    assert f"{_TRUST} (1)" in said


def test_what_is_known_is_not_reported_as_waiting() -> None:
    assert _reports(_role())[JUDGED_LATER.name] == []


def test_a_rule_that_leaves_an_unknown_value_out_waits_for_it() -> None:
    token, props = resource("security-group")
    things = {"group": (token, changed(props, {"ingress/0/cidrBlocks/0": "unknown"}))}
    [said] = _reports(things)[JUDGED_LATER.name]
    assert "node-doors-are-not-open-to-the-world (1)" in said


def test_a_resource_that_is_refused_anyway_is_not_reported_as_waiting_for_that_rule() -> None:
    token, props = resource("security-group")
    edits = {"ingress/0/cidrBlocks": ["0.0.0.0/0", "unknown"]}
    assert _reports({"group": (token, changed(props, edits))})[JUDGED_LATER.name] == []


def test_the_count_is_of_resources_and_not_of_rules() -> None:
    things = {**_role(assumeRolePolicy="unknown"), "cluster": (_CLUSTER, {"version": "unknown"})}
    token, props = resource("cluster")
    things["cluster"] = (token, changed(props, {"version": "unknown"}))
    [said] = _reports(things)[JUDGED_LATER.name]
    assert said.startswith("2 resources have")


def _waiver(**more: Any) -> dict[str, Any]:
    one = {"rule": _VERSION, "resource": urn(_CLUSTER, "cluster"), "reason": "SHOP-1", "until": "2027-01-31"}
    return {WAIVERS.name: {"waivers": [{**one, **more}]}}


def _old_cluster() -> World:
    token, props = resource("cluster")
    return {"cluster": (token, changed(props, {"version": "1.29"}))}


def _violated(config: dict[str, Any], things: World | None = None, levels: dict[str, Level] | None = None) -> set[str]:
    return {one.rule.name for one in _run(things or _old_cluster(), config, levels)} - set(REPORTS)


@pytest.fixture(autouse=True)
def _new_year(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waivers, "today", lambda: date(2027, 1, 1))


def test_a_waiver_exempts_one_resource_from_one_rule_and_is_listed() -> None:
    assert _VERSION in _violated({})
    assert _VERSION not in _violated(_waiver())
    assert _reports(_old_cluster(), _waiver())[WAIVERS.name] == [
        f"the waiver of {_VERSION} for {urn(_CLUSTER, 'cluster')} exempts 1 violation until 2027-01-31: SHOP-1"
    ]


@pytest.mark.parametrize("resource", [urn(_CLUSTER, "clust*"), "urn:pulumi:s::p::*", "urn:pulumi:*::cluster"])
def test_a_waiver_may_name_its_resources_by_a_pattern(resource: str) -> None:
    assert _VERSION not in _violated(_waiver(resource=resource))


@pytest.mark.parametrize("resource", [urn(_CLUSTER, "cluste"), urn(_CLUSTER, "other"), "urn:pulumi:t::p::*"])
def test_a_waiver_for_another_resource_exempts_nothing(resource: str) -> None:
    assert _VERSION in _violated(_waiver(resource=resource))


def test_an_expired_waiver_exempts_nothing_and_is_reported() -> None:
    expired = _waiver(until="2026-12-31")
    assert _VERSION in _violated(expired)
    [said] = _reports(_old_cluster(), expired)[WAIVERS.name]
    assert "expired on 2026-12-31: SHOP-1" in said


def test_a_waiver_holds_through_its_last_day() -> None:
    assert _VERSION not in _violated(_waiver(until="2027-01-01"))


def test_a_waiver_that_nothing_needs_is_reported() -> None:
    [said] = _reports({"cluster": resource("cluster")}, _waiver())[WAIVERS.name]
    assert "is not needed" in said


def test_a_waiver_for_another_stack_is_not_reported_as_unneeded() -> None:
    assert _reports({"cluster": resource("cluster")}, _waiver(resource="urn:pulumi:t::p::x::y"))[WAIVERS.name] == []


def test_a_waiver_that_the_update_may_need_is_not_reported_as_unneeded() -> None:
    token, props = resource("cluster")
    things = {"cluster": (token, changed(props, {"version": "unknown"}))}
    assert _reports(things, _waiver())[WAIVERS.name] == []


_KEY = {"key": ("aws:iam/accessKey:AccessKey", {"user": "person"})}
_KEY_RULE = "no-iam-access-keys"


def test_a_mandatory_critical_rule_is_waived_by_its_full_name_only() -> None:
    everything = "urn:pulumi:s::p::*"
    assert _KEY_RULE in _violated(_waiver(rule="*", resource=everything), _KEY)
    assert _KEY_RULE in _violated(_waiver(rule="no-iam-*", resource=everything), _KEY)
    assert _KEY_RULE not in _violated(_waiver(rule=_KEY_RULE, resource=everything), _KEY)
    assert _VERSION not in _violated(_waiver(rule="cluster-*", resource=everything))


def test_a_critical_rule_that_only_advises_is_waived_by_a_pattern() -> None:
    config, levels = _waiver(rule="no-iam-*", resource="urn:pulumi:s::p::*"), {_KEY_RULE: Level.ADVISORY}
    assert _KEY_RULE not in _violated(config, _KEY, levels)


def test_a_waiver_does_not_hide_that_a_rule_crashed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> list[str]:
        raise RuntimeError("odd")

    monkeypatch.setattr(RULES[_VERSION], "check", fail)
    assert _VERSION in _violated(_waiver())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reason": None}, "waivers[0]: reason is missing; say why"),
        ({"reason": "  "}, "waivers[0]: reason is missing"),
        ({"until": "next year"}, "until is 'next year'; write the last day, as 2027-01-31"),
        ({"until": None}, "until is missing"),
        ({"rule": "cluster-version-is-suported"}, "did you mean cluster-version-is-supported?"),
        ({"rule": "nothing-*"}, "there is no rule nothing-*"),
        ({"resource": "cluster"}, "resource is 'cluster'; write its URN"),
        ({"resource": "*"}, "resource is '*'; write its URN"),
        ({"because": "x"}, "there is no key because; known: rule, resource, reason, until"),
    ],
)
def test_a_waiver_that_does_not_fit_is_refused(given: dict[str, Any], said: str) -> None:
    config = _waiver(**given)
    config[WAIVERS.name]["waivers"][0] = {k: v for k, v in config[WAIVERS.name]["waivers"][0].items() if v is not None}
    [found] = problems(config, {**RULES, **REPORTS})
    assert said in found


@pytest.mark.parametrize("given", ["all", ["all"], {}, [[]]])
def test_an_invalid_list_of_waivers_is_refused(given: Any) -> None:
    assert list(problems({WAIVERS.name: {"waivers": given}}, {**RULES, **REPORTS}))


def test_a_waiver_that_fits_is_accepted() -> None:
    assert list(problems(_waiver(), {**RULES, **REPORTS})) == []
