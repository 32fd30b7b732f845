"""What the emulator knows about resources: full ARNs, tags, and the condition keys that are their properties."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from moto.acm.models import acm_backends
from moto.ec2.models import ec2_backends
from moto.elb.models import elb_backends
from moto.elbv2.models import elbv2_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends

from sandbox.aws.accelerators.store import AcceleratorNotFoundError, Accelerators
from sandbox.aws.eks.store import Eks
from sandbox.aws.eks.tags import tagged
from sandbox.iam.language.patterns import like
from sandbox.iam.permissions.demands import Facts
from sandbox.iam.permissions.reference import Place


@dataclass(frozen=True)
class Surroundings:
    """All resources of the account in the sandbox's region."""

    place: Place
    eks: Eks
    accelerators: Accelerators

    def look(self, arn: str) -> Facts | None:
        """The facts about a resource; None if it does not exist."""
        service, resource = arn.split(":", 5)[2::3]
        known = self._known.get(service)
        return known(arn, resource) if known else Facts(arn, tags=None)

    @property
    def _known(self) -> dict[str, Callable[[str, str], Facts | None]]:
        return {
            "acm": self._acm,
            "ec2": self._ec2,
            "eks": self._eks_part,
            "elasticloadbalancing": self._balancing,
            "globalaccelerator": self._accelerator,
            "iam": self._identity,
            "kms": self._key,
            "logs": self._log_group,
        }

    def _ec2(self, arn: str, resource: str) -> Facts | None:
        backend: Any = ec2_backends[self.place.account][self.place.region]
        kind, _, name = resource.partition("/")
        name = _of_association(backend, name)
        prefix = arn[: -len(resource)]
        own = _EC2[kind](backend, name) if kind in _EC2 else {}
        keys = {key: [prefix + value if "/" in value else value] if value else None for key, value in own.items()}
        return Facts(f"{prefix}{kind}/{name}", dict(backend.tags.get(name) or {}), keys)

    def _balancing(self, arn: str, resource: str) -> Facts | None:
        if resource.count("/") == 1 and resource.startswith("loadbalancer/"):
            classic: Any = elb_backends[self.place.account][self.place.region]
            found = classic.load_balancers.get(resource.partition("/")[2])
            return Facts(arn, dict(found.tags)) if found else None
        backend: Any = elbv2_backends[self.place.account][self.place.region]
        return Facts(arn, backend.tagging_service.get_tag_dict_for_resource(arn))

    def _accelerator(self, arn: str, _: str) -> Facts | None:
        """What is below an accelerator has its tags."""
        try:
            return Facts(arn, dict(self.accelerators.accelerator(arn).tags))
        except AcceleratorNotFoundError:
            return None

    def _eks_part(self, arn: str, _: str) -> Facts | None:
        return next(
            (Facts(full, dict(doc.get("tags") or {})) for full, doc in tagged(self.eks) if like(full, arn)), None
        )

    def _identity(self, arn: str, resource: str) -> Facts | None:
        """Names come without their paths; the ARN contains them."""
        kind, _, name = resource.partition("/")
        backend = iam_backends[self.place.account][self.place.partition]
        stores: dict[str, Iterable[Any]] = {
            "role": backend.roles.values(),
            "policy": backend.managed_policies.values() if arn in backend.managed_policies else (),
            "user": backend.users.values(),
            "oidc-provider": backend.open_id_providers.values(),
            "instance-profile": backend.instance_profiles.values(),
        }
        for each in stores.get(kind, ()):
            if each.arn == arn or getattr(each, "name", None) == name:
                tags = backend.tagger.list_tags_for_resource(each.arn)["Tags"] if kind == "user" else each.tags
                boundary = getattr(each, "permissions_boundary_arn", None)
                return Facts(each.arn, tags_of(tags), {"iam:permissionsboundary": [boundary] if boundary else None})
        return None

    def _key(self, arn: str, resource: str) -> Facts | None:
        backend: Any = kms_backends[self.place.account][self.place.region]
        kind, _, name = resource.partition("/")
        if kind == "alias":
            return Facts(arn)
        name = name.rpartition("/")[2] if not name.startswith("alias/") else backend.get_key_id_from_alias(name) or name
        key = backend.keys.get(name)
        if key is None:
            return None
        keys = {"kms:keyspec": [key.key_spec], "kms:keyusage": [key.key_usage], "kms:keyorigin": [key.origin]}
        return Facts(key.arn, backend.tagger.get_tag_dict_for_resource(key.id), keys)

    def _log_group(self, arn: str, _: str) -> Facts | None:
        backend: Any = logs_backends[self.place.account][self.place.region]
        return Facts(arn, backend.tagger.get_tag_dict_for_resource(arn.removesuffix(":*")))

    def _acm(self, arn: str, _: str) -> Facts | None:
        backend: Any = acm_backends[self.place.account][self.place.region]
        found = backend._certificates.get(arn)  # noqa: SLF001 - moto has no other way to one without an error
        return Facts(arn, {k: v or "" for k, v in found.tags.items()}) if found else None


