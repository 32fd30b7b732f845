"""What identities may do: policy documents, wherever they stand, and what node roles carry."""

from collections.abc import Iterator
from typing import Any, Final

from kinds.aws import ACCESS_KEY, ATTACHMENT, MANAGED_POLICY, PERMISSIONS, ROLE, ROLE_POLICY
from kinds.documents import READING_VERBS, Statement, allowed_actions, is_pattern, is_write, matches, statements
from pack.controls import guide, hub
from pack.registry import CRITICAL, HIGH, MANDATORY, MEDIUM, Messages, Stack, View, rule, texts
from pack.values import words

_GUIDE = guide("security/iam", "Employ least privileged access to AWS Resources")
_TAG = "elbv2.k8s.aws/cluster"
_VERBS = texts(READING_VERBS, "verbs with which an action begins that only reads")

# What the controller must be allowed on every resource, since the calls know no narrower one or the resource has no tag
# yet: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/
_CONTROLLERS_OWN: Final = [
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:CreateSecurityGroup",
    "ec2:CreateTags",
    "ec2:DeleteSecurityGroup",
    "ec2:DeleteTags",
    "ec2:RevokeSecurityGroupIngress",
    "elasticloadbalancing:AddListenerCertificates",
    "elasticloadbalancing:AddTags",
    "elasticloadbalancing:CreateListener",
    "elasticloadbalancing:CreateLoadBalancer",
    "elasticloadbalancing:CreateRule",
    "elasticloadbalancing:CreateTargetGroup",
    "elasticloadbalancing:DeleteListener",
    "elasticloadbalancing:DeleteLoadBalancer",
    "elasticloadbalancing:DeleteRule",
    "elasticloadbalancing:DeleteTargetGroup",
    "elasticloadbalancing:DeregisterTargets",
    "elasticloadbalancing:ModifyCapacityReservation",
    "elasticloadbalancing:ModifyIpPools",
    "elasticloadbalancing:ModifyListener",
    "elasticloadbalancing:ModifyListenerAttributes",
    "elasticloadbalancing:ModifyLoadBalancerAttributes",
    "elasticloadbalancing:ModifyRule",
    "elasticloadbalancing:ModifyTargetGroup",
    "elasticloadbalancing:ModifyTargetGroupAttributes",
    "elasticloadbalancing:RegisterTargets",
    "elasticloadbalancing:RemoveListenerCertificates",
    "elasticloadbalancing:RemoveTags",
    "elasticloadbalancing:SetIpAddressType",
    "elasticloadbalancing:SetRulePriorities",
    "elasticloadbalancing:SetSecurityGroups",
    "elasticloadbalancing:SetSubnets",
    "elasticloadbalancing:SetWebAcl",
    "iam:CreateServiceLinkedRole",
    "shield:CreateProtection",
    "shield:DeleteProtection",
    "waf-regional:AssociateWebACL",
    "waf-regional:DisassociateWebACL",
    "wafv2:AssociateWebACL",
    "wafv2:DisassociateWebACL",
]
# What takes a load balancer away or turns it around: it must not reach another cluster's.
_DANGEROUS: Final = [
    "ec2:DeleteSecurityGroup",
    "elasticloadbalancing:DeleteLoadBalancer",
    "elasticloadbalancing:DeleteTargetGroup",
    "elasticloadbalancing:ModifyLoadBalancerAttributes",
    "elasticloadbalancing:ModifyTargetGroup",
    "elasticloadbalancing:SetSecurityGroups",
    "elasticloadbalancing:SetSubnets",
]


def _grants(carrier: View) -> Iterator[tuple[Statement, str]]:
    """Walk over every action that a resource's policy documents grant."""
    for document in carrier.documents or []:
        yield from allowed_actions(document)


@rule(
    "policy-names-its-actions",
    on=PERMISSIONS,
    demand="Policies grant named actions: neither all actions of a service nor all but some.",
    instead="List the actions that are needed",
    source="https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html#iam-21",
    severity=CRITICAL,
    dev=MANDATORY,
    controls=[hub("IAM.1"), hub("IAM.21"), _GUIDE],
    allowed_wildcards=texts([], "patterns of wildcard actions that may be granted all the same"),
    reading_verbs=_VERBS,
)
def policy_names_its_actions(carrier: View, *, allowed_wildcards: list[str], reading_verbs: list[str]) -> Messages:
    """`service:*` grants what the service learns tomorrow, and with `iam:*` or `*` the rest of the account too.

    A wildcard after a verb (`ec2:Describe*`) is a named action as long as it only reads.
    """
    for _, action in _grants(carrier):
        if is_pattern(action) and is_write(action, reading_verbs) and not matches(action, allowed_wildcards):
            yield f"the policy allows {action}"
    for document in carrier.documents or []:
        if any(statement.allows and statement.not_actions for statement in statements(document)):
            yield "the policy allows all actions but some (NotAction)"


