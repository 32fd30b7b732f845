"""No unknown, missing or odd value makes a rule crash, and no unknown value makes it refuse."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from fixtures.policies import COMPLIANT, resource
from rules import RULES
from tests.policies.cases import CASES
from tests.policies.harness import UNKNOWN_MARK, content_rules, crashes, refusals, world

Path = tuple[str | int, ...]
_NAMES = sorted(COMPLIANT)
# Whether these refuse depends on the namespace.
_BY_NAMESPACE = {"guarded-annotations-stay-in-admin-namespaces"}


def _places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in a resource, from its properties down to its leaves."""
    parts: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in parts:
        yield (*path, key)
        yield from _places(item, (*path, key))


def _with(props: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    props = deepcopy(props)
    target: Any = props
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return props


@pytest.mark.parametrize("name", _NAMES)
def test_one_unknown_value_is_never_a_reason_to_refuse(name: str) -> None:
    token, props = resource(name)
    for rule in content_rules(name):
        for path in _places(props):
            assert refusals(rule, {name: (token, _with(props, path, UNKNOWN_MARK))}) == [], (rule.name, path)


@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if case.on in {"ingress", "service"} and name not in _BY_NAMESPACE]
)
def test_a_fault_is_refused_though_the_namespace_is_not_known_yet(name: str) -> None:
    case = CASES[name]
    edits = {**case.broken, "metadata/namespace": "unknown"}
    assert refusals(RULES[name], world(case, case.on, edits))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("controller-runs-two-replicas", "metadata/labels/app.kubernetes.io~name"),
        ("controller-security-context-is-hardened", "spec/template/spec/containers/0/securityContext/runAsNonRoot"),
    ],
)
def test_a_fault_is_refused_though_something_beside_it_is_not_known_yet(name: str, path: str) -> None:
    case = CASES[name]
    assert refusals(RULES[name], world(case, case.on, {**case.broken, path: "unknown"}))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.world])
def test_one_unknown_value_in_a_stack_is_never_a_reason_to_refuse(name: str) -> None:
    case = CASES[name]
    things = world(case, case.on, {})
    for other, (token, props) in things.items():
        for path in _places(props):
            changed = {**things, other: (token, _with(props, path, UNKNOWN_MARK))}
            assert refusals(RULES[name], changed) == [], (other, path)


@pytest.mark.parametrize("name", _NAMES)
def test_odd_values_do_not_make_a_rule_fail(name: str) -> None:
    token, props = resource(name)
    for path in _places(props):
        for odd in (None, "", "odd", 7.0, True, [], {}, ["odd"], {"odd": "odd"}, [None], "[secret]"):
            assert crashes({name: (token, _with(props, path, odd))}) == [], (path, odd)


@pytest.mark.parametrize("name", _NAMES)
def test_a_resource_that_says_nothing_does_not_make_a_rule_fail(name: str) -> None:
    token, _ = resource(name)
    assert crashes({name: (token, {})}) == []
