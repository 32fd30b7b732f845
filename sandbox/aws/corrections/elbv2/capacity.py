"""Reserved capacity of a load balancer, and its address pools: actions that moto lacks.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/capacity-unit-reservation.html
"""

from typing import Any

from moto.core.responses import ActionResult
from moto.elbv2.responses import ELBV2Response

from sandbox.aws.corrections.elbv2.addresses import check_pools
from sandbox.aws.corrections.elbv2.load_balancers import find
from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal

MOST_UNITS = 1500
"""Reserved capacity units of an Application Load Balancer."""


def install() -> None:
    """Install the corrections."""
    for action in (modify_capacity_reservation, modify_ip_pools):
        setattr(ELBV2Response, action.__name__, action)
    replace(ELBV2Response, "describe_capacity_reservation", describe_capacity_reservation)


def modify_capacity_reservation(self: ELBV2Response) -> ActionResult:
    """ModifyCapacityReservation: provisioned at once."""
    balancer: Any = find(self.elbv2_backend, self._get_param("LoadBalancerArn"))
    wanted, reset = self._get_param("MinimumLoadBalancerCapacity"), self._get_param("ResetCapacityReservation")
    if bool(wanted) == bool(reset):
        raise Refusal("ValidationError", "You must specify either a minimum capacity or ResetCapacityReservation")
    units = (wanted or {}).get("CapacityUnits", 0)
    if not reset and not 1 <= units <= MOST_UNITS:
        raise Refusal("CapacityUnitsLimitExceeded", f"Capacity units '{units}' must be between 1 and {MOST_UNITS}")
    balancer.capacity = wanted
    return describe_capacity_reservation(self)


def describe_capacity_reservation(self: ELBV2Response) -> ActionResult:
    """DescribeCapacityReservation: empty without a reservation."""
    balancer: Any = find(self.elbv2_backend, self._get_param("LoadBalancerArn"))
    capacity = getattr(balancer, "capacity", None)
    if not capacity:
        return ActionResult({"DecreaseRequestsRemaining": 2, "CapacityReservationState": []})
    zones = [{"State": {"Code": "provisioned"}, "AvailabilityZone": z.zone_name} for z in balancer.availability_zones]
    return ActionResult(
        {"DecreaseRequestsRemaining": 2, "MinimumLoadBalancerCapacity": capacity, "CapacityReservationState": zones}
    )


def modify_ip_pools(self: ELBV2Response) -> ActionResult:
    """ModifyIpPools: only existing pools, or none."""
    params = self._get_params()
    balancer: Any = find(self.elbv2_backend, params["LoadBalancerArn"])
    if params.get("IpamPools") and params.get("RemoveIpamPools"):
        raise Refusal("ValidationError", "IpamPools and RemoveIpamPools cannot be specified at the same time")
    pools = check_pools(self.elbv2_backend, balancer.type, balancer.scheme, params.get("IpamPools"))
    balancer.IpamPools = None if "ipv4" in (params.get("RemoveIpamPools") or []) else pools or balancer.IpamPools
    return ActionResult({"IpamPools": balancer.IpamPools})
