"""Where an accelerator's addresses lead: names, and the rules of the clients' kernel."""

from typing import Any

from sandbox.network.balancers.accelerators import Accelerator, hosts, ruleset
from sandbox.network.balancers.plan import Node

BALANCER = "arn:aws:elasticloadbalancing:us-west-2:1:loadbalancer/app/web/1"
NODES = [Node(f"eni-{n}", BALANCER, "web.elb", f"10.0.{n}.5", "us-west-2a") for n in (0, 1)]
DOCUMENT = {
    "DnsName": "a1.awsglobalaccelerator.com",
    "Enabled": True,
    "IpSets": [{"IpFamily": "IPv4", "IpAddresses": ["203.0.113.1", "203.0.113.2"]}],
}


def endpoint(health: str = "HEALTHY", weight: int = 2, name: str = BALANCER) -> dict[str, Any]:
    return {"EndpointId": name, "HealthState": health, "Weight": weight}


def accelerator(*endpoints: dict[str, Any], enabled: bool = True, **overrides: int) -> Accelerator:
    listener = {"Protocol": "TCP", "PortRanges": [{"FromPort": 80, "ToPort": 81}]}
    ports = [{"ListenerPort": int(port[1:]), "EndpointPort": other} for port, other in overrides.items()]
    group = {"EndpointDescriptions": list(endpoints), "PortOverrides": ports}
    return Accelerator(DOCUMENT | {"Enabled": enabled}, ((listener, (group,)),))


def rules(made: Accelerator) -> list[str]:
    return [line.strip().partition(" dport ")[2] for line in ruleset([made], NODES).splitlines() if " dport " in line]


def test_connections_are_spread_over_the_nodes_of_its_load_balancers_by_weight() -> None:
    assert rules(accelerator(endpoint())) == [
        "80-81 dnat ip to numgen random mod 4 map { 0-1 : 10.0.0.5, 2-3 : 10.0.1.5 }"
    ]


def test_an_overridden_port_leads_to_another_one() -> None:
    assert rules(accelerator(endpoint(weight=1), p80=8080)) == [
        "80 dnat ip to numgen random mod 2 map { 0 : 10.0.0.5 . 8080, 1 : 10.0.1.5 . 8080 }",
        "80-81 dnat ip to numgen random mod 2 map { 0 : 10.0.0.5, 1 : 10.0.1.5 }",
    ]


def test_an_unhealthy_endpoint_gets_connections_only_if_all_are() -> None:
    elsewhere = endpoint("UNHEALTHY", name="arn:other")
    assert rules(accelerator(endpoint(), elsewhere)) == rules(accelerator(endpoint()))
    assert rules(accelerator(endpoint("UNHEALTHY"))) == rules(accelerator(endpoint()))


def test_nothing_leads_through_a_disabled_accelerator_or_to_an_endpoint_without_weight() -> None:
    assert rules(accelerator(endpoint(), enabled=False)) == []
    assert rules(accelerator(endpoint(weight=0))) == []


def test_both_its_names_have_its_addresses() -> None:
    made = accelerator()
    dual = Accelerator(made.document | {"DualStackDnsName": "a1.dualstack.awsglobalaccelerator.com"}, ())
    assert hosts([dual]).splitlines() == [
        "203.0.113.1 a1.awsglobalaccelerator.com",
        "203.0.113.1 a1.dualstack.awsglobalaccelerator.com",
        "203.0.113.2 a1.awsglobalaccelerator.com",
        "203.0.113.2 a1.dualstack.awsglobalaccelerator.com",
    ]
