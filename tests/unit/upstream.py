"""Facts about the AWS Load Balancer Controller that the components are held against: names, nothing else.

From the release's published IAM policies and the values of its chart.
"""

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

ACTIONS_OF = {"2.12.0": ACTIONS - {"ec2:DescribeRouteTables"}, "3.2.2": ACTIONS, "3.5.0": ACTIONS}
"""The same by version; 2.12.0 was published without a policy for `aws-eusc`."""

_V3_CRDS = {
    "albtargetcontrolconfigs.elbv2.k8s.aws",
    "globalaccelerators.aga.k8s.aws",
    "ingressclassparams.elbv2.k8s.aws",
    "listenerruleconfigurations.gateway.k8s.aws",
    "loadbalancerconfigurations.gateway.k8s.aws",
    "targetgroupbindings.elbv2.k8s.aws",
    "targetgroupconfigurations.gateway.k8s.aws",
}
CRDS = {
    "2.12.0": {"ingressclassparams.elbv2.k8s.aws", "targetgroupbindings.elbv2.k8s.aws"},
    "3.2.2": _V3_CRDS,
    "3.5.0": _V3_CRDS,
}
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
    "topologySpreadConstraints": None,
    "resources": None,
    "podSecurityContext": None,
    "securityContext": None,
}
"""Values that the charts 1.12.0 and 3.5.0 know, of those that matter here, and what is inside; None where the chart
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
