"""The IAM policy of the AWS Load Balancer Controller, made of `statements`. Functions of plain values.

What upstream grants to every cluster in the account is narrowed here to one cluster:

- where upstream asks for *some* cluster's tag, this asks for this cluster's name in it;
- where upstream asks nothing, a resource that carries another cluster's tag is refused, one that carries none is not
  (`...IfExists`): bindings to target groups that somebody else made must work.

The facts are those of the policies that upstream publishes with each release:
https://github.com/kubernetes-sigs/aws-load-balancer-controller/tree/main/docs/install
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from eks_load_balancing.controller.statements import Statement, elb, features, listeners, made, reaching, reading
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.versions import CONTROLLER_VERSIONS, RELEASES, release

FEATURES: Final = ("waf", "wafv2", "shield", "cognito", "certificate-discovery")
"""What a stack can do without: each takes its actions with it."""

LONGEST: Final = 6144
"""Characters that a managed policy may have, white space apart."""

ANY_VPC: Final = "vpc-00000000000000000"
"""As long as a VPC's id is: for checking a policy's length before the VPC is there."""

# What the isolated partitions' Elastic Load Balancing does not offer.
_NOT_IN_ISOLATED: Final = frozenset(
    {
        "elasticloadbalancing:DescribeTrustStores",
        "elasticloadbalancing:DescribeListenerAttributes",
        "elasticloadbalancing:DescribeCapacityReservation",
        "elasticloadbalancing:ModifyListenerAttributes",
        "elasticloadbalancing:ModifyCapacityReservation",
    }
)
_ISOLATED: Final = ("aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f")
# The release that first published a policy for a partition.
_PARTITION_SINCE: Final = {
    "aws": "2.8.0",
    "aws-cn": "2.8.0",
    "aws-us-gov": "2.8.0",
    "aws-eusc": "2.15.0",
    "aws-iso": "2.8.0",
    "aws-iso-b": "2.8.0",
    "aws-iso-e": "2.12.0",
    "aws-iso-f": "2.12.0",
}
# The release that first asked for an action; all others ask for the rest.
_ACTION_SINCE: Final = {
    "elasticloadbalancing:DescribeListenerAttributes": "2.9.0",
    "elasticloadbalancing:ModifyListenerAttributes": "2.9.0",
    "ec2:GetSecurityGroupsForVpc": "2.10.0",
    "elasticloadbalancing:DescribeCapacityReservation": "2.11.0",
    "elasticloadbalancing:ModifyCapacityReservation": "2.11.0",
    "ec2:DescribeIpamPools": "2.12.0",
    "elasticloadbalancing:ModifyIpPools": "2.12.0",
    "elasticloadbalancing:SetRulePriorities": "2.12.0",
    "ec2:DescribeRouteTables": "2.13.0",
}


def _without(version: str, partition: str) -> frozenset[str]:
    later = frozenset(action for action, since in _ACTION_SINCE.items() if release(version) < release(since))
    return later | _NOT_IN_ISOLATED if partition in _ISOLATED else later


ABSENT: Final = {
    version: {
        partition: _without(version, partition)
        for partition, since in _PARTITION_SINCE.items()
        if release(since) <= release(version)
    }
    for version in RELEASES
}
"""By version and partition, the actions that the release's policy lacks; a partition that is missing has no policy."""


def controller_statements(version: str, partition: str, cluster_name: str, region: str, vpc_id: str) -> list[Statement]:
    """Return every statement of one controller version in one partition, narrowed to one cluster.

    Raises:
        InvalidInputError: for a version or partition without an entry.
    """
    absent = _absent(version, partition)
    statements = [
        *reading(),
        *features(),
        *made(partition, cluster_name, region, vpc_id),
        *listeners(partition, cluster_name),
    ]
    return [
        Statement(s.purpose, tuple(a for a in s.actions if a not in absent), s.resources, s.condition, s.features)
        for s in statements
    ]


