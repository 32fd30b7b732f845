"""Users' typical programs, on the real provider and chart: Release, Chart, ConfigFile, kustomize, and helm."""

import json
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.conformance.stage import NAME, Stage
from tests.conftest import Sandbox

pytestmark = pytest.mark.sandbox

_REPOSITORY = "https://aws.github.io/eks-charts"
_CHART = "aws-load-balancer-controller"
# The cluster already has the IngressClass `alb`.
_VALUES = {
    "clusterName": NAME,
    "region": "us-west-2",
    "vpcId": "vpc-1",
    "replicaCount": 1,
    "createIngressClassResource": False,
}
# The conformance cases run on the same cluster, without webhooks: none of these may remain.
_RELEASE = f"""
import pulumi_kubernetes as kubernetes
kubernetes.helm.v3.Release(
    "lbc", name="lbc", chart="{_CHART}", namespace="helm-release", create_namespace=True, skip_crds=True,
    repository_opts={{"repo": "{_REPOSITORY}"}}, values={_VALUES},
)
"""
_CHART_PROGRAM = f"""
import pulumi
import pulumi_kubernetes as kubernetes
space = kubernetes.core.v1.Namespace("space", metadata={{"name": "helm-chart"}})
kubernetes.helm.v4.Chart(
    "lbc", chart="{_CHART}", namespace="helm-chart", skip_crds=True,
    repository_opts={{"repo": "{_REPOSITORY}"}}, values={_VALUES}, opts=pulumi.ResourceOptions(depends_on=[space]),
)
"""
_FILES = """
import pulumi_kubernetes as kubernetes
kubernetes.yaml.v2.ConfigFile("file", file="manifests.yaml")
kubernetes.kustomize.Directory("directory", directory="overlay")
"""
# kustomize.v2.Directory fails in every Python program: its schema calls the list `resources` a string.


def config_map(name: str) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "default"},
            "data": {"a": "b"},
        }
    )


class Project:
    """A program in its own folder."""

    def __init__(self, sandbox: Sandbox, folder: Path, program: str) -> None:
        self._sandbox, self._folder = sandbox, folder
        (folder / "Pulumi.yaml").write_text("name: mine\nruntime: python\n")
        (folder / "__main__.py").write_text(program)
        (folder / "manifests.yaml").write_text(config_map("from-a-file"))
        (folder / "overlay").mkdir()
        (folder / "overlay" / "map.yaml").write_text(config_map("kustomized"))
        (folder / "overlay" / "kustomization.yaml").write_text("resources: [map.yaml]\nnamePrefix: new-\n")
        self.pulumi("stack", "init", "dev")

    def pulumi(self, *arguments: str) -> str:
        return self._sandbox.run("pulumi", *arguments, "--non-interactive", cwd=self._folder, timeout=300)


Started = Callable[[str], Project]


@pytest.fixture
def project(stage: Stage, tmp_path: Path) -> Generator[Started, None, None]:
    """Runs a program's `up` on the stage's cluster, and destroys it at the end."""
    made: list[Project] = []

    def started(program: str) -> Project:
        made.append(Project(replace(stage.sandbox, cluster=NAME), tmp_path, program))
        made[0].pulumi("up", "--yes", "--skip-preview")
        return made[0]

    yield started
    for each in made:
        each.pulumi("destroy", "--yes", "--skip-preview", "--remove")


def test_a_helm_release_of_the_chart_is_one_that_helm_lists(stage: Stage, project: Started) -> None:
    made = project(_RELEASE)
    (release,) = json.loads(replace(stage.sandbox, cluster=NAME).run("helm", "list", "-A", "-o", "json"))
    assert (release["name"], release["status"], release["chart"]) == ("lbc", "deployed", f"{_CHART}-3.2.2")
    made.pulumi("preview", "--expect-no-changes")


def test_a_chart_without_a_version_is_the_one_that_the_sandbox_offers(stage: Stage, project: Started) -> None:
    project(_CHART_PROGRAM)
    (deployment,) = stage.get("deployment", "-n", "helm-chart")["items"]
    assert deployment["status"]["readyReplicas"] == 1
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":v3.2.2")


def test_manifests_from_a_file_and_from_a_kustomization_are_made(stage: Stage, project: Started) -> None:
    made = project(_FILES)
    names = stage.kubectl("get", "configmaps", "-n", "default", "-o", "name").split()
    assert {"configmap/from-a-file", "configmap/new-kustomized"} <= set(names)
    made.pulumi("preview", "--expect-no-changes")


def test_the_real_helm_installs_the_same_chart(stage: Stage) -> None:
    helm = replace(stage.sandbox, cluster=NAME)
    values = [f"--set-json={key}={json.dumps(value)}" for key, value in _VALUES.items()]
    command = ["helm", "install", "by-helm", _CHART, "--repo", _REPOSITORY, "-n", "by-helm", "--create-namespace"]
    helm.run(*command, "--skip-crds", "--wait", "--timeout=120s", *values)
    try:
        assert "by-helm" in helm.run("helm", "list", "-A")
    finally:
        helm.run("helm", "uninstall", "by-helm", "-n", "by-helm", "--wait")
