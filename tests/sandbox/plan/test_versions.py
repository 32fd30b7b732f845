"""A move to another release of the controller."""

import pytest
import yaml

from sandbox.plan.result.changes import difference
from sandbox.plan.scratch.controller import NAMESPACE, RELEASE, Release, release
from tests.sandbox.plan.cases import ingress, pods, service
from tests.sandbox.plan.conftest import Running, manifests

pytestmark = pytest.mark.sandbox


def test_a_move_to_another_release_is_planned_with_its_chart_and_its_policy(running: Running) -> None:
    """The same program under both versions: all load balancers are looked at again, and nothing changes."""
    given = manifests(yaml.safe_dump_all([pods(), service(), ingress()]), "versions")
    before = running.make(given)
    own = release("", {}, lambda _: None)
    running.do(running.plan.move(Release("3.5.0", own.executable)))
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{RELEASE}"
    deployment = running.do(running.plan.planner.kube.api.get(path))
    assert running.plan.since < int(deployment["metadata"]["resourceVersion"]), "what it reported first would not count"
    after = running.make(given)
    assert not after.problems
    assert not after.silent
    assert difference(before.state, after.state).empty
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":v3.5.0")
