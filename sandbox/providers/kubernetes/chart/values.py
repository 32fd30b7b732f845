"""The chart's values: every key its newest version has, of which shape, with which default; older ones have fewer.

`render` works on what `merged` gives: a tree in which each key is present, so that nothing is looked up twice.
"""

import dataclasses
import difflib
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.providers.common.server import ProviderError
from sandbox.providers.kubernetes.chart.releases import CHARTS, NEWEST, ChartVersion


@dataclass(frozen=True)
class Key:
    """One value: its shape in words, the Python types that have it, and its default."""

    shape: str
    types: tuple[type, ...]
    default: Any = None


def flag(default: bool | None = None) -> Key:  # noqa: FBT001 - reads as the chart's own default
    """True or false; None is the controller's own default."""
    return Key("true or false", (bool,), default)


def text(default: str | None = None) -> Key:
    """A string; a number will do, as in any YAML."""
    return Key("a string", (str, int, float), default)


def number(default: int | None = None) -> Key:
    """A whole number; its digits as a string will do."""
    return Key("a whole number", (int, str), default)


def names(**default: str) -> Key:
    """A mapping of strings: labels, annotations, tags."""
    return Key("a mapping of names to strings", (dict,), default)


def mapping(**default: Any) -> Key:
    """A piece of an object, handed on as it is."""
    return Key("a mapping", (dict,), default or None)


def items(*default: Any) -> Key:
    """A list, handed on as it is."""
    return Key("a list", (list,), list(default) or None)


_SELECTOR: Final = {"matchExpressions": items(), "matchLabels": names()}
_PROBE: Final = {"failureThreshold": 2, "timeoutSeconds": 10}
_HEALTH: Final = {"port": 61779, "scheme": "HTTP"}

