"""The versions that this package knows: Kubernetes on EKS, and the controller. One table each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from eks_load_balancing.errors import InvalidInputError


@dataclass(frozen=True)
class KubernetesVersion:
    """The end of EKS's support for a Kubernetes version: the first days without support, in UTC."""

    standard: date
    """From this day on it is in extended support, which costs six times as much."""
    extended: date
    """From this day on EKS creates no cluster with it, and upgrades the remaining ones."""


KUBERNETES_VERSIONS: Final = {
    "1.31": KubernetesVersion(date(2025, 11, 26), date(2026, 11, 26)),
    "1.32": KubernetesVersion(date(2026, 3, 23), date(2027, 3, 23)),
    "1.33": KubernetesVersion(date(2026, 7, 29), date(2027, 7, 29)),
    "1.34": KubernetesVersion(date(2026, 12, 2), date(2027, 12, 2)),
    "1.35": KubernetesVersion(date(2027, 3, 27), date(2028, 3, 27)),
    "1.36": KubernetesVersion(date(2027, 8, 2), date(2028, 8, 2)),
}
"""By version, oldest first.

https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html#kubernetes-release-calendar
"""
UPGRADE_POLICIES: Final = ("standard", "extended")
WARNED_BEFORE: Final = timedelta(days=90)
"""How long before the end of a version's support the program warns: EKS announces the day 60 days before."""


def kubernetes_number(version: str) -> str:
    """Return a Kubernetes version in EKS's format, or explain why it is invalid."""
    major, _, minor = version.partition(".")
    if major != "1" or not minor.isdecimal():
        raise InvalidInputError(
            f"Kubernetes version {version!r} is not an EKS version: give one such as 1.36", key="version"
        )
    return version


def kubernetes_version(version: str, *, allow_unlisted: bool = False, today: date | None = None) -> str:
    """Return a Kubernetes version that EKS offers according to this package's table.

    Args:
        version: such as `1.36`.
        allow_unlisted: accepts a version that is not in the table, or that is out of support according to it.
        today: the day for which support is checked. Default: today.

    Raises:
        InvalidInputError: EKS no longer offers the version, or it is not in the table.
    """
    kubernetes_number(version)
    day = today or _today()
    offered = [known for known, support in KUBERNETES_VERSIONS.items() if day < support.extended]
    if version not in offered and not allow_unlisted:
        ended = KUBERNETES_VERSIONS.get(version)
        why = f"left extended support on {ended.extended}" if ended else "is not in this package's table"
        raise InvalidInputError(
            f"Kubernetes version {version!r} {why}: give one of {', '.join(offered)}, or allow unlisted versions"
            " (allow_unlisted_version) where EKS takes it all the same",
            key="version",
        )
    return version


def _today() -> date:
    return datetime.now(UTC).date()


def upgrade_policy(policy: str | None) -> str:
    """Return what EKS does at the end of standard support: `standard` by default."""
    wanted = UPGRADE_POLICIES[0] if policy is None else policy
    if wanted not in UPGRADE_POLICIES:
        raise InvalidInputError(
            f"upgrade policy {policy!r} is not known: give one of {', '.join(UPGRADE_POLICIES)}", key="upgrade_policy"
        )
    return wanted


def support_warnings(version: str, policy: str, today: date | None = None) -> Iterator[str]:
    """Yield warnings about a version whose support ends soon, or has ended.

    Args:
        version: the cluster's Kubernetes version.
        policy: `standard` or `extended`.
        today: the day of the warning. Default: today.
    """
    day = today or _today()
    support = KUBERNETES_VERSIONS.get(version)
    if support is None:
        yield f"Kubernetes {version} is not in this package's table: until when EKS supports it is not known here"
        return
    extended = policy == "extended"
    end = support.extended if extended or day >= support.standard else support.standard
    kind = "extended" if end == support.extended else "standard"
    if day >= support.standard and not extended:
        yield (
            f"Kubernetes {version} left standard support on {support.standard}: EKS upgrades the control plane by"
            " itself, for the upgrade policy is standard; move the version on, or choose the policy extended"
        )
    elif day >= support.standard:
        yield f"Kubernetes {version} left standard support on {support.standard}: the cluster costs six times as much"
    if end - WARNED_BEFORE <= day < end:
        yield f"Kubernetes {version} leaves {kind} support on {end}: EKS then upgrades the control plane by itself"


