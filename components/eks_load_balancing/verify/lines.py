"""The lines of a report from facts: one line per subject, in a fixed order, without names. Pure functions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from eks_load_balancing.controller.statements import Statement
from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.lookups import own_balancers, ready_addresses

FORM: Final = 1
"""The report's format version: reports with different ones cannot be compared."""
WORKS: Final = "ok  "
FAILS: Final = "FAIL"
KNOWN: Final = "    "
"""Lines that are neither right nor wrong, and may differ between two stacks that both work."""
_CHANGES: Final = ("create", "update", "delete", "replace", "create-replacement", "delete-replaced", "import", "read")


def preview_line(operations: Mapping[str, int]) -> str:
    """Return what a second preview would change; operations are counted as `pulumi preview --json` names them."""
    changes = {kind: operations[kind] for kind in _CHANGES if operations.get(kind)}
    said = ", ".join(f"{count} {kind}" for kind, count in changes.items()) or "nothing"
    return f"{FAILS if changes else WORKS} a second preview changes {said}"


def doctor_lines(checked: int, findings: Iterable[str]) -> Iterator[str]:
    """Yield the doctor's findings by check, without places.

    Args:
        checked: how many checks it made.
        findings: the check of each finding.
    """
    counted = Counter(findings)
    yield f"{FAILS if counted else WORKS} the doctor finds {sum(counted.values())} in {checked} checks"
    for check, count in sorted(counted.items()):
        yield f"{FAILS} the doctor finds {check}, {count} times"


def balancers(facts: Facts) -> list[Object]:
    """Return the cluster's load balancers in an order that does not depend on their names or addresses."""

    def place(balancer: Object) -> tuple[str, ...]:
        tags = facts.tags.get(balancer["LoadBalancerArn"], {})
        owner = next((value for key, value in sorted(tags.items()) if key.endswith("k8s.aws/stack")), "")
        return (balancer["Type"], balancer["Scheme"], owner)

    return sorted(own_balancers(facts), key=place)


def target_lines(facts: Facts) -> Iterator[str]:
    """Yield, for each load balancer's target groups, whether their targets are the ready pods of their Service."""
    groups = {group["TargetGroupArn"]: group for group in facts.target_groups}
    bindings = {binding["spec"]["targetGroupARN"]: binding for binding in facts.bindings}
    for number, balancer in enumerate(balancers(facts), 1):
        own = [arn for arn, group in groups.items() if balancer["LoadBalancerArn"] in group["LoadBalancerArns"]]
        for arn in sorted(own, key=lambda one: (groups[one].get("Port", 0), one)):
            yield _target_line(facts, f"load balancer {number}", groups[arn], bindings.get(arn))


def _target_line(facts: Facts, where: str, group: Object, binding: Object | None) -> str:
    kind = group["TargetType"]
    states = Counter(target["TargetHealth"]["State"] for target in facts.health.get(group["TargetGroupArn"], ()))
    said = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "no target"
    if binding is None:
        return f"{FAILS} {where}: a target group of type {kind} is bound to no Service ({said})"
    if kind != "ip":
        return f"{KNOWN} {where}: a target group of type {kind} has {said}"
    service = binding["spec"]["serviceRef"]["name"]
    ready = ready_addresses(facts, binding["metadata"]["namespace"], service)
    healthy = {
        target["Target"]["Id"]
        for target in facts.health.get(group["TargetGroupArn"], ())
        if target["TargetHealth"]["State"] == "healthy"
    }
    same = healthy == ready and bool(ready)
    return f"{WORKS if same else FAILS} {where}: {len(healthy)} healthy targets, {len(ready)} ready pods ({said})"


def answer_lines(answers: Sequence[tuple[Object, Sequence[tuple[str, str]]]]) -> Iterator[str]:
    """Yield the answer of each listener of each load balancer.

    Args:
        answers: load balancers in their order, each with its listeners as `HTTP:80` and the result of asking; a result
            begins with `answers` if there was an answer.
    """
    for number, (balancer, listeners) in enumerate(answers, 1):
        kind = f"{balancer['Type']}, {balancer['Scheme']}"
        for listener, said in listeners:
            yield f"{WORKS if said.startswith('answers') else FAILS} load balancer {number} ({kind}): {listener} {said}"


def role_lines(decisions: Mapping[str, str]) -> Iterator[str]:
    """Yield the policy simulator's decision on each action: `allowed`, `implicitDeny`, `explicitDeny`."""
    for action, decision in sorted(decisions.items()):
        yield f"{WORKS if decision == 'allowed' else FAILS} the controller's role: {action} {decision}"


def question(statement: Statement, region: str, account: str) -> dict[str, Any]:
    """Return the simulator's parameters for one statement: its actions, on a matching resource and with matching keys.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
    """
    keys = {
        key: values if isinstance(values, str) else values[0]
        for test, wanted in statement.condition.items()
        if test.removesuffix("IfExists") in ("StringEquals", "ArnEquals")
        for key, values in wanted.items()
    }
    return {
        "ActionNames": list(statement.actions),
        "ResourceArns": [_an_arn(resource, region, account) for resource in statement.resources[:1]],
        "ContextEntries": [
            {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for key, value in keys.items()
        ],
    }


def _an_arn(resource: str, region: str, account: str) -> str:
    """Return an ARN that matches a resource pattern."""
    if resource == "*":
        return resource
    parts = resource.split(":", 5)
    filled = [region if place == 3 else account if place == 4 else part for place, part in enumerate(parts)]  # noqa: PLR2004
    keeps = [part if part != "*" else filled[place] for place, part in enumerate(parts)]
    return ":".join([*keeps[:5], keeps[5].replace("*", "0123456789abcdef")])


def differences(one: Sequence[str], other: Sequence[str]) -> list[tuple[str | None, str | None]]:
    """Return the lines in which two reports differ, side by side, without lines that may differ."""

    def judged(lines: Sequence[str]) -> list[str]:
        return [line for line in lines if not line.startswith(KNOWN)]

    first, second = judged(one), judged(other)
    only_first = [line for line in first if line not in second]
    only_second = [line for line in second if line not in first]
    rows = max(len(only_first), len(only_second))
    return [
        (only_first[row] if row < len(only_first) else None, only_second[row] if row < len(only_second) else None)
        for row in range(rows)
    ]
