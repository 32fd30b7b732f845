"""What a run of the Gateway API's conformance suite says, from the events of `go tool test2json`."""

import json
from typing import Any

from tests.upstream.conformance import SUITE, chosen, results
from tests.upstream.specs import Result

FAILURE = """\
    helpers.go:306:
        \tError Trace:\thelpers.go:306
        \tError:      \tReceived unexpected error:
        \t            \tcontext deadline exceeded
        \tTest:       \tTestConformance/B/request
        \tMessages:   \terror waiting for the route
"""


def event(test: str, action: str, **more: Any) -> str:
    return json.dumps({"Action": action, "Test": test, **more})


def said(test: str, text: str) -> list[str]:
    return [event(test, "output", Output=f"{line}\n") for line in text.splitlines()]


def ended(name: str, action: str, text: str = "") -> list[str]:
    test = f"TestConformance/{name}"
    return [event(test, "run"), *said(test, text), event(test, action, Elapsed=2.5)]


def outcome(*events: str) -> list[Result]:
    return results("\n".join([json.dumps({"Action": "start"}), event("TestConformance", "run"), *events]))


def test_a_focus_with_alternatives_chooses_among_the_suites_tests() -> None:
    assert chosen("A|B") == "^TestConformance$/(A|B)"


def test_a_tests_parts_count_as_the_test() -> None:
    passed = outcome(*ended("A/request", "pass"), *ended("A", "pass"))
    assert passed == [Result(SUITE, "A", "passed", 2.5)]


def test_a_failure_is_its_last_failed_assertion_in_one_line() -> None:
    [failed] = outcome(*ended("B/request", "fail", FAILURE), *ended("B", "fail"))
    assert failed.state == "failed"
    assert failed.reason == "Received unexpected error: context deadline exceeded error waiting for the route"


def test_a_test_that_the_controllers_module_skips_counts_and_one_that_it_does_not_claim_does_not() -> None:
    skipped = outcome(
        *ended("C", "skip", "    a.go:7: Skipping C: test explicitly skipped"),
        *ended("D", "skip", "    a.go:7: Skipping D: suite does not support X"),
    )
    assert skipped == [Result(SUITE, "C", "skipped", 2.5, "a.go:7: Skipping C: test explicitly skipped")]


def test_a_test_without_an_end_has_not_passed() -> None:
    [late] = outcome(event("TestConformance/E", "run"))
    assert late.state == "timedout"


def test_a_setup_that_fails_stands_in_place_of_the_tests() -> None:
    failed = outcome(*said("TestConformance", FAILURE), event("TestConformance", "fail", Elapsed=9))
    assert [(r.spec, r.state) for r in failed] == [("setup", "failed")]
