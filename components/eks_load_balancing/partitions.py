"""AWS partitions: what an ARN begins with, and where Amazon keeps the images of its EKS add-ons."""

from typing import Final

from eks_load_balancing.errors import InvalidInputError

# https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
_PARTITION_BY_PREFIX: Final = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "eusc-": "aws-eusc",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
}

# https://docs.aws.amazon.com/eks/latest/userguide/add-ons-images.html
_REGISTRY_OF_MOST: Final = "602401143452"
_MOST: Final = frozenset({
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1",
    "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3",
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
})  # fmt: skip
_REGISTRY_BY_REGION: Final = {
    "af-south-1": "877085696533",
    "ap-east-1": "800184023465",
    "ap-south-2": "900889452093",
    "ap-southeast-3": "296578399912",
    "ap-southeast-4": "491585149902",
    "ca-west-1": "761377655185",
    "eu-central-2": "900612956339",
    "eu-south-1": "590381155156",
    "eu-south-2": "455263428931",
    "il-central-1": "066635153087",
    "me-central-1": "759879836304",
    "me-south-1": "558608220178",
    "us-gov-east-1": "151742754352",
    "us-gov-west-1": "013241004608",
    "cn-north-1": "918309763551",
    "cn-northwest-1": "961992271922",
}
_DNS_SUFFIX: Final = {"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}


def partition_of(region: str) -> str:
    """Return the partition of a region: `aws`, `aws-cn`, `aws-us-gov` or one of the isolated ones."""
    return next((p for prefix, p in _PARTITION_BY_PREFIX.items() if region.startswith(prefix)), "aws")


IMAGE_REGISTRIES: Final = ("public", "regional")
PUBLIC_IMAGE: Final = "public.ecr.aws/eks/aws-load-balancer-controller"
"""The chart's own default: every release is there on its first day."""


def controller_image_repository(region: str, registry: str = IMAGE_REGISTRIES[0]) -> str:
    """Return the repository from which Amazon serves the controller's image.

    `public` is the public gallery in the partition `aws`. Other partitions may not reach it, so there it is the
    region's own registry. `regional` is the region's registry: nodes pull from it with their own role, through an ECR
    endpoint if the VPC has one, and without the limits of the public gallery; but a release may arrive there later, or
    never.

    Args:
        region: such as `us-west-2`.
        registry: `public` or `regional`.

    Raises:
        InvalidInputError: the region's registry is wanted, but not listed.
    """
    partition = partition_of(region)
    if partition == "aws" and registry == IMAGE_REGISTRIES[0]:
        return PUBLIC_IMAGE
    account = _REGISTRY_OF_MOST if region in _MOST else _REGISTRY_BY_REGION.get(region)
    if account:
        return f"{account}.dkr.ecr.{region}.{_DNS_SUFFIX[partition]}/amazon/aws-load-balancer-controller"
    raise InvalidInputError(
        f"region {region!r} of partition {partition} has no registry listed here: give an image"
        " repository of yours that holds the controller's image",
        key="image_repository",
    )
