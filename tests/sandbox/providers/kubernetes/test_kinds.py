"""Kinds, tokens and ids."""

import pytest

from sandbox.providers.common.server import ProviderError
from sandbox.providers.kubernetes.kinds import Kind, Selection, is_namespaced, object_id, of_object, of_token, split_id


@pytest.mark.parametrize(
    ("token", "kind", "path"),
    [
        ("kubernetes:core/v1:Service", Kind("", "v1", "Service"), "/api/v1"),
        ("kubernetes:apps/v1:Deployment", Kind("apps", "v1", "Deployment"), "/apis/apps/v1"),
        (
            "kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding",
            Kind("elbv2.k8s.aws", "v1beta1", "TargetGroupBinding"),
            "/apis/elbv2.k8s.aws/v1beta1",
        ),
    ],
)
def test_a_token_names_a_kind_and_a_kind_its_token(token: str, kind: Kind, path: str) -> None:
    assert of_token(token) == kind
    assert kind.token == token
    assert kind.base_path == path


def test_the_type_in_a_childs_urn_is_its_own_not_its_parents() -> None:
    token = "kubernetes:helm.sh/v4:Chart$kubernetes:core/v1:Secret"
    assert of_token(token) == Kind("", "v1", "Secret")


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("kubernetes:core/v1:ServicePatch", "no Patch resources; declare Service itself"),
        ("kubernetes:helm.sh/v3:Release", "a kubernetes:helm.sh/v4:Chart"),
        ("kubernetes:v1:Service", "a token reads kubernetes:GROUP/VERSION:Kind"),
        ("aws:ec2/vpc:Vpc", "is no Kubernetes object"),
        ("kubernetes:core/v1:ConfigMapList", "declare what is in it"),
    ],
)
def test_a_token_that_is_no_objects_is_refused_with_what_to_write_instead(token: str, says: str) -> None:
    with pytest.raises(ProviderError, match=says):
        of_token(token)


def test_an_object_in_the_group_core_is_one_in_no_group() -> None:
    assert of_object({"apiVersion": "core/v1", "kind": "Pod"}) == Kind("", "v1", "Pod")


def test_an_object_that_does_not_say_its_kind_is_refused() -> None:
    with pytest.raises(ProviderError, match="needs apiVersion and kind"):
        of_object({"apiVersion": "v1", "kind": 3})


def test_an_id_is_namespace_and_name_or_the_name_alone() -> None:
    assert object_id({"metadata": {"namespace": "a", "name": "b"}}) == "a/b"
    assert split_id("a/b") == ("a", "b")
    assert object_id({"metadata": {"name": "b"}}) == "b"
    assert split_id("b") == ("", "b")


@pytest.mark.parametrize("wrong", ["", "a/", "a/b/c"])
def test_what_is_no_id_is_refused(wrong: str) -> None:
    with pytest.raises(ProviderError, match="NAME or NAMESPACE/NAME"):
        split_id(wrong)


def test_a_selection_by_labels_and_by_name_is_one_query() -> None:
    assert Selection(Kind("", "v1", "Pod"), "ns", "p", "a=b").query == {
        "fieldSelector": "metadata.name=p",
        "labelSelector": "a=b",
    }


@pytest.mark.parametrize(
    ("token", "namespaced"),
    [
        ("kubernetes:core/v1:Service", True),
        ("kubernetes:core/v1:Namespace", False),
        ("kubernetes:rbac.authorization.k8s.io/v1:Role", True),
        ("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", False),
        ("kubernetes:elbv2.k8s.aws/v1beta1:IngressClassParams", None),
    ],
)
def test_built_in_kinds_are_known_without_asking_a_cluster(token: str, namespaced: bool | None) -> None:  # noqa: FBT001
    assert is_namespaced(of_token(token)) is namespaced
