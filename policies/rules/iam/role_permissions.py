"""What the roles of nodes and pods may do, with all policies attached to them."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from kinds.documents import granted, matches, statements
from kinds.iam import ATTACHMENT, MANAGED_POLICY, ROLE, ROLE_POLICY
from kinds.pod_roles import is_for_pods
from pack.controls import INSTANCE_PROFILE, LEAST_FOR_APPLICATIONS, guide, hub
from pack.registry import CRITICAL, MEDIUM, Messages, Stack, View, rule, texts
from pack.values import words

# Each of these alone, on a resource of the caller's choice, gives an identity the rights of another:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
_RAISING: Final = [
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreatePolicyVersion",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PassRole",
    "iam:PutGroupPolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:PutUserPolicy",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateLoginProfile",
    "sts:AssumeRole",
]

_on_role = partial(rule, on=ROLE)


@_on_role(
    instead="Attach policies with the actions that are needed, iam:PassRole and the like on named roles",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
    severity=CRITICAL,
    controls=[LEAST_FOR_APPLICATIONS, hub("IAM.1")],
    policies=texts(
        ["AdministratorAccess*", "IAMFullAccess", "PowerUserAccess"],
        "patterns of the names of managed policies refused",
    ),
    actions=texts(_RAISING, "the actions refused on every role, user or policy"),
)
def role_for_pods_cannot_raise_its_rights(
    role: View, stack: Stack, *, policies: list[str], actions: list[str]
) -> Messages:
    """A role that pods can assume is not an administrator, and cannot become one.

    Who takes over one pod takes over the account. `role/*` is every role. A condition on iam:PermissionsBoundary is
    narrow enough.
    """
    if not is_for_pods(role):
        return
    for name in _managed_names(role, stack):
        if matches(name, policies):
            yield f"the role for pods carries {name}"
    found = {
        (action, carrier.name)
        for carrier in _carriers(role, stack)
        for statement, action in granted(carrier.documents, actions)
        if statement.is_wide and not _is_bounded(statement)
    }
    for action, carrier in sorted(found):
        yield f"the role for pods may {action} on everything by {carrier}"


def _is_bounded(statement: Any) -> bool:
    return any(
        operator in ("StringEquals", "ArnEquals") and key.lower() == "iam:permissionsboundary"
        for operator, key, _ in statement.conditions
    )


def _carriers(role: View, stack: Stack) -> Iterator[Any]:
    """Yield everything in the stack that grants the role something with a document."""
    yield role
    yield from (one for one in stack.of(ROLE_POLICY) if role in stack.named(one, "role", ROLE, "id"))
    attached = (policy for link in _attachments(role, stack) for policy in _attached(link, stack))
    yield from attached
    yield from stack.named(role, "managed", MANAGED_POLICY, "arn")


@_on_role(
    instead="Attach the policy to a role of the controller's service account",
    controls=[INSTANCE_PROFILE],
    actions=texts(
        ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:DeleteLoadBalancer"],
        "the actions by which the controller's policy is known",
    ),
    policies=texts(
        [
            "AWSLoadBalancerController*",
            "ElasticLoadBalancingFullAccess",
            "PowerUserAccess",
            "AdministratorAccess",
        ],
        "name patterns of policies from elsewhere that allow them",
    ),
)
def node_role_leaves_load_balancers_alone(
    role: View, stack: Stack, *, actions: list[str], policies: list[str]
) -> Messages:
    """The node role does not carry the load balancer controller's policy.

    Every pod that reaches the node's credentials could then make and delete load balancers.
    """
    if not _is_node_role(role):
        return
    for carrier in _carriers(role, stack):
        if any(granted(carrier.documents, actions)):
            yield f"the node role may manage load balancers by {carrier.name}"
    for name in _managed_names(role, stack):
        if matches(name, policies):
            yield f"the node role may manage load balancers by {name}"


@_on_role(
    instead="Give the vpc-cni add-on its own role (serviceAccountRoleArn or Pod Identity)",
    severity=MEDIUM,
    controls=[
        guide("networking/vpc-cni", "Use separate IAM role for CNI"),
        guide("security/iam", "Update the aws-node daemonset to use IRSA"),
    ],
    policies=texts(
        ["AmazonEKS_CNI_Policy", "AmazonEKS_CNI_IPv6_Policy"], "names of the policies that must not be there"
    ),
)
def node_role_leaves_addresses_alone(role: View, stack: Stack, *, policies: list[str]) -> Messages:
    """The node role does not carry the VPC CNI's policy.

    The policy may detach and reassign the addresses of any pod in the account. The node does not need it once the CNI
    has a role.
    """
    if not _is_node_role(role):
        return
    for name in _managed_names(role, stack):
        if name in policies:
            yield f"the node role carries {name}"


def _managed_names(role: View, stack: Stack) -> list[str]:
    """Return the names of a role's managed policies, as far as they are known."""
    arns = words(role.managed) + [arn for link in _attachments(role, stack) for arn in words(link.policies)]
    return [arn.rpartition("/")[2] for arn in arns]


def _is_node_role(role: View) -> bool:
    """Say whether instances can assume the role: its trust policy names EC2."""
    return any(
        service.startswith("ec2.amazonaws.")
        for statement in statements(role.trust)
        for service in words(statement.principals.get("Service"))
    )


def _attachments(role: View, stack: Stack) -> list[Any]:
    return [link for link in stack.of(ATTACHMENT) if role in stack.named(link, "role", ROLE, "id")]


def _attached(link: View, stack: Stack) -> list[Any]:
    return stack.named(link, "policies", MANAGED_POLICY, "arn")
