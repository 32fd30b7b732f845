"""Classic load balancers: the default health check of new ones, and host names of their region.

https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-healthchecks.html
"""

from typing import Any

from moto.ec2.models import ec2_backends
from moto.elb.models import ELBBackend, FakeHealthCheck, LoadBalancer
from moto.moto_api._internal import mock_random

from sandbox.aws.corrections import elb_interfaces
from sandbox.aws.determinism import utcnow
from sandbox.aws.patching import replace

MAX_TAGS = 50


def install() -> None:
    """Install the corrections."""
    create = ELBBackend.create_load_balancer

    def create_load_balancer(self: ELBBackend, name: str, *arguments: Any, **more: Any) -> LoadBalancer:
        # Without one, moto would create a group that allows nothing in.
        if more.get("subnets") and not more.get("security_groups"):
            more["security_groups"] = [default_group(self, more["subnets"][0])]
        made: Any = create(self, name, *arguments, **more)
        made.health_check = FakeHealthCheck("5", "10", "2", "30", f"TCP:{made.listeners[0].instance_port}")
        made.dns_name = host_name(name, self.region_name, made.scheme)
        # Here moto reads the machine's clock, which a replay must not.
        made.created_time = utcnow()
        elb_interfaces.follow(self, f"ELB {name}", made.subnets, made.security_groups)
        return made

    replace(ELBBackend, "create_load_balancer", create_load_balancer)
    delete = ELBBackend.delete_load_balancer

    def delete_load_balancer(self: ELBBackend, load_balancer_name: str) -> None:
        elb_interfaces.follow(self, f"ELB {load_balancer_name}", [], [])
        delete(self, load_balancer_name)

    replace(ELBBackend, "delete_load_balancer", delete_load_balancer)
    for change in (
        "apply_security_groups_to_load_balancer",
        "attach_load_balancer_to_subnets",
        "detach_load_balancer_from_subnets",
    ):
        replace(ELBBackend, change, followed(getattr(ELBBackend, change)))
    replace(ELBBackend, "delete_load_balancer_listeners", delete_load_balancer_listeners)
    replace(LoadBalancer, "add_tag", add_tag)


def default_group(backend: ELBBackend, subnet: str) -> str:
    """The default group of the VPC, for a load balancer without groups."""
    ec2: Any = ec2_backends[backend.account_id][backend.region_name]
    return ec2.get_default_security_group(ec2.get_subnet(subnet).vpc_id).id


def host_name(name: str, region: str, scheme: str) -> str:
    """The DNS name of a new load balancer."""
    prefix = "internal-" if scheme == "internal" else ""
    return f"{prefix}{name}-{mock_random.randint(10**8, 2 * 10**9)}.{region}.elb.amazonaws.com"


def followed(change: Any) -> Any:
    """Changes groups or subnets, and updates the interfaces."""

    def changed(self: ELBBackend, load_balancer_name: str, *arguments: Any) -> Any:
        answer = change(self, load_balancer_name, *arguments)
        balancer = self.load_balancers[load_balancer_name]
        balancer.subnets = sorted(balancer.subnets)
        elb_interfaces.follow(self, f"ELB {balancer.name}", balancer.subnets, balancer.security_groups)
        return answer

    return changed


def delete_load_balancer_listeners(self: ELBBackend, name: str, ports: list[str]) -> LoadBalancer | None:
    """Remove the listeners on `ports` and keep the others; moto's loop duplicates those."""
    balancer = self.load_balancers.get(name)
    if balancer:
        gone = {int(port) for port in ports}
        balancer.listeners = [x for x in balancer.listeners if int(x.load_balancer_port) not in gone]
    return balancer


def add_tag(balancer: LoadBalancer, key: str, value: str) -> None:
    """Set a tag; AWS allows 50, moto only 10."""
    from moto.elb.exceptions import TooManyTagsError  # noqa: PLC0415 - beside its one use

    if len(balancer.tags) >= MAX_TAGS and key not in balancer.tags:
        raise TooManyTagsError
    balancer.tags[key] = value
