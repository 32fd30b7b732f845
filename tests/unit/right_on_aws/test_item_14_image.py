"""Item 14: the controller's image comes from where every release is, unless a stack chooses otherwise."""

import pytest

from eks_load_balancing import InvalidInputError
from eks_load_balancing.partitions import controller_image_repository
from settings import load
from tests.unit.controller.test_load_balancer_controller import controller, values
from tests.unit.test_settings import configured


@pytest.mark.parametrize("region", ["us-west-2", "af-south-1", "mx-central-1", "ap-southeast-7"])
def test_item_14_the_public_gallery_is_the_default_in_every_region_of_aws(region: str) -> None:
    assert values(controller(region=region))["image"]["repository"] == "public.ecr.aws/eks/aws-load-balancer-controller"


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_item_14_other_partitions_have_their_own_registry(region: str) -> None:
    assert ".dkr.ecr." in controller_image_repository(region)


def test_item_14_the_regions_registry_can_be_chosen() -> None:
    chosen = values(controller(image_registry="regional"))["image"]["repository"]

    assert chosen == "602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon/aws-load-balancer-controller"
    assert load(configured(controller={"imageRegistry": "regional"})).controller.image_registry == "regional"


def test_item_14_a_region_without_a_listed_registry_is_refused_when_it_is_chosen() -> None:
    with pytest.raises(InvalidInputError, match="'mx-central-1' of partition aws has no registry listed here"):
        controller(region="mx-central-1", image_registry="regional")
