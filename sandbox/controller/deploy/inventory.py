"""What exists in AWS under the cluster's tag: one picture for all stacks, taken anew when it is older than seconds.

The real controller describes all load balancers, target groups and their tags for every object it looks at. Here all
stacks share one picture, into which the controller's own creations and deletions are entered at once; so a hundred
Ingresses that are applied together cost a handful of descriptions. Tags of what is known are asked for again only when
everything is compared anew (resync, start, after a failure).
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.controller.deploy.aws import Aws, pages, tag_map
from sandbox.controller.model.stack import Json, StackId
from sandbox.controller.settings import Settings

FRESH_SECONDS = 5.0
CLUSTER = "elbv2.k8s.aws/cluster"
_TAGS_A_CALL = 20


@dataclass
class Found:
    """A resource in AWS's shape with its tags."""

    kind: str
    id: str
    data: Json
    tags: dict[str, str]


@dataclass(frozen=True)
class Existing:
    """What one stack has in AWS."""

    load_balancers: list[Found]
    target_groups: list[Found]
    security_groups: list[Found]


class Inventory:
    """The picture. Thread-safe."""

    def __init__(self, aws: Aws, settings: Settings) -> None:
        self._aws, self._settings = aws, settings
        self._loading = threading.Lock()
        self._lock = threading.Lock()
        self._found: dict[str, Found] = {}
        self._tags: dict[str, dict[str, str]] = {}
        self._taken = float("-inf")
        self._writes: list[Callable[[dict[str, Found]], Any]] = []

    def forget(self) -> None:
        """Take the picture anew, tags too, the next time somebody asks."""
        with self._lock:
            self._taken = float("-inf")
            self._tags.clear()

    def of_stack(self, stack: StackId) -> Existing:
        """What a stack has."""
        wanted = stack.tags(self._settings.cluster_name)
        with_resource = stack.resource_key
        mine = [
            found
            for found in self._picture()
            if with_resource in found.tags and all(found.tags.get(k) == v for k, v in wanted.items())
        ]
        return Existing(
            *([f for f in mine if f.kind == kind] for kind in ("load-balancer", "target-group", "security-group"))
        )

    def backend_group(self) -> Found | None:
        """The cluster's shared backend security group."""
        for found in self._picture():
            if found.kind == "security-group" and found.tags.get("elbv2.k8s.aws/resource") == "backend-sg":
                return found
        return None

    def target_group(self, arn: str) -> Json | None:
        """A target group, whoever made it, None where there is none."""
        return next((f.data for f in self._picture() if f.id == arn), None)

    def enter(self, kind: str, identity: str, data: Json, tags: dict[str, str]) -> Found:
        """Enter what was just made (or changed)."""
        found = Found(kind, identity, data, dict(tags))
        self._write(lambda picture: picture.__setitem__(identity, found))
        with self._lock:
            self._tags[identity] = found.tags
        return found

    def strike(self, identity: str) -> None:
        """Strike out what was just deleted."""
        self._write(lambda picture: picture.pop(identity, None))

    def _write(self, change: Callable[[dict[str, Found]], Any]) -> None:
        with self._lock:
            change(self._found)
            self._writes.append(change)

    def _picture(self) -> list[Found]:
        with self._loading:
            with self._lock:
                if time.monotonic() - self._taken < FRESH_SECONDS:
                    return list(self._found.values())
                self._writes.clear()
            began = time.monotonic()
            picture = self._take()
            with self._lock:
                for change in self._writes:  # made while the picture was taken: it may show them or not
                    change(picture)
                self._found, self._taken = picture, began
                return list(picture.values())

    def _take(self) -> dict[str, Found]:
        elb, cluster = self._aws.elb, self._settings.cluster_name
        described = [
            ("load-balancer", lb["LoadBalancerArn"], lb) for lb in pages(elb.describe_load_balancers, "LoadBalancers")
        ]
        described += [
            ("target-group", tg["TargetGroupArn"], tg) for tg in pages(elb.describe_target_groups, "TargetGroups")
        ]
        tags = self._tags_of([arn for _, arn, _ in described])
        picture = {arn: Found(kind, arn, data, tags.get(arn, {})) for kind, arn, data in described}
        filters = [
            {"Name": "vpc-id", "Values": [self._settings.aws_vpc_id]},
            {"Name": f"tag:{CLUSTER}", "Values": [cluster]},
        ]
        for group in pages(self._aws.ec2.describe_security_groups, "SecurityGroups", "NextToken", Filters=filters):
            picture[group["GroupId"]] = Found("security-group", group["GroupId"], group, tag_map(group.get("Tags")))
        return picture

    def _tags_of(self, arns: Iterable[str]) -> dict[str, dict[str, str]]:
        with self._lock:
            known = {arn: self._tags[arn] for arn in arns if arn in self._tags}
        known |= describe_tags(self._aws, [arn for arn in arns if arn not in known])
        with self._lock:
            self._tags = dict(known)
        return known


def describe_tags(aws: Aws, arns: list[str]) -> dict[str, dict[str, str]]:
    """Tags of load balancing resources by ARN, twenty a call."""
    tags: dict[str, dict[str, str]] = {}
    for start in range(0, len(arns), _TAGS_A_CALL):
        answer = aws.elb.describe_tags(ResourceArns=arns[start : start + _TAGS_A_CALL])
        tags |= {one["ResourceArn"]: tag_map(one["Tags"]) for one in answer["TagDescriptions"]}
    return tags
