"""IPAM of EC2, which moto lacks: pools of public IPv4 addresses, as far as load balancers use them.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateIpamPool.html
"""

import ipaddress
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.responses import EC2Response
from moto.elbv2.models import elbv2_backends
from moto.moto_api._internal import mock_random

from sandbox.aws.refusal import Refusal

Document = dict[str, Any]


def install() -> None:
    """Add the actions."""
    for action in (
        create_ipam, describe_ipams, delete_ipam, create_ipam_pool, describe_ipam_pools, delete_ipam_pool,
        provision_ipam_pool_cidr,
    ):  # fmt: skip
        setattr(EC2Response, action.__name__, action)


def _kept(ec2: Any, kind: str) -> dict[str, Document]:
    """IPAMs or pools, by id."""
    return ec2.__dict__.setdefault(f"sandbox_{kind}", {})


def _find(ec2: Any, kind: str, code: str, identifier: str) -> Document:
    if identifier not in _kept(ec2, kind):
        raise Refusal(f"{code}.NotFound", f"The {kind} ID '{identifier}' does not exist.")
    return _kept(ec2, kind)[identifier]


def _tags(self: EC2Response) -> list[Document]:
    return [tag for one in self._get_param("TagSpecifications", []) for tag in one.get("Tags", [])]


def check_pool(ec2: Any, identifier: str) -> None:
    """Raise unless this pool of public IPv4 addresses exists."""
    pool = _kept(ec2, "pool").get(identifier)
    if pool is None:
        raise Refusal("InvalidConfigurationRequest", f"The IPAM pool '{identifier}' does not exist")
    if pool["AddressFamily"] != "ipv4" or pool["IpamScopeType"] != "public":
        raise Refusal("InvalidConfigurationRequest", f"The IPAM pool '{identifier}' has no public IPv4 addresses")


def create_ipam(self: EC2Response) -> ActionResult:
    """CreateIpam: with a private and a public scope."""
    ec2: Any = self.ec2_backend
    private, public = (f"ipam-scope-{mock_random.get_random_hex(17)}" for _ in range(2))
    made: Document = {
        "IpamId": f"ipam-{mock_random.get_random_hex(17)}",
        "IpamRegion": ec2.region_name,
        "OwnerId": ec2.account_id,
        "PrivateDefaultScopeId": private,
        "PublicDefaultScopeId": public,
        "ScopeCount": 2,
        "Description": self._get_param("Description"),
        "State": "create-complete",
        "Tags": _tags(self),
    }
    _kept(ec2, "IPAM")[made["IpamId"]] = made
    return ActionResult({"Ipam": made})


def describe_ipams(self: EC2Response) -> ActionResult:
    """DescribeIpams."""
    return ActionResult({"Ipams": list(_kept(self.ec2_backend, "IPAM").values())})


def delete_ipam(self: EC2Response) -> ActionResult:
    """DeleteIpam: only without pools."""
    ec2, identifier = self.ec2_backend, self._get_param("IpamId")
    found = _find(ec2, "IPAM", "InvalidIpamId", identifier)
    scopes = {found["PrivateDefaultScopeId"], found["PublicDefaultScopeId"]}
    if any(pool["scope"] in scopes for pool in _kept(ec2, "pool").values()):
        raise Refusal("DependencyViolation", f"The IPAM '{identifier}' has pools and cannot be deleted.")
    del _kept(ec2, "IPAM")[identifier]
    return ActionResult({"Ipam": {**found, "State": "delete-in-progress"}})


def create_ipam_pool(self: EC2Response) -> ActionResult:
    """CreateIpamPool: in a scope of an IPAM."""
    ec2: Any = self.ec2_backend
    scope = self._get_param("IpamScopeId")
    of = {
        i[f"{kind.title()}DefaultScopeId"]: kind for i in _kept(ec2, "IPAM").values() for kind in ("private", "public")
    }
    if scope not in of:
        raise Refusal("InvalidIpamScopeId.NotFound", f"The scope ID '{scope}' does not exist.")
    identifier = f"ipam-pool-{mock_random.get_random_hex(17)}"
    made = {
        "IpamPoolId": identifier,
        "IpamPoolArn": f"arn:{ec2.partition}:ec2::{ec2.account_id}:ipam-pool/{identifier}",
        "OwnerId": ec2.account_id,
        "IpamRegion": ec2.region_name,
        "IpamScopeType": of[scope],
        "Locale": self._get_param("Locale"),
        "AddressFamily": self._get_param("AddressFamily"),
        "Description": self._get_param("Description"),
        "PublicIpSource": self._get_param("PublicIpSource"),
        "AwsService": self._get_param("AwsService"),
        "State": "create-complete",
        "PoolDepth": 1,
        "Tags": _tags(self),
        "scope": scope,
        "blocks": [],
    }
    _kept(ec2, "pool")[identifier] = made
    return ActionResult({"IpamPool": made})


def describe_ipam_pools(self: EC2Response) -> ActionResult:
    """DescribeIpamPools: named ones must exist."""
    ec2 = self.ec2_backend
    wanted = self._get_param("IpamPoolIds", [])
    pools = [_find(ec2, "pool", "InvalidIpamPoolId", identifier) for identifier in wanted]
    return ActionResult({"IpamPools": pools or list(_kept(ec2, "pool").values())})


def provision_ipam_pool_cidr(self: EC2Response) -> ActionResult:
    """ProvisionIpamPoolCidr: adds a block to the pool."""
    pool = _find(self.ec2_backend, "pool", "InvalidIpamPoolId", self._get_param("IpamPoolId"))
    try:
        block = str(ipaddress.ip_network(self._get_param("Cidr")))
    except ValueError:
        raise Refusal(
            "InvalidParameterValue", f"Value ({self._get_param('Cidr')}) for parameter cidr is invalid."
        ) from None
    pool["blocks"].append(block)
    return ActionResult({"IpamPoolCidr": {"Cidr": block, "State": "provisioned"}})


def delete_ipam_pool(self: EC2Response) -> ActionResult:
    """DeleteIpamPool: only if no load balancer uses it."""
    ec2: Any = self.ec2_backend
    identifier = self._get_param("IpamPoolId")
    pool = _find(ec2, "pool", "InvalidIpamPoolId", identifier)
    balancers: Any = elbv2_backends[ec2.account_id][ec2.region_name].load_balancers.values()
    if any((b.IpamPools or {}).get("Ipv4IpamPoolId") == identifier for b in balancers):
        raise Refusal("DependencyViolation", f"The pool '{identifier}' has allocations and cannot be deleted.")
    del _kept(ec2, "pool")[identifier]
    return ActionResult({"IpamPool": {**pool, "State": "delete-in-progress"}})
