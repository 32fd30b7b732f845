"""Changes behind the controller's back are repaired at the next comparison with AWS.

Targets are no part of it: the controller reads them from a cache, for five minutes.
https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/v3.2.2/pkg/targetgroupbinding/targets_manager.go
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.run.processes import wait_until
from tests.conformance.player import Player
from tests.conformance.stage import ALONE, CASES, Stage
from tests.sandbox.controller.campaign import footprint, written

pytestmark = [pytest.mark.sandbox, pytest.mark.soak]


class Drift:
    """Changes a controller's resources behind its back."""

    def __init__(self, stage: Stage) -> None:
        self.elb, self.ec2, self._stage = stage.sandbox.aws("elbv2"), stage.sandbox.aws("ec2"), stage

    @property
    def _balancer(self) -> str:
        (arn,) = footprint(self._stage)["load balancers"]
        return arn

    @property
    def _listener(self) -> str:
        (found,) = self.elb.describe_listeners(LoadBalancerArn=self._balancer)["Listeners"]
        return found["ListenerArn"]

    def _rules(self) -> list[dict[str, Any]]:
        rules = self.elb.describe_rules(ListenerArn=self._listener)["Rules"]
        return [r for r in rules if not r["IsDefault"]]

    def _group(self) -> str:
        return footprint(self._stage)["target groups"][0]

    def rule_deleted(self) -> None:
        self.elb.delete_rule(RuleArn=self._rules()[0]["RuleArn"])

    def rule_changed(self) -> None:
        elsewhere = [{"Field": "path-pattern", "Values": ["/elsewhere"]}]
        self.elb.modify_rule(RuleArn=self._rules()[1]["RuleArn"], Conditions=elsewhere)

    def health_check_changed(self) -> None:
        self.elb.modify_target_group(TargetGroupArn=self._group(), HealthCheckPath="/elsewhere")

    def listener_deleted(self) -> None:
        self.elb.delete_listener(ListenerArn=self._listener)

    def load_balancer_deleted(self) -> None:
        self.elb.delete_load_balancer(LoadBalancerArn=self._balancer)

    def inbound_rule_revoked(self) -> None:
        (balancer,) = self.elb.describe_load_balancers(LoadBalancerArns=[self._balancer])["LoadBalancers"]
        groups = self.ec2.describe_security_groups(GroupIds=balancer["SecurityGroups"])["SecurityGroups"]
        open_to_all = next(g for g in groups if any(p["IpRanges"] for p in g["IpPermissions"]))
        self.ec2.revoke_security_group_ingress(
            GroupId=open_to_all["GroupId"], IpPermissions=open_to_all["IpPermissions"]
        )

    def delete_group(self, group: str) -> None:
        self.elb.delete_listener(ListenerArn=self._listener)
        self.elb.delete_target_group(TargetGroupArn=group)


_DRIFTS = (
    *("rule_deleted", "rule_changed", "health_check_changed", "listener_deleted"),
    *("load_balancer_deleted", "inbound_rule_revoked"),
)


class Drifting:
    """One Ingress, converged, with a controller that compares with AWS every two seconds."""

    def __init__(self, stage: Stage, player: Player) -> None:
        self.drift, self.player = Drift(stage), player
        self.wanted = json.loads((CASES / player.case / "1.json").read_text())


@pytest.fixture(scope="module")
def drifting(stage: Stage) -> Iterator[Drifting]:
    before = footprint(stage)
    with pytest.MonkeyPatch.context() as patch, stage.controlled(ALONE, "--sync-period=2s"):
        player = Player(stage, "ingress-paths-hosts", patch)
        stage.kubectl("create", "namespace", player.namespace)
        player.send("apply", player.fill_in((CASES / player.case / "1.yaml").read_text()))
        made = Drifting(stage, player)
        assert player.settled(made.wanted) == made.wanted
        yield made
        player.clean()
        assert wait_until(lambda: footprint(stage) == before, 180, 0.5), (before, footprint(stage))


@pytest.mark.parametrize("name", _DRIFTS)
def test_what_was_changed_behind_its_back_is_repaired_at_the_next_comparison(drifting: Drifting, name: str) -> None:
    stage = drifting.player.stage
    before = written(stage)
    getattr(drifting.drift, name)()
    assert drifting.player.settled(drifting.wanted) == drifting.wanted
    assert written(stage) > before, "nothing was there to repair"


def test_a_deleted_target_group_comes_back_once_its_binding_is_deleted(drifting: Drifting) -> None:
    """Not before: the binding of the new group has the old one's name, which is still in use.

    https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3493
    """
    stage, namespace = drifting.player.stage, drifting.player.namespace
    (binding, *_) = stage.get("targetgroupbinding", "-n", namespace)["items"]
    name = binding["metadata"]["name"]
    drifting.drift.delete_group(binding["spec"]["targetGroupARN"])

    def refused() -> bool:
        return any(f'"{name}" already exists' in event["message"] for event in stage.events(namespace))

    assert wait_until(refused, 120, 0.5), stage.events(namespace)
    stage.kubectl("-n", namespace, "delete", "targetgroupbinding", name, "--timeout=180s")
    assert drifting.player.settled(drifting.wanted) == drifting.wanted
