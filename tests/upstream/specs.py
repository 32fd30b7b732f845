"""The suites in the controller's Go module, their specs, and what a run of one says."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MODULE = "sigs.k8s.io/aws-load-balancer-controller"
_SUITES = f"{_MODULE}/test/e2e"
SUITES = {
    "service": f"{_SUITES}/service",
    "ingress": f"{_SUITES}/ingress",
    "gateway-alb": f"{_SUITES}/gateway/alb_tests",
    "gateway-nlb": f"{_SUITES}/gateway/nlb_tests",
    "listener-set": f"{_SUITES}/gateway/listenerset_tests",
    "chained-gateways": f"{_SUITES}/gateway/chained_gateway_tests",
    "global-accelerator": f"{_SUITES}/globalaccelerator",
    "gateway-api": f"{_MODULE}/conformance",
}
"""Suite -> its Go package."""


@dataclass(frozen=True)
class Result:
    """What became of a spec."""

    suite: str
    spec: str
    state: str
    """Ginkgo's: `passed`, `failed`, `skipped`, `timedout`, ..."""
    seconds: float = 0.0
    reason: str = ""
    """Where it failed or was skipped, and why; in one line."""


def executable(suite: str) -> str:
    """The name of a suite's test binary, as `go test -c` gives it."""
    return f"{SUITES[suite].rpartition('/')[2]}.test"


def specs(report: Path) -> list[str]:
    """The specs in a report of a dry run: each one's containers' texts and its own, as Ginkgo matches them."""
    return [_text(entry) for entry in _entries(report)]


def focus(spec: str) -> str:
    """The value of `--ginkgo.focus` for this spec and no other."""
    # Ginkgo matches the text of the suite's file too, so only the end can be anchored.
    return f"{re.escape(spec)}$"


def result(suite: str, spec: str, report: Path) -> Result:
    """The result in the report of a spec's own run; `timedout` if the run left no report."""
    if not report.exists():
        return Result(suite, spec, "timedout", reason="it did not end within its bound")
    entries = [entry for entry in _entries(report) if _text(entry) == spec]
    if not entries:
        return Result(suite, spec, "failed", reason=f"the report of its run does not contain it: {report}")
    [entry] = entries
    failure: dict[str, Any] = entry.get("Failure") or {}
    place = failure.get("Location") or {}
    where = f"{Path(place['FileName']).name}:{place['LineNumber']}: " if place else ""
    words = " ".join(str(failure.get("Message", "")).split())
    return Result(suite, spec, entry["State"], entry["RunTime"] / 1e9, f"{where}{words}" if words else "")


def table(results: Sequence[Result]) -> str:
    """Passed, failed and skipped specs of each suite, as a Markdown table."""
    lines = ["| suite | specs | passed | failed | skipped |", "|---|---|---|---|---|"]
    for suite in SUITES:
        ours = [r for r in results if r.suite == suite]
        if ours:
            lines.append(_row(suite, ours))
    return "\n".join([*lines, _row("all", results)])


def _row(name: str, results: Iterable[Result]) -> str:
    states = [r.state for r in results]
    passed, skipped = states.count("passed"), states.count("skipped")
    return f"| {name} | {len(states)} | {passed} | {len(states) - passed - skipped} | {skipped} |"


def _entries(report: Path) -> list[dict[str, Any]]:
    documents: list[dict[str, Any]] = json.loads(report.read_text())
    return [s for document in documents for s in document["SpecReports"] or () if s["LeafNodeType"] == "It"]


def _text(entry: dict[str, Any]) -> str:
    return " ".join([*(entry["ContainerHierarchyTexts"] or ()), entry["LeafNodeText"]])
