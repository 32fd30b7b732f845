"""Error messages for programs in other languages, and the schema's descriptions."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.errors import InputPropertiesError
from pulumi.provider.server import ComponentInitError
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from eks_load_balancing.plugin import Plugin
from fixtures.declared import declare

COMPONENTS = Path(__file__).parents[2] / "components"


@pytest.fixture(scope="module")
def plugin() -> Plugin:
    return Plugin()


def refused(plugin: Plugin, component: str, inputs: dict[str, Any]) -> str:
    said: list[str] = []

    def program() -> None:
        with pytest.raises(InputPropertiesError) as error:
            plugin.construct("web", f"eks-load-balancing:index:{component}", inputs)
        said.append(error.value.message)

    assert declare(program).resources == []
    assert "\n" not in said[0]
    return said[0]


@pytest.mark.parametrize(
    ("component", "inputs", "line"),
    [
        (
            "ApplicationLoadBalancedIngress",
            {"clusterName": "dev", "namespace": "web", "inboundCidr": ["10.0.0.0/8"]},
            "inboundCidr is not an argument: did you mean inboundCidrs?",
        ),
        ("Network", {"cidr": "10.0.0.0/16"}, "zones is missing: give it"),
        (
            "Cluster",
            {
                **dict.fromkeys(("clusterName", "region", "version", "vpcId"), "x"),
                "subnetIds": [],
                "nodes": {"minsize": 1},
            },
            "nodes.minsize is not an argument: did you mean minSize?",
        ),
        (
            "Network",
            {"cidr": "10.0.0.0/26", "zones": ["us-west-2a", "us-west-2b"]},
            "cidr '10.0.0.0/26' is too small for its subnets: give a range between /16 and /23",
        ),
        (
            "NetworkLoadBalancedService",
            {"clusterName": "dev", "namespace": "web", "replicas": True},
            "replicas True is not a whole number: give a whole number",
        ),
    ],
)
def test_what_is_wrong_is_one_line_without_a_traceback(
    plugin: Plugin, component: str, inputs: dict[str, Any], line: str
) -> None:
    assert refused(plugin, component, inputs) == f"{component} 'web': {line}"


def test_a_bug_says_where_to_report_it_and_keeps_its_traceback(plugin: Plugin, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("nobody expects it")

    monkeypatch.setitem(plugin._components, "Network", broken)
    inputs = {"cidr": "10.0.0.0/16", "zones": ["us-west-2a", "us-west-2b"]}
    with pytest.raises(ComponentInitError, match="report it in the project's issues") as error:
        plugin.construct("net", "eks-load-balancing:index:Network", inputs)

    assert error.value.inner.__traceback__ is not None
    assert error.value.inner.__traceback__.tb_next is not None


def test_the_schema_has_the_packages_version_and_marks_what_is_secret(plugin: Plugin) -> None:
    schema = json.loads(plugin.schema or "{}")
    secret = {
        (token.rpartition(":")[2], key)
        for token, made in schema["resources"].items()
        for key, field in made["properties"].items()
        if field.get("secret")
    }

    assert schema["version"] == plugin.version == version("eks-load-balancing")
    assert secret == {("Cluster", "kubeconfig"), ("ClusterReference", "kubeconfig")}


def test_the_folder_serves_the_engine_its_schema_and_version() -> None:
    command = [sys.executable, "-u", str(COMPONENTS), "127.0.0.1:1"]  # the engine's address, which nothing asks here
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        try:
            channel = grpc.insecure_channel(f"127.0.0.1:{int(served.stdout.readline())}")
            asked = provider_pb2_grpc.ResourceProviderStub(channel)
            schema = json.loads(asked.GetSchema(provider_pb2.GetSchemaRequest(version=0), timeout=30).schema)
            info = asked.GetPluginInfo(empty_pb2.Empty(), timeout=30)
        finally:
            served.kill()

    assert schema == json.loads((COMPONENTS / "schema.json").read_text())
    assert info.version == version("eks-load-balancing")
