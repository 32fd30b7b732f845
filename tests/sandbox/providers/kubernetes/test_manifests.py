"""Many objects at once: reading, unfolding, ordering."""

from typing import Any

import pytest

from sandbox.providers.common.server import ProviderError
from sandbox.providers.kubernetes.manifests import made_by, ordered, parse, resource_name, unawaited


def item(api_version: str, kind: str, name: str, namespace: str | None = None, **more: Any) -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {}) | more.pop("metadata", {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}


def order(objects: list[dict[str, Any]]) -> list[tuple[str, list[int]]]:
    return [(one["metadata"]["name"], needs) for one, needs in ordered(objects)]


CRD = item(
    "apiextensions.k8s.io/v1",
    "CustomResourceDefinition",
    "crd",
    spec={"group": "g", "names": {"kind": "Thing"}, "scope": "Cluster"},
)


def test_lists_are_unfolded_and_empty_documents_are_nothing() -> None:
    text = """
    apiVersion: v1
    kind: List
    items:
    - {apiVersion: core/v1, kind: Pod, metadata: {name: a}}
    - {apiVersion: v1, kind: PodList, items: [{apiVersion: v1, kind: Pod, metadata: {name: b}}]}
---
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: c}
""".replace("\n    ", "\n")
    found = parse(text, "t")
    assert [(one["apiVersion"], one["metadata"]["name"]) for one in found] == [
        ("v1", "a"),
        ("v1", "b"),
        ("apps/v1", "c"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "t is not YAML"),
        ("just text", "which is no object"),
        ("apiVersion: v1", "needs apiVersion and kind"),
        ("{apiVersion: v1, kind: Pod}", "without metadata.name"),
    ],
)
def test_what_is_no_object_is_refused_with_its_source(text: str, says: str) -> None:
    with pytest.raises(ProviderError, match=says):
        parse(text, "t")


def test_crds_and_namespaces_come_first_and_workloads_behind_what_they_read() -> None:
    found = order(
        [
            item("apps/v1", "Deployment", "deployment", "ns"),
            item("v1", "ServiceAccount", "account", "ns"),
            item("v1", "Namespace", "ns"),
            CRD,
        ]
    )
    assert found == [("crd", []), ("ns", [0]), ("account", [0, 1]), ("deployment", [0, 1, 2])]


def test_an_annotation_can_ask_for_an_order() -> None:
    late = item(
        "v1",
        "Service",
        "late",
        "ns",
        metadata={"annotations": {"config.kubernetes.io/depends-on": "/namespaces/ns/Pod/early"}},
    )
    assert order([late, item("v1", "Pod", "early", "ns")]) == [("early", []), ("late", [0])]


def test_a_circle_is_refused() -> None:
    def needing(name: str, other: str) -> dict[str, Any]:
        wish = {"config.kubernetes.io/depends-on": f"/namespaces/n/Pod/{other}"}
        return item("v1", "Pod", name, "n", metadata={"annotations": wish})

    with pytest.raises(ProviderError, match="makes a circle of"):
        ordered([needing("a", "b"), needing("b", "a")])


def test_depending_on_nothing_is_refused() -> None:
    wish = {"annotations": {"config.kubernetes.io/depends-on": "apps/namespaces/n/Deployment/none"}}
    with pytest.raises(ProviderError, match="which is not among the objects"):
        ordered([item("v1", "Pod", "a", "n", metadata=wish)])


def test_a_resource_is_called_after_chart_namespace_and_object() -> None:
    assert resource_name(item("v1", "Pod", "p", "n"), "chart") == "chart:n/p"
    assert resource_name(item("v1", "Node", "p"), "chart") == "chart:p"
    assert resource_name(item("v1", "Node", "p"), "") == "p"


def test_not_waiting_is_written_on_each_object_and_keeps_its_annotations() -> None:
    one = unawaited(item("v1", "Pod", "p", metadata={"annotations": {"a": "b"}}))
    assert one["metadata"]["annotations"] == {"a": "b", "pulumi.com/skipAwait": "true"}


def test_a_crd_among_the_objects_says_whether_its_kind_has_namespaces() -> None:
    assert made_by([CRD]) == {("g", "Thing"): False}
