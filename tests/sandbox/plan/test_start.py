"""What a planner does while it starts."""

import os
import time
from pathlib import Path

import pytest
import yaml

from sandbox.plan.errors import PlanError
from sandbox.plan.inputs.account import typical
from sandbox.plan.scratch import planner as scratch
from sandbox.plan.scratch import template
from sandbox.plan.scratch.controller import release
from sandbox.plan.scratch.planner import Planner
from sandbox.plan.scratch.template import Template
from sandbox.run.state import State
from tests.sandbox.plan.cases import ingress, pods, service
from tests.sandbox.plan.conftest import Running, manifests

pytestmark = pytest.mark.sandbox


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of templates, empty."""
    folder = tmp_path / "planners"
    folder.mkdir()
    monkeypatch.setattr(template, "folder", lambda: folder)
    return folder


def test_the_second_planner_of_an_account_has_the_first_ones_network_and_user_and_nothing_else(
    running: Running, kept: Path, tmp_path: Path
) -> None:
    own, found = release("", {}, lambda _: None), list[tuple[str, dict[str, str]]]()
    for name in ("first", "second"):
        planner = Planner(State.at(tmp_path / name), typical(), lambda _: None, gateways=False)
        try:
            running.do(planner.boot(own, {}))
            found.append((planner.network.vpc, planner.keys))
            assert not running.do(planner.read())["loadBalancers"]
            assert [p["metadata"]["namespace"] for p in running.do(planner.kube.list("v1", "Pod"))] == ["kube-system"]
        finally:
            running.do(planner.close())
            planner.down()
    assert found[0] == found[1]
    (file,) = kept.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_controller_that_does_not_become_ready_is_reported_with_what_its_pod_says(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def report(line: str) -> None:
        if line.endswith("starting the controller"):
            monkeypatch.setattr(scratch, "_BOOT_SECONDS", 5.0)

    broken = tmp_path / "controller"
    broken.write_text("#!/bin/sh\necho no such flag >&2\nexit 3\n")
    broken.chmod(0o700)
    own, planner = release("", {}, lambda _: None), Planner(State.at(tmp_path / "s"), typical(), report, gateways=False)
    try:
        with pytest.raises(PlanError) as told:
            running.do(planner.boot(own, {"controller": str(broken)}))
    finally:
        running.do(planner.close())
        planner.down()
    message = str(told.value)
    assert message.startswith(f"controller {own.version} is not ready after 5 s: Pod kube-system/")
    assert '"exitCode": 3' in message
    assert "no such flag" in message
    assert "\n" not in message


@pytest.mark.usefixtures("kept")
def test_a_template_is_of_one_account_and_one_release_and_is_not_used_when_old_or_damaged() -> None:
    mine = Template.of(typical(), "3.5.0")
    others = [Template.of(typical(account="111122223333"), "3.5.0"), Template.of(typical(), "3.4.0")]
    assert mine.path not in [other.path for other in others]
    assert mine.read() is None
    for text, days, read in (('{"a": 1}', 29, {"a": 1}), ('{"a": 1}', 31, None), ('{"a"', 0, None)):
        mine.path.write_text(text)
        written = time.time() - days * 86400
        os.utime(mine.path, (written, written))
        assert mine.read() == read


def test_without_gateways_their_crds_are_left_out() -> None:
    own = release("", {}, lambda _: None)
    some, every = ({d["spec"]["group"] for d in own.definitions(gateways=asked)} for asked in (False, True))
    assert "elbv2.k8s.aws" in some
    assert every - some == {"gateway.k8s.aws", "gateway.networking.k8s.io", "gateway.networking.x-k8s.io"}


def test_workloads_are_applied_first_and_what_is_refused_of_them_is_reported_once(running: Running) -> None:
    refused = {**pods("refused"), "spec": {"replicas": "two"}}
    given = manifests(yaml.safe_dump_all([service(), refused, ingress(), pods()]), "start")
    running.do(running.plan.start_pods(given))
    for version, kind, names in (("apps/v1", "Deployment", ["web"]), ("v1", "Service", [])):
        everywhere = running.do(running.plan.planner.kube.list(version, kind))
        assert [o["metadata"]["name"] for o in everywhere if o["metadata"]["namespace"] == "start"] == names
    made = running.make(given)
    assert [problem.subject for problem in made.problems] == ["Deployment start/refused"]
    assert [balancer["owners"] for balancer in made.state["loadBalancers"]] == [["Ingress start/web"]]
