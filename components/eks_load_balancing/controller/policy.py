"""The IAM policy of the AWS Load Balancer Controller, as statements by purpose. Functions of plain values.

What upstream grants to every cluster in the account is narrowed here to one cluster:

- where upstream asks for *some* cluster's tag, this asks for this cluster's name in it;
- where upstream asks nothing, a resource that carries another cluster's tag is refused, one that carries none is not
  (`...IfExists`): bindings to target groups that somebody else made must work.

The facts are those of the policies that upstream publishes with each release:
https://github.com/kubernetes-sigs/aws-load-balancer-controller/tree/main/docs/install
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.versions import CONTROLLER_VERSIONS, RELEASES, release

TAG: Final = "elbv2.k8s.aws/cluster"
RESOURCE_TAG: Final = f"aws:ResourceTag/{TAG}"
REQUEST_TAG: Final = f"aws:RequestTag/{TAG}"

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


@dataclass(frozen=True)
class Statement:
    """One purpose of the controller: what it does, to what, and on which condition."""

    purpose: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    condition: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    features: tuple[str, ...] = ()
    """The features that it serves, if it serves nothing else: it goes when all of them are turned off."""


def controller_statements(version: str, partition: str, cluster_name: str, region: str, vpc_id: str) -> list[Statement]:
    """Return every statement of one controller version in one partition, narrowed to one cluster.

    Raises:
        InvalidInputError: for a version or partition without an entry.
    """
    absent = _absent(version, partition)
    statements = [
        *_reading(),
        *_features(),
        *_made(partition, cluster_name, region, vpc_id),
        *_listeners(partition, cluster_name),
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
    seeing, *_ = _reading()
    vpc = f"arn:{partition}:ec2:{region}:*:vpc/{vpc_id}"
    wanted = [
        replace(seeing, actions=tuple(action for action in seeing.actions if action not in absent)),
        Statement("register pods", _elb("RegisterTargets", "DeregisterTargets"), tuple(target_group_arns)),
        _reaching(vpc, {}),
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


def _service(name: str, *actions: str) -> tuple[str, ...]:
    return tuple(f"{name}:{action}" for action in actions)


def _elb(*actions: str) -> tuple[str, ...]:
    return _service("elasticloadbalancing", *actions)


def _reading() -> Iterator[Statement]:
    # Describe calls know no resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    yield Statement(
        "see the network",
        _service(
            "ec2", "DescribeAccountAttributes", "DescribeAddresses", "DescribeAvailabilityZones",
            "DescribeInternetGateways", "DescribeVpcs", "DescribeVpcPeeringConnections", "DescribeSubnets",
            "DescribeSecurityGroups", "DescribeInstances", "DescribeNetworkInterfaces", "DescribeTags",
            "GetCoipPoolUsage", "DescribeCoipPools", "GetSecurityGroupsForVpc", "DescribeIpamPools",
            "DescribeRouteTables",
        )
        + _elb(
            "DescribeLoadBalancers", "DescribeLoadBalancerAttributes", "DescribeListeners",
            "DescribeListenerCertificates", "DescribeSSLPolicies", "DescribeRules", "DescribeTargetGroups",
            "DescribeTargetGroupAttributes", "DescribeTargetHealth", "DescribeTags", "DescribeTrustStores",
            "DescribeListenerAttributes", "DescribeCapacityReservation",
        ),
    )  # fmt: skip
    yield Statement(
        "let Elastic Load Balancing have its own role in a new account",
        ("iam:CreateServiceLinkedRole",),
        condition={"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}},
    )


def _features() -> Iterator[Statement]:
    yield Statement(
        "find a listener's certificate by host name",
        _service("acm", "ListCertificates", "DescribeCertificate")
        + _service("iam", "ListServerCertificates", "GetServerCertificate"),
        features=("certificate-discovery",),
    )
    yield Statement(
        "check the client of an authenticate-cognito action",
        ("cognito-idp:DescribeUserPoolClient",),
        features=("cognito",),
    )
    acl = ("GetWebACL", "GetWebACLForResource", "AssociateWebACL", "DisassociateWebACL")
    yield Statement("put an ALB behind WAF Classic", _service("waf-regional", *acl), features=("waf",))
    yield Statement("put an ALB behind WAF", _service("wafv2", *acl), features=("wafv2",))
    yield Statement(
        "protect an ALB with Shield Advanced",
        _service("shield", "GetSubscriptionState", "DescribeProtection", "CreateProtection", "DeleteProtection"),
        features=("shield",),
    )


def _arns(partition: str, *kinds: str) -> tuple[str, ...]:
    return tuple(f"arn:{partition}:elasticloadbalancing:*:*:{kind}" for kind in kinds)


def _made(partition: str, cluster: str, region: str, vpc_id: str) -> Iterator[Statement]:
    """Security groups, load balancers and target groups: made with this cluster's tag, and known by it ever after."""
    groups = (f"arn:{partition}:ec2:*:*:security-group/*",)
    balancers = _arns(partition, "targetgroup/*/*", "loadbalancer/net/*/*", "loadbalancer/app/*/*")
    vpc = f"arn:{partition}:ec2:{region}:*:vpc/{vpc_id}"
    yield Statement("make security groups in the cluster's VPC", ("ec2:CreateSecurityGroup",), (vpc,))
    yield Statement(
        "make things tagged for this cluster",
        ("ec2:CreateSecurityGroup", *_elb("CreateLoadBalancer", "CreateTargetGroup")),
        condition={"StringEquals": {REQUEST_TAG: cluster}},
    )
    yield Statement(
        "tag a security group while it is made",
        ("ec2:CreateTags",),
        groups,
        {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup", REQUEST_TAG: cluster}},
    )
    yield Statement(
        "tag a load balancer or target group while it is made",
        _elb("AddTags"),
        balancers,
        {
            "StringEquals": {
                "elasticloadbalancing:CreateAction": ["CreateTargetGroup", "CreateLoadBalancer"],
                REQUEST_TAG: cluster,
            }
        },
    )
    yield Statement(
        "change their other tags later",
        (*_service("ec2", "CreateTags", "DeleteTags"), *_elb("AddTags", "RemoveTags")),
        groups + balancers,
        {"StringEquals": {RESOURCE_TAG: cluster}, "Null": {REQUEST_TAG: "true"}},
    )
    yield Statement(
        "change and remove them",
        (
            "ec2:DeleteSecurityGroup",
            *_elb(
                "ModifyLoadBalancerAttributes", "SetIpAddressType", "SetSecurityGroups", "SetSubnets",
                "DeleteLoadBalancer", "ModifyTargetGroup", "ModifyTargetGroupAttributes", "DeleteTargetGroup",
                "ModifyListenerAttributes", "ModifyCapacityReservation", "ModifyIpPools",
            ),
        ),
        condition={"StringEquals": {RESOURCE_TAG: cluster}},
    )  # fmt: skip
    yield _reaching(vpc, {"StringEqualsIfExists": {RESOURCE_TAG: cluster}})


def _reaching(vpc: str, condition: Mapping[str, Any]) -> Statement:
    """Return rules in security groups; the nodes' is EKS's own, without a tag of the controller: the VPC bounds it."""
    return Statement(
        "let load balancers reach the pods",
        _service("ec2", "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"),
        condition={"ArnEquals": {"ec2:Vpc": vpc}, **condition},
    )


def _listeners(partition: str, cluster: str) -> Iterator[Statement]:
    yield Statement(
        "make listeners and rules",
        _elb("CreateListener", "CreateRule"),
        condition={"StringEqualsIfExists": {RESOURCE_TAG: cluster, REQUEST_TAG: cluster}},
    )
    yield Statement(
        "tag listeners and rules",
        _elb("AddTags", "RemoveTags"),
        _arns(
            partition,
            "listener/net/*/*/*",
            "listener/app/*/*/*",
            "listener-rule/net/*/*/*",
            "listener-rule/app/*/*/*",
        ),
        {"StringEqualsIfExists": {RESOURCE_TAG: cluster, REQUEST_TAG: cluster}},
    )
    yield Statement(
        "change and remove listeners and rules, register and deregister pods",
        _elb(
            "DeleteListener", "DeleteRule", "ModifyListener", "AddListenerCertificates",
            "RemoveListenerCertificates", "ModifyRule", "SetRulePriorities", "RegisterTargets", "DeregisterTargets",
        ),
        condition={"StringEqualsIfExists": {RESOURCE_TAG: cluster}},
    )  # fmt: skip
    yield Statement(
        "put an ALB behind a web ACL",
        _elb("SetWebAcl"),
        condition={"StringEqualsIfExists": {RESOURCE_TAG: cluster}},
        features=("waf", "wafv2"),
    )
