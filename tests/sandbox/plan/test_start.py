"""What a planner does while it starts."""

import json
import time
from pathlib import Path

import pytest
import yaml

from sandbox.plan.inputs.account import typical
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
    """The folder of templates, empty."""
    monkeypatch.setattr(template.build, "cache", lambda: tmp_path / "tools")
    return tmp_path / "planners"


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


def test_a_template_is_of_one_account_and_one_release_and_grows_old(kept: Path) -> None:
    mine = Template.of(typical(), "3.5.0")
    others = [Template.of(typical(account="111122223333"), "3.5.0"), Template.of(typical(), "3.4.0")]
    assert mine.path not in [other.path for other in others]
    assert mine.read() is None
    kept.mkdir()
    for began, there in ((time.time(), True), (time.time() - 31 * 86400, False)):
        mine.path.write_text(json.dumps({"journal": [{"time": began}]}))
        assert (mine.read() is not None) == there


def test_without_gateways_their_crds_are_left_out() -> None:
    own = release("", {}, lambda _: None)
    some, every = ({d["spec"]["group"] for d in own.definitions(gateways=asked)} for asked in (False, True))
    assert "elbv2.k8s.aws" in some
    assert every - some == {"gateway.k8s.aws", "gateway.networking.k8s.io", "gateway.networking.x-k8s.io"}


def test_what_gives_targets_is_applied_first_and_what_is_refused_of_it_is_reported_once(running: Running) -> None:
    refused = {**pods("refused"), "spec": {"replicas": "two"}}
    given = manifests(yaml.safe_dump_all([service(), refused, ingress(), pods()]), "start")
    running.do(running.plan.begin(given))
    for version, kind, names in (("apps/v1", "Deployment", ["web"]), ("v1", "Service", [])):
        everywhere = running.do(running.plan.planner.kube.list(version, kind))
        assert [o["metadata"]["name"] for o in everywhere if o["metadata"]["namespace"] == "start"] == names
    made = running.make(given)
    assert [problem.subject for problem in made.problems] == ["Deployment start/refused"]
    assert [balancer["owners"] for balancer in made.state["loadBalancers"]] == [["Ingress start/web"]]