@dataclass(frozen=True)
class ControllerVersion:
    """Everything about one version of the AWS Load Balancer Controller. Its IAM actions are in `controller.policy`.

    The facts about its chart are those that matter for a move between versions:
    https://github.com/kubernetes-sigs/aws-load-balancer-controller/tree/main/helm/aws-load-balancer-controller
    """

    version: str
    like: str
    """The version in the table whose IAM policy it uses: its own, except for a version that is not in the table."""
    chart: str
    """Version of the Helm chart `aws-load-balancer-controller`: below 3.0.0 it has its own numbers.
    https://github.com/aws/eks-charts/tree/master/stable/aws-load-balancer-controller
    """
    image_tag: str
    oldest_kubernetes: str
    """https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/"""
    gateway_api: str | None
    """The release of the Gateway API whose CRDs it needs when it starts; they are not in the chart.
    None: it does not support Gateways.
    https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/gateway/gateway/
    """
    global_accelerator: bool
    """Whether it supports Global Accelerators."""
    certificate_management: bool
    """Whether it can request certificates in ACM, with the feature gate `EnableCertificateManagement`."""
    crds: Mapping[str, frozenset[str]]
    """The chart's CRDs, with the fields of `spec` for those that changed between versions."""
    webhooks: frozenset[str]
    """The webhooks that its chart always registers, and that refuse requests when nobody answers."""
    leaves_services_out: bool
    """Whether a namespace's label excludes its Services from the webhook: its chart can select namespaces there."""
    refuses_pods: bool
    """Whether its chart can make the webhook for readiness gates refuse pods when nobody answers."""
    defaults: Mapping[str, str]
    """Defaults of the chart's values that differ between the versions here."""


RELEASES: Final = (
    *("2.8.0", "2.8.1", "2.8.2", "2.8.3", "2.9.0", "2.9.1", "2.9.2", "2.10.0", "2.10.1", "2.11.0", "2.12.0"),
    *("2.13.0", "2.13.1", "2.13.2", "2.13.3", "2.13.4", "2.14.0", "2.14.1", "2.15.0", "2.16.0", "2.17.0", "2.17.1"),
    *("3.0.0", "3.1.0", "3.2.0", "3.2.1", "3.2.2", "3.3.0", "3.4.0", "3.4.1", "3.4.2", "3.4.3", "3.5.0"),
)
"""Every release since 2.8.0, oldest first."""

_OLDEST: Final = RELEASES[0]
_CRD_SINCE: Final = {
    "ingressclassparams.elbv2.k8s.aws": _OLDEST,
    "targetgroupbindings.elbv2.k8s.aws": _OLDEST,
    "loadbalancerconfigurations.gateway.k8s.aws": "2.13.4",
    "targetgroupconfigurations.gateway.k8s.aws": "2.13.4",
    "listenerruleconfigurations.gateway.k8s.aws": "2.14.0",
    "globalaccelerators.aga.k8s.aws": "2.14.1",
    "albtargetcontrolconfigs.elbv2.k8s.aws": "2.16.0",
}
# Fields of `spec` by the version that added them; a dash marks fields that it removed.
_FIELDS_SINCE: Final = {
    "ingressclassparams.elbv2.k8s.aws": {
        _OLDEST: (
            "certificateArn group inboundCIDRs ipAddressType loadBalancerAttributes namespaceSelector scheme sslPolicy"
            " subnets tags"
        ),
        "2.9.0": "listeners",
        "2.11.0": "minimumLoadBalancerCapacity",
        "2.12.0": "ipamConfiguration",
        "2.13.0": "PrefixListsIDs targetType",
        "2.14.0": "loadBalancerName prefixListsIDs sslRedirectPort wafv2AclArn wafv2AclName",
    },
    "targetgroupbindings.elbv2.k8s.aws": {
        _OLDEST: "ipAddressType networking nodeSelector serviceRef targetGroupARN targetType vpcID",
        "2.10.0": "multiClusterTargetGroup",
        "2.11.0": "targetGroupName",
        "2.12.0": "assumeRoleExternalId iamRoleArnToAssume",
        "2.14.0": "targetGroupProtocol",
    },
    "loadbalancerconfigurations.gateway.k8s.aws": {
        "2.13.4": (
            "customerOwnedIpv4Pool enableICMP enforceSecurityGroupInboundRulesOnPrivateLinkTraffic ipAddressType"
            " ipv4IPAMPoolId listenerConfigurations loadBalancerAttributes loadBalancerName loadBalancerSubnets"
            " loadBalancerSubnetsSelector manageBackendSecurityGroupRules mergingMode minimumLoadBalancerCapacity"
            " scheme securityGroupPrefixes securityGroups sourceRanges tags vpcId"
        ),
        "2.14.0": "shieldConfiguration wafV2 -vpcId",
        "2.15.0": "disableSecurityGroup",
        "3.2.0": "defaultTargetGroupConfiguration",
    },
}
_WEBHOOKS_SINCE: Final = {
    _OLDEST: "mtargetgroupbinding vingressclassparams vtargetgroupbinding",
    "2.15.0": "quicid",
    "2.16.0": "alb-target-control.namespace alb-target-control.object",
}
_GATEWAY_API_SINCE: Final = {"2.13.0": "1.2.0", "2.14.0": "1.3.0", "3.2.0": "1.5.0", "3.5.0": "1.6.0"}
_KEEPS_TLS_SECRET_SINCE: Final = {_OLDEST: "true", "3.0.0": "", "3.1.0": "false"}


