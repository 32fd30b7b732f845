"""Item 11: another role restarts the controller's pods; a tag that would break their start is refused."""

from typing import Any

import pulumi
import pytest

from eks_load_balancing import InvalidInputError, LoadBalancerController
from fixtures.declared import UNKNOWN, declare
from tests.unit.controller.test_load_balancer_controller import ARGS, controller, values
from tests.unit.test_settings import refused


def marks(role: str | None = None, *, preview: bool = False) -> dict[str, Any]:
    made = {"lbc-identity-role": {"arn": role}} if role else None
    declared = declare(lambda: LoadBalancerController("lbc", ARGS) and None, made=made, preview=preview)
    given = declared.one(":Chart").inputs["values"]
    return given.get("value", given)["podAnnotations"]


def test_item_11_another_role_is_another_pod() -> None:
    assert marks("arn:one") != marks("arn:another")


def test_item_11_a_role_that_is_yet_to_be_made_leaves_the_chart_rendered() -> None:
    assert marks(UNKNOWN, preview=True).keys() == marks().keys()


@pytest.mark.parametrize(
    ("key", "value"),
    [("cost", "a,b"), ("a=b", "c"), ("q", 'say "x"'), ("y", "team: web"), ("end", "x "), ("end", "x:"), ("\n", "a")],
)
def test_item_11_a_tag_that_would_break_the_controllers_start_is_refused(key: str, value: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be on load balancers: give letters"):
        controller(tags={key: value})
    line = refused(tags={key: value})
    assert line.startswith("eks-load-balancing:tags: tag ")
    assert "\n" not in line


@pytest.mark.parametrize("value", ["a=b", "a b", "owner@example.com", "a:b/c_d-e.f+g", ""])
def test_item_11_every_other_tag_reaches_the_controller(value: str) -> None:
    """Pflag splits a pair at the first equals sign alone."""
    assert values(controller(tags={"team": value}))["defaultTags"] == {"team": value}


def test_item_11_a_tag_that_is_known_later_is_checked_then() -> None:
    def program() -> None:
        LoadBalancerController("lbc", {**ARGS, "tags": pulumi.Output.from_input({"cost": "a,b"})})

    with pytest.raises(ValueError, match="tag 'cost'='a,b' cannot be on load balancers"):
        declare(program)
