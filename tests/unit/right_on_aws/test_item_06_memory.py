"""Item 6: the controller's memory limit kills it at no common size, and can be set."""

import pytest

from eks_load_balancing import InvalidInputError
from settings import load
from tests.unit.controller.test_load_balancer_controller import controller, values
from tests.unit.test_settings import configured, refused


def test_item_6_the_default_limit_is_above_what_the_controller_was_reported_to_use() -> None:
    resources = values(controller())["resources"]

    assert resources["limits"]["memory"].endswith("Gi")
    assert int(resources["limits"]["memory"].removesuffix("Gi")) > 7
    assert resources["requests"]["memory"] == "200Mi"


def test_item_6_request_and_limit_are_settings() -> None:
    set_here = {"memory_request": "512Mi", "memory_limit": "2Gi"}

    assert values(controller(**set_here))["resources"] == {
        "requests": {"cpu": "100m", "memory": "512Mi"},
        "limits": {"memory": "2Gi"},
    }
    arguments = load(configured(controller={"memoryRequest": "512Mi", "memoryLimit": "2Gi"})).controller.arguments
    assert set_here.items() <= arguments.items()


def test_item_6_what_is_no_amount_of_memory_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="memory limit '2 GB' is not an amount of memory"):
        controller(memory_limit="2 GB")
    assert "'500' is not an amount" in refused(controller={"memoryLimit": "500"})
