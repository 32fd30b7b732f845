"""What the pack costs: milliseconds a resource for all rules together, over 1,000 resources.

    python benchmarks/policies.py [RESOURCES]

Three figures, each the median over the resources: the rules alone on properties already read, the whole of the SDK's
Analyze call as the engine makes it (messages in, messages out), and that call without `pack.once`. The whole stack's
rules are one call for all resources; its time is divided by their number. Times are the process's own CPU time: rules
wait for nothing, and a busy machine does not count.
"""

import statistics
import sys
import time
from collections.abc import Callable
from importlib import reload
from itertools import cycle, islice
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parent.parent
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "policies")]

import pulumi_policy.policy as sdk
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel, ResourceValidationPolicy

from rules import RULES, policies
from tests.policies.harness import arguments
from tests.policies.resources import COMPLIANT, resource

BUDGET_MS = 2.0
"""Milliseconds a resource, for all rules."""


def requests(count: int) -> list[analyzer_pb2.AnalyzeRequest]:
    """Requests for compliant resources of every type, in turn."""
    made: list[analyzer_pb2.AnalyzeRequest] = []
    for index, name in enumerate(islice(cycle(COMPLIANT), count)):
        token, props = resource(name)
        properties = struct_pb2.Struct()
        properties.update(props)
        urn = f"urn:pulumi:s::p::{token}::{name}-{index}"
        made.append(analyzer_pb2.AnalyzeRequest(type=token, properties=properties, urn=urn, name=f"{name}-{index}"))
    return made


def median_ms(call: Callable[[Any], Any], things: list[Any]) -> float:
    """The median of one call on each of some things, in milliseconds."""
    times: list[float] = []
    for thing in things:
        start = time.process_time()
        call(thing)
        times.append((time.process_time() - start) * 1000)
    return statistics.median(times)


def rules_alone(count: int) -> float:
    """The rules on properties that are read already."""
    checks = [policy for rule in RULES.values() if isinstance(policy := rule.policy(), ResourceValidationPolicy)]
    args = [arguments(*resource(name), name, {}) for name in islice(cycle(COMPLIANT), count)]

    def run(one: Any) -> None:
        for policy in checks:
            policy.validate(one, lambda _message, _urn=None: None)

    return median_ms(run, args)


def analyze(count: int) -> tuple[float, float]:
    """The SDK's calls on single resources (median) and on the stack (a resource's share)."""
    server = sdk._PolicyAnalyzerServicer("eks-load-balancing", "0.0.1", policies(), EnforcementLevel.ADVISORY)
    single = requests(count)
    one = median_ms(lambda request: server.Analyze(request, None), single)
    stack = analyzer_pb2.AnalyzeStackRequest(
        resources=[
            analyzer_pb2.AnalyzerResource(type=each.type, properties=each.properties, urn=each.urn, name=each.name)
            for each in single
        ]
    )
    start = time.process_time()
    server.AnalyzeStack(stack, None)
    return one, (time.process_time() - start) * 1000 / count


def without_once(count: int) -> float:
    """The SDK's call as it is without `pack.once`."""
    plain = reload(sdk)
    server = plain._PolicyAnalyzerServicer(
        "eks-load-balancing", "0.0.1", [_again(rule, plain) for rule in RULES.values()], plain.EnforcementLevel.ADVISORY
    )
    return median_ms(lambda request: server.Analyze(request, None), requests(count))


def _again(rule: Any, module: Any) -> Any:
    kind = module.StackValidationPolicy if rule.across_stack else module.ResourceValidationPolicy
    return kind(rule.name, rule.demand, rule.validate_stack if rule.across_stack else rule.validate)


def main(count: int) -> int:
    """Measure, tell, and return 1 if the budget is exceeded."""
    alone = rules_alone(count)
    one, share = analyze(count)
    rows = {
        "rules alone, median": alone,
        "Analyze, median": one,
        "AnalyzeStack, a resource's share": share,
        f"both together (asked: under {BUDGET_MS:g})": one + share,
        "Analyze without pack.once, median": without_once(count),
    }
    sys.stdout.write(
        f"| {len(RULES)} rules, {count} resources of {len(COMPLIANT)} kinds | ms a resource |\n|---|---|\n"
    )
    sys.stdout.writelines(f"| {name} | {value:.2f} |\n" for name, value in rows.items())
    return 0 if one + share < BUDGET_MS else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 1000))
