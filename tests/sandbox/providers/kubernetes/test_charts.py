"""Charts as components: their inputs, and which chart is rendered by whom."""

import asyncio
from pathlib import Path
from typing import Any

import pulumi
import pytest

from sandbox.providers.common.server import ProviderError
from sandbox.providers.kubernetes import charts, helm
from sandbox.providers.kubernetes.charts import inputs, laid_over, rendered
from sandbox.providers.kubernetes.client import Client
from sandbox.providers.kubernetes.kubeconfig import Connection

OWN: dict[str, Any] = {
    "chart": "aws-load-balancer-controller",
    "version": "3.5.0",
    "repositoryOpts": {"repo": "https://aws.github.io/eks-charts"},
    "values": {"clusterName": "c"},
}


def nowhere() -> Client:
    return Client(Connection("https://127.0.0.1:1", "default"))


def error(given: dict[str, Any]) -> str:
    with pytest.raises(ProviderError) as found:
        asyncio.run(rendered(inputs(given, "c"), nowhere(), "n"))
    assert "\n" not in str(found.value)
    return str(found.value)


def test_the_controllers_chart_is_rendered_here_without_asking_anyone() -> None:
    found = asyncio.run(rendered(inputs(OWN, "lbc"), nowhere(), "kube-system"))
    assert isinstance(found, list)
    assert {item["kind"] for item in found} >= {"Deployment", "CustomResourceDefinition"}


def test_a_release_and_its_prefix_are_called_after_the_component() -> None:
    assert (inputs(OWN, "lbc").name, inputs(OWN, "lbc").prefix) == ("lbc", "lbc")
    named = inputs({**OWN, "name": "r", "resourcePrefix": ""}, "lbc")
    assert (named.name, named.prefix) == ("r", "")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"version": "1.7.0"}, "aws-load-balancer-controller 1.7.0 is not known: this stand-in renders 1.12.0, 3.5.0"),
        ({"version": None}, "has no version: this stand-in renders 1.12.0, 3.5.0"),
        ({"repositoryOpts": {}}, "has no repositoryOpts.repo: give https://aws.github.io/eks-charts"),
        ({"repositoryOpts": {"repo": "https://example.com"}}, "is not the repository of aws-load-balancer-controller"),
        ({"repositoryOpts": {"repo": "x", "username": "u"}}, "repositoryOpts.username is not for this stand-in"),
        ({"dependencyUpdate": True}, "has no dependencies"),
        ({"chart": "nginx"}, "the chart nginx of https://aws.github.io/eks-charts is not on this machine"),
        ({"chart": "oci://r/nginx", "repositoryOpts": None}, "the chart oci://r/nginx is not on this machine"),
        ({"chart": None}, "chart is missing"),
        ({"valuse": {}}, "valuse is no input of a chart: values?"),
        ({"postRenderer": {"command": "x"}}, "postRenderer is not for this stand-in"),
        ({"verify": True}, "verify is not for this stand-in"),
        ({"skipCrds": "true"}, "skipCrds is 'true': give a bool"),
        ({"values": "x"}, "values is 'x': give a mapping"),
    ],
)
def test_an_input_that_cannot_be_honoured_is_refused_with_its_remedy(changed: dict[str, Any], says: str) -> None:
    given = {key: value for key, value in {**OWN, **changed}.items() if value is not None}
    assert says in error(given)


def test_a_refused_input_that_is_off_is_no_matter() -> None:
    assert inputs({**OWN, "verify": False, "devel": False}, "c").is_own


def test_value_files_lie_under_the_values_in_their_order(tmp_path: Path) -> None:
    first = tmp_path / "first.yaml"
    first.write_text("image: {tag: a, repository: r}\nregion: x\n")
    files = [pulumi.FileAsset(str(first)), pulumi.StringAsset("image: {tag: b}\nvpcId: v\n")]
    found = inputs({**OWN, "valueYamlFiles": files, "values": {"region": "y"}}, "c").values
    assert found == {"image": {"tag": "b", "repository": "r"}, "region": "y", "vpcId": "v"}


def test_values_are_merged_by_key_and_lists_as_a_whole() -> None:
    assert laid_over({"a": {"b": 1, "l": [1]}, "c": 2}, {"a": {"l": [2]}}) == {"a": {"b": 1, "l": [2]}, "c": 2}


def make_chart(folder: Path) -> Path:
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("{apiVersion: v2, name: small, version: 0.1.0}\n")
    (folder / "values.yaml").write_text("word: default\n")
    (folder / "templates" / "all.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\n"
        "metadata: {name: '{{ .Release.Name }}', namespace: '{{ .Release.Namespace }}'}\n"
        "data: {word: '{{ .Values.word }}', version: '{{ .Capabilities.KubeVersion.Version }}'}\n"
    )
    return folder


def test_a_local_chart_without_helm_says_how_to_give_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SANDBOX_HELM", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ProviderError, match="--with helm=PATH"):
        asyncio.run(helm.template(helm.Template(str(make_chart(tmp_path / "c")), "r", "n", {})))


def test_a_local_chart_is_rendered_by_helm_with_values_and_capabilities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_HELM", str(_recorder(tmp_path)))
    call = helm.Template(str(tmp_path), "r", "n", {"a": 1}, kube_version="v1.36.3", api_versions=["apps/v1"])
    said = asyncio.run(helm.template(call)).splitlines()
    assert said[:4] == ["template", "r", str(tmp_path), "--namespace"]
    assert {"--no-hooks", "--include-crds", "--kube-version", "v1.36.3", "--api-versions", "apps/v1"} <= set(said)
    assert said[-1] == "a: 1"


def _recorder(folder: Path) -> Path:
    """A helm that prints its arguments, and its values at the end."""
    script = folder / "helm"
    script.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nwhile [ "$1" != --values ]; do shift; done\ncat "$2"\n')
    script.chmod(0o755)
    return script


def test_what_helm_says_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "helm"
    script.write_text("#!/bin/sh\nprintf 'Error: no\\n  such thing\\n' >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setenv("SANDBOX_HELM", str(script))
    with pytest.raises(ProviderError, match=r"cannot render c: Error: no such thing$"):
        asyncio.run(helm.template(helm.Template("c", "r", "n", {})))


def test_a_folder_with_a_chart_is_local_and_comes_before_the_charts_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_chart(tmp_path / "aws-load-balancer-controller")
    monkeypatch.chdir(tmp_path)
    assert charts.helm.is_local("aws-load-balancer-controller")
    assert not inputs({"chart": "aws-load-balancer-controller"}, "c").is_own
