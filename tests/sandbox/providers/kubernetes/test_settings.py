"""The provider's configuration."""

from typing import Any

import pytest
import yaml

from sandbox.providers.common.server import ProviderError
from sandbox.providers.common.values import UNKNOWN
from sandbox.providers.kubernetes.settings import problems, replacing, settings


def kubeconfig(server: str) -> str:
    return yaml.safe_dump(
        {
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
            "current-context": "x",
        }
    )


def test_flags_arrive_as_json_text_and_are_flags() -> None:
    found = settings({"deleteUnreachable": "true", "enableSecretMutable": True, "namespace": "n", "version": "4.34.2"})
    assert (found.delete_unreachable, found.enable_secret_mutable, found.namespace) == (True, True, "n")
    assert not found.upsert_existing_objects


def test_data_is_mutable_by_kind() -> None:
    found = settings({"enableSecretMutable": "true"})
    assert (found.mutable_data("Secret"), found.mutable_data("ConfigMap")) == (True, False)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("kubeconf", "x", "is no setting of the Kubernetes provider: kubeconfig?"),
        ("renderYamlToDirectory", "out", "it speaks to a cluster only"),
        ("helmReleaseSettings", "{}", "kubernetes:helm.sh/v4:Chart"),
        ("enableServerSideApply", "false", "knows server-side apply only"),
        ("deleteUnreachable", "yes", "give true or false"),
        ("context", 3, "give a string"),
    ],
)
def test_a_setting_that_means_nothing_here_is_refused(key: str, value: Any, says: str) -> None:
    assert says in problems({key: value})[key]
    with pytest.raises(ProviderError, match=key):
        settings({key: value})


def test_a_setting_that_is_not_known_yet_is_no_problem() -> None:
    assert problems({"kubeconfig": UNKNOWN, "enableServerSideApply": "true"}) == {}


def test_strict_mode_wants_kubeconfig_and_context_and_no_default_provider() -> None:
    wrong = problems({"strictMode": "true", "kubeconfig": "k"}, default_provider=True)
    assert set(wrong) == {"strictMode", "context"}


def test_another_server_is_another_cluster() -> None:
    old, new = {"kubeconfig": kubeconfig("https://a")}, {"kubeconfig": kubeconfig("https://b")}
    assert list(replacing(old, new)) == ["kubeconfig"]
    assert list(replacing(old, old)) == []


def test_another_token_is_the_same_cluster() -> None:
    old = kubeconfig("https://a")
    assert list(replacing({"kubeconfig": old}, {"kubeconfig": old.replace("token: t", "token: u")})) == []


def test_with_the_same_identifier_nothing_is_another_cluster() -> None:
    old = {"kubeconfig": kubeconfig("https://a"), "clusterIdentifier": "arn"}
    assert list(replacing(old, {"kubeconfig": kubeconfig("https://b"), "clusterIdentifier": "arn"})) == []
    assert list(replacing(old, {"kubeconfig": UNKNOWN, "clusterIdentifier": "arn"})) == []


def test_another_identifier_is_another_cluster_but_a_first_one_is_not() -> None:
    text = kubeconfig("https://a")
    first = {"kubeconfig": text, "clusterIdentifier": "arn"}
    assert list(replacing(first, {"kubeconfig": text, "clusterIdentifier": "other"})) == ["clusterIdentifier"]
    assert list(replacing({"kubeconfig": text}, first)) == []


def test_a_kubeconfig_that_is_not_known_yet_may_be_another_clusters() -> None:
    assert list(replacing({"kubeconfig": kubeconfig("https://a")}, {"kubeconfig": UNKNOWN})) == ["kubeconfig"]
