"""Facts about the AWS Load Balancer Controller that the components are held against: names, nothing else.

From the releases' published IAM policies, and the values and CRDs of their charts.
"""

import json
from pathlib import Path
from typing import Any

_ACTIONS = {
    "acm": "DescribeCertificate ListCertificates",
    "cognito-idp": "DescribeUserPoolClient",
    "ec2": """
        AuthorizeSecurityGroupIngress CreateSecurityGroup CreateTags DeleteSecurityGroup DeleteTags
        DescribeAccountAttributes DescribeAddresses DescribeAvailabilityZones DescribeCoipPools DescribeInstances
        DescribeInternetGateways DescribeIpamPools DescribeNetworkInterfaces DescribeRouteTables
        DescribeSecurityGroups DescribeSubnets DescribeTags DescribeVpcPeeringConnections DescribeVpcs
        GetCoipPoolUsage GetSecurityGroupsForVpc RevokeSecurityGroupIngress""",
    "elasticloadbalancing": """
        AddListenerCertificates AddTags CreateListener CreateLoadBalancer CreateRule CreateTargetGroup
        DeleteListener DeleteLoadBalancer DeleteRule DeleteTargetGroup DeregisterTargets
        DescribeCapacityReservation DescribeListenerAttributes DescribeListenerCertificates DescribeListeners
        DescribeLoadBalancerAttributes DescribeLoadBalancers DescribeRules DescribeSSLPolicies DescribeTags
        DescribeTargetGroupAttributes DescribeTargetGroups DescribeTargetHealth DescribeTrustStores
        ModifyCapacityReservation ModifyIpPools ModifyListener ModifyListenerAttributes
        ModifyLoadBalancerAttributes ModifyRule ModifyTargetGroup ModifyTargetGroupAttributes RegisterTargets
        RemoveListenerCertificates RemoveTags SetIpAddressType SetRulePriorities SetSecurityGroups SetSubnets
        SetWebAcl""",
    "iam": "CreateServiceLinkedRole GetServerCertificate ListServerCertificates",
    "shield": "CreateProtection DeleteProtection DescribeProtection GetSubscriptionState",
    "waf-regional": "AssociateWebACL DisassociateWebACL GetWebACL GetWebACLForResource",
    "wafv2": "AssociateWebACL DisassociateWebACL GetWebACL GetWebACLForResource",
}
ACTIONS = {f"{service}:{action}" for service, actions in _ACTIONS.items() for action in actions.split()}
"""Every action that the policy of 3.5.0 grants in `aws`, `aws-cn`, `aws-us-gov` and `aws-eusc`."""


def _releases() -> dict[str, dict[str, Any]]:
    """Read `controller_releases.json`: an entry after the first has what differs from the one before it."""
    every: dict[str, dict[str, Any]] = {}
    before: dict[str, Any] = {}
    for version, change in json.loads(Path(__file__).with_name("controller_releases.json").read_text()).items():
        now = {**before}
        for key, value in change.items():
            if isinstance(value, dict) and value.keys() == {"new", "gone"}:
                now[key] = [one for one in before[key] if one not in value["gone"]] + value["new"]
            else:
                now[key] = {**before.get(key, {}), **value} if isinstance(value, dict) else value
        every[version] = before = now
    return every


RELEASES = _releases()
"""By version: chart (as published), CRDs with the fields of their `spec`, webhooks, actions of the main IAM policy,
partitions that have one, values that the chart knows. Read from the tags of the upstream repository on 2026-11-28."""

ACTIONS_OF = {version: set(facts["actions"]) for version, facts in RELEASES.items()}
"""The actions of the main IAM policy by version."""

CRDS = {version: set(facts["crds"]) for version, facts in RELEASES.items()}
"""The CRDs in the folder `crds` of a version's chart."""

NOT_IN_ISOLATED = {
    "elasticloadbalancing:DescribeTrustStores",
    "elasticloadbalancing:DescribeListenerAttributes",
    "elasticloadbalancing:DescribeCapacityReservation",
    "elasticloadbalancing:ModifyListenerAttributes",
    "elasticloadbalancing:ModifyCapacityReservation",
}
"""What the policies of the isolated partitions leave out."""

_UNTAGGED = """
    CreateListener DeleteListener CreateRule DeleteRule RegisterTargets DeregisterTargets SetWebAcl ModifyListener
    AddListenerCertificates RemoveListenerCertificates ModifyRule SetRulePriorities"""
UNTAGGED = {f"elasticloadbalancing:{action}" for action in _UNTAGGED.split()}
"""Writes of load balancing that upstream grants without asking for a tag."""

CHART_VALUES = {
    "clusterName": None,
    "region": None,
    "vpcId": None,
    "image": {"repository", "tag", "pullPolicy"},
    "serviceAccount": {"create", "annotations", "name", "automountServiceAccountToken", "imagePullSecrets"},
    "defaultTargetType": None,
    "defaultTags": None,
    "disableIngressClassAnnotation": None,
    "disableIngressGroupNameAnnotation": None,
    "enableShield": None,
    "enableWaf": None,
    "enableWafv2": None,
    "webhookTLS": {"caCert", "cert", "key"},
    "serviceMutatorWebhookConfig": {"failurePolicy", "objectSelector", "namespaceSelectors", "operations"},
    "podMutatorWebhookConfig": {"failurePolicy"},
    "objectSelector": {"matchExpressions", "matchLabels"},
    "replicaCount": None,
    "podDisruptionBudget": None,
    "podAnnotations": None,
    "controllerConfig": {"featureGates"},
    "topologySpreadConstraints": None,
    "resources": None,
    "podSecurityContext": None,
    "securityContext": None,
}
"""Values that the chart 3.5.0 knows, of those that matter here, and what is inside; None where the chart
passes all on."""

_GLOBAL_ACCELERATOR = """
    AddEndpoints CreateAccelerator CreateEndpointGroup CreateListener DeleteAccelerator DeleteEndpointGroup
    DeleteListener DescribeAccelerator DescribeEndpointGroup DescribeListener ListAccelerators ListEndpointGroups
    ListListeners ListTagsForResource RemoveEndpoints TagResource UntagResource UpdateAccelerator UpdateEndpointGroup
    UpdateListener"""
GLOBAL_ACCELERATOR = {f"globalaccelerator:{action}" for action in _GLOBAL_ACCELERATOR.split()} | {
    "ec2:DescribeRegions",
    "iam:CreateServiceLinkedRole",
    "tag:GetResources",
}
"""Every action of the policy for Global Accelerators."""
