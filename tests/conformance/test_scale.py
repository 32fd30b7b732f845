from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import xmltodict

from sandbox.aws.serving.journal import Entry
from sandbox.iam.wire.call import Call
from tests.conformance.place import Place, Usage
from tests.conformance.scale import limits, metrics, page, plot, runs
from tests.conformance.scale.figures import Action, Run, Sample, Workers, from_json, to_json
from tests.conformance.scale.watching import AWS, CONTROLLER, Registered
from tests.conformance.stage import Stage

_METRICS = """\
# TYPE aws_api_request_duration_seconds histogram
aws_api_request_duration_seconds_bucket{operation="DescribeTags",service="Elastic Load Balancing v2",le="0.005"} 7
aws_api_request_duration_seconds_bucket{operation="DescribeTags",service="Elastic Load Balancing v2",le="0.01"} 9
aws_api_request_duration_seconds_bucket{operation="DescribeTags",service="Elastic Load Balancing v2",le="+Inf"} 10
aws_api_request_duration_seconds_sum{operation="DescribeTags",service="Elastic Load Balancing v2"} 0.06
aws_api_request_duration_seconds_count{operation="DescribeTags",service="Elastic Load Balancing v2"} 10
# TYPE aws_api_call_duration_seconds histogram
aws_api_call_duration_seconds_sum{operation="DescribeTags",service="Elastic Load Balancing v2"} 0.5
aws_api_call_duration_seconds_count{operation="DescribeTags",service="Elastic Load Balancing v2"} 10
# TYPE controller_runtime_max_concurrent_reconciles gauge
controller_runtime_max_concurrent_reconciles{controller="ingress"} 3
# TYPE controller_runtime_reconcile_time_seconds histogram
controller_runtime_reconcile_time_seconds_bucket{controller="ingress",le="0.005"} 0
controller_runtime_reconcile_time_seconds_sum{controller="ingress"} 12.5
controller_runtime_reconcile_time_seconds_count{controller="ingress"} 4
"""
_TAGS, _REGISTER = "Elastic Load Balancing v2:DescribeTags", "Elastic Load Balancing v2:RegisterTargets"


