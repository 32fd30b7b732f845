"""What Pulumi keeps of an object."""

import pytest

from sandbox.providers.common.server import ProviderError
from sandbox.providers.common.values import UNKNOWN, Secret, marked, plain, to_properties
from sandbox.providers.kubernetes.kinds import Kind, of_token
from sandbox.providers.kubernetes.state import imported, inputs_of, live_of, manifest, promised, properties, state

SECRET, DEPLOYMENT = Kind("", "v1", "Secret"), of_token("kubernetes:apps/v1:Deployment")
LIVE = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "s", "namespace": "n", "uid": "u", "managedFields": [{"manager": "m"}]},
    "data": {"a": "eA=="},
}


def test_a_secrets_data_is_secret_even_if_the_program_did_not_say_so() -> None:
    given = to_properties({"stringData": {"a": "x"}, "metadata": {"name": "s"}})
    kept = state(manifest(given), LIVE, given, SECRET, "m")
    assert kept["data"].is_secret
    assert plain(kept["__inputs"]) == {"stringData": {"a": "x"}, "metadata": {"name": "s"}}
    assert marked(kept["__inputs"])["stringData"] == Secret({"a": "x"})


def test_what_was_a_secret_input_is_a_secret_output() -> None:
    given = to_properties({"spec": {"open": 1, "key": Secret("k"), "list": [{"v": Secret("x")}, {"v": "y"}]}})
    live = {"spec": {"open": 1, "key": "k", "list": [{"v": "x"}, {"v": "y"}], "default": 2}}
    assert marked(properties(live, given, DEPLOYMENT)["spec"]) == {
        "open": 1,
        "key": Secret("k"),
        "list": Secret([{"v": "x"}, {"v": "y"}]),  # elements move; the whole list is hidden
        "default": 2,
    }


def test_a_state_gives_back_inputs_and_live_object() -> None:
    given = to_properties({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}})
    kept = state(manifest(given), LIVE, given, SECRET, "m")
    assert inputs_of(kept) == {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    assert live_of(kept)["metadata"] == {"name": "s", "namespace": "n", "uid": "u"}
    assert plain(kept["__fieldManager"]) == "m"


def test_dashes_of_crds_are_underscores_to_the_sdk() -> None:
    given = to_properties({"spec": {"x_kubernetes_preserve_unknown_fields": True}})
    item = manifest(given)
    assert item == {"spec": {"x-kubernetes-preserve-unknown-fields": True}}
    assert plain(properties(item, given, DEPLOYMENT)["spec"]) == {"x_kubernetes_preserve_unknown_fields": True}


def test_nulls_and_what_only_the_server_sets_are_no_inputs() -> None:
    given = to_properties({"metadata": {"name": "x", "uid": "u", "labels": None, "resourceVersion": "3"}})
    assert manifest(given) == {"metadata": {"name": "x"}}


def test_metadata_may_be_unknown_but_not_a_string() -> None:
    assert manifest(to_properties({"metadata": UNKNOWN})) == {"metadata": UNKNOWN}
    with pytest.raises(ProviderError, match="metadata is 'x'"):
        manifest(to_properties({"metadata": "x"}))


def test_an_imported_objects_inputs_are_all_but_the_servers_own() -> None:
    live = {
        **LIVE,
        "status": {"x": 1},
        "metadata": {
            **LIVE["metadata"],  # pyright: ignore[reportGeneralTypeIssues]
            "creationTimestamp": "t",
            "annotations": {"a": "b", "deployment.kubernetes.io/revision": "3"},
        },
    }
    assert imported(live)["metadata"] == {"name": "s", "namespace": "n", "annotations": {"a": "b"}}
    assert "status" not in imported(live)


def test_a_preview_does_not_promise_what_only_the_update_decides() -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s", "uid": "made up", "generation": 1},
        "spec": {"clusterIP": "172.20.0.9", "type": "NodePort", "ports": [{"port": 80, "nodePort": 30001}]},
        "status": {"loadBalancer": {}},
    }
    shown = promised(service, {"spec": {"ports": [{"port": 80}]}})
    assert shown["metadata"] == {"name": "s", "uid": UNKNOWN, "generation": 1}
    assert shown["spec"] == {"clusterIP": UNKNOWN, "type": "NodePort", "ports": [{"port": 80, "nodePort": UNKNOWN}]}
    assert "status" not in shown
    asked = {"spec": {"clusterIP": "172.20.0.9", "ports": [{"port": 80, "nodePort": 30001}]}}
    assert promised(service, asked)["spec"] == service["spec"]
