"""Item 12: the controller's role gets the permissions of the features that a stack asks for."""

import json
from typing import Any

import pytest

from eks_load_balancing import InvalidInputError
from eks_load_balancing.controller.policy import controller_policy
from fixtures.declared import ACCOUNT, Declared
from tests.unit.controller.test_load_balancer_controller import controller, values

GROUP = f"arn:aws:elasticloadbalancing:us-west-2:{ACCOUNT}:targetgroup/web/0123456789abcdef"
ROLE = "arn:aws:iam::999999999999:role/binding"


def opted(declared: Declared) -> list[dict[str, Any]]:
    """The statements of the opt-in policy, which is attached to the controller's role."""
    policy = declared.one(":Policy", "lbc-opt-in-policy")
    attached = [made.inputs["policyArn"] for made in declared.of(":RolePolicyAttachment")]

    assert f"arn:aws:iam::{ACCOUNT}:policy/lbc-opt-in-policy" in attached
    return json.loads(policy.inputs["policy"])["Statement"]


def statement(declared: Declared, action: str) -> dict[str, Any]:
    (found,) = [one for one in opted(declared) if action in one["Action"]]
    return found


def test_item_12_a_web_acl_is_found_by_its_name_where_the_version_knows_names() -> None:
    def granted(version: str, *disabled: str) -> str:
        return controller_policy(version, "aws", "dev", "us-west-2", "vpc-1", disabled_features=disabled)

    assert "wafv2:ListWebACLs" in granted("3.5.0")
    assert "wafv2:ListWebACLs" in granted("2.14.0")
    assert "wafv2:ListWebACLs" not in granted("2.13.4")
    assert "wafv2:" not in granted("3.5.0", "wafv2")


def test_item_12_bindings_into_other_accounts_assume_the_named_roles_only() -> None:
    assert statement(controller(assumable_role_arns=[ROLE]), "sts:AssumeRole")["Resource"] == [ROLE]


def test_item_12_pods_are_registered_in_a_target_group_that_another_cluster_made() -> None:
    """The main policy stops at another cluster's tag."""
    found = statement(controller(shared_target_group_arns=[GROUP]), "elasticloadbalancing:RegisterTargets")

    assert found["Resource"] == [GROUP]
    assert "elasticloadbalancing:DeregisterTargets" in found["Action"]
    assert "Condition" not in found


def test_item_12_tags_are_read_by_the_tagging_api_with_its_feature_gate() -> None:
    declared = controller(feature_gates={"EnableRGTAPI": True})

    assert statement(declared, "tag:GetResources")["Resource"] == ["*"]
    assert values(declared)["controllerConfig"] == {"featureGates": {"EnableRGTAPI": True}}


def test_item_12_certificates_are_managed_with_this_clusters_tag() -> None:
    declared = controller(feature_gates={"EnableCertificateManagement": True})
    tagged = {"StringEquals": {"aws:RequestTag/elbv2.k8s.aws/cluster": "dev"}}

    assert statement(declared, "acm:RequestCertificate")["Condition"] == tagged
    assert statement(declared, "acm:DeleteCertificate")["Condition"] == {
        "StringEquals": {"aws:ResourceTag/elbv2.k8s.aws/cluster": "dev"}
    }
    actions = {action for one in opted(declared) for action in one["Action"]}
    assert {"route53:ChangeResourceRecordSets", "acm:AddTagsToCertificate", "acm-pca:IssueCertificate"} <= actions


def test_item_12_what_is_not_asked_for_is_not_granted() -> None:
    assert [policy.name for policy in controller().of(":Policy")] == ["lbc-policy"]
    assert [p.name for p in controller(feature_gates={"EnableRGTAPI": False}).of(":Policy")] == ["lbc-policy"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"version": "3.2.2"}, "3.2.2 does not know EnableCertificateManagement: give a later version"),
        ({"disabled_features": ["certificate-discovery"]}, "needs certificate-discovery"),
    ],
)
def test_item_12_certificate_management_is_refused_where_it_cannot_work(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        controller(feature_gates={"EnableCertificateManagement": True}, **changes)