def a_run(**more: Any) -> Run:
    """A run of 100 s on two cores in which nothing is at its limit."""
    parts = {AWS: Usage(cpu=10, memory=100), CONTROLLER: Usage(cpu=20, memory=80), "etcd": Usage(cpu=1, memory=60)}
    samples = [
        Sample(float(t), t // 20, t * 10, {AWS: t / 10, CONTROLLER: t / 5, "etcd": t / 100}) for t in range(0, 101, 5)
    ]
    run = Run(
        what="5 Ingresses",
        pods=1000,
        hosts=5,
        hosts_after=90,
        targets_after=100,
        applied_after=2,
        cores=2,
        machine_busy=60,
        parts=parts,
        samples=samples,
        actions={_TAGS: Action(90, 1, 60), _REGISTER: Action(10, 1, 0)},
        waited=5,
        workers={"ingress": Workers(3, 270)},
    )
    return replace(run, **more)


def test_the_controllers_metrics_say_how_long_aws_and_its_workers_took() -> None:
    found = metrics.parsed(_METRICS)
    assert found.actions == {_TAGS: Action(calls=10, seconds=0.06, quick=7)}
    assert found.waited == 0.5
    assert found.workers == {"ingress": Workers(3, 12.5)}


def test_what_the_controller_did_before_a_run_does_not_count() -> None:
    now = metrics.parsed(_METRICS)
    before = metrics.Metrics({_TAGS: Action(4, 0.01, 3)}, 0.1, {"ingress": Workers(3, 2.5)})
    since = now.since(before)
    assert since.actions[_TAGS] == Action(calls=6, seconds=pytest.approx(0.05), quick=4)  # pyright: ignore[reportArgumentType]
    assert since.workers["ingress"].busy == 10
    assert now.since(now) == metrics.Metrics({}, 0, {})


def test_a_target_that_is_registered_twice_counts_once(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.touch()
    registered = Registered(journal)
    body = b"Action=RegisterTargets&TargetGroupArn=g&Targets.member.1.Id=10.0.0.1&Targets.member.1.Port=80"
    call = Call("POST", "/", {"content-type": "application/x-www-form-urlencoded"}, body)
    more = Call("POST", "/", call.headers, body + b"&Targets.member.2.Id=10.0.0.2&Targets.member.2.Port=80")
    registered.take([Entry(call, 1, 10.0), Entry(more, 1, 20.0), Entry(call, 1, 30.0)])
    assert registered.targets == {("g", "10.0.0.1", "80"), ("g", "10.0.0.2", "80")}
    assert registered.last == 20.0


def test_the_bottleneck_is_what_the_controllers_workers_wait_for_most() -> None:
    many = {_REGISTER: Action(400, 200, 0)}
    assert limits.bottleneck(a_run(actions=many, waited=201)).startswith(f"{AWS}: the controller's workers wait")
    assert limits.bottleneck(a_run(actions={_REGISTER: Action(400, 1, 0)}, waited=250)).startswith(
        "the controller's own limit of 4 calls a second to `RegisterTargets|DeregisterTargets`: 400 calls need 95 s of"
    )
    assert limits.bottleneck(a_run()).endswith("the machine's 2 cores (30%)")


def test_how_near_a_part_is_to_its_limit_depends_on_the_cores_that_it_can_use() -> None:
    used = Usage(cpu=50, memory=1)
    found = {
        share.what: share.share
        for share in limits.shares(a_run(parts={AWS: used, CONTROLLER: used, "etcd": Usage(cpu=50, memory=1, cores=1)}))
    }
    assert found[f"CPU of {AWS}"] == found["CPU of etcd"] == 0.5
    assert found[f"CPU of {CONTROLLER}"] == 0.25


def test_the_figures_say_what_aws_took() -> None:
    run = a_run()
    assert limits.emulators_share(run) == 0.1
    assert limits.waiting_for_aws(run) == pytest.approx(2 / 270)
    assert limits.waiting_for_itself(run) == pytest.approx(3 / 270)
    assert limits.quick_reads(run) == pytest.approx(2 / 3)
    assert limits.others_on_the_machine(run) == pytest.approx(0.29)


def test_a_plot_is_svg_without_scripts_and_the_same_for_the_same_figures() -> None:
    for draw in (plot.progress, plot.cpu):
        picture = draw(a_run())
        assert set(xmltodict.parse(picture)) == {"svg"}
        assert b"<script" not in picture
        assert picture == draw(a_run())


def test_cores_in_use_are_the_cpu_time_between_two_looks() -> None:
    assert plot.cores(a_run().samples[:3], [AWS, CONTROLLER]) == [0.3, 0.3]


def test_few_samples_are_drawn_of_many() -> None:
    many = [Sample(float(t), 0, 0, {}) for t in range(1000)]
    assert len(plot.thinned(many)) < 70
    assert plot.thinned(many)[-1] == many[-1]


def test_the_committed_page_is_made_from_the_committed_figures() -> None:
    figures = from_json(page.FIGURES.read_text())
    assert to_json(figures) == page.FIGURES.read_text()
    for name, content in page.files(figures).items():
        assert (page.FOLDER / name).read_bytes() == content, f"{name} is old: make scale ARGS=--page"


@pytest.mark.sandbox
def test_a_small_run_measures_every_part(stage: Stage) -> None:
    place = Place(stage)
    run = runs.ingresses(place, 2, 6, looks=2)
    place.clear()
    assert run.hosts_after > 0
    assert 0 < run.targets_after <= run.samples[-1].at
    assert (run.samples[-1].hosts, run.samples[-1].targets) == (2, 6)
    assert {AWS, CONTROLLER, "etcd", "kube-apiserver", "kwok", "agent"} <= set(run.parts)
    assert all(part["memory"] > 1 for part in run.parts.values())
    assert run.actions["Elastic Load Balancing v2:CreateLoadBalancer"].calls == 2
    assert run.workers["ingress"].busy > 0


@pytest.mark.sandbox
def test_a_small_run_of_bindings_registers_every_pod(stage: Stage) -> None:
    place = Place(stage)
    run = runs.bindings(place, 4, 8, looks=2)
    groups = place.groups()
    stage.kubectl("-n", place.name, "delete", "targetgroupbindings", "--all")
    place.clear()
    for group in groups:
        stage.sandbox.aws("elbv2").delete_target_group(TargetGroupArn=group)
    assert run.samples[-1].targets == 8
    assert run.actions[_REGISTER].calls >= 4
