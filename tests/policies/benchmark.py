"""What the pack costs: milliseconds a resource for all rules together, over 1,000 resources.

    .venv/bin/python tests/policies/benchmark.py [RESOURCES]

Three figures, each the median over the resources: the rules alone on properties already read, the whole of the SDK's
Analyze call as the engine makes it (messages in, messages out), and that call without `rules.once`. The whole stack's
rules are one call for all resources; its time is divided by their number.
"""

import statistics
import sys
import time
from collections.abc import Callable
from importlib import reload
from itertools import cycle, islice
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[2] / "policies")]

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
        start = time.perf_counter()
        call(thing)
        times.append((time.perf_counter() - start) * 1000)
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
    start = time.perf_counter()
    server.AnalyzeStack(stack, None)
    return one, (time.perf_counter() - start) * 1000 / count


def without_once(count: int) -> float:
    """The SDK's call as it is without `rules.once`."""
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
    print(f"{len(RULES)} rules, {count} resources of {len(COMPLIANT)} kinds")  # noqa: T201 - its output is its purpose
    print(f"rules alone, median       {alone:6.3f} ms a resource")  # noqa: T201
    print(f"Analyze, median           {one:6.3f} ms a resource")  # noqa: T201
    print(f"AnalyzeStack, a share     {share:6.3f} ms a resource")  # noqa: T201
    print(f"both together             {one + share:6.3f} ms a resource (budget {BUDGET_MS:g})")  # noqa: T201
    print(f"Analyze without once.py   {without_once(count):6.3f} ms a resource")  # noqa: T201
    return 0 if one + share < BUDGET_MS else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 1000))
