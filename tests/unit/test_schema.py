"""The folder as a Pulumi plugin: what other languages see of the components."""

import json
import subprocess
import sys
from typing import Any

import pytest

import eks_load_balancing
from eks_load_balancing import reference


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """As a process of its own makes it, like the plugin's.

    Where the SDK cannot read source code it silently drops a description, which happened once beside other tests.
    """
    program = "import json; from eks_load_balancing import reference; print(json.dumps(reference.schema()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def fields(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    made = [
        *((name, part) for name, r in schema["resources"].items() for part in (r["inputProperties"], r["properties"])),
        *((name, t["properties"]) for name, t in schema["types"].items()),
    ]
    return [(f"{name}.{key}", field) for name, part in made for key, field in part.items()]


def test_every_component_is_in_the_plugin(schema: dict[str, Any]) -> None:
    components = {name for name in eks_load_balancing.__all__ if not name.endswith(("Args", "Error"))}

    assert set(schema["resources"]) == {f"eks-load-balancing:index:{name}" for name in components}
    assert all(resource["isComponent"] for resource in schema["resources"].values())


def test_every_field_says_what_it_is(schema: dict[str, Any]) -> None:
    assert [name for name, field in fields(schema) if not field.get("description")] == []


def test_what_is_required_is_what_has_no_default(schema: dict[str, Any]) -> None:
    required = {token.rpartition(":")[2]: r.get("requiredInputs", []) for token, r in schema["resources"].items()}

    assert required == {
        "AccessLogsBucket": ["region"],
        "ApplicationLoadBalancedIngress": ["clusterName", "namespace"],
        "BoundTargetGroup": ["namespace", "serviceName", "vpcId"],
        "Cluster": ["clusterName", "nodes", "region", "subnetIds", "version", "vpcId"],
        "ClusterReference": ["clusterName"],
        "LoadBalancerController": ["clusterName", "region", "vpcId"],
        "LoadBalancerRecord": ["host", "loadBalancerHost", "loadBalancerType", "region", "zoneId"],
        "Network": ["cidr", "zones"],
        "NetworkLoadBalancedService": ["clusterName", "namespace"],
        "NodePortLoadBalancedService": ["namespace"],
        "OidcProvider": ["issuerUrl"],
        "ServiceAccountRole": ["namespace", "serviceAccount"],
        "TargetGroupBinding": ["namespace", "serviceName", "servicePort", "targetGroupArn"],
        "ValidatedCertificate": ["host", "zoneId"],
    }


def test_the_schema_that_is_checked_in_is_the_components_own(schema: dict[str, Any]) -> None:
    assert json.loads(reference.SCHEMA.read_text()) == schema, "run: make docs"


def test_the_documentation_is_the_components_own(schema: dict[str, Any]) -> None:
    assert reference.PAGE.read_text() == reference.page(schema), "run: make docs"
