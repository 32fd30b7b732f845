"""The health of targets that are in use: reported by load balancers that carry traffic; otherwise healthy.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from datetime import timedelta
from typing import Any

from moto.elb.models import ELBBackend
from moto.elbv2.exceptions import TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, elbv2_backends

from sandbox.aws.determinism import utcnow
from sandbox.aws.patching import replace
from sandbox.aws.target_health import DRAINING, NOT_IN_USE, REGISTERING, Health, Key, reports

_NOT_REGISTERED = Health("unused", "Target.NotRegistered", "Target is not registered to the target group")
_STOPPED = Health("unused", "Target.InvalidState", "Target is in the stopped state")

_NO_ZONE = Health(
    "unused",
    "Target.NotInUse",
    "Target is in an Availability Zone that is not enabled for the load balancer",
)


def install() -> None:
    """Install the corrections."""
    replace(ELBv2Backend, "describe_target_health", describe_target_health)
    replace(FakeHealthStatus, "target", property(target_of))
    instances = ELBBackend.describe_instance_health

    def describe_instance_health(self: ELBBackend, name: str, wanted: list[dict[str, str]]) -> list[dict[str, Any]]:
        return [of_instance(name, told) for told in instances(self, name, wanted)]

    replace(ELBBackend, "describe_instance_health", describe_instance_health)


def key_of(group: Any, target: dict[str, Any]) -> Key:
    """What identifies a target."""
    port = target.get("Port") or group.port
    return target["Id"], int(port) if port else None


def comes(group: Any, key: Key) -> None:
    """A target is registered."""
    _leaving(group).pop(key, None)
    reports.forget(group.arn, key)


def goes(group: Any, key: Key) -> None:
    """A target is deregistered: if load balancers carry traffic, it drains for the group's delay."""
    delay = int(group.attributes.get("deregistration_delay.timeout_seconds", 0))
    _leaving(group)[key] = (utcnow() + timedelta(seconds=delay), group.targets[key]["AvailabilityZone"])
    reports.forget(group.arn, key)


def describe_target_health(self: ELBv2Backend, target_group_arn: str, targets: list[dict[str, Any]]) -> list[Any]:
    """DescribeTargetHealth: registered and draining targets; any other target in the request is unused."""
    group: Any = self.target_groups.get(target_group_arn)
    if group is None:
        raise TargetGroupNotFoundError
    wanted = [key_of(group, target) for target in targets] or [*group.targets, *draining(group)]
    return [described(group, key) for key in wanted]


def draining(group: Any) -> dict[Key, str | None]:
    """The draining targets, with their zones."""
    leaving = _leaving(group)
    # Forget a target when its delay is over, or earlier when its last connection is reported closed.
    for key, (end, _) in list(leaving.items()):
        told = reports.of(group.arn, key)
        if end <= utcnow() or (told is not None and told.state == "unused"):
            del leaving[key]
    return {key: zone for key, (_, zone) in leaving.items()} if reports.carried else {}


def _leaving(group: Any) -> dict[Key, Any]:
    return group.__dict__.setdefault("leaving", {})


def described(group: Any, key: Key) -> FakeHealthStatus:
    """The health of one target in moto's format."""
    address, port = key
    leaving = draining(group)
    zone = group.targets[key]["AvailabilityZone"] if key in group.targets else leaving.get(key)
    told = DRAINING if key in leaving else health(group, key)
    check = str(port if group.health_check_port == "traffic-port" else group.health_check_port)
    answer: Any = FakeHealthStatus(address, str(port), check, told.state, told.reason, told.description)
    answer.availability_zone = zone
    answer.server = group.targets[key].get("QuicServerId") if key in group.targets else None
    return answer


def health(group: Any, key: Key) -> Health:
    """The health of a target that is not draining."""
    if key not in group.targets:
        return _NOT_REGISTERED
    if key[0].startswith("i-") and group.ec2_backend.get_instance(key[0]).state == "stopped":
        return _STOPPED
    if not group.load_balancer_arns:
        return NOT_IN_USE
    zone = group.targets[key]["AvailabilityZone"]
    if zone not in {None, "all"} and zone not in enabled_zones(group):
        return _NO_ZONE
    if not reports.carried:
        return Health("healthy")
    return reports.of(group.arn, key) or REGISTERING


def enabled_zones(group: Any) -> set[str]:
    """The zones of the load balancers that forward to a group."""
    balancers = elbv2_backends[group.account_id][group.region_name].load_balancers
    return {subnet.availability_zone for arn in group.load_balancer_arns for subnet in balancers[arn].subnets}


def of_instance(balancer: str, told: dict[str, Any]) -> dict[str, Any]:
    """An instance's reported health behind a Classic load balancer."""
    reported = reports.of(balancer, (told["InstanceId"], None))
    if not reports.carried or told["State"] != "InService":
        return told
    if reported is None or reported.state == "initial":
        waiting = "Instance registration is still in progress."
        return {**told, "State": "OutOfService", "ReasonCode": "ELB", "Description": waiting}
    if reported.state == "healthy":
        return told
    return {**told, "State": "OutOfService", "ReasonCode": reported.reason, "Description": reported.description}


def target_of(status: Any) -> dict[str, Any]:
    """A target as DescribeTargetHealth names it."""
    more = {
        "AvailabilityZone": getattr(status, "availability_zone", None),
        "QuicServerId": getattr(status, "server", None),
    }
    return {"Id": status.instance_id, "Port": status.port, **{key: value for key, value in more.items() if value}}
