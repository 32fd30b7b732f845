"""The runs: Ingresses with a load balancer each, and bindings of target groups that exist beforehand."""

import os
import statistics
import time
from collections.abc import Callable, Generator
from typing import Any

from fixtures.kubernetes import binding, ingress
from tests.conformance.place import Place, expect, say
from tests.conformance.scale import metrics
from tests.conformance.scale.figures import Read, Run
from tests.conformance.scale.watching import Watch
from tests.conformance.stage import Stage

_PATIENCE = 1800
_LOOKS = 300


def ingresses(place: Place, count: int, pods: int, looks: int = _LOOKS) -> Run:
    """Ingresses, each with its own ALB, over pods that are ready beforehand; then so many reads of each kind."""
    names, each = _spread(place, count, pods)
    objects = [ingress(name) for name in names]
    return _run(place, f"{count} Ingresses, an ALB each", objects, each, hosts=count, looks=looks)


def bindings(place: Place, count: int, pods: int, looks: int = _LOOKS) -> Run:
    """Bindings of a target group each, over pods that are ready beforehand; then so many reads of each kind."""
    names, each = _spread(place, count, pods)
    stage = place.stage
    elb = stage.sandbox.aws("elbv2")
    objects = [
        binding(name, elb.create_target_group(
            Name=f"{place.name}-{name}", Protocol="HTTP", Port=8080, VpcId=stage.vpc, TargetType="ip"
        )["TargetGroups"][0]["TargetGroupArn"], stage.vpc)
        for name in names
    ]  # fmt: skip
    return _run(place, f"{count} TargetGroupBindings", objects, each, hosts=0, looks=looks)


def _spread(place: Place, count: int, pods: int) -> tuple[list[str], int]:
    names, each = [f"web-{n}" for n in range(count)], pods // count
    say(f"{pods} pods")
    place.spread(names, each)
    return names, each


def _run(place: Place, what: str, objects: list[dict[str, Any]], each: int, *, hosts: int, looks: int) -> Run:
    """Give the cluster objects; return when every host name and target is there, and AWS has each target once."""
    (controller,) = place.stage.controllers
    pods = each * len(objects)
    before = metrics.scraped(controller)
    say(what)
    with Watch(place, hosts, pods) as watch:
        place.apply(objects)
        applied = watch.since
        expect(watch.over, _PATIENCE, f"{hosts} host names and {pods} targets")
        busy, after = watch.machine_busy(), metrics.scraped(controller).since(before)
        parts = watch.parts()
    groups = place.groups()
    assert [place.targets(group) for group in groups] == [each] * len(objects)
    say("reads")
    return Run(
        what=what,
        pods=pods,
        hosts=hosts,
        hosts_after=watch.hosts_after,
        targets_after=watch.targets_after,
        applied_after=applied,
        cores=len(os.sched_getaffinity(0)),
        machine_busy=busy,
        parts=parts,
        samples=watch.samples,
        actions=after.actions,
        waited=after.waited,
        workers=after.workers,
        reads={name: _timed(read, looks) for name, read in _reads(place.stage, groups[0])},
    )


def _reads(stage: Stage, group: str) -> Generator[tuple[str, Callable[[], Any]], None, None]:
    """Reads of one client, each of what the controller reads."""
    elb, ec2 = stage.sandbox.aws("elbv2"), stage.sandbox.aws("ec2")
    found = elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]
    targets = len(elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"])
    yield f"`DescribeTargetHealth`, {targets} targets", lambda: elb.describe_target_health(TargetGroupArn=group)
    yield "`DescribeTargetGroups`, one", lambda: elb.describe_target_groups(TargetGroupArns=[group])
    yield "`DescribeTags`, one", lambda: elb.describe_tags(ResourceArns=[group])
    here = [{"Name": "vpc-id", "Values": [stage.vpc]}]
    yield "`DescribeSubnets`", lambda: ec2.describe_subnets(Filters=here)
    for arn in found["LoadBalancerArns"]:
        yield "`DescribeLoadBalancers`, one", lambda arn=arn: elb.describe_load_balancers(LoadBalancerArns=[arn])
        yield "`DescribeListeners`", lambda arn=arn: elb.describe_listeners(LoadBalancerArn=arn)
        page = elb.describe_load_balancers
        yield f"`DescribeLoadBalancers`, a page of {len(page()['LoadBalancers'])}", page
    page = elb.describe_target_groups
    yield f"`DescribeTargetGroups`, a page of {len(page()['TargetGroups'])}", page


def _timed(read: Callable[[], Any], looks: int) -> Read:
    taken = list[float]()
    for _ in range(looks):
        begun = time.perf_counter()
        read()
        taken.append((time.perf_counter() - begun) * 1000)
    return Read(statistics.median(taken), statistics.quantiles(taken, n=100)[-1])
