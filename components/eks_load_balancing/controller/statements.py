"""What the AWS Load Balancer Controller does, as statements by purpose, narrowed to one cluster. See `policy`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

TAG: Final = "elbv2.k8s.aws/cluster"
RESOURCE_TAG: Final = f"aws:ResourceTag/{TAG}"
REQUEST_TAG: Final = f"aws:RequestTag/{TAG}"


@dataclass(frozen=True)
class Statement:
    """One purpose of the controller: what it does, to what, and on which condition."""

    purpose: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    condition: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    features: tuple[str, ...] = ()
    """The features that it serves, if it serves nothing else: it goes when all of them are turned off."""


def _service(name: str, *actions: str) -> tuple[str, ...]:
    return tuple(f"{name}:{action}" for action in actions)


def elb(*actions: str) -> tuple[str, ...]:
    """Return actions of Elastic Load Balancing."""
    return _service("elasticloadbalancing", *actions)


def reading() -> Iterator[Statement]:
    """What it looks at, the network and the load balancers first."""
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
        + elb(
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


def features() -> Iterator[Statement]:
    """What a stack can do without: each statement names its feature."""
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


def made(partition: str, cluster: str, region: str, vpc_id: str) -> Iterator[Statement]:
    """Security groups, load balancers and target groups: made with this cluster's tag, and known by it ever after."""
    groups = (f"arn:{partition}:ec2:*:*:security-group/*",)
    balancers = _arns(partition, "targetgroup/*/*", "loadbalancer/net/*/*", "loadbalancer/app/*/*")
    vpc = f"arn:{partition}:ec2:{region}:*:vpc/{vpc_id}"
    yield Statement("make security groups in the cluster's VPC", ("ec2:CreateSecurityGroup",), (vpc,))
    yield Statement(
        "make things tagged for this cluster",
        ("ec2:CreateSecurityGroup", *elb("CreateLoadBalancer", "CreateTargetGroup")),
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
        elb("AddTags"),
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
        (*_service("ec2", "CreateTags", "DeleteTags"), *elb("AddTags", "RemoveTags")),
        groups + balancers,
        {"StringEquals": {RESOURCE_TAG: cluster}, "Null": {REQUEST_TAG: "true"}},
    )
    yield Statement(
        "change and remove them",
        (
            "ec2:DeleteSecurityGroup",
            *elb(
                "ModifyLoadBalancerAttributes", "SetIpAddressType", "SetSecurityGroups", "SetSubnets",
                "DeleteLoadBalancer", "ModifyTargetGroup", "ModifyTargetGroupAttributes", "DeleteTargetGroup",
                "ModifyListenerAttributes", "ModifyCapacityReservation", "ModifyIpPools",
            ),
        ),
        condition={"StringEquals": {RESOURCE_TAG: cluster}},
    )  # fmt: skip
    yield reaching(vpc, {"StringEqualsIfExists": {RESOURCE_TAG: cluster}})


def reaching(vpc: str, condition: Mapping[str, Any]) -> Statement:
    """Return rules in security groups; the nodes' is EKS's own, without a tag of the controller: the VPC bounds it."""
    return Statement(
        "let load balancers reach the pods",
        _service("ec2", "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"),
        condition={"ArnEquals": {"ec2:Vpc": vpc}, **condition},
    )


def listeners(partition: str, cluster: str) -> Iterator[Statement]:
    """Listeners and rules: the load balancer that they are on, or they themselves, carry the cluster's tag."""
    yield Statement(
        "make listeners and rules",
        elb("CreateListener", "CreateRule"),
        condition={"StringEqualsIfExists": {RESOURCE_TAG: cluster, REQUEST_TAG: cluster}},
    )
    yield Statement(
        "tag listeners and rules",
        elb("AddTags", "RemoveTags"),
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
        elb(
            "DeleteListener", "DeleteRule", "ModifyListener", "AddListenerCertificates",
            "RemoveListenerCertificates", "ModifyRule", "SetRulePriorities", "RegisterTargets", "DeregisterTargets",
        ),
        condition={"StringEqualsIfExists": {RESOURCE_TAG: cluster}},
    )  # fmt: skip
    yield Statement(
        "put an ALB behind a web ACL",
        elb("SetWebAcl"),
        condition={"StringEqualsIfExists": {RESOURCE_TAG: cluster}},
        features=("waf", "wafv2"),
    )
