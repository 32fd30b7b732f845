"""The network as a value, and the commands from one to the next."""

from dataclasses import replace

from sandbox.network.facts import Facts, Interface, interface
from sandbox.network.wiring import Pod, Wiring, hardware, link_of, plan, pod_link, wanted

NODE = Interface(
    "eni-00000000000000001", "vpc-1", "10.0.0.1", "10.0.0.5", ("10.0.0.7", "10.0.0.8"), ("sg-node",), instance="i-1"
)
BALANCER = Interface(
    "eni-00000000000000002", "vpc-1", "10.0.0.1", "10.0.0.20", groups=("sg-lb",), balancer="app/web/1", checked=False
)
FACTS = Facts(interfaces=(NODE, BALANCER), vpcs=(("vpc-1", ("10.0.0.0/16",)), ("vpc-2", ("10.9.0.0/16",))))
POD = Pod("u1", "samples", "web-0", "i-1", "10.0.0.7")


def test_a_pod_is_wired_as_the_vpc_cni_does_it() -> None:
    lines = plan(wanted(FACTS, []), wanted(FACTS, [POD])).plugged
    link = pod_link("samples", "web-0")
    assert lines["i-1"] == [
        f"link add name {link} address {hardware(link)} type veth peer name eth0 netns pod-u1",
        f"link set dev {link} up",
        f"route replace 10.0.0.7/32 dev {link}",
    ]
    assert "route replace default via 169.254.1.1 dev eth0 onlink" in lines["pod-u1"]
    assert "vpc-1" not in lines


def test_the_router_sends_a_nodes_pods_to_the_node() -> None:
    lines = plan(Wiring(), wanted(FACTS, [])).plugged["vpc-1"]
    link = link_of(NODE.id)
    assert f"route replace 10.0.0.5/32 dev {link}" in lines
    assert f"route replace 10.0.0.8/32 via 10.0.0.5 dev {link} onlink" in lines


def test_links_are_there_before_their_ends_are_set_up() -> None:
    order = list(plan(Wiring(), wanted(FACTS, [POD])).plugged)
    assert order.index("vpc-1") < order.index("i-1") < order.index("pod-u1")


def test_an_address_given_to_a_node_is_one_route_and_nothing_else() -> None:
    more = replace(FACTS, interfaces=(replace(NODE, others=("10.0.0.7", "10.0.0.9")), BALANCER))
    made = plan(wanted(FACTS, []), wanted(more, []))
    assert made.plugged == {"vpc-1": [f"route replace 10.0.0.9/32 via 10.0.0.5 dev {link_of(NODE.id)} onlink"]}
    assert made.unplugged == {"vpc-1": [f"route delete 10.0.0.8/32 dev {link_of(NODE.id)}"]}


def test_the_same_network_is_nothing_to_do() -> None:
    assert not plan(wanted(FACTS, [POD]), wanted(FACTS, [POD]))


def test_a_pod_on_a_node_that_is_not_there_waits() -> None:
    assert wanted(FACTS, [replace(POD, node="i-2")]) == wanted(FACTS, [])


def test_clients_reach_the_vpcs_that_have_interfaces() -> None:
    lines = plan(Wiring(), wanted(FACTS, [])).plugged["clients"]
    assert any(line.startswith("route replace 10.0.0.0/16 ") for line in lines)
    assert not any("10.9.0.0/16" in line for line in lines)


def test_what_goes_takes_its_link_its_rule_and_its_table() -> None:
    gone = plan(wanted(FACTS, [POD]), wanted(replace(FACTS, interfaces=(NODE,)), []))
    assert gone.unplugged["vpc-1"][0] == f"link delete dev {link_of(BALANCER.id)}"
    assert any(line.startswith("rule delete fwmark ") for line in gone.unplugged["vpc-1"])
    assert gone.unplugged["i-1"] == [f"link delete dev {pod_link('samples', 'web-0')}"]
    assert not gone.plugged


def test_names_of_links_fit_the_kernel() -> None:
    assert len(link_of("eni-0123456789abcdef0")) <= 15
    assert len(pod_link("a-very-long-namespace-name", "and-a-pod-with-a-long-name-as-well")) <= 15


def test_interfaces_that_carry_nothing_here_are_left_out() -> None:
    gateways = {"subnet-1": "10.0.0.1"}
    common = {
        "NetworkInterfaceId": "eni-1",
        "VpcId": "vpc-1",
        "SubnetId": "subnet-1",
        "PrivateIpAddress": "10.0.0.5",
        "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.5"}, {"PrivateIpAddress": "10.0.0.9"}],
        "Groups": [{"GroupId": "sg-1"}],
    }
    assert interface({**common, "Description": "Interface for NAT Gateway nat-1"}, gateways) is None
    node = interface({**common, "Attachment": {"InstanceId": "i-1", "DeviceIndex": 0}}, gateways)
    assert node
    assert (node.namespace, node.others, node.checked) == ("i-1", ("10.0.0.9",), True)
    balancer = interface({**common, "Description": "ELB net/web/123"}, gateways)
    assert balancer
    assert (balancer.namespace, balancer.balancer, balancer.checked) == ("eni-1", "net/web/123", False)


def test_a_subnet_that_goes_takes_its_routers_address_along() -> None:
    """Else the address is there already when a load balancer comes to the subnet again, and the network is stuck."""
    elsewhere = replace(BALANCER, id="eni-00000000000000003", gateway="10.0.64.1", address="10.0.64.20")
    both = replace(FACTS, interfaces=(NODE, BALANCER, elsewhere))
    lines = plan(wanted(both, []), wanted(FACTS, [])).unplugged["vpc-1"]
    assert "address delete 10.0.64.1/32 dev lo" in lines
    assert not any("10.0.0.1/32 dev lo" in line for line in lines)
