"""The valid plain values of an argument, by the argument's name, which means the same in every component.

The settings of a stack have the same names, so the program refuses a bad one before it declares any component.
"""

import re
from collections.abc import Callable, Collection, Mapping
from ipaddress import IPv4Network
from typing import Any, Final, cast

from eks_load_balancing import errors
from eks_load_balancing.errors import InvalidInputError

ADDONS: Final = ("vpc-cni", "kube-proxy", "coredns", "eks-pod-identity-agent")
"""Those that a `Cluster` installs."""
LONGEST_DELAY: Final = 3600
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html"""
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
MOST_PODS: Final = 1000
"""Targets that a target group takes, by default:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html"""
MOST_NODES: Final = 450
"""Nodes that a managed node group has: https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html"""
LARGEST_DISK: Final = 65536
"""GiB of a gp3 volume: https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html"""
LAST_PORT: Final = 65535
_TAG_KEY_LENGTH: Final = 128
_TAG_VALUE_LENGTH: Final = 256
_MOST_TAGS: Final = 47
"""AWS takes 50 on a resource; the components and the controller add up to three of their own."""

_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>\d{12}|aws|):(?P<resource>\S+)"
)
_IDENTIFIER: Final = r"[0-9A-Za-z-]+"
_NAME: Final = r"[\w+=,.@/-]+"
_INSTANCE_TYPE: Final = re.compile(
    r"(?P<family>(u-\d+tb1|[a-z]+[a-z0-9]*(-[a-z0-9]+)?))\.(nano|micro|small|medium|large|\d*xlarge|metal(-\d+xl)?)"
)
_GENERATION: Final = re.compile(r"[a-z]+\d+(?P<attributes>[a-z]*)(?P<more>-[a-z0-9]+)?")
_REGION: Final = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}")
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
_ROLE_NAME: Final = re.compile(r"[\w+=,.@-]{1,64}")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET: Final = re.compile(r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?<!-s3alias)(?<!--ol-s3)")
_ADDRESS: Final = re.compile(r"\d+\.\d+\.\d+\.\d+")
# https://github.com/distribution/reference/blob/main/regexp.go
_REPOSITORY: Final = re.compile(
    r"([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d+)?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
)
_IMAGE: Final = re.compile(rf"{_REPOSITORY.pattern}(:\w[\w.-]{{0,127}})?(@[A-Za-z0-9+._-]+:[0-9a-fA-F]{{32,}})?")
# https://docs.aws.amazon.com/eks/latest/userguide/updating-an-add-on.html
_ADDON_VERSION: Final = re.compile(r"default|latest|eks|v\d+\.\d+\.\d+-eksbuild\.\d+")
# The private networks' ranges: EKS does not accept them for the public endpoint.
_PRIVATE: Final = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


def check_form(name: str, value: Any) -> None:
    """Refuse a value that is invalid for every argument with this name. Outputs pass, because they are not known yet.

    Args:
        name: the argument's, such as `inbound_cidrs`.
        value: its value, of the right type; in a list each item is checked.

    Raises:
        InvalidInputError: one line with the value and what to give instead.
    """
    each = _EACH.get(name)
    if each is not None:
        items = cast(Collection[Any], value) if isinstance(value, (list, tuple)) else (value,)
        for item in items:
            if isinstance(item, (str, int, float)):
                each(item)
    whole = _WHOLE.get(name)
    if whole is not None and isinstance(value, (list, tuple, Mapping)):
        whole(value)


def region_of_arn(name: str, value: object) -> str:
    """Return the region in a plain ARN that an argument of this name has; empty if it has none."""
    match = _ARN.fullmatch(value) if name.endswith(("_arn", "_arns")) and isinstance(value, str) else None
    return match["region"] if match else ""


def ipv4_range(value: str) -> IPv4Network:
    """Return an IPv4 range in CIDR notation, or explain why it is invalid."""
    try:
        network = IPv4Network(value) if "/" in value else None
    except ValueError as error:
        raise InvalidInputError(f"{value!r} is not an IPv4 range ({error}): give one such as 203.0.113.0/24") from None
    if network is None:
        raise InvalidInputError(f"{value!r} is not an IPv4 range: give one such as 203.0.113.0/24")
    return network


def processor(instance_type: str) -> str:
    """Return the architecture of an instance type: `arm64` (Graviton and Grace) or `x86_64`.

    https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html

    Raises:
        InvalidInputError: it is not an instance type.
    """
    match = _INSTANCE_TYPE.fullmatch(instance_type)
    family = match["family"] if match else ""
    if family.startswith("u-"):
        return "x86_64"
    generation = _GENERATION.match(family)
    if generation is None:
        raise InvalidInputError(f"{instance_type!r} is not an EC2 instance type: give one such as m7i.large")
    graviton = "g" in generation["attributes"] or (generation["more"] or "").startswith("-gb")
    return "arm64" if graviton or family == "a1" else "x86_64"


def _public_range(value: str) -> None:
    network = ipv4_range(value)
    if any(network.subnet_of(private) for private in _PRIVATE):
        raise InvalidInputError(
            f"{value!r} is a private range, which EKS does not take for its public endpoint: give a public one"
        )


def _arn(service: str, resource: str, example: str) -> Callable[[str], None]:
    shape = re.compile(resource)

    def check(value: str) -> None:
        match = _ARN.fullmatch(value)
        regional = service != "iam"
        if (
            match is None
            or match["service"] != service
            or not shape.fullmatch(match["resource"])
            or bool(match["region"]) != regional
            or not match["account"]
            or (match["account"] == "aws" and not example.startswith("policy/"))
        ):
            region = "us-west-2" if regional else ""
            raise InvalidInputError(
                f"{value!r} is not the ARN of {_A[example]}: give one such as"
                f" arn:aws:{service}:{region}:111122223333:{example}"
            )

    return check


_A: Final = {
    "role/NAME": "an IAM role",
    "role/NAME or user/NAME": "an IAM role or user",
    "policy/NAME": "an IAM policy",
    "key/ID": "a KMS key",
    "certificate/ID": "an ACM certificate",
    "regional/webacl/NAME/ID": "a regional WAF web ACL",
    "targetgroup/NAME/ID": "a target group",
}
_CERTIFICATE: Final = _arn("acm", rf"certificate/{_IDENTIFIER}", "certificate/ID")
_ROLE: Final = _arn("iam", f"role/{_NAME}", "role/NAME")


def _matches(shape: re.Pattern[str], what: str, example: str) -> Callable[[str], None]:
    def check(value: str) -> None:
        if not shape.fullmatch(value):
            raise InvalidInputError(f"{value!r} is not {what}: give one such as {example}")

    return check


def _between(low: int, high: int) -> Callable[[float], None]:
    def check(value: float) -> None:
        if not low <= value <= high:
            raise InvalidInputError(f"{value} is not between {low} and {high}: give a whole number that is")

    return check


def _retention(days: int) -> None:
    if days not in RETENTION_DAYS:
        known = ", ".join(map(str, RETENTION_DAYS))
        raise InvalidInputError(f"{days} is not a number of days that CloudWatch knows: give one of {known}")


def _bucket(name: str) -> None:
    if not _BUCKET.fullmatch(name) or ".." in name or _ADDRESS.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} is not a bucket's name: give 3 to 63 small letters, digits, dashes and dots, beginning and"
            " ending with a letter or digit"
        )


def _host(value: str) -> None:
    try:
        errors.subdomain(value.removeprefix("*."), "host")
    except InvalidInputError:
        raise InvalidInputError(
            f"{value!r} is not a host's name: give one such as web.example.com, without scheme, port or path"
        ) from None


def _path(value: str) -> None:
    if not value.startswith("/") or any(letter.isspace() for letter in value):
        raise InvalidInputError(f"{value!r} is not a path: give one that begins with / and has no spaces")


def _once(values: Collection[Any]) -> None:
    seen: list[Any] = []
    for value in values:
        if isinstance(value, str) and value in seen:
            raise InvalidInputError(f"{value!r} is named twice: name it once")
        seen.append(value)


def _tags(tags: Mapping[str, Any]) -> None:
    if len(tags) > _MOST_TAGS:
        raise InvalidInputError(f"{len(tags)} tags are more than AWS takes: give {_MOST_TAGS} or fewer")
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            raise InvalidInputError(f"tag {key!r} begins with aws:, which is AWS's own: give another key")
        if not 1 <= len(key) <= _TAG_KEY_LENGTH:
            raise InvalidInputError(f"tag {key!r} has {len(key)} characters: give a key of 1 to {_TAG_KEY_LENGTH}")
        if isinstance(value, str) and len(value) > _TAG_VALUE_LENGTH:
            raise InvalidInputError(
                f"tag {key!r} has a value of {len(value)} characters: give {_TAG_VALUE_LENGTH} or fewer"
            )


def check_addon_version(addon: str, version: str) -> None:
    """Refuse what is no version of an add-on."""
    if not _ADDON_VERSION.fullmatch(version):
        raise InvalidInputError(
            f"{addon} {version!r} is not an add-on's version: give default, latest, eks, or one such as"
            " v1.13.1-eksbuild.1",
            key="addons",
        )


def _addon_versions(versions: Mapping[str, Any]) -> None:
    for addon, version in versions.items():
        if addon not in ADDONS:
            raise InvalidInputError(f"add-on {addon!r} is not installed here: give some of {', '.join(ADDONS)}")
        if isinstance(version, str):
            check_addon_version(addon, version)


_EACH: Final[Mapping[str, Callable[[Any], object]]] = {
    "access_logs_bucket": _bucket,
    # An account's root can have an access entry: EKS creates one for a cluster that root creates.
    "admin_arns": _arn("iam", f"(role|user)/{_NAME}|root", "role/NAME or user/NAME"),
    "assumable_role_arns": _ROLE,
    "alternative_hosts": _host,
    "bucket_name": _bucket,
    "certificate_arn": _CERTIFICATE,
    "certificate_arns": _CERTIFICATE,
    "cluster_name": errors.cluster_name,
    "container_port": _between(1, LAST_PORT),
    "deregistration_delay": _between(0, LONGEST_DELAY),
    "desired_size": _between(0, MOST_NODES),
    "eip_allocation_ids": _matches(
        re.compile(r"eipalloc-[0-9a-f]+"), "an allocation of an address", "eipalloc-0a1b2c3d"
    ),
    "disk_size": _between(1, LARGEST_DISK),
    "health_check_path": _path,
    "host": _host,
    "image": _matches(_IMAGE, "a container image", "public.ecr.aws/nginx/nginx-unprivileged:1.28-alpine"),
    "image_repository": _matches(_REPOSITORY, "an image repository without a tag", "registry.example.com/controller"),
    "inbound_cidrs": ipv4_range,
    "instance_types": processor,
    "kubeconfig_role_arn": _ROLE,
    "log_retention_days": _retention,
    "max_size": _between(1, MOST_NODES),
    "min_size": _between(0, MOST_NODES),
    "namespace": errors.namespace,
    "permissions_boundary_arn": _arn("iam", f"policy/{_NAME}", "policy/NAME"),
    "policy_arns": _arn("iam", f"policy/{_NAME}", "policy/NAME"),
    "path": _path,
    "port": _between(1, LAST_PORT),
    "private_ipv4_addresses": _matches(_ADDRESS, "an IPv4 address", "10.0.0.10"),
    "public_access_cidrs": _public_range,
    "region": _matches(_REGION, "a region", "us-west-2"),
    "replicas": _between(0, MOST_PODS),
    "role_arn": _ROLE,
    "role_name": _matches(_ROLE_NAME, "a role's name", "load-balancer-controller"),
    "secrets_key_arn": _arn("kms", rf"key/{_IDENTIFIER}", "key/ID"),
    "service_port": _between(1, LAST_PORT),
    "shared_target_group_arns": _arn(
        "elasticloadbalancing", rf"targetgroup/{_IDENTIFIER}/{_IDENTIFIER}", "targetgroup/NAME/ID"
    ),
    "user_id": _between(1, 2**31 - 1),
    "web_acl_arn": _arn("wafv2", rf"regional/webacl/[\w-]+/{_IDENTIFIER}", "regional/webacl/NAME/ID"),
}
_WHOLE: Final[Mapping[str, Callable[[Any], None]]] = {
    "addon_versions": _addon_versions,
    "admin_arns": _once,
    "disabled_features": _once,
    "instance_types": _once,
    "policy_arns": _once,
    "tags": _tags,
}
