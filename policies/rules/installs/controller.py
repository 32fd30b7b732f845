"""The AWS Load Balancer Controller's installation, by chart or by Deployment: its image and its settings."""

import base64
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from kinds.installs import CHART, CONTROLLER, RELEASE, ReleasedController
from kinds.kubernetes import objects
from kinds.versions import version
from pack.controls import BY_CONTROLLER, CONTROLLER_DOCS, INSTALLATION, INSTANCE_PROFILE, TENANTS, cis, guide
from pack.properties import Edit
from pack.registry import MEDIUM, Messages, Stack, number, rule, text, texts
from pack.values import Unknown, dig, truth, unknown

_CONFIGURATION = f"{CONTROLLER_DOCS}/deploy/configurations/"
# Amazon's accounts that serve EKS images; any account may have a repository of that name.
# https://docs.aws.amazon.com/eks/latest/userguide/add-ons-images.html
_ACCOUNTS = (
    "602401143452",
    "877085696533",
    "800184023465",
    "900889452093",
    "296578399912",
    "491585149902",
    "761377655185",
    "900612956339",
    "590381155156",
    "455263428931",
    "066635153087",
    "759879836304",
    "558608220178",
    "151742754352",
    "013241004608",
)
_ACCOUNTS_CN = ("918309763551", "961992271922")

_on_controller = partial(rule, on=CONTROLLER)


@_on_controller(
    instead="Set the chart's region, vpcId (or vpcTags) and clusterName",
    source=_CONFIGURATION,
    severity=MEDIUM,
    controls=[INSTANCE_PROFILE],
    flags=texts(["aws-region", "cluster-name"], "the flags that must be set besides the VPC's"),
    vpc_flags=texts(["aws-vpc-id", "aws-vpc-tags"], "the flags of which one must say the VPC"),
    region_variables=texts(["AWS_DEFAULT_REGION", "AWS_REGION"], "environment variables that say the region as well"),
)
def controller_knows_region_vpc_and_cluster(
    controller: Any, *, flags: list[str], vpc_flags: list[str], region_variables: list[str]
) -> Messages:
    """The controller gets its region, VPC and cluster name.

    It asks the instance metadata service for what it is not told. Pods must not reach that, so it does not start. With
    a wrong cluster name it treats another cluster's load balancers as its own.
    """
    for flag in flags:
        if flag == "aws-region" and any(_given(controller.variable(name)) for name in region_variables):
            continue
        if not _given(controller.flag(flag)):
            yield f"{controller.title} does not say --{flag}"
    if not any(_given(controller.flag(flag)) for flag in vpc_flags):
        yield f"{controller.title} does not say which VPC"


def _given(value: Any) -> bool:
    return isinstance(value, Unknown) or bool(value)


@_on_controller(
    instead="Install the newest version of chart and controller",
    source="https://github.com/kubernetes-sigs/aws-load-balancer-controller/security/advisories",
    controls=[guide("security/image", "Update the packages in your container images")],
    floor=text("2.8.2", "the oldest version allowed"),
    vulnerabilities=texts(
        [
            "2.8.2 GHSA-rjfv-pjvx-mjgv: takes foreign web ACLs off load balancers",
            "3.3.0 one binding's assumed role served another binding with the same role and another external id",
            "3.4.2 a route of one kind took another's traffic on the same host name",
            "3.5.0 two multicluster bindings with colliding names shared one cache entry",
        ],
        "known vulnerabilities: the version that fixes it, then what it is",
    ),
)
def controller_is_out_of_known_vulnerabilities(controller: Any, *, floor: str, vulnerabilities: list[str]) -> Messages:
    """The controller's version is at or above the floor and has no known vulnerabilities.

    The controller decides what the internet reaches, and may change security groups and web ACLs.
    """
    tag = _tag(controller.image)
    running = version(tag)
    if not running:
        return  # controller-image-is-pinned asks for a version
    if running < version(floor):
        yield f"{controller.title} has version {tag}, older than {floor}"
    for entry in vulnerabilities:
        fixed, _, what = entry.partition(" ")
        if running < version(fixed):
            yield f"{controller.title} has version {tag}: before {fixed}, {what}"


def _tag(image: Any) -> str:
    if isinstance(image, Unknown):
        str(image)
    return str(image or "").partition("@")[0].rpartition("/")[2].partition(":")[2]


@_on_controller(
    instead="Name the version in image.tag (vX.Y.Z) or a digest, and the chart's version",
    severity=MEDIUM,
    controls=[guide("security/image", "Use immutable tags with ECR")],
    min_parts=number(3, "how many numbers a tag must have"),
)
def controller_image_is_pinned(controller: Any, *, min_parts: float) -> Messages:
    """The controller's image is pinned to a version or digest.

    With a moving tag the next restart installs a version that nobody reviewed, without its CRDs and permissions.
    """
    image = controller.image
    if unknown(image):
        return
    if "@sha256:" not in str(image) and len(version(_tag(image))) < min_parts:
        yield f"{controller.title} uses the image {image}"


@_on_controller(
    instead="Use public.ecr.aws/eks/aws-load-balancer-controller or your region's registry of EKS images",
    source="https://docs.aws.amazon.com/eks/latest/userguide/add-ons-images.html",
    controls=[cis("5.1.4"), guide("security/image", "Create a set of curated images")],
    registries=texts(
        [
            "public.ecr.aws/eks/aws-load-balancer-controller",
            *(f"{account}.dkr.ecr.*.amazonaws.com/amazon/aws-load-balancer-controller" for account in _ACCOUNTS),
            *(f"{account}.dkr.ecr.*.amazonaws.com.cn/amazon/aws-load-balancer-controller" for account in _ACCOUNTS_CN),
        ],
        "patterns of image repositories allowed; a * does not reach over a /",
    ),
)
def controller_image_comes_from_an_allowed_registry(controller: Any, *, registries: list[str]) -> Messages:
    """The controller's image comes from AWS's registries or the profile's.

    Whoever supplies this image has the controller's rights in the account.
    """
    image = controller.image
    if unknown(image) or image is None:
        return
    head, slash, last = str(image).partition("@")[0].rpartition("/")
    repository = head + slash + last.partition(":")[0]
    if not any(_fits_repository(repository, pattern) for pattern in registries):
        yield f"{controller.title} takes its image from {repository}"


