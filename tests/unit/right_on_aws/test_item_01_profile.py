"""Item 1: the kubeconfig has the AWS provider's profile and role."""

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi.runtime import set_all_config

from eks_load_balancing import Cluster, ClusterArgs, ClusterReference
from fixtures.declared import DEPLOYER, KUBECONFIG, declare
from tests.unit.cluster.test_cluster import ARGS
from tests.unit.cluster.test_cluster_reference import CLUSTER, FOUND, ISSUER, issuer


def words(kubeconfig: str) -> list[str]:
    return json.loads(kubeconfig)["users"][0]["user"]["exec"]["args"]


def made(config: dict[str, str] | None = None, provider: dict[str, Any] | None = None, **changes: Any) -> list[str]:
    """The words after `aws` in the kubeconfig of a cluster that is made."""
    args: ClusterArgs = {**ARGS, **changes}  # pyright: ignore[reportAssignmentType]

    def program() -> dict[str, object]:
        explicit = {"aws": aws.Provider("explicit", **provider)} if provider else {}
        return {"kubeconfig": Cluster("c", args, pulumi.ResourceOptions(providers=explicit)).kubeconfig}

    set_all_config(config or {})
    try:
        return words(declare(program).outputs["kubeconfig"])
    finally:
        set_all_config({})


def test_item_1_the_kubeconfig_has_the_profile_that_is_given() -> None:
    assert made(kubeconfig_profile="ops")[-2:] == ["--profile", "ops"]


def test_item_1_the_kubeconfig_has_the_profile_of_the_stacks_configuration() -> None:
    assert made({"aws:profile": "dev-account"})[-2:] == ["--profile", "dev-account"]


def test_item_1_the_profile_that_is_given_wins() -> None:
    assert made({"aws:profile": "dev-account"}, kubeconfig_profile="ops")[-2:] == ["--profile", "ops"]


def test_item_1_an_explicit_aws_providers_profile_is_used_and_not_the_configurations() -> None:
    assert made({"aws:profile": "other"}, {"profile": "explicit"})[-2:] == ["--profile", "explicit"]
    assert made({"aws:profile": "other"}, {"region": "us-west-2"}) == made()


def test_item_1_without_a_profile_the_kubeconfig_is_pulumi_eks_own() -> None:
    """Without a profile or role, nothing on the cluster changes."""
    assert made() == words(json.dumps(KUBECONFIG))


@pytest.mark.parametrize(
    ("config", "changes"),
    [
        ({}, {"kubeconfig_role_arn": DEPLOYER}),
        ({"aws:assumeRoles": json.dumps([{"roleArn": DEPLOYER}])}, {}),
    ],
)
def test_item_1_the_role_that_the_provider_assumes_is_assumed_for_the_token_too(
    config: dict[str, str], changes: dict[str, Any]
) -> None:
    """pulumi-eks writes it into the kubeconfig as `--role`."""
    args: ClusterArgs = {**ARGS, **changes}  # pyright: ignore[reportAssignmentType]

    def program() -> None:
        Cluster("c", args)

    set_all_config(config)
    try:
        inputs = declare(program).one("eks:index:Cluster").inputs
    finally:
        set_all_config({})

    assert inputs["providerCredentialOpts"]["roleArn"] == DEPLOYER


def test_item_1_the_kubeconfig_of_a_cluster_that_is_there_has_the_configurations_profile_too() -> None:
    set_all_config({"aws:profile": "dev-account"})
    try:
        found = {CLUSTER: FOUND, ISSUER: issuer(None)}
        declared = declare(lambda: {"kubeconfig": ClusterReference.lookup("mine").kubeconfig}, found)
    finally:
        set_all_config({})

    assert words(declared.outputs["kubeconfig"])[-2:] == ["--profile", "dev-account"]
