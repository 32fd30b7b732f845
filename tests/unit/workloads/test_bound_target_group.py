from typing import Any

import pytest

from eks_load_balancing import BoundTargetGroup, ClusterReference, TargetGroupBinding
from fixtures.declared import Declared, declare
from tests.unit.cluster.test_cluster_reference import CLUSTER, FOUND
from tests.unit.refusals import declares_nothing

ARGS: dict[str, Any] = {"vpc_id": "vpc-1", "namespace": "default", "service_name": "web"}
BINDING: dict[str, Any] = {
    "target_group_arn": "arn:group",
    "namespace": "default",
    "service_name": "web",
    "service_port": 80,
}


def group(**changes: Any) -> Declared:
    def program() -> dict[str, object]:
        made = BoundTargetGroup("web", {**ARGS, **changes})  # pyright: ignore[reportArgumentType]
        made.bind(ClusterReference.lookup("mine", irsa=False))
        return {"arn": made.arn}

    return declare(program, {CLUSTER: FOUND})


def binding(**changes: Any) -> dict[str, Any]:
    def program() -> None:
        TargetGroupBinding("web", {**BINDING, **changes})  # pyright: ignore[reportArgumentType]

    return declare(program).one(":TargetGroupBinding", "web-binding").inputs


def test_a_target_group_holds_addresses_of_pods() -> None:
    made = group().one(":TargetGroup").inputs

    assert (made["targetType"], made["protocol"]) == ("ip", "HTTP")
    assert made["healthCheck"] == {"path": "/", "protocol": "HTTP"}


def test_pods_that_listen_elsewhere_are_no_reason_for_another_target_group() -> None:
    one, other = (group(container_port=port).one(":TargetGroup").inputs for port in (8080, 9000))

    assert one == other


def test_an_nlbs_target_group_asks_for_no_path_unless_it_is_given_one() -> None:
    assert "healthCheck" not in group(protocol="TCP").one(":TargetGroup").inputs
    made = group(protocol="TCP", health_check_path="/up").one(":TargetGroup").inputs
    assert made["healthCheck"] == {"path": "/up", "protocol": "HTTP"}


def test_a_binding_shares_its_target_group_from_the_first_moment() -> None:
    assert binding()["spec"]["multiClusterTargetGroup"] is True


def test_a_binding_has_one_name_on_every_cluster() -> None:
    made = group().one(":TargetGroupBinding", "web-mine-binding").inputs

    assert made["metadata"] == {"name": "web", "namespace": "default"}


def test_the_load_balancer_is_let_in_by_its_security_group() -> None:
    made = group(load_balancer_security_group_id="sg-1").one(":TargetGroupBinding", "web-mine-binding").inputs

    assert made["spec"]["networking"]["ingress"] == [
        {"from": [{"securityGroup": {"groupID": "sg-1"}}], "ports": [{"protocol": "TCP", "port": 8080}]}
    ]


def test_without_a_peer_rules_are_left_to_others() -> None:
    assert "networking" not in binding()["spec"]
    (rule,) = binding(inbound_cidrs=["10.0.0.0/8"])["spec"]["networking"]["ingress"]
    assert rule == {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"protocol": "TCP"}]}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"inbound_cidrs": ["10.0.0.0/8"], "load_balancer_security_group_id": "sg-1"}, "give one of them"),
        ({"binding_name": "Web"}, "binding name 'Web' is not a name"),
    ],
)
def test_nothing_is_declared_when_the_arguments_cannot_work(changes: dict[str, Any], says: str) -> None:
    declares_nothing(lambda: TargetGroupBinding("web", {**BINDING, **changes}), says)  # pyright: ignore[reportArgumentType]
