"""Target groups: made, compared, changed, deleted."""

import logging
import threading
import time

from botocore.exceptions import ClientError

from sandbox.controller.deploy.aws import Aws, code, tag_list
from sandbox.controller.deploy.compare import attributes_to_change, tags_to_change
from sandbox.controller.deploy.inventory import Found, Inventory
from sandbox.controller.model.stack import HealthCheck, Json, TargetGroup
from sandbox.controller.settings import Settings

log = logging.getLogger(__name__)
_DELETE_SECONDS, _DELETE_POLL = 20.0, 0.5
# What AWS gives every new target group: asking for it needs no call.
_GIVEN = {"proxy_protocol_v2.enabled": "false"}


def needs_replacement(wanted: TargetGroup, have: Json) -> bool:
    """Whether what differs cannot be changed in place."""
    version = wanted.protocol_version is not None and wanted.protocol_version != have.get("ProtocolVersion")
    return version or wanted.target_type != have.get("TargetType") or wanted.protocol != have.get("Protocol")


def health_fields(health: HealthCheck) -> Json:
    """The health check in AWS's shape."""
    fields: Json = {
        "HealthCheckEnabled": True,
        "HealthCheckPort": health.port,
        "HealthCheckProtocol": health.protocol,
        "HealthCheckIntervalSeconds": health.interval,
        "HealthCheckTimeoutSeconds": health.timeout,
        "HealthyThresholdCount": health.healthy,
        "UnhealthyThresholdCount": health.unhealthy,
    }
    if health.path is not None:
        fields["HealthCheckPath"] = health.path
    if health.matcher is not None:
        fields["Matcher"] = health.matcher
    return fields


class TargetGroups:
    """The calls about target groups."""

    def __init__(self, aws: Aws, settings: Settings, inventory: Inventory) -> None:
        self._aws, self._settings, self._inventory = aws, settings, inventory

    def ensure(self, wanted: TargetGroup, tags: dict[str, str], found: Found | None) -> str:
        """Make the target group, or bring the one that was found to what is wanted. Returns its ARN."""
        if found is None:
            return self._create(wanted, tags)
        self._update(wanted, tags, found)
        return found.id

    def delete(self, arn: str, ended: threading.Event) -> None:
        """Delete a target group; a listener that is just going may hold it for some seconds."""
        deadline = time.monotonic() + _DELETE_SECONDS
        while True:
            try:
                self._aws.elb.delete_target_group(TargetGroupArn=arn)
            except ClientError as error:
                if code(error) == "TargetGroupNotFound":
                    break
                if code(error) != "ResourceInUse" or time.monotonic() > deadline or ended.is_set():
                    raise
                ended.wait(_DELETE_POLL)
            else:
                log.info("deleted target group %s", arn)
                break
        self._inventory.strike(arn)

    def _create(self, wanted: TargetGroup, tags: dict[str, str]) -> str:
        request: Json = {
            "Name": wanted.name,
            "TargetType": wanted.target_type,
            "Port": wanted.port,
            "Protocol": wanted.protocol,
            "VpcId": self._settings.aws_vpc_id,
            "Tags": tag_list(tags),
        } | health_fields(wanted.health)
        if wanted.protocol_version is not None:
            request["ProtocolVersion"] = wanted.protocol_version
        if wanted.ip_address_type != "ipv4":
            request["IpAddressType"] = wanted.ip_address_type
        data = self._aws.create("elbv2", "create_target_group", **request)["TargetGroups"][0]
        arn = data["TargetGroupArn"]
        self._inventory.enter("target-group", arn, data, tags)
        log.info("created target group %s", arn)
        self._set_attributes(arn, attributes_to_change(wanted.attributes, _GIVEN))
        return arn

    def _update(self, wanted: TargetGroup, tags: dict[str, str], found: Found) -> None:
        put, drop = tags_to_change(tags, found.tags, self._settings.external_managed_tags)
        retag(self._aws, found, put, drop)
        fields = health_fields(wanted.health)
        current = found.data
        if any(key != "HealthCheckEnabled" and current.get(key) != value for key, value in fields.items()):
            self._aws.elb.modify_target_group(TargetGroupArn=found.id, **fields)
            current.update(fields)
            log.info("changed health check of %s", found.id)
        if wanted.attributes:
            answer = self._aws.elb.describe_target_group_attributes(TargetGroupArn=found.id)
            have = {a["Key"]: a["Value"] for a in answer["Attributes"]}
            self._set_attributes(found.id, attributes_to_change(wanted.attributes, have))

    def _set_attributes(self, arn: str, attributes: dict[str, str]) -> None:
        if attributes:
            pairs = [{"Key": k, "Value": v} for k, v in sorted(attributes.items())]
            self._aws.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=pairs)
            log.info("changed attributes of %s: %s", arn, attributes)


def retag(aws: Aws, found: Found, put: dict[str, str], drop: list[str]) -> None:
    """Set and remove tags of a load balancing resource."""
    if put:
        aws.elb.add_tags(ResourceArns=[found.id], Tags=tag_list(put))
        found.tags.update(put)
    if drop:
        aws.elb.remove_tags(ResourceArns=[found.id], TagKeys=drop)
        for key in drop:
            found.tags.pop(key, None)
