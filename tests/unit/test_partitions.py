import pytest

from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.partitions import controller_image_repository, partition_of


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-west-2", "aws"),
        ("eu-central-1", "aws"),
        ("cn-northwest-1", "aws-cn"),
        ("us-gov-east-1", "aws-us-gov"),
        ("eusc-de-east-1", "aws-eusc"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
    ],
)
def test_a_region_is_of_one_partition(region: str, partition: str) -> None:
    assert partition_of(region) == partition


@pytest.mark.parametrize(
    ("region", "registry"),
    [
        ("us-west-2", "602401143452.dkr.ecr.us-west-2.amazonaws.com"),
        ("af-south-1", "877085696533.dkr.ecr.af-south-1.amazonaws.com"),
        ("us-gov-west-1", "013241004608.dkr.ecr.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "918309763551.dkr.ecr.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_image_comes_from_the_registry_of_the_region(region: str, registry: str) -> None:
    assert controller_image_repository(region, "regional") == f"{registry}/amazon/aws-load-balancer-controller"


def test_a_region_that_is_not_listed_gets_the_public_gallery() -> None:
    assert controller_image_repository("xx-new-1") == "public.ecr.aws/eks/aws-load-balancer-controller"


def test_where_the_public_gallery_cannot_be_reached_a_repository_must_be_given() -> None:
    with pytest.raises(
        InvalidInputError, match=r"'us-iso-east-1' of partition aws-iso .* give an image repository of yours"
    ):
        controller_image_repository("us-iso-east-1")
