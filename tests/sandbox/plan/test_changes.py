"""Changes with known outcomes: each is classified as what AWS and the controller make of it.

All cases are applied at once, each in a namespace of its own: before, then after.
"""

import json
from typing import Any

import pytest
import yaml

from sandbox.plan.inputs.manifests import Manifest
from sandbox.plan.result.changes import Change, Difference, difference
from tests.sandbox.plan.cases import CASES, Case
from tests.sandbox.plan.conftest import Running, manifests

pytestmark = pytest.mark.sandbox


def _in_namespace(case: Case, objects: list[dict[str, Any]]) -> list[Manifest]:
    text = json.dumps(objects).replace("{ns}", f"c-{case.name}")
    return manifests(yaml.safe_dump_all(json.loads(text)), f"c-{case.name}", f"{case.name}.yaml")


@pytest.fixture(scope="module")
def found(running: Running) -> Difference:
    before = running.make([m for case in CASES for m in _in_namespace(case, case.before)])
    assert not before.problems
    after = running.make([m for case in CASES for m in _in_namespace(case, case.after)])
    assert not after.problems
    assert not after.silent
    return difference(before.state, after.state)


def _of(found: Difference, case: Case) -> dict[str, Change]:
    return {c.key: c for c in found.changes if f"c-{case.name}/" in c.key or c.key == f"both-c-{case.name}"}


def _key(case: Case, name: str) -> str:
    return name.format(ns=f"c-{case.name}") if "{ns}" in name else f"c-{case.name}/{name}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_change_is_classified_as_what_the_controller_makes_of_it(found: Difference, case: Case) -> None:
    changes = _of(found, case)
    assert {key: c.action for key, c in changes.items()} == {
        _key(case, name): action for name, action in case.expected.items()
    }
    kind, end, action = case.below
    if kind:
        below = changes[_key(case, next(iter(case.expected)))].children
        assert [c.action for c in below if c.kind == kind and c.key.endswith(end)] == [action]


def test_a_scheme_is_the_reason_of_a_replacement_whose_dns_name_changes(found: Difference) -> None:
    change = next(c for c in found.changes if c.key == "c-scheme/web")
    assert change.reasons == ["scheme internal -> internet-facing: the controller cannot change it in place"]
    assert "its DNS name changes" in change.warnings[0]
    assert any(m["object"] == "Ingress c-scheme/web" for m in found.moved)


def test_an_ingress_that_joins_a_group_gets_another_host_name(found: Difference) -> None:
    moved = [m for m in found.moved if m["object"] == "Ingress c-joined/web"]
    assert moved == [{"object": "Ingress c-joined/web", "before": "c-joined/web", "after": "both-c-joined"}]


def test_what_did_not_change_is_no_change(running: Running, found: Difference) -> None:
    """Applied a second time, the same manifests change nothing."""
    assert found.changes
    after = [m for case in CASES for m in _in_namespace(case, case.after)]
    assert difference(running.make(after).state, running.make(after).state).empty
