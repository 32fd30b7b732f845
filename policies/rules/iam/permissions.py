"""What policy documents grant, wherever they are."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from kinds.documents import (
    READING_VERBS,
    Statement,
    allowed_actions,
    granted,
    is_pattern,
    is_write,
    matches,
    statements,
)
from kinds.iam import ACCESS_KEY, PERMISSIONS
from pack.controls import LEAST_FOR_APPLICATIONS, LEAST_IN_AWS, guide, hub
from pack.registry import CRITICAL, MANDATORY, Messages, View, rule, texts
from pack.values import words

_TAG = "elbv2.k8s.aws/cluster"
_VERBS = texts(READING_VERBS, "verbs with which an action begins that only reads")

# Permissions that the controller needs on every resource, because the calls do not support a narrower one or the
# resource has no tag yet: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/
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
# Actions without resources, which can be granted only on *:
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
_WITHOUT_RESOURCE: Final = [
    "cloudwatch:PutMetricData",
    "ec2messages:*",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
]
# Actions that delete or redirect a load balancer: they must not reach another cluster's.
_DANGEROUS: Final = [
    "ec2:DeleteSecurityGroup",
    "elasticloadbalancing:DeleteLoadBalancer",
    "elasticloadbalancing:DeleteTargetGroup",
    "elasticloadbalancing:ModifyLoadBalancerAttributes",
    "elasticloadbalancing:ModifyTargetGroup",
    "elasticloadbalancing:SetSecurityGroups",
    "elasticloadbalancing:SetSubnets",
]

_on_permissions = partial(rule, on=PERMISSIONS)


def _grants(carrier: View) -> Iterator[tuple[Statement, str]]:
    """Yield every action that a resource's policy documents grant."""
    for document in carrier.documents or []:
        yield from allowed_actions(document)


@_on_permissions(
    instead="List the actions that are needed",
    source="https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html#iam-21",
    severity=CRITICAL,
    controls=[hub("IAM.1"), hub("IAM.21"), LEAST_IN_AWS],
    allowed_wildcards=texts([], "patterns of wildcard actions that may be granted all the same"),
    reading_verbs=_VERBS,
)
def policy_names_its_actions(carrier: View, *, allowed_wildcards: list[str], reading_verbs: list[str]) -> Messages:
    """Policies grant named actions: neither all actions of a service nor all but some.

    `service:*` also grants actions that the service adds later, and `iam:*` or `*` grant the whole account. A wildcard
    after a verb (`ec2:Describe*`) is a named action as long as it only reads.
    """
    for _, action in _grants(carrier):
        if is_pattern(action) and is_write(action, reading_verbs) and not matches(action, allowed_wildcards):
            yield f"the policy allows {action}"
    for document in carrier.documents or []:
        if any(statement.allows and statement.not_actions for statement in statements(document)):
            yield "the policy allows all actions but some (NotAction)"


@_on_permissions(
    instead="Name ARNs, or require a tag in a condition; list actions without resource types in allowedActions",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
    dev=MANDATORY,
    controls=[LEAST_IN_AWS, LEAST_FOR_APPLICATIONS],
    allowed_actions=texts([*_CONTROLLERS_OWN, *_WITHOUT_RESOURCE], "actions that may be granted on every resource"),
    reading_verbs=_VERBS,
)
def policy_names_what_it_writes_to(carrier: View, *, allowed_actions: list[str], reading_verbs: list[str]) -> Messages:
    """Actions that change something are granted on named resources, apart from the controller's own.

    A write action on `*` reaches every other team's resources in the account. `arn:aws:s3:::*` and NotResource are as
    wide as `*`. A condition that requires a tag is narrow enough.
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


@_on_permissions(
    instead="Name the ARNs of the secrets, parameters or bucket, or ask for a tag in a condition",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
    dev=MANDATORY,
    controls=[LEAST_IN_AWS, LEAST_FOR_APPLICATIONS],
    actions=texts(
        [
            "s3:GetObject",
            "s3:GetObjectVersion",
            "secretsmanager:GetSecretValue",
            "ssm:GetParameter",
            "ssm:GetParameterHistory",
            "ssm:GetParameters",
            "ssm:GetParametersByPath",
        ],
        "the actions that read what others keep secret",
    ),
)
def policy_names_the_secrets_it_reads(carrier: View, *, actions: list[str]) -> Messages:
    """Secrets, parameters and objects are read by name.

    One pod that is taken over then reads every application's passwords and data in the account. `secret:*` and
    `parameter/*` are as wide as `*`.
    """
    found = {
        action
        for statement, action in granted(carrier.documents, actions)
        if statement.is_wide and not statement.asks_for_a_tag
    }
    if found:
        yield f"the policy allows {', '.join(sorted(found))} on everything"


@_on_permissions(
    instead=f'Add Condition StringEquals {{"aws:ResourceTag/{_TAG}": "CLUSTER_NAME"}}',
    source="https://docs.aws.amazon.com/eks/latest/best-practices/tenant-isolation.html",
    controls=[LEAST_IN_AWS],
    actions=texts(_DANGEROUS, "the actions that need the condition"),
)
def controller_policy_is_bound_to_its_cluster(carrier: View, *, actions: list[str]) -> Messages:
    """The controller may delete and change only its own cluster's load balancers.

    The published policy requires only that the tag exists. Then one cluster's controller can delete every other
    cluster's load balancers in the account.
    """
    found = {
        action
        for statement, action in granted(carrier.documents, actions)
        if not (statement.is_bound_by(_TAG) or _names_single_ones(statement))
    }
    if found:
        yield f"the policy allows {', '.join(sorted(found))} whatever the cluster"


def _names_single_ones(statement: Statement) -> bool:
    """Say whether it is about individual resources: a load balancer that the program created."""
    named = words(statement.resources)
    return bool(named) and not any(is_pattern(resource) for resource in named)


@rule(
    on=ACCESS_KEY,
    instead="Give the workload a role: IRSA or EKS Pod Identity",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#lock-away-credentials",
    severity=CRITICAL,
    controls=[hub("IAM.3"), guide("security/iam", "Identities and Credentials for EKS pods")],
    allowed_users=texts([], "users that may have a key"),
)
def no_iam_access_keys(key: View, *, allowed_users: list[str]) -> Messages:
    """The program makes no long-lived AWS access keys.

    A key works from anywhere until somebody revokes it, and can be read in the stack's state.
    """
    if key.user not in allowed_users:
        yield "an access key is created"