VALUES: Final[Mapping[str, Any]] = {
    # The controller's pods
    "replicaCount": number(2),
    "revisionHistoryLimit": number(10),
    "image": {
        "repository": text("public.ecr.aws/eks/aws-load-balancer-controller"),
        "tag": text("v3.5.0"),
        "pullPolicy": text("IfNotPresent"),
    },
    "imagePullSecrets": items(),
    "runtimeClassName": text(),
    "nameOverride": text(),
    "fullnameOverride": text(),
    "creator": text("helm"),
    "autoscaling": {
        "enabled": flag(default=False),
        "minReplicas": number(1),
        "maxReplicas": number(5),
        "targetCPUUtilizationPercentage": number(80),
        "autoscaleBehavior": mapping(),
    },
    "serviceAccount": {
        "create": flag(default=True),
        "annotations": names(),
        "name": text(),
        "automountServiceAccountToken": flag(default=True),
        "imagePullSecrets": items(),
    },
    "rbac": {"create": flag(default=True)},
    "clusterSecretsPermissions": {"allowAllSecrets": flag(default=False)},
    "podSecurityContext": mapping(fsGroup=65534),
    "securityContext": mapping(readOnlyRootFilesystem=True, runAsNonRoot=True, allowPrivilegeEscalation=False),
    "terminationGracePeriodSeconds": number(10),
    "resources": mapping(),
    "priorityClassName": text("system-cluster-critical"),
    "nodeSelector": names(),
    "tolerations": items(),
    "affinity": mapping(),
    "configureDefaultAffinity": flag(default=True),
    "topologySpreadConstraints": items(),
    "updateStrategy": mapping(),
    "podDisruptionBudget": mapping(),
    "hostNetwork": flag(default=False),
    "dnsPolicy": text(),
    "extraVolumes": items(),
    "extraVolumeMounts": items(),
    "env": names(),
    "envFrom": items(),
    "envSecretName": text(),
    "livenessProbe": mapping(httpGet={"path": "/healthz", **_HEALTH}, initialDelaySeconds=30, **_PROBE),
    "readinessProbe": mapping(
        httpGet={"path": "/readyz", **_HEALTH}, initialDelaySeconds=10, successThreshold=1, **_PROBE
    ),
    # Labels and annotations
    "annotations": names(),
    "additionalLabels": names(),
    "serviceAnnotations": names(),
    "deploymentAnnotations": names(),
    "podAnnotations": names(),
    "podLabels": names(),
    # The webhooks and their certificate
    "enableCertManager": flag(default=False),
    "certManager": {
        "duration": text("8760h0m0s"),
        "renewBefore": text("720h0m0s"),
        "revisionHistoryLimit": number(),
        "rootCert": {"duration": text("43800h0m0s")},
        "issuerRef": mapping(),
    },
    "webhookTLS": {"caCert": text(), "cert": text(), "key": text()},
    "keepTLSSecret": flag(default=False),
    "cluster": {"dnsDomain": text("cluster.local")},
    "webhookNamespaceSelectors": items(),
    "objectSelector": _SELECTOR,
    "podMutatorWebhookConfig": {"failurePolicy": text("Ignore")},
    "enableServiceMutatorWebhook": flag(default=True),
    "serviceMutatorWebhookConfig": {
        "failurePolicy": text("Fail"),
        "objectSelector": _SELECTOR,
        "namespaceSelectors": items(),
        "operations": items("CREATE"),
    },
    "webhookConfig": {
        "disableIngressValidation": flag(),
        "ingressValdationFailurePolicy": text("Fail"),  # spelled as in the chart
        "ingressValidationObjectSelector": _SELECTOR,
        "ingressValidationNamespaceSelector": _SELECTOR,
    },
    # Ingress classes
    "ingressClass": text("alb"),
    "createIngressClassResource": flag(default=True),
    "ingressClassConfig": {"default": flag(default=False)},
    "ingressClassParams": {"create": flag(default=True), "name": text(), "spec": mapping()},
    # Metrics
    "metricsBindAddr": text(),
    "serviceMonitor": {
        "enabled": flag(default=False),
        "namespace": text(),
        "additionalLabels": names(),
        "interval": text("1m"),
        "scrapeTimeout": text(),
        "relabelings": items(),
        "metricRelabelings": items(),
    },
    # The controller's flags
    "clusterName": text(),
    "region": text(),
    "vpcId": text(),
    "vpcTags": names(),
    "awsApiEndpoints": text(),
    "awsApiThrottle": items(),
    "awsMaxRetries": number(),
    "defaultTargetType": text("instance"),
    "defaultLoadBalancerScheme": text(),
    "enablePodReadinessGateInject": flag(),
    "enableShield": flag(),
    "enableWaf": flag(),
    "enableWafv2": flag(),
    "ingressMaxConcurrentReconciles": number(),
    "serviceMaxConcurrentReconciles": number(),
    "targetgroupbindingMaxConcurrentReconciles": number(),
    "targetgroupbindingMaxExponentialBackoffDelay": text(),
    "targetgroupbindingRequeueDuration": text(),
    "albGatewayMaxConcurrentReconciles": number(),
    "nlbGatewayMaxConcurrentReconciles": number(),
    "globalAcceleratorMaxConcurrentReconciles": number(),
    "globalAcceleratorMaxExponentialBackoffDelay": text(),
    "lbStabilizationMonitorInterval": text(),
    "logLevel": text(),
    "webhookBindPort": number(),
    "syncPeriod": text(),
    "watchNamespace": text(),
    "disableIngressClassAnnotation": flag(),
    "disableIngressGroupNameAnnotation": flag(),
    "tolerateNonExistentBackendService": flag(),
    "tolerateNonExistentBackendAction": flag(),
    "defaultSSLPolicy": text(),
    "externalManagedTags": items(),
    "defaultTags": names(),
    "enableEndpointSlices": flag(),
    "enableBackendSecurityGroup": flag(),
    "enableManageBackendSecurityGroupRules": flag(),
    "backendSecurityGroup": text(),
    "disableRestrictedSecurityGroupRules": flag(),
    "controllerConfig": {"featureGates": Key("a mapping of gates to true or false", (dict,))},
    "serviceTargetENISGTags": text(),
    "certDiscovery": {"allowedCertificateAuthorityARNs": text()},
    "certManagement": {"defaultPCAARN": text()},
    "loadBalancerClass": text(),
    "maxTargetsPerTargetGroup": number(),
    "global": mapping(),  # every chart has it; this one's templates do not read it
}

