"""The versions that this package knows: Kubernetes on EKS, and the controller. One table each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from eks_load_balancing.errors import InvalidInputError

KUBERNETES_VERSIONS: Final = ("1.33", "1.34", "1.35", "1.36")
"""Kubernetes versions in standard support on EKS.

https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
"""


@dataclass(frozen=True)
class ControllerVersion:
    """What belongs to one version of the AWS Load Balancer Controller. Its IAM actions are in `controller_policy`.

    Facts of its chart are those that a move from one version to another has to do with:
    https://github.com/kubernetes-sigs/aws-load-balancer-controller/tree/main/helm/aws-load-balancer-controller
    """

    version: str
    chart: str
    """Version of the Helm chart `aws-load-balancer-controller`: below 3.0.0 it has numbers of its own."""
    image_tag: str
    oldest_kubernetes: str
    """https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/"""
    gateway_api: str | None
    """The release of the Gateway API whose CRDs it wants to find when it starts; the chart has them not.
    None: it knows no Gateways. https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/gateway/gateway/"""
    global_accelerator: bool
    """Whether it knows Global Accelerators."""
    crds: Mapping[str, frozenset[str]]
    """The chart's CRDs, and of those that two versions have in common the fields of their `spec`."""
    webhooks: frozenset[str]
    """The webhooks that its chart registers whatever the values are, and that refuse when nobody answers."""
    leaves_services_out: bool
    """Whether a namespace's label keeps its Services from the webhook: its chart can select namespaces there."""
    defaults: Mapping[str, str]
    """Defaults of the chart's values that are not the same in every version here."""


def _fields(names: str) -> frozenset[str]:
    return frozenset(names.split())


_CLASS_PARAMS, _BINDINGS = "ingressclassparams.elbv2.k8s.aws", "targetgroupbindings.elbv2.k8s.aws"
_V2_CRDS: Final[Mapping[str, frozenset[str]]] = {
    _CLASS_PARAMS: _fields(
        "certificateArn group inboundCIDRs ipAddressType ipamConfiguration listeners loadBalancerAttributes"
        " minimumLoadBalancerCapacity namespaceSelector scheme sslPolicy subnets tags"
    ),
    _BINDINGS: _fields(
        "assumeRoleExternalId iamRoleArnToAssume ipAddressType multiClusterTargetGroup networking nodeSelector"
        " serviceRef targetGroupARN targetGroupName targetType vpcID"
    ),
}
_V2_WEBHOOKS: Final = _fields("mtargetgroupbinding vingressclassparams vtargetgroupbinding")
_V3_CRDS: Final[Mapping[str, frozenset[str]]] = {
    "albtargetcontrolconfigs.elbv2.k8s.aws": frozenset(),
    "globalaccelerators.aga.k8s.aws": frozenset(),
    "listenerruleconfigurations.gateway.k8s.aws": frozenset(),
    "loadbalancerconfigurations.gateway.k8s.aws": frozenset(),
    "targetgroupconfigurations.gateway.k8s.aws": frozenset(),
    _CLASS_PARAMS: _V2_CRDS[_CLASS_PARAMS]
    | _fields("PrefixListsIDs loadBalancerName prefixListsIDs sslRedirectPort targetType wafv2AclArn wafv2AclName"),
    _BINDINGS: _V2_CRDS[_BINDINGS] | {"targetGroupProtocol"},
}
_V3_WEBHOOKS: Final = _V2_WEBHOOKS | _fields("quicid alb-target-control.namespace alb-target-control.object")

CONTROLLER_VERSIONS: Final = {
    "2.12.0": ControllerVersion(
        version="2.12.0",
        chart="1.12.0",
        image_tag="v2.12.0",
        oldest_kubernetes="1.22",
        gateway_api=None,
        global_accelerator=False,
        crds=_V2_CRDS,
        webhooks=_V2_WEBHOOKS,
        leaves_services_out=False,
        defaults={"keepTLSSecret": "true"},
    ),
    "3.2.2": ControllerVersion(
        version="3.2.2",
        chart="3.2.2",
        image_tag="v3.2.2",
        oldest_kubernetes="1.22",
        gateway_api="1.5.0",
        global_accelerator=True,
        crds=_V3_CRDS,
        webhooks=_V3_WEBHOOKS,
        leaves_services_out=True,
        defaults={"keepTLSSecret": "false"},
    ),
    "3.5.0": ControllerVersion(
        version="3.5.0",
        chart="3.5.0",
        image_tag="v3.5.0",
        oldest_kubernetes="1.22",
        gateway_api="1.6.0",
        global_accelerator=True,
        crds=_V3_CRDS,
        webhooks=_V3_WEBHOOKS,
        leaves_services_out=True,
        defaults={"keepTLSSecret": "false"},
    ),
}
"""By version, the oldest first."""
DEFAULT_CONTROLLER_VERSION: Final = "3.5.0"


def controller_version(version: str, kubernetes_version: str | None = None) -> ControllerVersion:
    """Return a controller version's entry.

    Args:
        version: such as `3.5.0`.
        kubernetes_version: the cluster's, to be checked against the oldest that this controller runs on.

    Raises:
        InvalidInputError: for a version that is not in the table, or too new for the cluster.
    """
    entry = CONTROLLER_VERSIONS.get(version)
    if entry is None:
        raise InvalidInputError(
            f"controller version {version!r} is not supported: give one of {', '.join(CONTROLLER_VERSIONS)}"
        )
    if kubernetes_version is not None and release(kubernetes_version) < release(entry.oldest_kubernetes):
        raise InvalidInputError(
            f"controller version {version} needs Kubernetes {entry.oldest_kubernetes} or later,"
            f" and the cluster runs {kubernetes_version}: upgrade the cluster first"
        )
    return entry


def kubernetes_version(version: str) -> str:
    """Return a Kubernetes version of this package's table, or name those in it."""
    if version not in KUBERNETES_VERSIONS:
        raise InvalidInputError(
            f"Kubernetes version {version!r} is not supported: give one of {', '.join(KUBERNETES_VERSIONS)}"
        )
    return version


def release(version: str) -> tuple[int, ...]:
    """Return a version as numbers, for comparison: 1.9 comes before 1.36."""
    return tuple(int(part) for part in version.split("."))