def _absent(version: str, partition: str) -> frozenset[str]:
    absent = ABSENT.get(version, {}).get(partition)
    if absent is None:
        since = _PARTITION_SINCE.get(partition)
        there = f"give {since} or later" if since else f"there are those for {', '.join(_PARTITION_SINCE)}"
        raise InvalidInputError(
            f"controller version {version} has no IAM policy for partition {partition}: {there}", key="version"
        )
    return absent


def controller_policy(
    version: str,
    partition: str,
    cluster_name: str,
    region: str,
    vpc_id: str,
    *,
    disabled_features: Collection[str] = (),
) -> str:
    """Return the policy document, as JSON without white space.

    Args:
        version: the controller's, such as `3.5.0`.
        partition: such as `aws`.
        cluster_name: the cluster whose load balancers the controller keeps.
        region: the cluster's.
        vpc_id: the VPC whose security groups it may change.
        disabled_features: some of `FEATURES`; their actions are left out.

    Raises:
        InvalidInputError: for something unknown, or a document longer than IAM takes.
    """
    for feature in disabled_features:
        if feature not in FEATURES:
            raise InvalidInputError(f"feature {feature!r} is not known: give some of {', '.join(FEATURES)}")
    wanted = [
        statement
        for statement in (
            *controller_statements(version, partition, cluster_name, region, vpc_id),
            *_beyond_the_release(version),
        )
        if not statement.features or set(statement.features) - set(disabled_features)
    ]
    return _fitting(wanted, f"cluster {cluster_name!r}", "turn features off, or give the cluster a shorter name")


def _beyond_the_release(version: str) -> Iterator[Statement]:
    """Yield what the controller needs for a field of its CRDs, and the release's policy does not grant.

    https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#wafv2-acl-name
    """
    if "wafv2AclName" in CONTROLLER_VERSIONS[version].crds["ingressclassparams.elbv2.k8s.aws"]:
        yield Statement("find a web ACL by its name", ("wafv2:ListWebACLs",), features=("wafv2",))


def _fitting(statements: list[Statement], what: str, remedy: str) -> str:
    text = document(statements)
    if len(text) > LONGEST:
        raise InvalidInputError(
            f"the controller's policy for {what} has {len(text)} characters and IAM takes {LONGEST}: {remedy}",
            key="cluster_name",
        )
    return text


def document(statements: list[Statement]) -> str:
    """Return statements as a policy document, as JSON without white space."""
    return json.dumps({"Version": "2012-10-17", "Statement": _render(statements)}, separators=(",", ":"))


def bound_policy(version: str, partition: str, region: str, vpc_id: str, target_group_arns: Sequence[str]) -> str:
    """Return the policy of a controller that serves TargetGroupBindings alone, as JSON without white space.

    It sees what every controller sees, registers in the target groups that are named, lets their load balancers reach
    the pods, and can make, change or remove nothing else.

    Args:
        version: the controller's, such as `3.5.0`.
        partition: such as `aws`.
        region: the cluster's.
        vpc_id: the VPC whose security groups it may change.
        target_group_arns: one or more.

    Raises:
        InvalidInputError: for a version or partition without an entry, or a document longer than IAM takes.
    """
    absent = _absent(version, partition)
    seeing, *_ = reading()
    vpc = f"arn:{partition}:ec2:{region}:*:vpc/{vpc_id}"
    wanted = [
        replace(seeing, actions=tuple(action for action in seeing.actions if action not in absent)),
        Statement("register pods", elb("RegisterTargets", "DeregisterTargets"), tuple(target_group_arns)),
        reaching(vpc, {}),
    ]
    return _fitting(wanted, f"{len(target_group_arns)} target groups", "give fewer")


def _render(statements: list[Statement]) -> list[dict[str, Any]]:
    """Write statements that differ in their actions alone as one, so that the document fits."""
    merged: dict[str, dict[str, Any]] = {}
    for statement in statements:
        rendered: dict[str, Any] = {"Effect": "Allow", "Action": [], "Resource": list(statement.resources)}
        if statement.condition:
            rendered["Condition"] = statement.condition
        key = json.dumps([statement.resources, statement.condition])
        merged.setdefault(key, rendered)["Action"].extend(statement.actions)
    return list(merged.values())
