"""Load balancers without their attributes: fewer calls than `Reader`, for callers that ask once."""

from typing import Any

from sandbox.network.elb import reading
from sandbox.network.elb.model import Document, LoadBalancer, LoadBalancing
from sandbox.network.elb.parsing import parsed, rules
from sandbox.network.elb.reading import Documents


def all_of(elbv2: Any) -> LoadBalancing:
    """All load balancers of ELBv2, and the target groups that they forward to; blocking."""
    return _with_listeners(elbv2, reading.balancers(elbv2))


def find(elbv2: Any, elb: Any, host: str) -> LoadBalancer | None:
    """The load balancer with this host name, from boto3's clients; blocking.

    Names ignore case. The prefix `dualstack.` is AWS's own.
    """
    wanted = host.lower().removeprefix("dualstack.")
    for data in reading.balancers(elbv2):
        if data["DNSName"].lower() == wanted:
            return _with_listeners(elbv2, [data]).balancers[0]
    for data in reading.classic_balancers(elb):
        if data["DNSName"].lower() == wanted:
            name = data["LoadBalancerName"]
            return parsed(Documents(classic=[data], states={name: reading.states(elb, name)})).classic[0]
    return None


def _with_listeners(elbv2: Any, balancers: list[Document]) -> LoadBalancing:
    listeners = {b["LoadBalancerArn"]: reading.listeners(elbv2, b["LoadBalancerArn"]) for b in balancers}
    used = {arn for of in listeners.values() for one in of for rule in rules(one["Rules"]) for arn in rule.groups}
    return parsed(Documents(balancers, listeners, reading.groups(elbv2, used)))
