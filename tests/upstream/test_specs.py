"""What a run of a spec says, from Ginkgo's reports."""

import json
from pathlib import Path
from typing import Any

from tests.upstream.specs import Result, focus, result, specs, table

SPEC = "vanilla ingress (a.b) serves"


def entry(state: str, text: str = "serves", kind: str = "It", failure: Any = None) -> dict[str, Any]:
    made = {"LeafNodeType": kind, "ContainerHierarchyTexts": ["vanilla ingress", "(a.b)"], "LeafNodeText": text}
    return made | {"State": state, "RunTime": 2_500_000_000} | ({"Failure": failure} if failure else {})


def written(folder: Path, *entries: dict[str, Any]) -> Path:
    report = folder / "report.json"
    report.write_text(json.dumps([{"SpecReports": list(entries)}, {"SpecReports": None}]))
    return report


def test_a_dry_run_lists_the_specs_and_no_other_nodes(tmp_path: Path) -> None:
    report = written(tmp_path, entry("passed"), entry("passed", kind="BeforeSuite"))
    assert specs(report) == [SPEC]
    assert focus(SPEC) == r"vanilla\ ingress\ \(a\.b\)\ serves$"


def test_a_failure_is_one_line_with_its_place(tmp_path: Path) -> None:
    failure = {"Message": "Expected\n    <int>: 1", "Location": {"FileName": "/go/a_test.go", "LineNumber": 7}}
    report = written(tmp_path, entry("skipped", text="serves more"), entry("failed", failure=failure))
    assert result("ingress", SPEC, report) == Result("ingress", SPEC, "failed", 2.5, "a_test.go:7: Expected <int>: 1")


def test_a_run_without_its_report_or_its_spec_has_not_passed(tmp_path: Path) -> None:
    assert result("ingress", SPEC, tmp_path / "none.json").state == "timedout"
    assert result("ingress", SPEC, written(tmp_path, entry("passed", text="other"))).state == "failed"


def test_the_table_counts_what_neither_passed_nor_was_skipped_as_failed() -> None:
    states = ("passed", "failed", "timedout", "skipped")
    rows = table([Result("ingress", SPEC, state) for state in states]).splitlines()
    assert rows[2:] == ["| ingress | 4 | 1 | 2 | 1 |", "| all | 4 | 1 | 2 | 1 |"]
