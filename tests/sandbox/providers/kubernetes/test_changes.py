"""Differences between objects, and which of them need a new object."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.providers.common.values import UNKNOWN
from sandbox.providers.kubernetes.changes import (
    Change,
    changes,
    covers,
    drifted,
    in_effect,
    moved_group,
    parse_property_path,
    property_path,
    replaces,
    replacing,
)
from sandbox.providers.kubernetes.kinds import Kind, of_token

json_values = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
DEPLOYMENT = of_token("kubernetes:apps/v1:Deployment")
SECRET = of_token("kubernetes:core/v1:Secret")


@given(json_values)
def test_an_object_does_not_differ_from_its_copy(value: Any) -> None:
    assert list(changes(value, copy.deepcopy(value))) == []


@given(json_values, json_values)
def test_two_objects_differ_exactly_if_they_are_not_equal(old: Any, new: Any) -> None:
    same = old == new and repr(old) == repr(new)  # to Python True is 1
    reordered = old == new and sorted(repr(old)) == sorted(repr(new))
    assert bool(list(changes(old, new))) != (same or reordered)


def test_a_difference_is_found_where_it_is() -> None:
    old = {"a": [1, {"b": 2}], "gone": 1}
    new = {"a": [1, {"b": 3}, 4], "here": 1}
    assert {(property_path(one.path), one.edit) for one in changes(old, new)} == {
        ("a[1].b", "update"),
        ("a[2]", "add"),
        ("gone", "delete"),
        ("here", "add"),
    }


def test_what_is_not_known_yet_may_differ() -> None:
    assert list(changes({"a": "x"}, {"a": UNKNOWN})) == [Change(("a",), "update")]


def test_true_is_not_one() -> None:
    assert list(changes({"a": 1}, {"a": True})) == [Change(("a",), "update")]


@given(st.lists(st.text(min_size=1, max_size=6).filter(lambda s: '"' not in s and "\\" not in s), min_size=1))
def test_a_path_can_be_read_back(parts: list[str]) -> None:
    assert parse_property_path(property_path(tuple(parts))) == tuple(parts)


def test_a_path_quotes_what_has_dots_and_counts_what_has_places() -> None:
    path = ("metadata", "annotations", "a.b/c", 0)
    assert property_path(path) == 'metadata.annotations["a.b/c"][0]'
    assert parse_property_path('metadata.annotations["a.b/c"][0]') == path


def test_a_star_covers_any_one_part() -> None:
    assert covers(parse_property_path("spec.containers[*].image"), ("spec", "containers", 3, "image"))
    assert not covers(parse_property_path("spec.containers[*].image"), ("spec", "containers"))


@pytest.mark.parametrize(
    ("token", "path", "new_object"),
    [
        ("kubernetes:apps/v1:Deployment", "spec.selector.matchLabels.app", True),
        ("kubernetes:apps/v1:Deployment", "spec", True),  # taken away whole, the selector with it
        ("kubernetes:apps/v1:Deployment", "spec.replicas", False),
        ("kubernetes:apps/v1:StatefulSet", "spec.serviceName", True),
        ("kubernetes:batch/v1:Job", "spec.template.spec.containers[0].image", True),
        ("kubernetes:batch/v1:Job", "spec.suspend", False),
        ("kubernetes:core/v1:Service", "spec.clusterIP", True),
        ("kubernetes:core/v1:Service", "spec.ports[0].port", False),
        ("kubernetes:core/v1:Pod", "spec.containers[0].image", True),
        ("kubernetes:core/v1:Pod", "spec.tolerations[0]", False),
        ("kubernetes:core/v1:Namespace", "metadata.name", True),
        ("kubernetes:core/v1:ConfigMap", "metadata.namespace", True),
        ("kubernetes:core/v1:ConfigMap", "metadata.labels.a", False),
        ("kubernetes:storage.k8s.io/v1:StorageClass", "parameters.type", True),
        ("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", "roleRef.name", True),
        ("kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding", "spec.targetGroupARN", False),
    ],
)
def test_what_cannot_change_needs_a_new_object(token: str, path: str, new_object: bool) -> None:  # noqa: FBT001
    kind = of_token(token)
    change = Change(parse_property_path(path), "update")
    assert replaces(kind, change, replacing(kind, {})) is new_object


@pytest.mark.parametrize(
    ("immutable", "mutable_data", "new_object"),
    [(None, False, True), (None, True, False), (True, True, True), (False, True, False)],
)
def test_a_secrets_data_changes_in_place_only_where_the_provider_and_the_secret_let_it(
    immutable: bool | None,  # noqa: FBT001
    mutable_data: bool,  # noqa: FBT001
    new_object: bool,  # noqa: FBT001
) -> None:
    old = {} if immutable is None else {"immutable": immutable}
    change = Change(("stringData", "a"), "update")
    assert replaces(SECRET, change, replacing(SECRET, old, mutable_data=mutable_data)) is new_object


def test_another_group_is_another_object_but_another_version_is_not() -> None:
    old = {"apiVersion": "apps/v1beta1", "kind": "Deployment"}
    assert not moved_group(old, {"apiVersion": "apps/v1", "kind": "Deployment"})
    assert moved_group(old, {"apiVersion": "extensions/v1beta1", "kind": "Deployment"})


def test_drift_is_what_the_cluster_changed_not_what_it_wrote_in_its_own_way() -> None:
    inputs = {"spec": {"replicas": 2, "cpu": "0.5", "class": "a"}}
    before = {"spec": {"replicas": 2, "cpu": "500m", "class": "mutated", "strategy": "default"}}
    now = {"spec": {"replicas": 5, "cpu": "500m", "class": "mutated", "strategy": "default", "nodePort": 3}}
    assert drifted(inputs, before, now) == {"spec": {"replicas": 5, "cpu": "0.5", "class": "a"}}


def test_what_the_cluster_took_away_has_drifted() -> None:
    both = {"metadata": {"labels": {"a": "1", "b": "2"}}}
    assert drifted(both, both, {"metadata": {"labels": {"b": "2"}}}) == {"metadata": {"labels": {"b": "2"}}}


def test_what_the_server_never_shows_stays_an_input() -> None:
    inputs = {"stringData": {"a": "x"}, "type": "Opaque"}
    live = {"data": {"a": "eA=="}, "type": "Opaque"}
    assert drifted(inputs, live, live) == inputs


def test_lists_drift_element_by_element_while_they_are_as_long() -> None:
    inputs = {"ports": [{"port": 80}]}
    before = {"ports": [{"port": 80, "nodePort": 30000}]}
    assert drifted(inputs, before, {"ports": [{"port": 80, "nodePort": 31000}]}) == inputs
    two = {"ports": [{"port": 80, "nodePort": 1}, {"port": 81, "nodePort": 2}]}
    assert drifted(inputs, before, two) == two


def test_a_kind_that_this_stand_in_never_heard_of_is_replaced_for_its_name_only() -> None:
    kind = Kind("example.com", "v1", "Thing")
    assert replacing(kind, {}) == (("metadata", "name"), ("metadata", "namespace"), ("kind",))


@pytest.mark.parametrize(
    ("now", "would_be", "effect"),
    [
        ({"cpu": "500m", "other": 1}, {"cpu": "500m", "other": 2}, False),  # another spelling; the rest is not asked
        ({"cpu": "500m"}, {"cpu": "1"}, True),
        ({"cpu": "500m"}, {}, True),
        ({}, {}, True),  # nothing that the server shows
    ],
)
def test_a_changed_input_that_changes_nothing_has_no_effect(now: Any, would_be: Any, effect: bool) -> None:  # noqa: FBT001
    assert in_effect([Change(("cpu",), "update")], now, would_be) is effect
