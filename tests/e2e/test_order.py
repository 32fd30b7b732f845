"""The order of resources in the engine's state: it creates and deletes in this order, on AWS and here.

A Service created while no controller answers is refused ("no endpoints available for service"): the API server calls
the chart's webhooks for every Service from the moment that they are registered.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Sandbox

pytestmark = pytest.mark.sandbox

_ASKING = ("kubernetes:core/v1:Service", "kubernetes:networking.k8s.io/v1:Ingress", "kubernetes:apps/v1:Deployment")


class State:
    """The stack's resources, and what each depends on."""

    def __init__(self, stack: Sandbox) -> None:
        exported = json.loads(stack.run("pulumi", "stack", "export", "--stack", "sandbox"))
        self.resources: dict[str, dict[str, Any]] = {r["urn"]: r for r in exported["deployment"]["resources"]}

    def of(self, *kinds: str) -> list[str]:
        """The URNs of resources with some types."""
        return [urn for urn, r in self.resources.items() if r["type"] in kinds]

    def within(self, urn: str, ancestor: str) -> bool:
        """Whether a resource is `ancestor` or one of its descendants."""
        return urn == ancestor or ((up := self.resources[urn].get("parent")) is not None and self.within(up, ancestor))

    def waited_for(self, urn: str) -> set[str]:
        """What a resource depends on, directly or not; these are deleted only after it."""
        found, ahead = set[str](), [urn]
        while ahead:
            news = set(self._needed(ahead.pop())) - found
            found |= news
            ahead += news
        return found

    def _needed(self, urn: str) -> Iterator[str]:
        """Its parent and its dependencies; a component includes its children at that time."""
        resource, before = self.resources[urn], list(self.resources)[: list(self.resources).index(urn)]
        if parent := resource.get("parent"):
            yield parent
        for named in resource.get("dependencies") or []:
            yield from (each for each in before if self.within(each, named))


@pytest.fixture(scope="module")
def state(stack: Sandbox) -> State:
    return State(stack)


def test_whatever_asks_for_a_load_balancer_waits_for_all_of_the_controller(state: State) -> None:
    (chart,) = state.of("kubernetes:helm.sh/v4:Chart")
    parts = {urn for urn in state.resources if state.within(urn, chart)}
    assert any("apps/v1:Deployment" in urn for urn in parts)
    asking = [urn for urn in state.of(*_ASKING) if urn not in parts]
    assert len(asking) == 5  # two samples: two Deployments, two Services, an Ingress
    for urn in asking:
        assert parts <= state.waited_for(urn), urn


def test_the_controller_waits_for_its_role_and_the_role_for_its_policy(state: State) -> None:
    """So on the way down they exist until the controller is gone."""
    (deployment,) = [urn for urn in state.of("kubernetes:apps/v1:Deployment") if "Chart" in urn]
    roles = [
        u
        for u in state.of("aws:iam/role:Role", "aws:iam/rolePolicyAttachment:RolePolicyAttachment")
        if "LoadBalancerController" in u
    ]
    assert len(roles) == 2
    assert set(roles) <= state.waited_for(deployment)
