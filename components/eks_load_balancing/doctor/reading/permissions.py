"""Every call that the doctor makes, and the IAM policy and RBAC rules that allow them.

`account` refuses a call that is not listed here, and `kube` sends only GET: the doctor can change nothing.
"""

from typing import Any, Final

READING: Final = ("Describe", "Get", "List")

CALLS: Final = {
    "eks": ("DescribeCluster", "DescribePodIdentityAssociation", "ListAddons", "ListPodIdentityAssociations"),
    "ec2": (
        "DescribeInstances", "DescribeNetworkInterfaces", "DescribeRouteTables", "DescribeSecurityGroups",
        "DescribeSubnets", "DescribeVpcs",
    ),
    "acm": ("ListCertificates",),
    "elbv2": (
        "DescribeAccountLimits", "DescribeListeners", "DescribeLoadBalancerAttributes", "DescribeLoadBalancers",
        "DescribeRules", "DescribeTags", "DescribeTargetGroups", "DescribeTargetHealth",
    ),
    "iam": (
        "GetOpenIDConnectProvider", "GetPolicy", "GetPolicyVersion", "GetRole", "GetRolePolicy",
        "ListAttachedRolePolicies", "ListOpenIDConnectProviders", "ListRolePolicies",
    ),
    "sts": ("GetCallerIdentity",),
}  # fmt: skip
"""boto3's name of a service -> its calls. IAM's actions have the same names."""

_PREFIXES: Final = {"elbv2": "elasticloadbalancing"}

RULES: Final[list[dict[str, list[str]]]] = [
    {"apiGroups": [""], "resources": ["nodes", "namespaces", "pods", "services", "events"], "verbs": ["list"]},
    {"apiGroups": [""], "resources": ["serviceaccounts", "secrets"], "verbs": ["get"]},
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list"]},
    {
        "apiGroups": ["networking.k8s.io"],
        "resources": ["ingresses", "ingressclasses", "networkpolicies"],
        "verbs": ["list"],
    },
    {"apiGroups": ["gateway.networking.k8s.io"], "resources": ["gateways"], "verbs": ["list"]},
    {"apiGroups": ["elbv2.k8s.aws"], "resources": ["targetgroupbindings", "ingressclassparams"], "verbs": ["list"]},
    {"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "verbs": ["list"]},
    {
        "apiGroups": ["admissionregistration.k8s.io"],
        "resources": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
        "verbs": ["list"],
    },
]
"""A ClusterRole's rules. Two kinds of Secrets are read: the webhooks' certificate, and those that `auth-idp-oidc`
annotations name."""


def action(service: str, call: str) -> str:
    """Return IAM's action for a call: `elasticloadbalancing:DescribeTags`."""
    return f"{_PREFIXES.get(service, service)}:{call}"


def iam_policy() -> dict[str, Any]:
    """Return the IAM policy that the doctor needs. GetCallerIdentity needs no permission."""
    actions = [action(service, call) for service, calls in CALLS.items() if service != "sts" for call in calls]
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
