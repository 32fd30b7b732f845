"""What the controller's role may do."""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from eks_load_balancing.controller.policy import ABSENT, bound_policy, controller_statements
from eks_load_balancing.controller.statements import REQUEST_TAG, RESOURCE_TAG, TAG, Statement
from eks_load_balancing.doctor.documents import denies, grants, listed, statements
from eks_load_balancing.doctor.facts import Facts
from eks_load_balancing.doctor.faults import REFRESH
from eks_load_balancing.doctor.lookups import flags, image_version, is_served, tagged
from eks_load_balancing.doctor.registry import Trouble, check

_POLICIES: Final = "https://github.com/kubernetes-sigs/aws-load-balancer-controller/tree/main/docs/install"
_SWITCHES: Final = {"waf": "enable-waf", "wafv2": "enable-wafv2", "shield": "enable-shield"}
"""Features with a controller flag; they are on by default."""


@check(link=_POLICIES)
def role_may_do_what_the_controller_does(facts: Facts) -> Iterator[Trouble]:
    """The role's policies allow every action of this controller version in this partition.

    A policy of an older version lacks actions that the new version calls: AccessDenied at the first use. This compares
    actions, not conditions. It ignores features that a flag switches off, and a feature without a flag if all of its
    actions are missing, because that is probably intended. Where nothing asks for a load balancer, and there are only
    TargetGroupBindings, the controller needs no more than they do.
    """
    if not facts.deployments or facts.role is None:
        return
    version, given = image_version(facts.deployments[0]), flags(facts.deployments[0])
    if facts.partition not in ABSENT.get(version, {}):
        return
    missing: list[str] = []
    for statement in controller_statements(version, facts.partition, facts.name, facts.region, facts.vpc):
        if is_off(statement, given):
            continue
        lacking = [action for action in statement.actions if not _may(facts, action)]
        on_purpose = statement.features and not set(statement.features) & set(_SWITCHES)
        if not (on_purpose and len(lacking) == len(statement.actions)):
            missing += [action for action in lacking if action not in missing]
    if missing and _only_binds(facts):
        enough = json.loads(bound_policy(version, facts.partition, facts.region, facts.vpc, ["*"]))
        missing = [action for action in missing if grants([enough], action)]
    if missing:
        yield Trouble(
            f"role {facts.role['RoleName']}",
            f"controller {version} needs {', '.join(sorted(missing))}, which the role's policies do not allow",
            _restored(facts, facts.role["RoleName"], version, missing),
        )


def _only_binds(facts: Facts) -> bool:
    """Return whether the cluster has TargetGroupBindings and nothing else that the controller serves."""
    asking = [*facts.gateways, *(thing for thing in (*facts.ingresses, *facts.services) if is_served(facts, thing))]
    made = [one for one in facts.load_balancers if tagged(facts, one["LoadBalancerArn"]) is not None]
    return bool(facts.bindings) and not asking and not made


def _restored(facts: Facts, role: str, version: str, missing: list[str]) -> str:
    """Return the remedy: remove the denying policy or boundary, or attach the version's policy."""
    for policy in facts.role_policies:
        if any(denies(policy["Document"], action) for action in missing):
            name = f"--policy-arn {policy['Arn']}" if policy["Arn"] else f"--policy-name {policy['Name']}"
            command = "detach-role-policy" if policy["Arn"] else "delete-role-policy"
            return f"the policy {policy['Name']} denies it: `aws iam {command} --role-name {role} {name}`"
    if facts.boundary is not None and not all(grants([facts.boundary], action) for action in missing):
        return f"allow it in the permissions boundary, or `aws iam delete-role-permissions-boundary --role-name {role}`"
    return f"attach the policy of {version}: {REFRESH} restores what Pulumi made; else take it from the link"


@check(link="https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html")
def role_is_narrowed_to_this_cluster(facts: Facts) -> Iterator[Trouble]:
    """Where the role's policies name a cluster in the controller's tag, they name this one.

    A policy that was copied from another cluster lets the controller change only that cluster's resources.
    """
    named = {
        value
        for policy in facts.role_policies
        for statement in statements(policy["Document"])
        for tests in (statement.get("Condition") or {}).values()
        for name, values in tests.items()
        if name in (RESOURCE_TAG, REQUEST_TAG)
        for value in listed(values)
        if value not in ("true", "false")  # of Null, which tests whether the tag exists
    }
    if facts.role is not None and named and not any(fnmatchcase(facts.name, value) for value in named):
        yield Trouble(
            f"role {facts.role['RoleName']}",
            f"its policies are for resources with {TAG}={', '.join(sorted(named))}, and the cluster is {facts.name}",
            f"name {facts.name} in their conditions: {REFRESH} restores the policy of a LoadBalancerController",
        )


def is_off(statement: Statement, given: dict[str, str]) -> bool:
    """Return whether the controller's flags turn off every feature that a statement is for."""
    switched = [_SWITCHES.get(feature) for feature in statement.features]
    return bool(switched) and all(flag is not None and given.get(flag) == "false" for flag in switched)


def _may(facts: Facts, action: str) -> bool:
    bounded = facts.boundary is None or grants([facts.boundary], action)
    return bounded and grants([policy["Document"] for policy in facts.role_policies], action)