@rule(
    "policy-names-what-it-writes-to",
    on=PERMISSIONS,
    demand="Actions that change something are granted on named resources, apart from the controller's own.",
    instead="Name ARNs, or ask for a tag in a condition; what knows no resource goes into allowedActions",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
    severity=HIGH,
    dev=MANDATORY,
    controls=[_GUIDE, guide("security/iam", "Grant least privileged access to applications")],
    allowed_actions=texts(_CONTROLLERS_OWN, "actions that may be granted on every resource"),
    reading_verbs=_VERBS,
)
def policy_names_what_it_writes_to(carrier: View, *, allowed_actions: list[str], reading_verbs: list[str]) -> Messages:
    """A write action on `*` reaches every other team's resources in the account.

    `arn:aws:s3:::*` and NotResource are as wide as `*`. A statement whose condition asks for a tag is narrow enough.
    """
    found = {
        action
        for statement, action in _grants(carrier)
        if not is_pattern(action)
        and is_write(action, reading_verbs)
        and statement.is_on_everything
        and not matches(action, allowed_actions)
        and not statement.asks_for_a_tag
    }
    for action in sorted(found):
        yield f"the policy allows {action} on every resource"


@rule(
    "controller-policy-is-bound-to-its-cluster",
    on=PERMISSIONS,
    demand="The controller may delete and change load balancers of its own cluster only.",
    instead=f'Add Condition StringEquals {{"aws:ResourceTag/{_TAG}": "CLUSTER_NAME"}}',
    source="https://docs.aws.amazon.com/eks/latest/best-practices/tenant-isolation.html",
    severity=HIGH,
    controls=[_GUIDE],
    actions=texts(_DANGEROUS, "the actions that need the condition"),
)
def controller_policy_is_bound_to_its_cluster(carrier: View, *, actions: list[str]) -> Messages:
    """The published policy asks only that the tag be there.

    Then one cluster's controller can delete every other cluster's load balancers in the account.
    """
    found = {
        action
        for document in carrier.documents or []
        for statement in statements(document)
        for action in actions
        if statement.grants(action) and not (statement.is_bound_by(_TAG) or _names_single_ones(statement))
    }
    if found:
        yield f"the policy allows {', '.join(sorted(found))} whatever the cluster"


def _names_single_ones(statement: Statement) -> bool:
    """Say whether it is about resources named one by one: a load balancer that the program made itself."""
    named = words(statement.resources)
    return bool(named) and not any(is_pattern(resource) for resource in named)


@rule(
    "no-iam-access-keys",
    on=ACCESS_KEY,
    demand="The program makes no long-lived AWS access keys.",
    instead="Give the workload a role: IRSA or EKS Pod Identity",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#lock-away-credentials",
    severity=CRITICAL,
    dev=MANDATORY,
    controls=[hub("IAM.3"), guide("security/iam", "Identities and Credentials for EKS pods")],
    allowed_users=texts([], "users that may have a key"),
)
def no_iam_access_keys(key: View, *, allowed_users: list[str]) -> Messages:
    """A key works from anywhere until somebody takes it away, and lies readable in the stack's state."""
    if key.user not in allowed_users:
        yield "an access key is made"


@rule(
    "node-role-leaves-load-balancers-alone",
    on=ROLE,
    across_stack=True,
    demand="The node role does not carry the load balancer controller's policy.",
    instead="Attach the policy to a role of the controller's service account",
    source="https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html",
    severity=HIGH,
    controls=[guide("security/iam", "Restrict access to the instance profile assigned to the worker node")],
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
        "patterns of the names of policies made elsewhere that allow them",
    ),
)
def node_role_leaves_load_balancers_alone(
    role: View, stack: Stack, *, actions: list[str], policies: list[str]
) -> Messages:
    """Every pod that reaches the node's credentials could then make and delete load balancers."""
    if not _is_node_role(role):
        return
    carriers = [role, *(one for one in stack.of(ROLE_POLICY) if role in stack.named(one, "role", ROLE, "id"))]
    carriers += [policy for link in _attachments(role, stack) for policy in _attached(link, stack)]
    for carrier in carriers:
        if any(
            one.grants(action)
            for document in carrier.documents or []
            for one in statements(document)
            for action in actions
        ):
            yield f"the node role may manage load balancers by {carrier.name}"
    for name in _managed_names(role, stack):
        if matches(name, policies):
            yield f"the node role may manage load balancers by {name}"


@rule(
    "node-role-leaves-addresses-alone",
    on=ROLE,
    across_stack=True,
    demand="The node role does not carry the VPC CNI's policy.",
    instead="Give the vpc-cni add-on a role of its own (serviceAccountRoleArn or Pod Identity)",
    source="https://docs.aws.amazon.com/eks/latest/best-practices/vpc-cni.html",
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
    """The policy may detach and reassign the addresses of any pod in the account.

    The node does not need it once the CNI has a role.
    """
    if not _is_node_role(role):
        return
    for name in _managed_names(role, stack):
        if name in policies:
            yield f"the node role carries {name}"


def _managed_names(role: View, stack: Stack) -> list[str]:
    """Return the names of the managed policies that a role carries, as far as they are known."""
    arns = words(role.managed) + [arn for link in _attachments(role, stack) for arn in words(link.policies)]
    return [arn.rpartition("/")[2] for arn in arns]


def _is_node_role(role: View) -> bool:
    """Say whether instances take the role: its trust policy names EC2."""
    return any(
        service.startswith("ec2.amazonaws.")
        for statement in statements(role.trust)
        for service in words(statement.principals.get("Service"))
    )


def _attachments(role: View, stack: Stack) -> list[Any]:
    return [link for link in stack.of(ATTACHMENT) if role in stack.named(link, "role", ROLE, "id")]


def _attached(link: View, stack: Stack) -> list[Any]:
    return stack.named(link, "policies", MANAGED_POLICY, "arn")
