"""The way without the load balancer controller: a Classic ELB, created by AWS's own cloud controller manager."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.network.control_client import ask
from sandbox.run.processes import wait_until
from tests.e2e.existing import Existing, running
from tests.sandbox.network.conftest import REQUESTS, Traffic

pytestmark = pytest.mark.sandbox
_MANAGER = "cloud-controller-manager"


def classic(traffic: Traffic) -> list[dict[str, Any]]:
    return traffic.sandbox.aws("elb").describe_load_balancers()["LoadBalancerDescriptions"]


@pytest.mark.soak
def test_without_the_controller_a_connection_is_rewritten_on_its_way_and_with_it_not(
    traffic: Traffic, tmp_path: Path
) -> None:
    get = traffic.sandbox.get
    existing = Existing(traffic.sandbox, {"sandbox": traffic.sandbox}, tmp_path)
    with running(existing, "node-ports") as example:
        hosts = example.next()
        (made,) = classic(traffic)
        service = get("service", "-n", "in-tree", "web-classic")
        nodes = get("nodes")["items"]
        assert made["DNSName"] == hosts["classic"]
        assert "loadBalancerClass" not in service["spec"], "the namespace is exempt from the controller's webhook"
        assert {i["InstanceId"] for i in made["Instances"]} == {n["spec"]["providerID"].split("/")[-1] for n in nodes}
        (listener,) = (described["Listener"] for described in made["ListenerDescriptions"])
        assert listener["InstancePort"] == service["spec"]["ports"][0]["nodePort"]

        for balancer in ("classic", "nlb", "alb"):
            totals = traffic.trace(traffic.until_answering(hosts[balancer]))["totals"]
            assert totals["rewritings"], balancer
            assert totals["translations"], balancer
            told = ask(traffic.sandbox.state, "count", host=hosts[balancer], connections=REQUESTS)
            assert (told["answered"], told["failed"]) == (REQUESTS, {}), balancer
            pods = get("pods", "-n", "in-tree", "-l", f"app.kubernetes.io/name=web-{balancer}")["items"]
            assert set(told["pods"]) == {pod["metadata"]["name"] for pod in pods}, balancer
            assert told["translations"], balancer
        totals = traffic.trace(traffic.until_answering(traffic.output("albHostName")))["totals"]
        assert (totals["rewritings"], totals["translations"]) == (0, 0)

    assert wait_until(lambda: not classic(traffic), 120, 0.3)
    groups = traffic.sandbox.aws("ec2").describe_security_groups()["SecurityGroups"]
    assert not [g["GroupName"] for g in groups if g["GroupName"].startswith("k8s-elb-")]


def test_the_cloud_controller_works_with_the_clusters_role_and_is_denied_nothing(traffic: Traffic) -> None:
    role = traffic.sandbox.aws("eks").describe_cluster(name="sandbox")["cluster"]["roleArn"]
    denied = traffic.sandbox.run("sandbox", "iam", "denied", "--as", role, "--json")
    assert denied.strip() == "[]"
    parts = traffic.sandbox.run("sandbox", "status", "--json")
    assert f'"sandbox/{_MANAGER}"' in parts
