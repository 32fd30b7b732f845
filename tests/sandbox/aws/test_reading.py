"""Everything of load balancers is read while some of it is deleted."""

import itertools
from collections.abc import Callable

import pytest

from sandbox.network.elb.parsing import parsed
from sandbox.network.elb.reading import Reader
from tests.sandbox.aws.elb_requests import World

pytestmark = pytest.mark.sandbox


def at(world: World, when: str, work: Callable[[], object]) -> None:
    """Do something once, `before` or `after` an operation: the reader's threads may be at several."""
    moment, operation = when.split()
    event = f"{moment}-call.elastic-load-balancing-v2.{operation}"
    calls = itertools.count()

    def done(**_: object) -> None:
        if next(calls) == 0:
            world.elb.meta.events.unregister(event, done)
            work()

    world.elb.meta.events.register(event, done)


@pytest.mark.parametrize(
    ("when", "gone"),
    [
        ("after DescribeLoadBalancers", "balancer"),
        ("after DescribeTargetGroups", "group"),
        ("after DescribeListeners", "listener"),
        ("after DescribeRules", "listener"),
        ("before DescribeListenerAttributes", "listener"),  # after this call it has been read
    ],
)
def test_what_is_deleted_while_it_is_read_is_left_out(world: World, when: str, gone: str) -> None:
    doomed, kept = world.balancer(), world.balancer()
    listeners = {world.listener(doomed): doomed, world.listener(kept): kept}
    group, other = world.group(), world.group()
    (listener,) = (arn for arn, balancer in listeners.items() if balancer == doomed)
    delete = {
        "balancer": lambda: world.elb.delete_load_balancer(LoadBalancerArn=doomed),
        "group": lambda: world.elb.delete_target_group(TargetGroupArn=group),
        "listener": lambda: world.elb.delete_listener(ListenerArn=listener),
    }
    at(world, when, delete[gone])
    read = Reader(world.elb, world.aws.client("elb"), world.ec2).read()
    found = {b.arn: len(b.listeners) for b in parsed(read).balancers if b.arn in (doomed, kept)}
    before = {"balancer": {}, "group": {doomed: 1}, "listener": {doomed: 0}}[gone]
    assert found == {**before, kept: 1}
    assert (group in read.groups, other in read.groups) == (gone != "group", True)


@pytest.mark.parametrize("operation", ["DescribeLoadBalancers", "DescribeTargetGroups"])
def test_every_target_group_of_a_listener_is_there_whenever_it_was_made(world: World, operation: str) -> None:
    balancer, made = world.balancer(), list[str]()

    def make() -> None:
        made.append(world.group())
        forward = [{"Type": "forward", "TargetGroupArn": made[0]}]
        world.listener(balancer, Protocol="HTTP", Port=80, Certificates=None, DefaultActions=forward)

    at(world, f"after {operation}", make)
    read = Reader(world.elb, world.aws.client("elb"), world.ec2).read()
    (found,) = (b for b in parsed(read).balancers if b.arn == balancer)
    used = [group for listener in found.listeners for group in listener.groups]
    assert used == (made if operation == "DescribeLoadBalancers" else [])
    assert set(used) <= read.groups.keys()


def test_the_interfaces_are_those_of_load_balancers(world: World) -> None:
    balancer = world.balancer()
    world.ec2.create_network_interface(SubnetId=world.subnets[0], Description="of a node")
    read = Reader(world.elb, world.aws.client("elb"), world.ec2).read()
    name = balancer.partition(":loadbalancer/")[2]
    assert [i["SubnetId"] for i in read.interfaces if i["Description"] == f"ELB {name}"] == world.subnets
    assert {i["Description"].partition(" ")[0] for i in read.interfaces} == {"ELB"}
