"""Datagrams: a node's kernel sends each flow to a target, by a hash of its addresses and ports. Pure.

The client's address is preserved, as always with UDP on AWS, and the VPC's router returns the answer to the node. A
flow keeps its target as long as the kernel remembers it.
"""

from sandbox.network.balancers.plan import Datagrams, Node
from sandbox.network.balancers.rendering import Receiving

TABLE = "udp-listeners"


def ruleset(node: Node, receiving: Receiving) -> str:
    """The table of one node; it replaces the previous one atomically."""
    rules = [rule for listener in node.datagrams if (rule := _rule(node, listener, receiving))]
    lines = [f"  chain prerouting {{ type nat hook prerouting priority dstnat; {' '.join(f'{r};' for r in rules)} }}"]
    return "\n".join([f"table ip {TABLE}", f"delete table ip {TABLE}", f"table ip {TABLE} {{", *lines, "}", ""])


def _rule(node: Node, listener: Datagrams, receiving: Receiving) -> str | None:
    pool = next(p for p in node.pools if p.name == listener.pool_name)
    targets = [t for t in pool.targets if t.name in receiving[pool.name]]
    if not targets:
        return None
    flow = "ip saddr" if pool.balance == "source" else "ip saddr . udp sport"
    places = ", ".join(f"{n} : {t.address} . {t.port}" for n, t in enumerate(targets))
    chosen = f"dnat ip addr . port to jhash {flow} mod {len(targets)} map {{ {places} }}"
    return f"ip daddr {node.address} udp dport {listener.port} {chosen}"
