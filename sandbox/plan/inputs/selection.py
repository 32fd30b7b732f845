"""Which of the manifests matter to load balancers, in what order they are applied, and what is left out. Pure.

Pods give targets and nothing else: what places or feeds them (nodes, volumes, accounts, images) is taken out of
them, so that they run wherever the plan is made, and so that no image of theirs is ever started.
"""

import copy
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.plan.inputs.manifests import Manifest, Object

ALB_CLASS: Final = "alb"
NLB_CLASS: Final = "service.k8s.aws/nlb"
_ALB_CONTROLLER: Final = "ingress.k8s.aws/alb"
_GATEWAY_CONTROLLERS: Final = ("gateway.k8s.aws/alb", "gateway.k8s.aws/nlb")
CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
_DEFAULT_CLASS: Final = "ingressclass.kubernetes.io/is-default-class"
TYPE_ANNOTATION: Final = "service.beta.kubernetes.io/aws-load-balancer-type"
_OUR_TYPES: Final = ("external", "nlb-ip")
_OWN_LABEL: Final = ("app.kubernetes.io/name", "aws-load-balancer-controller")

_GATEWAYS: Final = "gateway.networking.k8s.io"
_GATEWAY_SETTINGS: Final = "gateway.k8s.aws"
_ORDER: Final = (
    ("", ("Namespace", "ConfigMap", "Secret")),
    ("elbv2.k8s.aws", ("IngressClassParams",)),
    ("networking.k8s.io", ("IngressClass",)),
    (_GATEWAY_SETTINGS, ("LoadBalancerConfiguration", "TargetGroupConfiguration", "ListenerRuleConfiguration")),
    (_GATEWAYS, ("GatewayClass", "ReferenceGrant")),
    ("apps", ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")),
    ("", ("Pod", "Service")),
    ("elbv2.k8s.aws", ("TargetGroupBinding",)),
    ("networking.k8s.io", ("Ingress",)),
    (_GATEWAYS, ("Gateway", "ListenerSet", "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute")),
)
_RANK: Final = {(g, k): n for n, (g, k) in enumerate((g, k) for g, kinds in _ORDER for k in kinds)}
_ONLY_WHEN_NAMED: Final = ("ConfigMap", "Secret")
_CLUSTER_WIDE: Final = ("Namespace", "IngressClass", "IngressClassParams", "GatewayClass")
WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
_NAMING: Final = [(g, k) for g, k in _RANK if k not in (*WORKLOADS, *_ONLY_WHEN_NAMED, "Pod")]
_CONTAINER_KEYS: Final = ("name", "ports", "readinessProbe")
_POD_KEYS: Final = ("hostNetwork", "hostname", "subdomain", "readinessGates", "shareProcessNamespace")
IMAGE: Final = "planned"
"""What every container's image becomes: no image that a sandbox would start."""


@dataclass
class Selection:
    """What is applied, and what is not."""

    planned: list[Manifest] = field(default_factory=list[Manifest])
    """In the order in which they are applied."""
    left_alone: list[tuple[Manifest, str]] = field(default_factory=list[tuple[Manifest, str]])
    """Objects of other load balancer classes, and why they are another's."""
    skipped: Counter[str] = field(default_factory=Counter[str])
    """Kind -> how many that have no part in load balancing."""
    unknown: list[Manifest] = field(default_factory=list[Manifest])
    """Custom resources whose CRD is not there."""


def select(manifests: Iterable[Manifest]) -> Selection:
    """Sort manifests into what is planned and what is not."""
    everything, selection = list(manifests), Selection()
    # Annotations of any Service may name one too: what an Ingress asks of a backend stands there.
    naming = [m for m in everything if (m.group, m.kind) in _NAMING]
    names = {word for m in naming for text in texts(m.document) for word in re.findall(r"[\w.-]+", text)}
    for manifest in everything:
        if (manifest.group, manifest.kind) not in _RANK:
            if is_custom(manifest.group):
                selection.unknown.append(manifest)
            else:
                selection.skipped[manifest.kind] += 1
        elif _is_controllers(manifest) or (manifest.kind in _ONLY_WHEN_NAMED and manifest.name not in names):
            selection.skipped[manifest.kind] += 1
        elif reason := others(manifest, everything):
            selection.left_alone.append((manifest, reason))
        else:
            selection.planned.append(manifest)
    selection.planned.sort(key=lambda m: _RANK[m.group, m.kind])
    return selection


def is_custom(group: str) -> bool:
    """Whether a group's kinds come from a CRD that the planner does not have."""
    return "." in group and not (group.endswith(".k8s.io") and group != "metrics.k8s.io")


def is_cluster_wide(kind: str) -> bool:
    """Whether objects of a planned kind have no namespace."""
    return kind in _CLUSTER_WIDE


def namespaces(planned: Iterable[Manifest]) -> list[str]:
    """The namespaces that planned objects live in."""
    return sorted({m.namespace for m in planned if not is_cluster_wide(m.kind)})


def have_gateways(planned: Iterable[Manifest]) -> bool:
    """Whether planned objects need the CRDs of Gateways."""
    return any(m.group in (_GATEWAYS, _GATEWAY_SETTINGS) for m in planned)


def _is_controllers(manifest: Manifest) -> bool:
    """Whether it belongs to an installation of the controller: the planner has its own."""
    labels = manifest.document["metadata"].get("labels") or {}
    return manifest.kind != "IngressClass" and labels.get(_OWN_LABEL[0]) == _OWN_LABEL[1]


def others(manifest: Manifest, everything: Iterable[Manifest]) -> str:
    """Why an object belongs to another load balancer class; empty if it is the controller's, or asks for none."""
    match manifest.kind:
        case "Ingress":
            return _others_ingress(manifest, [m for m in everything if m.kind == "IngressClass"])
        case "Gateway":
            name = str(manifest.spec.get("gatewayClassName"))
            found = next((m for m in everything if m.kind == "GatewayClass" and m.name == name), None)
            if found is None:
                return f"its class {name} is no GatewayClass among the manifests: give that with -f"
            controller = str(found.spec.get("controllerName"))
            return "" if controller in _GATEWAY_CONTROLLERS else f"its class {name} belongs to {controller}"
        case "Service" if manifest.spec.get("type") == "LoadBalancer":
            given, kind = manifest.spec.get("loadBalancerClass"), manifest.annotations.get(TYPE_ANNOTATION)
            if given and given != NLB_CLASS:
                return f"its loadBalancerClass is {given}"
            if not given and kind and kind not in _OUR_TYPES:
                return f"{TYPE_ANNOTATION} {kind} is for the cloud controller manager, not for this controller"
        case _:
            pass
    return ""


def _others_ingress(manifest: Manifest, classes: list[Manifest]) -> str:
    if old := manifest.annotations.get(CLASS_ANNOTATION):
        return "" if old == ALB_CLASS else f"its class is {old}"
    controllers = {m.name: str(m.spec.get("controller")) for m in classes}
    controllers.setdefault(ALB_CLASS, _ALB_CONTROLLER)
    name = manifest.spec.get("ingressClassName")
    if name is None:
        name = next((m.name for m in classes if m.annotations.get(_DEFAULT_CLASS) == "true"), None)
        if name is None:
            return "it has no class, and no IngressClass among the manifests is the default"
    if name not in controllers:
        return f"its class {name} is no IngressClass among the manifests: if it is an ALB's, give that with -f"
    return "" if controllers[name] == _ALB_CONTROLLER else f"its class {name} belongs to {controllers[name]}"


def texts(value: Any) -> Iterator[str]:
    """Every text in a document, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def prepared(manifest: Manifest) -> Object:
    """The object as it is applied: with a namespace, pods that run anywhere, nothing that a cluster alone writes."""
    document = copy.deepcopy(manifest.document)
    metadata = document["metadata"]
    for key in ("managedFields", "resourceVersion", "uid", "creationTimestamp", "ownerReferences", "selfLink"):
        metadata.pop(key, None)
    # Who deletes a namespace or a pod of a plan waits for nobody.
    metadata.pop("finalizers", None)
    document.pop("status", None)
    if not is_cluster_wide(manifest.kind):
        metadata["namespace"] = manifest.namespace
    if manifest.kind == "Pod":
        document["spec"] = pod(manifest.spec)
    elif manifest.kind in WORKLOADS and isinstance(document.get("spec"), dict):
        template = document["spec"].setdefault("template", {})
        template["spec"] = pod(template.get("spec") or {})
        document["spec"].pop("volumeClaimTemplates", None)
        document["spec"].pop("minReadySeconds", None)
    return document


def pod(spec: Object) -> Object:
    """A pod's spec with what matters to targets: containers' names and ports, the host's network, readiness gates."""
    kept = {key: spec[key] for key in _POD_KEYS if key in spec}
    containers = [
        {**{key: c[key] for key in _CONTAINER_KEYS if key in c}, "image": IMAGE} for c in spec.get("containers") or []
    ]
    return {**kept, "containers": containers, "terminationGracePeriodSeconds": 0}
