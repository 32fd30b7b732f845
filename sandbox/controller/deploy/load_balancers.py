"""Load balancers: made, compared, changed, deleted."""

import logging
from collections.abc import Callable

from botocore.exceptions import ClientError

from sandbox.controller.deploy.aws import Aws, code, tag_list
from sandbox.controller.deploy.compare import attributes_to_change, resolved, tags_to_change
from sandbox.controller.deploy.inventory import Found, Inventory
from sandbox.controller.deploy.target_groups import retag
from sandbox.controller.model.stack import Json, LoadBalancer, Ref
from sandbox.controller.settings import Settings

log = logging.getLogger(__name__)


def needs_replacement(wanted: LoadBalancer, have: Json) -> bool:
    """Whether what differs cannot be changed in place."""
    return wanted.type != have.get("Type") or wanted.scheme != have.get("Scheme")


class LoadBalancers:
    """The calls about load balancers."""

    def __init__(self, aws: Aws, settings: Settings, inventory: Inventory) -> None:
        self._aws, self._settings, self._inventory = aws, settings, inventory

    def ensure(
        self, wanted: LoadBalancer, tags: dict[str, str], found: Found | None, of: Callable[[Ref], str]
    ) -> Found:
        """Make the load balancer, or bring the one that was found to what is wanted."""
        groups = resolved(wanted.security_groups, of)
        if found is None:
            return self._create(wanted, tags, groups)
        self._update(wanted, tags, found, groups)
        return found

    def delete(self, found: Found) -> None:
        """Delete a load balancer with its listeners; protection against that is taken off, as the manifest is gone."""
        elb = self._aws.elb
        try:
            elb.delete_load_balancer(LoadBalancerArn=found.id)
        except ClientError as error:
            if code(error) == "OperationNotPermitted":
                off = [{"Key": "deletion_protection.enabled", "Value": "false"}]
                elb.modify_load_balancer_attributes(LoadBalancerArn=found.id, Attributes=off)
                elb.delete_load_balancer(LoadBalancerArn=found.id)
            elif code(error) != "LoadBalancerNotFound":
                raise
        self._inventory.strike(found.id)
        log.info("deleted load balancer %s", found.id)

    def _create(self, wanted: LoadBalancer, tags: dict[str, str], groups: list[str]) -> Found:
        request: Json = {
            "Name": wanted.name,
            "Type": wanted.type,
            "Scheme": wanted.scheme,
            "IpAddressType": wanted.ip_address_type,
            "Tags": tag_list(tags),
        }
        if groups:
            request["SecurityGroups"] = groups
        if any(len(mapping) > 1 for mapping in wanted.subnets):
            request["SubnetMappings"] = wanted.subnets
        else:
            request["Subnets"] = [mapping["SubnetId"] for mapping in wanted.subnets]
        if wanted.customer_owned_pool:
            request["CustomerOwnedIpv4Pool"] = wanted.customer_owned_pool
        data = self._aws.create("elbv2", "create_load_balancer", **request)["LoadBalancers"][0]
        found = self._inventory.enter("load-balancer", data["LoadBalancerArn"], data, tags)
        log.info("created load balancer %s", found.id)
        self._set_attributes(found.id, dict(wanted.attributes))
        if wanted.private_link_rules and groups:
            self._set_groups(wanted, found, groups)
        return found

    def _update(self, wanted: LoadBalancer, tags: dict[str, str], found: Found, groups: list[str]) -> None:
        elb, data = self._aws.elb, found.data
        retag(self._aws, found, *tags_to_change(tags, found.tags, self._settings.external_managed_tags))
        link = data.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic")
        if set(groups) != set(data.get("SecurityGroups") or []) or (
            wanted.private_link_rules and wanted.private_link_rules != link
        ):
            self._set_groups(wanted, found, groups)
        zones = data.get("AvailabilityZones") or []
        if {m["SubnetId"] for m in wanted.subnets} != {z["SubnetId"] for z in zones}:
            answer = elb.set_subnets(LoadBalancerArn=found.id, SubnetMappings=wanted.subnets)
            data["AvailabilityZones"] = answer.get("AvailabilityZones") or wanted.subnets
            log.info("changed subnets of %s", found.id)
        if wanted.ip_address_type != data.get("IpAddressType", "ipv4"):
            elb.set_ip_address_type(LoadBalancerArn=found.id, IpAddressType=wanted.ip_address_type)
            data["IpAddressType"] = wanted.ip_address_type
        if wanted.attributes:
            answer = elb.describe_load_balancer_attributes(LoadBalancerArn=found.id)
            have = {a["Key"]: a["Value"] for a in answer["Attributes"]}
            self._set_attributes(found.id, attributes_to_change(wanted.attributes, have))

    def _set_groups(self, wanted: LoadBalancer, found: Found, groups: list[str]) -> None:
        link = wanted.private_link_rules
        extra = {"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": link} if link else {}
        self._aws.elb.set_security_groups(LoadBalancerArn=found.id, SecurityGroups=groups, **extra)
        found.data["SecurityGroups"] = groups
        log.info("changed security groups of %s: %s", found.id, groups)

    def _set_attributes(self, arn: str, attributes: dict[str, str]) -> None:
        if attributes:
            pairs = [{"Key": k, "Value": v} for k, v in sorted(attributes.items())]
            self._aws.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=pairs)
            log.info("changed attributes of %s: %s", arn, attributes)