def _since(version: str, changes: Mapping[str, str]) -> list[str]:
    return [change for since, change in changes.items() if release(since) <= release(version)]


def _words(version: str, changes: Mapping[str, str]) -> frozenset[str]:
    words = [word for change in _since(version, changes) for word in change.split()]
    return frozenset(word for word in words if not word.startswith("-") and f"-{word}" not in words)


def release(version: str) -> tuple[int, ...]:
    """Return a version as numbers, for comparison: 1.9 comes before 1.36."""
    return tuple(int(part) for part in version.split("."))


def _chart(version: str) -> str:
    return f"1{version[1:]}" if version.startswith("2.") else version


def _controller(version: str) -> ControllerVersion:
    def has(since: str) -> bool:
        return release(since) <= release(version)

    keeps_secret = _since(version, _KEEPS_TLS_SECRET_SINCE)[-1]
    return ControllerVersion(
        version=version,
        like=version,
        chart=_chart(version),
        image_tag=f"v{version}",
        oldest_kubernetes="1.22",
        gateway_api=next(iter(_since(version, _GATEWAY_API_SINCE)[-1:]), None),
        global_accelerator=has("2.17.0"),
        certificate_management=has("3.3.0"),
        crds={name: _words(version, _FIELDS_SINCE.get(name, {})) for name, since in _CRD_SINCE.items() if has(since)},
        webhooks=_words(version, _WEBHOOKS_SINCE),
        leaves_services_out=has("3.2.0"),
        refuses_pods=has("2.12.0"),
        defaults={"keepTLSSecret": keeps_secret} if keeps_secret else {},
    )


CONTROLLER_VERSIONS: Final = {version: _controller(version) for version in RELEASES}
"""By version, oldest first."""
DEFAULT_CONTROLLER_VERSION: Final = RELEASES[-1]


def controller_version(
    version: str, kubernetes_version: str | None = None, like: str | None = None
) -> ControllerVersion:
    """Return a controller version's entry.

    Args:
        version: such as `3.5.0`.
        kubernetes_version: the cluster's, which must not be older than this controller supports.
        like: for a version that is not in the table, the version in it that it resembles.

    Raises:
        InvalidInputError: the version is not in the table and `like` does not help, or it is too new for the cluster.
    """
    entry = CONTROLLER_VERSIONS.get(version)
    if entry is None:
        entry = _unlisted(version, like)
    if kubernetes_version is not None and release(kubernetes_version) < release(entry.oldest_kubernetes):
        raise InvalidInputError(
            f"controller version {version} needs Kubernetes {entry.oldest_kubernetes} or later,"
            f" and the cluster runs {kubernetes_version}: upgrade the cluster first",
            key="version",
        )
    return entry


def _unlisted(version: str, like: str | None) -> ControllerVersion:
    known = f"{RELEASES[0]} to {RELEASES[-1]}"
    if like is None:
        raise InvalidInputError(
            f"controller version {version!r} is not in this package's table ({known}): give one that is, or name the"
            " one that it is taken to be like (version_like)",
            key="version",
        )
    if like not in CONTROLLER_VERSIONS:
        raise InvalidInputError(
            f"controller version {version!r} cannot be like {like!r}, which is not in this package's table: give one of"
            f" {known}",
            key="version_like",
        )
    if not all(part.isdecimal() for part in version.split(".")):
        raise InvalidInputError(
            f"controller version {version!r} is not a release: give one such as {RELEASES[-1]}", key="version"
        )
    return replace(CONTROLLER_VERSIONS[like], version=version, chart=_chart(version), image_tag=f"v{version}")