_EVALUATED: Final = (("clusterName",), ("region",), ("vpcId",), ("serviceAccount", "annotations"))


@functools.cache
def keys(version: str = NEWEST) -> Mapping[str, Any]:
    """The values that a version of the chart has: the newest's, but for what an older one lacks or has otherwise."""
    return _keys(VALUES, CHARTS[version], "")


def _keys(known: Mapping[str, Any], chart: ChartVersion, prefix: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, key in known.items():
        path = f"{prefix}{name}"
        if path in chart.lacks:
            continue
        if isinstance(key, Mapping):
            result[name] = _keys(key, chart, f"{path}.")
        else:
            result[name] = dataclasses.replace(key, default=chart.defaults.get(path, key.default))
    return result


def merged(given: Mapping[str, Any], version: str = NEWEST) -> dict[str, Any]:
    """The values that are in effect: what was given over the defaults, as Helm merges them.

    Raises:
        ProviderError: A key that the chart does not have, or a value of another shape; one line names them all.
    """
    if wrong := list(problems(given, version)):
        raise ProviderError(f"values of the chart aws-load-balancer-controller {version}: {'; '.join(wrong)}")
    return _merge(keys(version), given)


def problems(given: Mapping[str, Any], version: str = NEWEST) -> Iterator[str]:
    """What is wrong with values, each named by its whole path."""
    yield from _problems(keys(version), given, "")
    for path in _EVALUATED:
        value: Any = given
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        if "{{" in str(value):
            yield f"{'.'.join(path)} is a template ({value}), which only Helm evaluates: give the text itself"
    if given.get("runtimeClassName"):
        yield f"runtimeClassName cannot be set: chart {version} fails on it (its template reads .Values inside `with`)"
    if not given.get("clusterName"):
        yield "clusterName is missing: give the cluster's name"


def _problems(known: Mapping[str, Any], given: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, value in given.items():
        path, key = f"{prefix}{name}", known.get(name)
        if key is None:
            near = difflib.get_close_matches(name, known, 2)
            yield f"{path} is unknown" + (f" ({' or '.join(prefix + one for one in near)}?)" if near else "")
        elif isinstance(key, Mapping):
            if isinstance(value, Mapping):
                yield from _problems(key, value, f"{path}.")
            elif value is not None:
                yield f"{path} is {value!r}: give a mapping with {', '.join(sorted(key))}"
        elif not _fits(key, value):
            yield f"{path} is {value!r}: give {key.shape}"


def _fits(key: Key, value: Any) -> bool:
    if value is None:
        return True
    if isinstance(value, bool):
        return bool in key.types
    if not isinstance(value, key.types):
        return False
    if key.shape == "a whole number":
        return isinstance(value, int) or value.isdigit()
    return (
        dict not in key.types
        or not key.shape.startswith("a mapping of")
        or not any(isinstance(item, dict | list) for item in value.values())
    )


def _merge(known: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, key in known.items():
        value = given.get(name)
        if isinstance(key, Mapping):
            result[name] = _merge(key, value or {})
        elif name not in given:
            result[name] = key.default
        else:
            result[name] = _over(key.default, value) if isinstance(key.default, dict) else value
    return result


def _over(default: Any, given: Any) -> Any:
    """A mapping laid over a default, key by key; null takes a key away, as in Helm."""
    if not isinstance(default, Mapping) or not isinstance(given, Mapping):
        return given
    laid = {**default, **{key: _over(default.get(key), value) for key, value in given.items()}}
    return {key: value for key, value in laid.items() if value is not None}
