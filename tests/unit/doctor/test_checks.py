"""Every check finds its planted fault in a healthy world, and says nothing without it."""

import base64
import inspect
import re
from collections.abc import Callable

import pytest

from eks_load_balancing.doctor.checks import CHECKS, SUBJECTS
from eks_load_balancing.doctor.facts import Facts, Unseen
from eks_load_balancing.doctor.registry import COULD_NOT_LOOK, REGISTERED, Finding, examine
from tests import chart
from tests.unit.doctor.cases import CASES as PLANTED
from tests.unit.doctor.cases import Case
from tests.unit.doctor.cases_objects import OBJECTS
from tests.unit.doctor.cases_paths import PATHS
from tests.unit.doctor.certificates import chained
from tests.unit.doctor.fine import FINE
from tests.unit.doctor.healthy import facts, healthy, healthy_with_pod_identity
from tests.unit.doctor.healthy_aws import World
from tests.unit.doctor.plant import annotate

CASES = [*PLANTED, *PATHS, *OBJECTS]


def found(world: World) -> list[Finding]:
    return examine(facts(world), CHECKS.values())


def test_every_check_has_a_planted_fault_and_every_fault_a_check() -> None:
    assert {case.check for case in CASES} == set(CHECKS)


def test_every_check_belongs_to_a_subject_of_the_manual() -> None:
    assert set(CHECKS) == set(REGISTERED)
    assert {check.subject for check in CHECKS.values()} == {s.__name__.rpartition(".")[2] for s in SUBJECTS}


@pytest.mark.parametrize("world", [healthy, healthy_with_pod_identity])
def test_a_healthy_cluster_has_no_findings(world: Callable[[], World]) -> None:
    assert found(world()) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check}: {case.says}")
def test_a_planted_fault_is_found(case: Case) -> None:
    world = case.of()
    case.fault(world)
    findings = [finding for finding in found(world) if finding.check == case.check]
    assert findings
    assert any(case.says in finding.what and case.fix in finding.fix for finding in findings), findings


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check}: {case.says}")
def test_a_finding_says_where_what_and_how_to_fix_it_in_one_line_each(case: Case) -> None:
    world = case.of()
    case.fault(world)
    for finding in found(world):
        for text in (finding.where, finding.what, finding.fix):
            assert text
            assert "\n" not in text
        assert finding.link.startswith("https://")
        assert finding.severity in ("high", "medium", "low")


@pytest.mark.parametrize("fault", [pytest.param(fault, id=name) for name, fault in FINE])
def test_what_only_looks_like_a_fault_is_not_found(fault: Callable[[World], object]) -> None:
    world = healthy()
    fault(world)
    assert found(world) == []


def with_login() -> World:
    world = healthy()
    annotate(world["ingresses"][0], **{"auth-idp-oidc": '{"secretName": "login"}'})
    world["secret_keys"] = {("alb", "login"): frozenset({"clientID", "clientSecret"})}
    return world


# workloads are read together with the controller's Deployment, and only explain a fault
@pytest.mark.parametrize("fact", sorted(set(Facts.__dataclass_fields__) - {"now", "cluster", "workloads"}))
def test_an_unreadable_fact_is_a_finding_and_nothing_is_concluded_from_it(fact: str) -> None:
    said: list[Finding] = []
    for world in (healthy(), healthy_with_pod_identity(), with_login()):  # none of them needs all facts
        world[fact] = Unseen("ec2:Something", "AccessDenied")
        said += found(world)
    assert {(finding.check, finding.where) for finding in said} == {(COULD_NOT_LOOK, "ec2:Something")}
    assert all(re.search(r"AccessDenied; not checked: [a-z]+", finding.what) for finding in said)


def test_a_check_and_its_function_have_one_name() -> None:
    """Tracebacks show it, and grep finds it."""
    assert all(check.run.__name__ == name.replace("-", "_") for name, check in CHECKS.items())


def test_checks_that_need_no_hidden_fact_are_made_all_the_same() -> None:
    world = healthy()
    world["subnets"] = Unseen("ec2:DescribeSubnets", "AccessDenied")
    world["deployments"][0]["status"]["readyReplicas"] = 0
    assert {finding.check for finding in found(world)} == {COULD_NOT_LOOK, "controller-is-ready"}


@pytest.mark.parametrize(("served", "believed"), [((2, 1), True), ((2,), False), ((1, 2), True), ((2, 2), False)])
def test_a_chain_is_believed_up_to_the_link_that_the_authority_signed(
    served: tuple[int, ...], *, believed: bool
) -> None:
    """The first signs the second, that the third. In the wrong order the second comes first; it is signed."""
    chain = chained()
    world = healthy()
    world["serving_certificate"] = "".join(chain[link] for link in served)
    for webhook in (webhook for c in world["webhooks"] for webhook in c["webhooks"]):
        webhook["clientConfig"]["caBundle"] = base64.b64encode(chain[0].encode()).decode()
    assert any("does not vouch" in finding.what for finding in found(world)) is not believed


@pytest.mark.sandbox
def test_the_crds_of_the_table_are_the_charts() -> None:
    world = healthy()
    world["crds"] = list(chart.definitions())
    assert found(world) == []


def test_the_worst_comes_first() -> None:
    world = healthy()
    for case in CASES:
        if case.check in ("no-target-group-is-left-over", "no-load-balancer-is-left-over", "subnets-have-room"):
            case.fault(world)
    assert [f.severity for f in found(world)] == ["high", "medium", "low"]


def test_checks_read_facts_and_ask_nobody() -> None:
    asking = re.compile(r"^(import|from) (boto3|botocore|kubernetes|urllib3|socket|subprocess)", re.MULTILINE)
    assert [subject for subject in SUBJECTS if asking.search(inspect.getsource(subject))] == []
