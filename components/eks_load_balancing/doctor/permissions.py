"""What the doctor may ask: the calls it makes, all of them, and the IAM policy and RBAC that allow them.

`account` refuses a call that is not listed here, and `kube` knows GET alone: nothing can be changed.
"""

from typing import Any, Final

READING: Final = ("Describe", "Get", "List")

CALLS: Final = {
    "eks": ("DescribeCluster", "DescribePodIdentityAssociation", "ListAddons", "ListPodIdentityAssociations"),
    "ec2": (
        "DescribeInstances", "DescribeNetworkInterfaces", "DescribeRouteTables", "DescribeSecurityGroups",
        "DescribeSubnets",
    ),
    "elbv2": (
        "DescribeListeners", "DescribeLoadBalancers", "DescribeRules", "DescribeTags", "DescribeTargetGroups",
        "DescribeTargetHealth",
    ),
    "iam": (
        "GetOpenIDConnectProvider", "GetPolicy", "GetPolicyVersion", "GetRole", "GetRolePolicy",
        "ListAttachedRolePolicies", "ListOpenIDConnectProviders", "ListRolePolicies",
    ),
    "sts": ("GetCallerIdentity",),
}  # fmt: skip
"""boto3's name of a service -> its calls. Action names are the calls' own."""

_PREFIXES: Final = {"elbv2": "elasticloadbalancing"}

RULES: Final[list[dict[str, list[str]]]] = [
    {"apiGroups": [""], "resources": ["nodes", "pods", "services", "events"], "verbs": ["list"]},
    {"apiGroups": [""], "resources": ["serviceaccounts", "secrets"], "verbs": ["get"]},
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list"]},
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses", "ingressclasses"], "verbs": ["list"]},
    {"apiGroups": ["gateway.networking.k8s.io"], "resources": ["gateways"], "verbs": ["list"]},
    {"apiGroups": ["elbv2.k8s.aws"], "resources": ["targetgroupbindings", "ingressclassparams"], "verbs": ["list"]},
    {"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "verbs": ["list"]},
    {
        "apiGroups": ["admissionregistration.k8s.io"],
        "resources": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
        "verbs": ["list"],
    },
]
"""A ClusterRole's rules. Secrets are read for one thing: the certificate that the webhooks serve with."""


def action(service: str, call: str) -> str:
    """Return a call as IAM spells it: `elasticloadbalancing:DescribeTags`."""
    return f"{_PREFIXES.get(service, service)}:{call}"


def iam_policy() -> dict[str, Any]:
    """Return the IAM policy that the doctor needs. GetCallerIdentity takes no permission."""
    actions = [action(service, call) for service, calls in CALLS.items() if service != "sts" for call in calls]
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
