"""The pack's cost: milliseconds per resource for all rules together, over 1,000 resources.

    python benchmarks/policies.py [RESOURCES]

Two figures: the Analyze call as the engine makes it (messages in, messages out; the median over the resources), and the
AnalyzeStack call per resource, because it is one call for all. Times are the process's own CPU time: rules never wait,
and a busy machine does not matter.
"""

import statistics
import sys
import time
from itertools import cycle, islice
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "policies")]

from pulumi.runtime.proto import analyzer_pb2

from fixtures.policies import COMPLIANT, message, resource
from pack.analyzer import Analyzer
from rules import RULES

BUDGET_MS = 2.0
"""Milliseconds per resource, for all rules."""


def analyze(count: int) -> tuple[float, float]:
    """The calls for single resources (median) and for the stack (per resource), in milliseconds."""
    server = Analyzer("eks-load-balancing", "0.0.1", RULES.values())
    names = islice(cycle(COMPLIANT), count)
    single = [message(*resource(name), f"{name}-{index}") for index, name in enumerate(names)]
    times: list[float] = []
    for request in single:
        start = time.process_time()
        server.Analyze(request, None)
        times.append((time.process_time() - start) * 1000)
    stack = analyzer_pb2.AnalyzeStackRequest(
        resources=[
            analyzer_pb2.AnalyzerResource(type=each.type, properties=each.properties, urn=each.urn, name=each.name)
            for each in single
        ]
    )
    start = time.process_time()
    server.AnalyzeStack(stack, None)
    return statistics.median(times), (time.process_time() - start) * 1000 / count


def main(count: int) -> int:
    """Measure, print, and return 1 if the budget is exceeded."""
    one, share = analyze(count)
    rows = {
        "Analyze, median": one,
        "AnalyzeStack, a resource's share": share,
        f"both together (asked: under {BUDGET_MS:g})": one + share,
    }
    sys.stdout.write(
        f"| {len(RULES)} rules, {count} resources of {len(COMPLIANT)} kinds | ms a resource |\n|---|---|\n"
    )
    sys.stdout.writelines(f"| {name} | {value:.2f} |\n" for name, value in rows.items())
    return 0 if one + share < BUDGET_MS else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 1000))
