"""The project's stacks under their profiles: what the program declares for each, under Pulumi's mocks.

With the real engine `make up` checks the stack `sandbox` likewise.
"""

from pathlib import Path
from typing import Any

import pytest

from fixtures.declared import Declared, Resource
from fixtures.program import program
from pack.properties import plain
from pack.publishing.profiles import NOT_IN_SANDBOX, profile
from pack.secrets import Open
from rules import RULES
from tests.policies.harness import World, refusals

_ROOT = Path(__file__).parents[2]
# The profile of each stack.
PROFILES = {"sandbox": "sandbox", "dev": "dev", "staging": "prod", "prod": "prod"}


def _cluster(component: dict[str, Any]) -> dict[str, Any]:
    """What pulumi-eks creates for its component's inputs, for the rules: its provider does not run under mocks."""
    return {
        "version": component["version"],
        "vpcConfig": {
            "endpointPublicAccess": component["endpointPublicAccess"],
            "endpointPrivateAccess": component["endpointPrivateAccess"],
            "publicAccessCidrs": component.get("publicAccessCidrs"),
            "subnetIds": component["privateSubnetIds"],
        },
        "enabledClusterLogTypes": component["enabledClusterLogTypes"],
        "encryptionConfig": {
            "resources": ["secrets"],
            "provider": {"keyArn": component["encryptionConfigKeyArn"]},
        },
        "upgradePolicy": component["upgradePolicy"],
        "deletionProtection": component.get("deletionProtection"),
        # the component's transform sets the second, which mocks do not apply to a remote component's children
        "accessConfig": {
            "authenticationMode": component["authenticationMode"],
            "bootstrapClusterCreatorAdminPermissions": False,
        },
    }


def _seen(resource: Resource) -> tuple[str, dict[str, Any]]:
    """A resource as the engine would show it, or as close as mocks allow."""
    inputs = plain(resource.inputs, Open())
    if resource.type == "eks:index:Cluster":
        return "aws:eks/cluster:Cluster", _cluster(inputs)
    if resource.type == "kubernetes:helm.sh/v4:Chart":
        return "kubernetes:helm.sh/v3:Release", inputs
    return resource.type, inputs


def _world(declared: Declared) -> World:
    return {resource.name: _seen(resource) for resource in declared.resources}


def refused_in_program(stack: str, held_to: str) -> set[str]:
    """The mandatory rules of a profile that a stack breaks."""
    levels = profile(held_to)
    things = _world(program(stack))
    return {
        name
        for name, rule in RULES.items()
        if levels[name]["enforcementLevel"] == "mandatory" and refusals(rule, things, levels[name])
    }


@pytest.mark.parametrize("stack", PROFILES)
def test_a_stack_of_the_project_passes_its_profile(stack: str) -> None:
    assert refused_in_program(stack, PROFILES[stack]) == set()


def test_the_sample_stack_has_no_findings_under_its_profile() -> None:
    levels, things = profile("sandbox"), _world(program("sandbox"))
    asked = [rule for name, rule in RULES.items() if levels[name]["enforcementLevel"] != "disabled"]
    assert {rule.name for rule in asked if refusals(rule, things, levels[rule.name])} == set()


def test_the_sandboxs_profile_leaves_out_only_what_the_sample_stack_breaks() -> None:
    things = _world(program("sandbox"))
    assert {name for name in NOT_IN_SANDBOX if not refusals(RULES[name], things)} == set()
    assert not any(profile("dev")[name]["enforcementLevel"] == "mandatory" for name in NOT_IN_SANDBOX)


def test_what_keeps_dev_from_prods_profile_is_what_a_short_life_does_without() -> None:
    assert refused_in_program("dev", "prod") == {
        "cluster-admins-are-named-by-the-profile",
        "cluster-is-protected-from-deletion",
        "alb-redirects-http-to-https",
        "ingress-rules-name-their-hosts",
        "load-balancer-writes-access-logs",
        "load-balancer-is-protected-from-deletion",
    }


def test_every_stack_is_held_to_a_profile() -> None:
    assert {f"Pulumi.{stack}.yaml" for stack in PROFILES} == {file.name for file in _ROOT.glob("Pulumi.*.yaml")}


def test_the_stacks_show_the_rules_what_they_are_about() -> None:
    types = {token for token, _ in _world(program("sandbox")).values()}
    assert {
        "aws:eks/cluster:Cluster",
        "aws:eks/nodeGroup:NodeGroup",
        "aws:ec2/launchTemplate:LaunchTemplate",
        "aws:ec2/subnet:Subnet",
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        "aws:iam/policy:Policy",
        "aws:iam/role:Role",
        "kubernetes:core/v1:Service",
        "kubernetes:core/v1:ServiceAccount",
        "kubernetes:helm.sh/v3:Release",
        "kubernetes:networking.k8s.io/v1:Ingress",
    } <= types
