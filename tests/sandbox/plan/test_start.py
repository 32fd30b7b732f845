"""What a planner does while it starts."""

import pytest
import yaml

from sandbox.plan.scratch.controller import release
from tests.sandbox.plan.cases import ingress, pods, service
from tests.sandbox.plan.conftest import Running, manifests

pytestmark = pytest.mark.sandbox


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
