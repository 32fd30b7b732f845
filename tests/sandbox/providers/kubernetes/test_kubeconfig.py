"""Kubeconfigs: where the cluster is and who asks."""

import base64
import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.providers.common.server import ProviderError
from sandbox.providers.kubernetes.kubeconfig import UnreachableError, load, resolve

PEM = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
CONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [
        {
            "name": "c",
            "cluster": {
                "server": "https://127.0.0.1:1/",
                "certificate-authority-data": base64.b64encode(PEM.encode()).decode(),
            },
        }
    ],
    "users": [
        {
            "name": "u",
            "user": {
                "exec": {
                    "apiVersion": "client.authentication.k8s.io/v1beta1",
                    "command": "aws",
                    "args": ["eks", "get-token", "--cluster-name", "c"],
                    "env": [{"name": "AWS_PROFILE", "value": "p"}],
                }
            },
        }
    ],
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
    "current-context": "x",
}


def config(**changed: Any) -> dict[str, Any]:
    return {**copy.deepcopy(CONFIG), **changed}


def test_a_context_is_resolved_to_server_authority_namespace_and_credential_command() -> None:
    connection = resolve(config())
    assert connection.server == "https://127.0.0.1:1"
    assert connection.ca == PEM
    assert connection.namespace == "n"
    assert connection.command is not None
    assert connection.command.argv == ("aws", "eks", "get-token", "--cluster-name", "c")
    assert connection.command.env == (("AWS_PROFILE", "p"),)


def test_contents_and_a_path_are_both_a_kubeconfig(tmp_path: Path) -> None:
    text = yaml.safe_dump(config())
    file = tmp_path / "config"
    file.write_text(text)
    assert load(text) == load(str(file)) == config()


def test_the_environments_kubeconfig_is_used_where_the_provider_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(config()))
    monkeypatch.setenv("KUBECONFIG", str(file))
    assert load(None) == config()


def test_an_empty_kubeconfig_means_that_there_is_no_cluster_yet() -> None:
    with pytest.raises(UnreachableError, match="there is no cluster yet"):
        resolve({"apiVersion": "v1", "kind": "Config", "clusters": None, "contexts": [], "current-context": ""})


def test_a_kubeconfig_that_is_not_there_means_the_same(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="no kubeconfig at"):
        load(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"current-context": "y"}, "has no context 'y': it has x"),
        ({"clusters": []}, "has no cluster 'c': it has none"),
        ({"users": [{"name": "u", "user": {"auth-provider": {}}}]}, "has auth-provider"),
        ({"clusters": [{"name": "c", "cluster": {"server": "s", "proxy-url": "p"}}]}, "knows no proxies"),
        ({"clusters": [{"name": "c", "cluster": {"certificate-authority-data": "%"}}]}, "is not base64"),
    ],
)
def test_what_cannot_be_resolved_is_named(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ProviderError, match=says):
        resolve(config(**changed))


@pytest.mark.parametrize(("text", "says"), [("a: [\n", "is not YAML"), ("just\ntext\n", "is no kubeconfig")])
def test_what_is_no_kubeconfig_is_refused(text: str, says: str) -> None:
    with pytest.raises(ProviderError, match=says):
        load(text)


def test_several_files_in_the_environment_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/a:/b")
    with pytest.raises(ProviderError, match="names 2 files"):
        load(None)
