"""What the controller's role may do for features that are off unless a stack asks for them. Functions of plain values.

Upstream's policy grants nothing of it; each feature's page says what to add:
https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from eks_load_balancing.controller.statements import REQUEST_TAG, RESOURCE_TAG, Statement
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.versions import ControllerVersion

TAGGING_API: Final = "EnableRGTAPI"
"""The feature gate with which the controller reads tags by the Resource Groups Tagging API."""
CERTIFICATES: Final = "EnableCertificateManagement"
"""The feature gate with which the controller requests and deletes certificates in ACM."""

_KEYS: Final = ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html"""


def check_gates(gates: Mapping[str, bool], version: ControllerVersion, disabled_features: Collection[str]) -> None:
    """Refuse feature gates that cannot work.

    Raises:
        InvalidInputError: one that the version does not know, or that needs a feature which is turned off.
    """
    if not gates.get(CERTIFICATES, False):
        return
    if not version.certificate_management:
        raise InvalidInputError(
            f"controller version {version.version} does not know {CERTIFICATES}: give a later version",
            key="feature_gates",
        )
    if "certificate-discovery" in disabled_features:
        raise InvalidInputError(
            f"{CERTIFICATES} needs certificate-discovery: take it out of the disabled features", key="feature_gates"
        )


def opt_in_statements(
    partition: str,
    cluster_name: str,
    *,
    feature_gates: Mapping[str, bool],
    assumable_role_arns: Sequence[str] = (),
    shared_target_group_arns: Sequence[str] = (),
) -> list[Statement]:
    """Return the statements for what a stack asks for; none if it asks for nothing.

    Args:
        partition: such as `aws`.
        cluster_name: the cluster whose tag certificates get.
        feature_gates: the controller's, by name.
        assumable_role_arns: roles in other accounts, which TargetGroupBindings name (`iamRoleArnToAssume`).
        shared_target_group_arns: target groups that several clusters register pods in (`multiClusterTargetGroup`).
    """
    statements: list[Statement] = []
    if feature_gates.get(TAGGING_API, False):
        statements.append(Statement("read tags of many resources at once", ("tag:GetResources",)))
    if feature_gates.get(CERTIFICATES, False):
        statements += _certificates(partition, cluster_name)
    if assumable_role_arns:
        statements.append(
            Statement("bind target groups of other accounts", ("sts:AssumeRole",), tuple(assumable_role_arns))
        )
    if shared_target_group_arns:
        # The target group carries the tag of the cluster that made it, and the main policy stops at that tag.
        register = ("elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets")
        statements.append(Statement("register pods in shared target groups", register, tuple(shared_target_group_arns)))
    return statements


def _certificates(partition: str, cluster_name: str) -> Iterator[Statement]:
    """Yield what `docs/install/iam_policy_acm_certs.json` grants, narrowed to one cluster where it asks for a tag."""
    yield Statement(
        "see certificates' tags and hosted zones",
        ("acm:ListTagsForCertificate", "route53:ListHostedZones", "route53:ListHostedZonesByName"),
    )
    yield Statement(
        "prove that a host name is the account's",
        ("route53:ChangeResourceRecordSets",),
        (f"arn:{partition}:route53:::hostedzone/*",),
    )
    yield Statement(
        "request certificates tagged for this cluster",
        ("acm:RequestCertificate",),
        condition={"StringEquals": {REQUEST_TAG: cluster_name}},
    )
    yield Statement(
        "tag certificates",
        ("acm:AddTagsToCertificate",),
        condition={"StringEqualsIfExists": {RESOURCE_TAG: cluster_name, REQUEST_TAG: cluster_name}},
    )
    yield Statement(
        "delete them",
        ("acm:DeleteCertificate",),
        condition={"StringEquals": {RESOURCE_TAG: cluster_name}},
    )
    yield Statement(
        "issue certificates of a private authority",
        ("acm-pca:IssueCertificate", "acm-pca:GetCertificate", "acm-pca:ListPermissions"),
    )


def extra_policy(statements: Sequence[Mapping[str, Any]]) -> str:
    """Return a policy of statements in IAM's language, or say which of them IAM would not take in a role's policy.

    Raises:
        InvalidInputError: there is none, or the first that is none, with what is wrong with it.
    """
    if not statements:
        raise InvalidInputError(
            "policy_statements [] has none: give one or more, or leave it out", key="policy_statements"
        )
    for number, one in enumerate(statements):
        fault = next((f"the key {key!r}" for key in one if key not in _KEYS), "")
        for either in (("Effect",), ("Action", "NotAction"), ("Resource", "NotResource")):
            fault = fault or ("" if len({*either} & one.keys()) == 1 else f"not one {' or '.join(either)}")
        if not fault and one["Effect"] not in ("Allow", "Deny"):
            fault = f"the Effect {one['Effect']!r}"
        if fault:
            raise InvalidInputError(
                f"policy_statements[{number}] has {fault}: give Effect (Allow or Deny), Action, Resource and, if"
                " need be, Sid and Condition",
                key="policy_statements",
            )
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
