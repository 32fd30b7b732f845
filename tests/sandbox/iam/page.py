"""`python -m tests.sandbox.iam.page`: writes docs/iam.md out of the policy, and out of what IAM says to calls."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eks_load_balancing.controller.global_accelerator_policy import global_accelerator_statements
from eks_load_balancing.controller.opt_ins import CERTIFICATES, TAGGING_API, opt_in_statements
from eks_load_balancing.controller.policy import Statement, controller_statements
from sandbox.iam.language.evaluate import Policy
from sandbox.iam.permissions import reference
from tests.sandbox.iam import asks, upstream

PAGE = Path(__file__).parents[3] / "docs" / "iam.md"
_READING = re.compile(r"(Describe|Get|List)")


def page() -> str:
    """The page."""
    return f"""<!-- made by `python -m tests.sandbox.iam.page`: change the policy, not this file -->

# What the controller may do

The AWS Load Balancer Controller works with a role that its service account alone can assume. The role's policy is
[controller_policy.py](../components/eks_load_balancing/controller/policy.py), statements by purpose for each controller
version and partition, narrowed to one cluster ([ADR 12](adr/0012-one-table-of-the-controllers-permissions.md)).

## By purpose

For a cluster `CLUSTER` in the VPC `VPC`. "Other's tag refused" lets pass what carries no cluster's tag.

{_table(("purpose", "actions", "only if", "goes with"), map(_row, _statements()))}
Global Accelerators are left out unless `global_accelerator` asks for them. Theirs is a policy of its own
([global_accelerator_policy.py](../components/eks_load_balancing/controller/global_accelerator_policy.py)):

{_table(("purpose", "actions", "only if"), (_row(s)[:3] for s in global_accelerator_statements("CLUSTER")))}
What is off by default is granted when a stack asks for it, in a policy of its own
([controller_opt_ins.py](../components/eks_load_balancing/controller/opt_ins.py)): `feature_gates` with `EnableRGTAPI`
or `EnableCertificateManagement`, `assumable_role_arns`, `shared_target_group_arns`.
`policy_arns` and `policy_statements` grant whatever else a program names, the statements in a policy of their own too.
With `role_arn` nothing is granted here: the role is yours.

{_table(("purpose", "actions", "only if"), (_row(s)[:3] for s in _opt_ins()))}
`wafv2:ListWebACLs` goes with `wafv2`, for web ACLs that are named and not given by ARN; no release's policy grants it.

## What narrowing refuses

Each call as the sandbox's IAM judges it, on a resource that carries no cluster's tag, or another's; for what is made,
the tag that the call asks for. With this cluster's both policies allow all of them. Upstream's minds *that* there is a
tag, ours *whose* it is.

{_table(("call", "upstream's: no tag", "upstream's: another's", "ours: no tag", "ours: another's"), _refusals())}
Security groups are made, and their rules written, in the cluster's VPC alone; upstream's policy minds no VPC.

## What AWS cannot condition so

These stay as upstream has them. Every other action that the policy grants and that changes anything is in the table
above. Actions that only describe are granted on everything: most of them know no resources.

{_table(("action", "why"), sorted((f"`{action}`", why) for action, why in asks.BLIND_BECAUSE.items()))}"""


def _statements() -> list[Statement]:
    return controller_statements("3.5.0", "aws", "CLUSTER", "REGION", "VPC")


def _opt_ins() -> list[Statement]:
    return opt_in_statements(
        "aws",
        "CLUSTER",
        feature_gates={TAGGING_API: True, CERTIFICATES: True},
        assumable_role_arns=["arn:aws:iam::ACCOUNT:role/ROLE"],
        shared_target_group_arns=["arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID"],
    )


def _table(names: tuple[str, ...], rows: Any) -> str:
    lines = [names, tuple("---" for _ in names), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(statement: Statement) -> tuple[str, str, str, str]:
    by_service: dict[str, list[str]] = {}
    for action in statement.actions:
        service, _, name = action.partition(":")
        by_service.setdefault(service, []).append(name)
    actions = "; ".join(f"{service}: {', '.join(names)}" for service, names in by_service.items())
    return statement.purpose, actions, "; ".join(_conditions(statement)), ", ".join(statement.features)


def _conditions(statement: Statement) -> Iterator[str]:
    for operator, keys in statement.condition.items():
        for key, wanted in keys.items():
            values = " or ".join(f"`{each.rpartition('/')[2]}`" for each in upstream.listed(wanted))
            match operator:
                case "Null":
                    yield f"{key} is not given"
                case "StringEqualsIfExists":
                    yield f"{key} is {values} (other's tag refused)"
                case _:
                    yield f"{key} is {values}"
    if statement.resources == ("*",):
        return
    yield "on " + ", ".join(f"`{each.split(':', 5)[5]}`" for each in statement.resources)


def _refusals() -> Iterator[tuple[str, ...]]:
    made = [*asks.CREATIONS, *asks.PARTS]
    for call in [asks.MAKE_GROUP, *asks.CREATIONS, *asks.TAGGED, *asks.OPEN]:
        verdicts = [_verdicts(own, call, asks_tag=call in made) for own in (asks.UPSTREAM, asks.OURS)]
        yield _called(call), *(told for each in verdicts for told in each)


def _called(call: asks.Call) -> str:
    service, operation, parameters = call
    found = asks.asked(service, operation, "demo", asks.VPC, parameters)[0]
    kind = reference.type_of(found.action.partition(":")[0], found.resource) or ""
    return f"`{found.action}` {kind.rstrip('/')}".strip()


def _verdicts(own: Policy, call: asks.Call, *, asks_tag: bool) -> Iterator[str]:
    for cluster in (None, "other"):
        if call == asks.MAKE_GROUP:
            passed = asks.make_group(own, cluster)
        elif asks_tag:
            passed = asks.allowed(own, call, Tags=asks.tags(cluster))
        else:
            passed = asks.allowed(own, call, cluster)
        yield "allowed" if passed else "**refused**"


if __name__ == "__main__":
    PAGE.write_text(page())
