"""Values for the controller's Helm chart. A function of plain values, or of outputs that stand for them."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi import Input, Output

from eks_load_balancing.errors import InvalidInputError

CHART: Final = "aws-load-balancer-controller"
REPOSITORY: Final = "https://aws.github.io/eks-charts"
RELEASE: Final = "aws-load-balancer-controller"
"""The release's name: the chart names its Deployment after it."""
WEBHOOK_SERVICE: Final = "aws-load-balancer-webhook-service"
"""The Service that kube-apiserver calls the webhooks through; the chart makes the name."""
READINESS_GATE_LABEL: Final = "elbv2.k8s.aws/pod-readiness-gate-inject"
"""On a namespace `enabled` asks for readiness gates; on a pod `disabled` declines."""
SERVICE_WEBHOOK_LABEL: Final = "elbv2.k8s.aws/service-webhook"
"""On a namespace `disabled` leaves its Services without a class to the in-tree way, which gives them Classic ELBs."""
NLB_CLASS: Final = "service.k8s.aws/nlb"
"""`spec.loadBalancerClass` of the Services that the controller serves, by default: `--load-balancer-class`."""
_ASKED: Final = [{"key": SERVICE_WEBHOOK_LABEL, "operator": "NotIn", "values": ["disabled"]}]

# Those of the policy's features that the chart has a flag for.
_FLAGS: Final = {"waf": "enableWaf", "wafv2": "enableWafv2", "shield": "enableShield"}


ACCELERATORS: Final = "GlobalAcceleratorController"
"""The feature gate with which the controller keeps Global Accelerators."""
MEMORY_REQUEST: Final = "200Mi"
MEMORY_LIMIT: Final = "8Gi"
"""More than the controller was ever reported to use: 7 GiB at 50 load balancers with 1,000 targets each. A limit below
what it needs kills it while it starts: https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3919"""
_TAG: Final = re.compile(r"[\w +\-=.:/@]*")
"""What Elastic Load Balancing takes in tags:
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Tag.html"""


@dataclass(frozen=True)
class WebhookCertificate:
    """What the webhooks serve with, as PEM."""

    ca: Input[str]
    certificate: Input[str]
    key: Input[str]


@dataclass(frozen=True)
class ControllerSettings:
    """What one installation of the controller is told."""

    cluster_name: Input[str]
    region: Input[str]
    vpc_id: Input[str]
    service_account: str
    image_repository: Input[str]
    image_tag: str
    replicas: int
    certificate: WebhookCertificate
    disabled_features: Collection[str] = ()
    legacy_annotations: bool = False
    tags: Input[Mapping[str, Input[str]]] = field(default_factory=dict[str, Input[str]])
    feature_gates: Mapping[str, bool] = field(default_factory=dict[str, bool])
    leaves_services_out: bool = True
    """Whether the chart can leave out the Services of namespaces that ask for it."""
    refuses_pods: bool = True
    """Whether the chart lets the webhook for readiness gates refuse pods."""
    pod_annotations: Mapping[str, Input[str]] = field(default_factory=dict[str, Input[str]])
    memory_request: str = MEMORY_REQUEST
    memory_limit: str = MEMORY_LIMIT


def webhook_names(namespace: str) -> list[str]:
    """Return the names that the webhooks' certificate must be good for."""
    return [f"{WEBHOOK_SERVICE}.{namespace}.svc", f"{WEBHOOK_SERVICE}.{namespace}.svc.cluster.local"]


def default_tags(tags: Mapping[str, Any] | None) -> dict[str, str]:
    """Return tags for what the controller makes, or say which of them it cannot take.

    They become one flag, `--default-tags=key=value,key=value`: the chart's `convertMapToCsv` makes it, and pflag's
    `StringToString` reads it. With a comma in a value, an equals sign in a key, or what YAML does not read as text, no
    controller pod starts. Elastic Load Balancing takes no commas or quotes either.

    Raises:
        InvalidInputError: for the first tag that cannot be.
    """
    for key, value in (tags or {}).items():
        text = f"{key}={value}"
        if not _TAG.fullmatch(text) or "=" in key or ": " in text or text.endswith((":", " ")):
            raise InvalidInputError(
                f"tag {key!r}={value!r} cannot be on load balancers: give letters, digits, spaces and + - = . _ : / @,"
                " no = in the key, no space after a colon or at the end",
                key="tags",
            )
    return dict(tags or {})


def chart_values(settings: ControllerSettings) -> dict[str, Any]:
    """Return the chart's values. Every key is one that the chart knows; what it leaves out is the chart's default."""
    return {
        "clusterName": settings.cluster_name,
        # Both are given so that the controller never asks the instance metadata service, which a hop limit of 1
        # keeps from pods: https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html
        "region": settings.region,
        "vpcId": settings.vpc_id,
        "image": {"repository": settings.image_repository, "tag": settings.image_tag},
        "serviceAccount": {"create": False, "name": settings.service_account},
        "defaultTargetType": "ip",
        "defaultTags": _tags(settings.tags),
        "disableIngressClassAnnotation": not settings.legacy_annotations,
        "disableIngressGroupNameAnnotation": not settings.legacy_annotations,
        **{flag: feature not in settings.disabled_features for feature, flag in _FLAGS.items()},
        **({"controllerConfig": {"featureGates": dict(settings.feature_gates)}} if settings.feature_gates else {}),
        **({"podAnnotations": settings.pod_annotations} if settings.pod_annotations else {}),
        **_webhooks(settings),
        **_availability(settings),
        **_hardening(),
    }


def _tags(tags: Input[Mapping[str, Input[str]]]) -> Input[Mapping[str, str]]:
    if isinstance(tags, Mapping) and all(isinstance(value, str) for value in tags.values()):
        return default_tags({key: str(value) for key, value in tags.items()})
    return Output.from_input(tags).apply(default_tags)


def _webhooks(settings: ControllerSettings) -> dict[str, Any]:
    return {
        # Without these the chart makes a new authority whenever it is rendered.
        "webhookTLS": {
            "caCert": settings.certificate.ca,
            "cert": settings.certificate.certificate,
            "key": settings.certificate.key,
        },
        # It makes every new Service of type LoadBalancer that names no class this controller's.
        **({"serviceMutatorWebhookConfig": {"namespaceSelectors": _ASKED}} if settings.leaves_services_out else {}),
        # A pod that starts without its gate may take the place of one that still serves, so no gate means no pod. A pod
        # that can do without says so by its own label, and starts even while no controller answers.
        **({"podMutatorWebhookConfig": {"failurePolicy": "Fail"}} if settings.refuses_pods else {}),
        "objectSelector": {
            "matchExpressions": [{"key": READINESS_GATE_LABEL, "operator": "NotIn", "values": ["disabled"]}]
        },
    }


def _availability(settings: ControllerSettings) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": CHART, "app.kubernetes.io/instance": RELEASE}
    return {
        "replicaCount": settings.replicas,
        "podDisruptionBudget": {"maxUnavailable": 1},
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": key,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": labels},
            }
            for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
        ],
        "resources": {
            "requests": {"cpu": "100m", "memory": settings.memory_request},
            "limits": {"memory": settings.memory_limit},
        },
    }


def _hardening() -> dict[str, Any]:
    return {
        "podSecurityContext": {"fsGroup": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
    }
