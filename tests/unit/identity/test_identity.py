import json
from typing import Any

import pytest

from eks_load_balancing import OidcProvider, ServiceAccountRole, ServiceAccountRoleArgs
from fixtures.declared import ACCOUNT, ISSUER_URL, Declared, declare
from tests.unit.refusals import declares_nothing

BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
IRSA: ServiceAccountRoleArgs = {
    "namespace": "kube-system",
    "service_account": "controller",
    "oidc_provider_arn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER_URL.removeprefix('https://')}",
    "issuer_url": ISSUER_URL,
    "policy_arn": "arn:policy",
}
POD_IDENTITY: ServiceAccountRoleArgs = {
    "namespace": "kube-system",
    "service_account": "controller",
    "identity": "pod-identity",
    "cluster_name": "dev",
    "cluster_arn": "arn:aws:eks:us-west-2:1:cluster/dev",
}


def role(args: ServiceAccountRoleArgs) -> Declared:
    def program() -> dict[str, object]:
        made = ServiceAccountRole("r", args)
        return {"arn": made.arn, "annotations": made.service_account_annotations}

    return declare(program)


def test_an_issuers_provider_is_for_sts_alone() -> None:
    def program() -> dict[str, object]:
        made = OidcProvider("o", {"issuer_url": ISSUER_URL})
        return {"issuer": made.issuer}

    declared = declare(program)

    assert declared.one(":OpenIdConnectProvider").inputs == {
        "url": ISSUER_URL,
        "clientIdLists": ["sts.amazonaws.com"],
    }
    assert declared.outputs["issuer"] == ISSUER_URL.removeprefix("https://")


def test_an_issuer_without_https_is_refused() -> None:
    declares_nothing(lambda: OidcProvider("o", {"issuer_url": "http://issuer"}), "does not begin with https://")


def test_by_irsa_the_service_account_is_annotated_with_the_role() -> None:
    declared = role(IRSA)

    assert declared.outputs["annotations"] == {"eks.amazonaws.com/role-arn": declared.outputs["arn"]}
    assert declared.types() == ["aws:iam/role:Role", "aws:iam/rolePolicyAttachment:RolePolicyAttachment"]


def test_by_irsa_the_trust_names_one_subject_and_one_audience() -> None:
    (statement,) = json.loads(role(IRSA).one(":Role").inputs["assumeRolePolicy"])["Statement"]

    assert list(statement["Condition"]) == ["StringEquals"]
    assert sorted(statement["Condition"]["StringEquals"].values()) == [
        "sts.amazonaws.com",
        "system:serviceaccount:kube-system:controller",
    ]


def test_by_pod_identity_an_association_hands_the_role_out() -> None:
    declared = role(POD_IDENTITY)

    assert declared.one(":PodIdentityAssociation").inputs == {
        "clusterName": "dev",
        "namespace": "kube-system",
        "serviceAccount": "controller",
        "roleArn": declared.outputs["arn"],
    }
    assert declared.outputs["annotations"] == {}
    assert "pods.eks.amazonaws.com" in declared.one(":Role").inputs["assumeRolePolicy"]


def test_on_the_way_the_role_trusts_either_and_the_service_account_has_both() -> None:
    declared = role({**IRSA, **POD_IDENTITY, "identity": "both"})
    trust = json.loads(declared.one(":Role").inputs["assumeRolePolicy"])["Statement"]

    assert [list(statement["Principal"]) for statement in trust] == [["Federated"], ["Service"]]
    assert declared.of(":PodIdentityAssociation")
    assert declared.outputs["annotations"] == {"eks.amazonaws.com/role-arn": declared.outputs["arn"]}


def test_a_boundary_bounds_the_role() -> None:
    assert role({**IRSA, "permissions_boundary_arn": BOUNDARY}).one(":Role").inputs["permissionsBoundary"] == BOUNDARY


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({**IRSA, "service_account": "*"}, r"service account '\*' .* wildcards are not for a role's trust"),
        ({**IRSA, "namespace": "kube_system"}, "namespace 'kube_system' is not a name"),
        ({**IRSA, "identity": "kiam"}, "identity 'kiam' is not known: give one of irsa, pod-identity, both"),
        ({**POD_IDENTITY, "identity": "both"}, "IRSA needs oidc_provider_arn and issuer_url"),
        ({**POD_IDENTITY, "identity": "irsa"}, "IRSA needs oidc_provider_arn and issuer_url"),
        ({**IRSA, "identity": "pod-identity"}, "Pod Identity needs cluster_name and cluster_arn"),
    ],
)
def test_nothing_is_declared_when_the_arguments_cannot_work(args: dict[str, Any], says: str) -> None:
    declares_nothing(lambda: ServiceAccountRole("r", args), says)  # pyright: ignore[reportArgumentType]
