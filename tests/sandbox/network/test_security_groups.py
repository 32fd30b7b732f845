"""Security groups as a router's rules: their text. test_network.py tests the effect on packets."""

from sandbox.network.facts import Facts, Group, Interface, Permission
from sandbox.network.security_groups import permits, return_paths, ruleset
from sandbox.network.wiring import link_of

NODE = Interface("eni-00000000000000001", "vpc-1", "10.0.0.1", "10.0.0.5", ("10.0.0.7",), ("sg-node",), instance="i-1")
BALANCER = Interface(
    "eni-00000000000000002", "vpc-1", "10.0.0.1", "10.0.0.20", groups=("sg-lb",), balancer="net/web/1", checked=False
)
OPEN = Permission("-1", cidr="0.0.0.0/0", id="sgr-out")


def facts(*ingress: Permission) -> Facts:
    return Facts(
        interfaces=(NODE, BALANCER),
        groups=(Group("sg-node", "node", "vpc-1", ingress, (OPEN,)), Group("sg-lb", "lb", "vpc-1", (), (OPEN,))),
        prefixes=(("pl-1", ("192.0.2.0/24", "198.51.100.0/24")),),
    )


def chain(text: str, name: str) -> list[str]:
    lines = text.splitlines()
    start = lines.index(f"chain {name} {{") + 1
    return lines[start : lines.index("}", start)]


def test_a_reference_to_a_group_means_its_interfaces_not_their_addresses() -> None:
    text = ruleset(facts(Permission("tcp", 8080, 8081, group="sg-lb", id="sgr-1")), "vpc-1")
    expected = 'iifname @members-sg-lb tcp dport 8080-8081 counter accept comment "sgr-1"'
    assert chain(text, "ingress-sg-node") == [expected]
    assert f'elements = {{ "{link_of(BALANCER.id)}" }}' in text


def test_ranges_prefix_lists_and_protocols() -> None:
    text = ruleset(
        facts(
            Permission("udp", 53, 53, cidr="10.0.0.0/8", id="a"),
            Permission("-1", prefixes="pl-1", id="b"),
            Permission("icmp", 8, None, cidr="0.0.0.0/0", id="c"),
            Permission("icmpv6", cidr="0.0.0.0/0", id="d"),
            Permission("tcp", 0, 65535, cidr="192.0.2.1/32", id="e"),
        ),
        "vpc-1",
    )
    assert chain(text, "ingress-sg-node") == [
        'ip saddr 10.0.0.0/8 udp dport 53 counter accept comment "a"',
        'ip saddr @ranges-pl-1 counter accept comment "b"',
        'ip saddr 0.0.0.0/0 icmp type 8 counter accept comment "c"',
        'ip saddr 192.0.2.1/32 tcp dport 0-65535 counter accept comment "e"',
    ]
    assert "elements = { 192.0.2.0/24, 198.51.100.0/24 }" in text


def test_without_a_matching_rule_a_packet_is_dropped_with_the_interfaces_name() -> None:
    text = ruleset(facts(), "vpc-1")
    assert chain(text, f"in-{link_of(NODE.id)}")[-1] == f'counter drop comment "{NODE.id} ingress"'


def test_an_instance_sends_with_its_own_addresses_only_a_load_balancer_with_any() -> None:
    text = ruleset(facts(), "vpc-1")
    assert chain(text, f"out-{link_of(NODE.id)}")[0].startswith("ip saddr != { 10.0.0.5, 10.0.0.7 } counter drop")
    assert not any("saddr" in line for line in chain(text, f"out-{link_of(BALANCER.id)}"))


def test_a_load_balancer_without_groups_allows_everything() -> None:
    bare = Interface("eni-3", "vpc-1", "10.0.0.1", "10.0.0.21", balancer="net/old/1", checked=False)
    assert chain(ruleset(Facts(interfaces=(bare,)), "vpc-1"), "in-e3") == ["accept"]


def test_answers_to_a_preserved_address_go_back_to_the_load_balancer() -> None:
    text = return_paths(facts(), "vpc-1")
    assert f'iifname "{link_of(BALANCER.id)}" ct direction original ip saddr != 10.0.0.20 ct mark set ' in text
    assert link_of(NODE.id) not in text


def test_a_rule_is_about_a_port_or_not() -> None:
    assert permits(Permission("tcp", 80, 90), "tcp", 85)
    assert permits(Permission("6"), "tcp", 85)
    assert permits(Permission("-1"), "udp", 53)
    assert not permits(Permission("tcp", 80, 90), "tcp", 91)
    assert not permits(Permission("udp", 80, 90), "tcp", 85)
