"""The policy that upstream publishes for the AWS Load Balancer Controller 3.5.0, as facts: who may do what, and when.

https://github.com/kubernetes-sigs/aws-load-balancer-controller/tree/main/docs/install
"""

import json
from typing import Any

TAG = "elbv2.k8s.aws/cluster"
_ASKED, _ON_IT = f"aws:RequestTag/{TAG}", f"aws:ResourceTag/{TAG}"
_HAS, _ASKS, _KEEPS = (
    {"Null": {_ON_IT: "false"}},
    {"Null": {_ASKED: "false"}},
    {"Null": {_ASKED: "true", _ON_IT: "false"}},
)
_GROUPS = "arn:aws:ec2:*:*:security-group/*"


def _elb(*kinds: str) -> list[str]:
    return [f"arn:aws:elasticloadbalancing:*:*:{kind}" for kind in kinds]


_MADE = _elb("targetgroup/*/*", "loadbalancer/net/*/*", "loadbalancer/app/*/*")
_PARTS = _elb("listener/net/*/*/*", "listener/app/*/*/*", "listener-rule/net/*/*/*", "listener-rule/app/*/*/*")
_ACL = "GetWebACL GetWebACLForResource AssociateWebACL DisassociateWebACL"

# Actions by service; resources; condition.
_STATEMENTS: list[tuple[dict[str, str], Any, dict[str, Any]]] = [
    (
        {"iam": "CreateServiceLinkedRole"},
        "*",
        {"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}},
    ),
    (
        {
            "ec2": """DescribeAccountAttributes DescribeAddresses DescribeAvailabilityZones DescribeInternetGateways
                DescribeVpcs DescribeVpcPeeringConnections DescribeSubnets DescribeSecurityGroups DescribeInstances
                DescribeNetworkInterfaces DescribeTags GetCoipPoolUsage DescribeCoipPools GetSecurityGroupsForVpc
                DescribeIpamPools DescribeRouteTables""",
            "elasticloadbalancing": """DescribeLoadBalancers DescribeLoadBalancerAttributes DescribeListeners
                DescribeListenerCertificates DescribeSSLPolicies DescribeRules DescribeTargetGroups
                DescribeTargetGroupAttributes DescribeTargetHealth DescribeTags DescribeTrustStores
                DescribeListenerAttributes DescribeCapacityReservation""",
        },
        "*",
        {},
    ),
    (
        {
            "cognito-idp": "DescribeUserPoolClient",
            "acm": "ListCertificates DescribeCertificate",
            "iam": "ListServerCertificates GetServerCertificate",
            "waf-regional": _ACL,
            "wafv2": _ACL,
            "shield": "GetSubscriptionState DescribeProtection CreateProtection DeleteProtection",
        },
        "*",
        {},
    ),
    ({"ec2": "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress"}, "*", {}),
    ({"ec2": "CreateSecurityGroup"}, "*", {}),
    ({"ec2": "CreateTags"}, _GROUPS, {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"}, **_ASKS}),
    ({"ec2": "CreateTags DeleteTags"}, _GROUPS, _KEEPS),
    ({"ec2": "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress DeleteSecurityGroup"}, "*", _HAS),
    ({"elasticloadbalancing": "CreateLoadBalancer CreateTargetGroup"}, "*", _ASKS),
    ({"elasticloadbalancing": "CreateListener DeleteListener CreateRule DeleteRule"}, "*", {}),
    ({"elasticloadbalancing": "AddTags RemoveTags"}, _MADE, _KEEPS),
    ({"elasticloadbalancing": "AddTags RemoveTags"}, _PARTS, {}),
    (
        {
            "elasticloadbalancing": """ModifyLoadBalancerAttributes SetIpAddressType SetSecurityGroups SetSubnets
                DeleteLoadBalancer ModifyTargetGroup ModifyTargetGroupAttributes DeleteTargetGroup
                ModifyListenerAttributes ModifyCapacityReservation ModifyIpPools"""
        },
        "*",
        _HAS,
    ),
    (
        {"elasticloadbalancing": "AddTags"},
        _MADE,
        {"StringEquals": {"elasticloadbalancing:CreateAction": ["CreateTargetGroup", "CreateLoadBalancer"]}, **_ASKS},
    ),
    ({"elasticloadbalancing": "RegisterTargets DeregisterTargets"}, _elb("targetgroup/*/*"), {}),
    (
        {
            "elasticloadbalancing": """SetWebAcl ModifyListener AddListenerCertificates RemoveListenerCertificates
                ModifyRule SetRulePriorities"""
        },
        "*",
        {},
    ),
]


def statements() -> list[dict[str, Any]]:
    """The statements, in upstream's order."""
    return [
        {
            "Effect": "Allow",
            "Action": [f"{service}:{name}" for service, names in actions.items() for name in names.split()],
            "Resource": resource,
            **({"Condition": condition} if condition else {}),
        }
        for actions, resource, condition in _STATEMENTS
    ]


def policy(*left_out: int) -> str:
    """The document, without the statements of those numbers."""
    kept = [each for number, each in enumerate(statements()) if number not in left_out]
    return json.dumps({"Version": "2012-10-17", "Statement": kept})


def listed(value: str | list[str]) -> list[str]:
    """A policy's value, which may be one or several."""
    return [value] if isinstance(value, str) else value
