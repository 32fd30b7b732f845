"""Load balancers with real packets: an AWS, a VPC of namespaces, HAProxy, a client."""

import pytest

from sandbox.processes import wait_until
from sandbox.traffic.wiring import CLIENT_ADDRESS
from tests.sandbox.traffic.balancers.conftest import Vpc

pytestmark = pytest.mark.sandbox


def test_a_name_is_answered_by_every_healthy_target(vpc: Vpc) -> None:
    group = vpc.group()
    vpc.targets(group, *vpc.addresses)
    balancer = vpc.balancer("application", group, "HTTP")
    url = f"http://{balancer['DNSName']}/"
    vpc.answers(url)
    vpc.healthy(group, 2)
    assert wait_until(lambda: {vpc.seen(url)["server"] for _ in range(6)} == set(vpc.addresses), 10)
    seen = vpc.seen(url)
    assert seen["address"] in vpc.nodes(balancer)
    assert seen["headers"]["x-forwarded-for"] == CLIENT_ADDRESS
    assert (seen["headers"]["x-forwarded-proto"], seen["headers"]["x-forwarded-port"]) == ("http", "80")