def _fits_repository(repository: str, pattern: str) -> bool:
    parts, patterns = repository.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


@_on_controller(
    instead="Set disableIngressClassAnnotation and disableIngressGroupNameAnnotation to true",
    source=f"{_CONFIGURATION}#disable-ingress-group-name-annotation",
    severity=MEDIUM,
    controls=[TENANTS],
    flags=texts(
        ["disable-ingress-class-annotation", "disable-ingress-group-name-annotation"], "the flags that must be true"
    ),
)
def controller_refuses_legacy_annotations(controller: Any, *, flags: list[str]) -> Messages:
    """The controller refuses the annotations that choose an Ingress's class and group.

    With them the author of any Ingress can join another team's load balancer and put rules before theirs.
    """
    for flag in flags:
        if not truth(controller.flag(flag)):
            yield f"{controller.title} does not set --{flag}"


@controller_refuses_legacy_annotations.remedy
def _fix_controller_refuses_legacy_annotations(controller: Any, *, flags: list[str]) -> Iterable[Edit]:
    yield from controller.set_flags(dict.fromkeys(flags, "true"))


@_on_controller(
    instead='Leave defaultLoadBalancerScheme out or set it to "internal"',
    source=_CONFIGURATION,
    controls=[BY_CONTROLLER],
    schemes=texts(["internal"], "the default schemes allowed"),
)
def controller_makes_load_balancers_internal_by_default(controller: Any, *, schemes: list[str]) -> Messages:
    """A load balancer without a scheme is internal.

    Otherwise a forgotten annotation puts a service on the internet.
    """
    scheme = controller.flag("default-load-balancer-scheme")
    if scheme is not None and scheme != "" and scheme not in schemes:
        yield f"{controller.title} makes load balancers {scheme} by default"


@controller_makes_load_balancers_internal_by_default.remedy
def _fix_controller_makes_load_balancers_internal_by_default(controller: Any, *, schemes: list[str]) -> Iterable[Edit]:
    yield from controller.set_flags({"default-load-balancer-scheme": schemes[0]})


@_on_controller(
    instead="Remove the second install, or give each its own load balancer class and ingress class",
    source=INSTALLATION,
    controls=[BY_CONTROLLER],
    max_installs=number(1, "how many installs with the same classes may serve one cluster"),
)
def cluster_has_one_controller(controller: Any, stack: Stack, *, max_installs: float) -> Messages:
    """One install of the controller serves a cluster.

    Two installs overwrite each other's load balancers, and the webhooks of one refuse what the other needs.
    """
    same = stack.grouped(CONTROLLER, _serves)[_serves(controller)]
    if len(same) > max_installs and same[0] is not controller:
        yield f"{controller.title} {controller.name} serves the cluster that {same[0].name} serves already"


def _serves(controller: Any) -> tuple[Any, ...]:
    """Return what distinguishes installations: the provider (that is the cluster) and the two classes."""
    provider = controller.seen.provider
    classes = (controller.flag(flag) for flag in ("ingress-class", "load-balancer-class"))
    ingress, service = (None if isinstance(name, Unknown) or not name else str(name) for name in classes)
    return (provider.urn if provider else None, ingress or "alb", service or "service.k8s.aws/nlb")


@rule(
    on=objects(
        "serving certificate of the controller",
        [("core", "Secret")],
        others={RELEASE: CONTROLLER.view},
    ),
    instead="Give webhookTLS.caCert, cert and key from the stack, or set enableCertManager",
    source=INSTALLATION,
    severity=MEDIUM,
    controls=[guide("reliability/controlplane", "Admission Webhooks")],
    own_authorities=texts([CHART + "-ca"], "names of certificate authorities that a chart makes on the spot"),
)
def controller_webhook_certificate_is_stable(holder: Any, *, own_authorities: list[str]) -> Messages:
    """The controller's webhooks serve a certificate that does not change by itself.

    The chart makes a new certificate authority at each rendering, so each deployment replaces the certificate. Until
    the Secret, the webhooks and the pods match again, the API server refuses every Service and Ingress.
    """
    if isinstance(holder, ReleasedController):
        given = all(_given(holder.value("webhookTLS", part)) for part in ("caCert", "cert", "key"))
        if not (given or truth(holder.value("enableCertManager")) or truth(holder.value("keepTLSSecret"))):
            yield f"{holder.title} lets the chart make a certificate"
        return
    if dig(holder.props, ["type"]) != "kubernetes.io/tls":
        return
    authority = _certificate(dig(holder.props, ["data", "ca.crt"]))
    for name in own_authorities:
        if name.encode() in authority:
            yield f"{holder.title} holds a certificate of {name}, which the chart creates again each time"


def _certificate(encoded: Any) -> bytes:
    """Decode a Secret's PEM certificate, as far as its names can be read."""
    if isinstance(encoded, Unknown):
        str(encoded)
    try:
        pem = base64.b64decode(str(encoded or ""), validate=True).decode("ascii")
        return base64.b64decode("".join(line for line in pem.splitlines() if not line.startswith("-")))
    except ValueError:  # neither base64 nor ASCII
        return b""
