"""`make verify` on a running stack in the sandbox: it passes, and it finds an added difference."""

import re
import sys
from pathlib import Path

import pytest

from tests.conftest import Sandbox

pytestmark = pytest.mark.sandbox

_CLUSTER = "sandbox"


def verified(stack: Sandbox, *more: str) -> str:
    command = (sys.executable, "-m", "eks_load_balancing.verify", "--cluster", _CLUSTER, *more)
    return stack.run(*command, check=False, timeout=600)


def test_item_15_a_stack_that_is_up_works_and_equals_itself(stack: Sandbox, tmp_path: Path) -> None:
    first = verified(stack, "--stack", "sandbox", "--output", str(tmp_path / "first.txt"))
    lines = first.splitlines()

    assert "ok   a second preview changes nothing" in lines
    # Without real packets nobody answers at the load balancers' names.
    assert [line for line in lines if line.startswith("FAIL") and "does not answer" not in line] == []
    assert not re.search(r"\b\d{12}\b|arn:|\d+\.\d+\.\d+\.\d+|k8s-", "\n".join(lines))
    assert "here:" not in verified(stack, "--stack", "sandbox", "--against", str(tmp_path / "first.txt"))


def test_item_15_a_target_that_was_taken_out_is_seen(stack: Sandbox, tmp_path: Path) -> None:
    verified(stack, "--output", str(tmp_path / "first.txt"))
    elb = stack.aws("elbv2")
    (group, *_) = elb.describe_target_groups()["TargetGroups"]
    described = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
    taken = [{"Id": described[0]["Target"]["Id"], "Port": described[0]["Target"]["Port"]}]
    elb.deregister_targets(TargetGroupArn=group["TargetGroupArn"], Targets=taken)
    try:
        said = verified(stack, "--against", str(tmp_path / "first.txt"))
    finally:
        elb.register_targets(TargetGroupArn=group["TargetGroupArn"], Targets=taken)

    assert "1 healthy targets, 2 ready pods" in said
    assert "here:  FAIL load balancer" in said
