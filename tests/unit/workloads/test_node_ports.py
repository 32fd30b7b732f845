"""The contrast: what the way through node ports declares."""

from typing import Any, cast

import pytest

from eks_load_balancing import InvalidInputError, NodePortLoadBalancedService, NodePortLoadBalancedServiceArgs
from fixtures.declared import Declared, declare

SERVICE = "service.beta.kubernetes.io/aws-load-balancer-"
INGRESS = "alb.ingress.kubernetes.io/"


def declared(**changes: Any) -> Declared:
    def program() -> dict[str, object]:
        args = cast(NodePortLoadBalancedServiceArgs, {"namespace": "in-tree", **changes})
        return {"host": NodePortLoadBalancedService("web", args).host_name}

    return declare(program)


def test_without_a_class_the_service_is_the_cloud_controllers() -> None:
    service = declared().one(":Service").inputs
    annotations = service["metadata"]["annotations"]

    assert service["spec"]["type"] == "LoadBalancer"
    assert "loadBalancerClass" not in service["spec"]
    assert f"{SERVICE}type" not in annotations
    assert annotations[f"{SERVICE}internal"] == "true"


def test_an_nlb_of_instances_is_the_load_balancer_controllers() -> None:
    service = declared(balancer="nlb").one(":Service").inputs

    assert service["spec"]["loadBalancerClass"] == "service.k8s.aws/nlb"
    assert service["metadata"]["annotations"][f"{SERVICE}nlb-target-type"] == "instance"


def test_an_alb_of_instances_needs_a_node_port() -> None:
    made = declared(balancer="alb", scheme="internet-facing")
    ingress = made.one(":Ingress").inputs

    assert made.one(":Service").inputs["spec"]["type"] == "NodePort"
    assert ingress["metadata"]["annotations"][f"{INGRESS}target-type"] == "instance"
    assert ingress["metadata"]["annotations"][f"{INGRESS}scheme"] == "internet-facing"


@pytest.mark.parametrize("policy", ["Cluster", "Local"])
def test_which_nodes_take_a_packet_is_a_choice(policy: str) -> None:
    spec = declared(external_traffic_policy=policy).one(":Service").inputs["spec"]

    assert spec["externalTrafficPolicy"] == policy


def test_a_classic_elb_that_is_open_to_the_world_must_be_asked_for() -> None:
    annotations = declared(scheme="internet-facing").one(":Service").inputs["metadata"]["annotations"]

    assert f"{SERVICE}internal" not in annotations


def test_a_load_balancer_that_is_none_of_the_three_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="balancer"):
        declared(balancer="gateway")