def tags_of(given: Any) -> dict[str, str]:
    """Tags in any of moto's formats: `{key: value}`, `{key: {"Key", "Value"}}`, or a list of the latter."""
    if isinstance(given, dict):
        return {k: (v.get("Value") or "") if isinstance(v, dict) else v or "" for k, v in given.items()}
    return {tag["Key"]: tag.get("Value") or "" for tag in given or []}


def _of_association(backend: Any, name: str) -> str:
    """The resource behind an association's id: an address, a route table."""
    if name.startswith("eipassoc-"):
        found = (a.allocation_id for a in backend.addresses.values() if a.association_id == name)
        return next(found, name)
    if name.startswith("rtbassoc-"):
        return next((t.id for t in backend.route_tables.values() if name in t.all_associations_ids), name)
    return name


Properties = dict[str, str | None]
"""Condition keys; a value such as `vpc/vpc-1` is the end of an ARN."""


def _of_group(backend: Any, name: str) -> Properties:
    group = backend.get_security_group_from_id(name)
    return {"ec2:securitygroupid": name, "ec2:vpc": f"vpc/{group.vpc_id}" if group else None}


def _of_subnet(backend: Any, name: str) -> Properties:
    subnet = next((zone[name] for zone in backend.subnets.values() if name in zone), None)
    if subnet is None:
        return {}
    zone = {"ec2:availabilityzone": subnet.availability_zone, "ec2:availabilityzoneid": subnet.availability_zone_id}
    return {"ec2:subnetid": name, "ec2:vpc": f"vpc/{subnet.vpc_id}", **zone}


def _of_interface(backend: Any, name: str) -> Properties:
    interface = backend.enis.get(name)
    if interface is None:
        return {}
    subnet = {"ec2:subnet": f"subnet/{interface.subnet.id}"}
    return {**_of_subnet(backend, interface.subnet.id), **subnet, "ec2:networkinterfaceid": name}


def _of_route_table(backend: Any, name: str) -> Properties:
    table = backend.route_tables.get(name)
    return {"ec2:routetableid": name, "ec2:vpc": f"vpc/{table.vpc_id}" if table else None}


def _of_vpc(backend: Any, name: str) -> Properties:
    vpc = backend.vpcs.get(name)
    return {"ec2:vpcid": name, "ec2:tenancy": vpc.instance_tenancy if vpc else None}


_EC2: dict[str, Callable[[Any, str], Properties]] = {
    "elastic-ip": lambda _, name: {"ec2:allocationid": name},
    "internet-gateway": lambda _, name: {"ec2:internetgatewayid": name},
    "network-interface": _of_interface,
    "route-table": _of_route_table,
    "security-group": _of_group,
    "subnet": _of_subnet,
    "vpc": _of_vpc,
}
