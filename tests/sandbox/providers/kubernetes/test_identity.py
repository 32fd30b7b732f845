"""Who an object is, what an update does to it, and what `ignoreChanges` leaves alone."""

from typing import Any

import pulumi.provider.experimental.provider as sdk

from sandbox.providers.common.values import to_properties
from sandbox.providers.kubernetes.difference import difference
from sandbox.providers.kubernetes.identity import keeps_its_name, manager, named, placed
from sandbox.providers.kubernetes.ignoring import without_ignored
from sandbox.providers.kubernetes.kinds import of_token

URN = "urn:pulumi:s::p::kubernetes:core/v1:ConfigMap::settings"
LIVE: dict[str, Any] = {"metadata": {"name": "x", "namespace": "default"}}


def test_the_field_manager_is_the_resources_own_for_good() -> None:
    first = manager(URN, {}, {})
    assert first.startswith("pulumi-kubernetes-")
    assert manager(URN, {}, {}) == first
    assert manager(f"{URN}2", {}, {}) != first
    assert manager(f"{URN}2", {}, to_properties({"__fieldManager": first})) == first
    annotated = {"metadata": {"annotations": {"pulumi.com/patchFieldManager": "me"}}}
    assert manager(URN, annotated, to_properties({"__fieldManager": first})) == "me"


def test_a_name_is_made_up_of_the_engines_seed_and_kept() -> None:
    item: dict[str, Any] = {}
    assert named(sdk.CheckRequest(URN, {}, {}, b"seed"), item) == []
    name = item["metadata"]["name"]
    again: dict[str, Any] = {}
    named(sdk.CheckRequest(URN, to_properties(item), {}, b"other seed"), again)
    assert again["metadata"]["name"] == name
    fresh: dict[str, Any] = {}
    named(sdk.CheckRequest(URN, {}, {}, b"other seed"), fresh)
    assert fresh["metadata"]["name"] != name


def test_a_name_that_was_given_once_is_not_kept_when_it_is_taken_away() -> None:
    item: dict[str, Any] = {}
    named(sdk.CheckRequest(URN, to_properties({"metadata": {"name": "given"}}), {}, b"seed"), item)
    assert item["metadata"]["name"] != "given"


def test_an_object_without_a_namespace_is_where_the_cluster_has_it() -> None:
    assert placed({"metadata": {"name": "x"}}, LIVE)["metadata"]["namespace"] == "default"
    assert placed({"metadata": {"name": "x", "namespace": "y"}}, LIVE)["metadata"]["namespace"] == "y"
    assert "namespace" not in placed({"metadata": {"name": "x", "namespace": "y"}}, {"metadata": {}})["metadata"]


def test_two_objects_of_one_name_cannot_live_beside_each_other() -> None:
    assert keeps_its_name({"metadata": {"name": "x"}}, LIVE)
    assert not keeps_its_name({"metadata": {"name": "x", "namespace": "other"}}, LIVE)
    autonamed = {"metadata": {"name": "x", "annotations": {"pulumi.com/autonamed": "true"}}}
    assert not keeps_its_name(autonamed, LIVE)


def test_a_difference_tells_the_engine_what_is_replaced_and_why() -> None:
    kind = of_token("kubernetes:apps/v1:Deployment")
    old = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "x"},
        "spec": {"replicas": 1, "selector": 1},
    }
    new = {**old, "spec": {"replicas": 2, "selector": 2}}
    told = difference(kind, old, new, LIVE).response()
    assert {path: one.kind.name for path, one in told.detailed_diff.items()} == {
        "spec.replicas": "UPDATE",
        "spec.selector": "UPDATE_REPLACE",
    }
    assert told.replaces == ["spec.selector"]
    assert told.delete_before_replace
    assert not difference(kind, old, new, LIVE, ignored=["spec"]).changes


def owned(manager: str, *path: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for part in reversed(path):
        fields = {f"f:{part}": fields}
    return {"manager": manager, "fieldsV1": fields}


def ignoring(*owners: dict[str, Any]) -> Any:
    live = {"metadata": {"managedFields": list(owners)}, "spec": {"replicas": 5, "paused": True}}
    return without_ignored({"spec": {"replicas": 2, "x": 1}}, live, "us", ["spec.replicas"])


def test_an_ignored_field_of_anothers_is_left_out() -> None:
    assert ignoring(owned("hpa", "spec", "replicas")) == {"spec": {"x": 1}}


def test_an_ignored_field_of_ours_is_sent_as_it_is() -> None:
    assert ignoring(owned("us", "spec", "replicas"), owned("hpa", "spec", "replicas")) == {
        "spec": {"replicas": 5, "x": 1}
    }


def test_an_ignored_field_that_nobody_owns_is_sent_as_it_is() -> None:
    assert ignoring() == {"spec": {"replicas": 5, "x": 1}}


def test_an_ignored_path_through_a_list_is_left_alone() -> None:
    item = {"spec": {"ports": [{"port": 1}]}}
    live = {"metadata": {}, "spec": {"ports": [{"port": 2}]}}
    assert without_ignored(item, live, "us", ["spec.ports[0].port"]) == item


def test_an_ignored_field_that_the_object_lacks_is_the_programs() -> None:
    assert without_ignored({"spec": {"a": 1}}, {"metadata": {}, "spec": {}}, "us", ["spec.a"]) == {"spec": {"a": 1}}
