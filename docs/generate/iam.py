"""Writes docs/iam.md (`make docs`) from the controller's policy and from IAM's decisions on calls."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eks_load_balancing.controller.global_accelerator_policy import global_accelerator_statements
from eks_load_balancing.controller.opt_ins import CERTIFICATES, TAGGING_API, opt_in_statements
from eks_load_balancing.controller.policy import controller_statements
from eks_load_balancing.controller.statements import Statement
from fixtures.iam import asks, upstream
from sandbox.iam.language.evaluate import Policy
from sandbox.iam.permissions import reference

PAGE = Path(__file__).parents[1] / "iam.md"
_READING = re.compile(r"(Describe|Get|List)")


def page() -> str:
    """The page."""
    return f"""<!-- made by `make docs`: change the policy, not this file -->

# What the controller may do

Only the AWS Load Balancer Controller's service account can assume the controller's role. Its policy is made of
statements by purpose ([statements.py](../components/eks_load_balancing/controller/statements.py)), for each controller
version and partition ([policy.py](../components/eks_load_balancing/controller/policy.py)), narrowed to one cluster
([ADR 12](adr/0012-one-table-of-the-controllers-permissions.md)).

## By purpose

For a cluster `CLUSTER` in the VPC `VPC`. "Other's tag refused" means: allowed on resources with this cluster's tag or
without a cluster's tag.

{_table(("purpose", "actions", "only if", "goes with"), map(_row, _statements()))}
Global Accelerators need `global_accelerator`. It adds a separate policy
([global_accelerator_policy.py](../components/eks_load_balancing/controller/global_accelerator_policy.py)):

{_table(("purpose", "actions", "only if"), (_row(s)[:3] for s in global_accelerator_statements("CLUSTER")))}
A third policy ([opt_ins.py](../components/eks_load_balancing/controller/opt_ins.py)) grants what is off by default. The
arguments `feature_gates` (with `EnableRGTAPI` or `EnableCertificateManagement`), `assumable_role_arns` and
`shared_target_group_arns` ask for it.
`policy_arns` and `policy_statements` grant whatever else a program names, the statements in a policy of their own too.
With `role_arn` nothing is granted here: the role is yours.

{_table(("purpose", "actions", "only if"), (_row(s)[:3] for s in _opt_ins()))}
`wafv2:ListWebACLs` belongs to `wafv2`: it finds web ACLs that are given by name, not by ARN. No upstream policy grants
it.

## What narrowing refuses

The decision of the sandbox's IAM for each call on a resource with no cluster's tag, or with another cluster's. For
calls that create something, the tag in the request counts. With this cluster's tag, both policies allow all of them.
Upstream's policy checks that there is *a* tag; ours checks *whose* it is.

{_table(("call", "upstream's: no tag", "upstream's: another's", "ours: no tag", "ours: another's"), _refusals())}
The controller can create security groups and change their rules only in the cluster's VPC; upstream's policy does not
check the VPC.

## What AWS cannot restrict this way

These actions stay as in upstream's policy. Every other granted action that changes something is in the table above.
Actions that only describe are granted on all resources, because most of them do not support resources.

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
