"""What the controller's role may do."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from eks_load_balancing.controller_policy import (
    ABSENT,
    REQUEST_TAG,
    RESOURCE_TAG,
    TAG,
    Statement,
    controller_statements,
)
from eks_load_balancing.doctor.documents import grants, listed, statements
from eks_load_balancing.doctor.facts import Facts
from eks_load_balancing.doctor.lookups import flags, image_version
from eks_load_balancing.doctor.registry import Trouble, check

_POLICIES: Final = "https://github.com/kubernetes-sigs/aws-load-balancer-controller/tree/main/docs/install"
_SWITCHES: Final = {"waf": "enable-waf", "wafv2": "enable-wafv2", "shield": "enable-shield"}
"""Features that the controller has a flag for; it is on unless told."""


@check(
    "role-may-do-what-the-controller-does",
    demand="The role's policies allow every action of this controller version in this partition.",
    severity="high",
    link=_POLICIES,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """A policy that an upgrade left behind lacks what the new version calls: AccessDenied at the first use.

    Actions are compared, not conditions. Features that the controller is told to leave alone are left out, and those
    without a flag if all of their actions are: that is on purpose.
    """
    if not facts.deployments or facts.role is None:
        return
    version, given = image_version(facts.deployments[0]), flags(facts.deployments[0])
    if facts.partition not in ABSENT.get(version, {}):
        return
    missing: list[str] = []
    for statement in controller_statements(version, facts.partition, facts.name, facts.region, facts.vpc):
        if _is_off(statement, given):
            continue
        lacking = [action for action in statement.actions if not _may(facts, action)]
        on_purpose = statement.features and not set(statement.features) & set(_SWITCHES)
        if not (on_purpose and len(lacking) == len(statement.actions)):
            missing += [action for action in lacking if action not in missing]
    if missing:
        yield Trouble(
            f"role {facts.role['RoleName']}",
            f"controller {version} needs {', '.join(sorted(missing))}, which no policy of the role allows",
            f"attach the policy of {version}: `pulumi up` of a LoadBalancerController does, or take it from the link",
        )


@check(
    "role-is-narrowed-to-this-cluster",
    demand="Where the role's policies name a cluster in the controller's tag, they name this one.",
    severity="high",
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html",
)
def _(facts: Facts) -> Iterator[Trouble]:
    """A policy taken over from another cluster lets the controller make and change that cluster's things alone."""
    named = {
        value
        for document in facts.role_policies
        for statement in statements(document)
        for tests in (statement.get("Condition") or {}).values()
        for name, values in tests.items()
        if name in (RESOURCE_TAG, REQUEST_TAG)
        for value in listed(values)
        if value not in ("true", "false")  # of Null, which asks whether there is a tag
    }
    if facts.role is not None and named and not any(fnmatchcase(facts.name, value) for value in named):
        yield Trouble(
            f"role {facts.role['RoleName']}",
            f"its policies are for what carries {TAG}={', '.join(sorted(named))}, and the cluster is {facts.name}",
            f"put {facts.name} in their conditions; `pulumi up` of a LoadBalancerController of this cluster does",
        )


def _is_off(statement: Statement, given: dict[str, str]) -> bool:
    switched = [_SWITCHES.get(feature) for feature in statement.features]
    return bool(switched) and all(flag is not None and given.get(flag) == "false" for flag in switched)


def _may(facts: Facts, action: str) -> bool:
    bounded = facts.boundary is None or grants([facts.boundary], action)
    return bounded and grants(facts.role_policies, action)
