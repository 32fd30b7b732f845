"""What may be an endpoint, and how healthy it is: the resources of the region that an accelerator leads to."""

from typing import Any

from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends

from sandbox.aws.accelerators.store import Accelerators, Document, InvalidArgumentError

_WEIGHT = 128


def configured(home: Accelerators, given: Document, before: Document | None = None) -> Document:
    """An endpoint as it is kept, from an EndpointConfiguration; `before` is what is kept of it now.

    https://docs.aws.amazon.com/global-accelerator/latest/dg/preserve-client-ip-address.html says who may keep the
    client's address.

    Raises:
        InvalidArgumentError: it does not exist, or cannot be an endpoint of this kind.
    """
    name = given.get("EndpointId", "")
    if "AttachmentArn" in given:
        raise InvalidArgumentError("the sandbox has one account: AttachmentArn is for endpoints of another one")
    default = _keeps_addresses(home, name)
    keeps = given.get("ClientIPPreservationEnabled", (before or {}).get("ClientIPPreservationEnabled", default))
    if keeps and not default:
        raise InvalidArgumentError(f"Client IP address preservation is not supported for the endpoint {name}")
    return {"EndpointId": name, "Weight": given.get("Weight", _WEIGHT), "ClientIPPreservationEnabled": keeps}


def _keeps_addresses(home: Accelerators, name: str) -> bool:
    """Whether an endpoint can keep clients' addresses.

    Raises:
        InvalidArgumentError: there is no such endpoint.
    """
    ec2: Any = ec2_backends[home.account][home.region]
    if name.startswith("eipalloc-"):
        found = next((a for a in ec2.addresses.values() if a.allocation_id == name), None)
        keeps = False
    elif name.startswith("i-"):
        found = ec2.get_instance_by_id(name)
        keeps = True
    else:
        found = _balancer(home, name)
        keeps = found is not None and (found.type == "application" or bool(found.security_groups))
    if found is None:
        raise InvalidArgumentError(f"The endpoint {name} does not exist in {home.region}")
    return keeps


def described(home: Accelerators, endpoint: Document) -> Document:
    """An EndpointDescription: with the health of now.

    A load balancer is healthy if each of its target groups has a healthy target; other endpoints always are.
    https://docs.aws.amazon.com/global-accelerator/latest/dg/about-endpoint-groups-health-check-options.html
    """
    balancer = _balancer(home, endpoint["EndpointId"])
    state = "HEALTHY"
    if endpoint["EndpointId"].startswith("arn:"):
        state = _health(home, balancer) if balancer else "UNHEALTHY"
    return {**endpoint, "HealthState": state}


def _balancer(home: Accelerators, arn: str) -> Any:
    return elbv2_backends[home.account][home.region].load_balancers.get(arn)


def _health(home: Accelerators, balancer: Any) -> str:
    elb: Any = elbv2_backends[home.account][home.region]
    states = [
        {health.status for health in elb.describe_target_health(group.arn, [])}
        for group in elb.target_groups.values()
        if balancer.arn in group.load_balancer_arns
    ]
    if states and all("healthy" in group for group in states):
        return "HEALTHY"
    return "INITIAL" if any("initial" in group for group in states) else "UNHEALTHY"
