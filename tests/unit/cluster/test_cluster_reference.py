import json
from typing import Any

import pytest

from eks_load_balancing import ClusterReference, InvalidInputError, LoadBalancerController
from eks_load_balancing.cluster.cluster_reference import MADE_BY
from eks_load_balancing.cluster.kubeconfig import kubeconfig
from fixtures.declared import ACCOUNT, ISSUER_URL, Declared, declare

ARN = f"arn:aws:eks:us-west-2:{ACCOUNT}:cluster/mine"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER_URL.removeprefix('https://')}"
CLUSTER, REGION = "aws:eks/getCluster:getCluster", "aws:index/getRegion:getRegion"
ISSUER = "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider"
FOUND: dict[str, Any] = {
    "arn": ARN,
    "version": "1.36",
    "endpoint": "https://endpoint",
    "certificateAuthorities": [{"data": "Q0E="}],
    "identities": [{"oidcs": [{"issuer": ISSUER_URL}]}],
    "vpcConfig": {"vpcId": "vpc-1", "subnetIds": ["subnet-b", "subnet-a"], "clusterSecurityGroupId": "sg-1"},
}
NOBODY: Any = ({}, [("", "finding IAM OIDC Provider by url: not found")])


def issuer(made_by: str | None) -> dict[str, Any]:
    return {"arn": PROVIDER, "tags": {} if made_by is None else {MADE_BY: made_by}}


def looked_up(provider: Any, *, irsa: bool = True) -> Declared:
    def program() -> dict[str, object]:
        cluster = ClusterReference.lookup("mine", irsa=irsa)
        LoadBalancerController("lbc", cluster.arguments)
        return {
            "region": cluster.region,
            "vpc": cluster.vpc_id,
            "subnets": cluster.subnet_ids,
            "oidc": cluster.oidc_provider_arn,
        }

    return declare(program, {CLUSTER: FOUND, ISSUER: provider})


def test_a_name_is_enough_for_a_controller() -> None:
    declared = looked_up(issuer(None))
    values = declared.one(":Chart").inputs["values"]["value"]

    assert (values["clusterName"], values["region"], values["vpcId"]) == ("mine", "us-west-2", "vpc-1")
    assert declared.outputs["subnets"] == ["subnet-a", "subnet-b"]
    assert PROVIDER in declared.one(":Role").inputs["assumeRolePolicy"]


def test_the_kubernetes_provider_is_known_by_the_clusters_arn() -> None:
    provider = looked_up(issuer(None)).one("pulumi:providers:kubernetes").inputs

    assert provider["clusterIdentifier"] == ARN


@pytest.mark.parametrize("made_by", [None, "eks-load-balancing/other/mine"])
def test_an_issuers_provider_that_somebody_made_is_used(made_by: str | None) -> None:
    declared = looked_up(issuer(made_by))

    assert declared.of(":OpenIdConnectProvider") == []
    assert declared.outputs["oidc"] == PROVIDER


@pytest.mark.parametrize("provider", [NOBODY, issuer("eks-load-balancing/test/mine")])
def test_an_issuers_provider_that_nobody_or_this_stack_made_is_declared(provider: Any) -> None:
    """What an `up` made must be declared by the next one too, or that would take it away again."""
    made = looked_up(provider).one(":OpenIdConnectProvider").inputs

    assert made["url"] == ISSUER_URL
    assert made["tags"] == {MADE_BY: "eks-load-balancing/test/mine"}


def test_without_irsa_nobody_asks_for_the_issuers_provider() -> None:
    def program() -> None:
        ClusterReference.lookup("mine", irsa=False)

    assert [token for token, _ in declare(program, {CLUSTER: FOUND}).calls] == [CLUSTER]


def test_a_lookup_that_fails_for_another_reason_is_not_taken_for_absence() -> None:
    def program() -> None:
        with pytest.raises(Exception, match="AccessDenied"):
            ClusterReference.lookup("mine")

    declare(program, {CLUSTER: FOUND, ISSUER: ({}, [("", "AccessDenied: not yours")])})


def test_a_cluster_that_is_not_there_is_said_in_one_line() -> None:
    def program() -> None:
        with pytest.raises(InvalidInputError, match="no EKS cluster 'mine' in eu-west-1 that"):
            ClusterReference.lookup("mine")

    declare(program, {CLUSTER: ({}, [("", "couldn't find resource")]), REGION: {"region": "eu-west-1"}})


def test_a_kubeconfig_asks_the_aws_cli_with_the_profile_and_role_that_it_is_given() -> None:
    (user,) = json.loads(kubeconfig(ARN, "https://e", "Q0E=", "ops", "arn:role"))["users"]
    words = " ".join(user["user"]["exec"]["args"])

    assert words.startswith("--region us-west-2 eks get-token --cluster-name mine")
    assert words.endswith("--role-arn arn:role --profile ops")
