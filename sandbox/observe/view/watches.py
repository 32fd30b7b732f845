"""What a load balancer controller watches, as items: Services, Ingresses, endpoints, pods, bindings. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping

from sandbox.observe.view.calls import clock
from sandbox.observe.view.items import Item, Json, broken_first, item

Objects = Mapping[str, Iterable[Json]]
"""Kind -> its objects as kube-apiserver gives them."""

PATHS = {
    "Service": "/api/v1/services",
    "Ingress": "/apis/networking.k8s.io/v1/ingresses",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/endpointslices",
    "Pod": "/api/v1/pods",
    "TargetGroupBinding": "/apis/elbv2.k8s.aws/v1beta1/targetgroupbindings",
    "Node": "/api/v1/nodes",
}
"""The collections that are watched."""
GATE = "target-health.elbv2.k8s.aws/"
"""What the controller's readiness gates begin with."""
_FAULT = re.compile(r"BackOff$|^Err|Error$|^InvalidImageName$")
"""Reasons of a waiting container that are none of its start: CrashLoopBackOff, ErrImagePull, CreateContainerError."""
_ASKING = ("alb.ingress.kubernetes.io/", "service.beta.kubernetes.io/aws-load-balancer-")


def name_of(obj: Json) -> str:
    """`namespace/name`, or the name of what has no namespace."""
    metadata = obj["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else metadata["name"]


def section(objects: Objects) -> list[dict[str, object]]:
    """The page's left column: `[{"kind", "items"}]`, what is broken first, then by name."""
    return [{"kind": kind, "items": broken_first(map(make, objects.get(kind, ())))} for kind, make in MAKERS.items()]


def line(number: int, at: float, verb: str, obj: Json, *, kind: str, before: str | None) -> Item | None:
    """The text to show for an event; None if the same text was shown for the object before.

    Args:
        number: counts the lines.
        at: when it came, seconds since 1970.
        verb: the event's type: `ADDED`, `MODIFIED` or `DELETED`.
        obj: the object.
        kind: the object's.
        before: the note that the object had.
    """
    now = MAKERS[kind](obj)
    if verb == "MODIFIED" and now["note"] == before:
        return None
    words = "deleted" if verb == "DELETED" else now["note"]
    mood = "bad" if now["mood"] == "bad" and verb != "DELETED" else ""
    details = [("event", verb), ("before", before or "")]
    title = f"{kind} {name_of(obj)}"
    return item(str(number), title, words, mood, time=clock(at), refs=now["refs"], details=details)


def hosts(obj: Json) -> list[str]:
    """The host names in a Service's or an Ingress's status."""
    entries: list[Json] = (obj.get("status", {}).get("loadBalancer") or {}).get("ingress") or []
    return [entry.get("hostname") or entry.get("ip") or "" for entry in entries]


def is_ready(pod: Json) -> bool:
    """Whether a pod's condition Ready is true."""
    return _condition(pod, "Ready") == "True"


def failure(pod: Json) -> str:
    """Why a pod does not run: what the kubelet says of a container; empty if it runs, or is about to."""
    status: Json = pod.get("status", {})
    waiting = (entry.get("state", {}).get("waiting") or {} for entry in status.get("containerStatuses") or [])
    reasons = [reason for each in waiting if (reason := each.get("reason", "")) and _FAULT.search(reason)]
    return ", ".join(reasons) or ("Failed" if status.get("phase") == "Failed" else "")


def service(obj: Json) -> Item:
    """A Service."""
    spec = obj["spec"]
    ports = [_port(port) for port in spec.get("ports") or []]
    waits = spec.get("type") == "LoadBalancer" and not hosts(obj)
    words = [spec.get("type", "ClusterIP"), *ports, *(["waits for a load balancer"] if waits else [])]
    return item(
        name_of(obj),
        name_of(obj),
        " ".join(words),
        "wait" if waits else "",
        refs=[f"service {name_of(obj)}", *hosts(obj)],
        details=[
            ("cluster IP", spec.get("clusterIP", "")),
            ("class", spec.get("loadBalancerClass", "")),
            ("host name", ", ".join(hosts(obj))),
            ("external traffic policy", spec.get("externalTrafficPolicy", "")),
            *_annotations(obj),
        ],
    )


def ingress(obj: Json) -> Item:
    """An Ingress."""
    spec = obj["spec"]
    rules = [
        f"{rule.get('host', '*')}{path.get('path', '/')} to {_backend(path['backend'])}"
        for rule in spec.get("rules") or []
        for path in rule.get("http", {}).get("paths") or []
    ]
    waits = not any(hosts(obj))
    return item(
        name_of(obj),
        name_of(obj),
        ", ".join(w for w in (spec.get("ingressClassName", ""), "waits for a load balancer" if waits else "") if w),
        "wait" if waits else "",
        refs=hosts(obj),
        details=[("host name", ", ".join(hosts(obj))), *(("path", rule) for rule in rules), *_annotations(obj)],
    )


def endpoint_slice(obj: Json) -> Item:
    """An EndpointSlice."""
    endpoints: list[Json] = obj.get("endpoints") or []
    labels = obj["metadata"].get("labels") or {}
    owner = f"{obj['metadata']['namespace']}/{labels.get('kubernetes.io/service-name', '?')}"
    ports = [str(port["port"]) for port in obj.get("ports") or [] if port.get("port")]
    listed = [_endpoint(endpoint, ports) for endpoint in endpoints]
    ready = sum(entry["mood"] == "good" for entry in listed)
    return item(
        name_of(obj),
        name_of(obj),
        f"{ready} of {len(listed)} ready",
        "good" if listed and ready == len(listed) else "wait",
        refs=[f"service {owner}"],
        details=[("service", owner), ("ports", ", ".join(ports))],
        items=listed,
    )


def pod(obj: Json) -> Item:
    """A pod."""
    status, spec = obj.get("status", {}), obj["spec"]
    gates = [gate["conditionType"] for gate in spec.get("readinessGates") or []]
    going = bool(obj["metadata"].get("deletionTimestamp"))
    fault = failure(obj)
    words = fault or ("ready" if is_ready(obj) else f"{status.get('phase', 'Pending')}, not ready")
    address = status.get("podIP", "")
    return item(
        name_of(obj),
        name_of(obj),
        f"{address} {'terminating' if going else words}".strip(),
        "wait" if going else "bad" if fault else "good" if is_ready(obj) else "wait",
        refs=[f"pod {name_of(obj)}", "" if spec.get("hostNetwork") else address],
        details=[
            ("node", spec.get("nodeName", "")),
            ("image", ", ".join(container["image"] for container in spec.get("containers") or [])),
            *((f"gate {gate.removeprefix(GATE)}", _condition(obj, gate) or "not said yet") for gate in gates),
        ],
    )


def binding(obj: Json) -> Item:
    """A TargetGroupBinding."""
    spec = obj["spec"]
    ref = spec.get("serviceRef") or {}
    owner = f"{obj['metadata']['namespace']}/{ref.get('name', '?')}"
    return item(
        name_of(obj),
        name_of(obj),
        f"{owner}:{ref.get('port', '?')}, {spec.get('targetType', '')}",
        "",
        refs=[f"service {owner}", spec.get("targetGroupARN", "")],
        details=[("target group", spec.get("targetGroupARN", "")), ("target type", spec.get("targetType", ""))],
    )


def node(obj: Json) -> Item:
    """A node."""
    ready = is_ready(obj)
    addresses = [a["address"] for a in obj.get("status", {}).get("addresses") or [] if a["type"] == "InternalIP"]
    instance = instance_of(obj)
    return item(
        name_of(obj),
        name_of(obj),
        f"{' '.join(addresses)} {'ready' if ready else 'not ready'}".strip(),
        "good" if ready else "wait",
        refs=[f"node {name_of(obj)}", instance],
        details=[("instance", instance)],
    )


def instance_of(obj: Json) -> str:
    """The instance that a node is; empty if it does not say."""
    return (obj["spec"].get("providerID") or "").rpartition("/")[2]


MAKERS: Mapping[str, Callable[[Json], Item]] = {
    "Service": service,
    "Ingress": ingress,
    "EndpointSlice": endpoint_slice,
    "Pod": pod,
    "TargetGroupBinding": binding,
    "Node": node,
}


def _condition(obj: Json, kind: str) -> str:
    conditions: list[Json] = obj.get("status", {}).get("conditions") or []
    return next((c["status"] for c in conditions if c["type"] == kind), "")


def _port(port: Json) -> str:
    through = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{through}/{port.get('protocol', 'TCP')}"


def _backend(backend: Json) -> str:
    to = backend.get("service") or {}
    port = to.get("port") or {}
    return f"{to.get('name', '?')}:{port.get('number') or port.get('name') or '?'}"


def _endpoint(endpoint: Json, ports: list[str]) -> Item:
    conditions = endpoint.get("conditions") or {}
    target = endpoint.get("targetRef") or {}
    ready = conditions.get("ready", True)
    words = "ready" if ready else "terminating" if conditions.get("terminating") else "not ready"
    address = (endpoint.get("addresses") or ["?"])[0]
    return item(
        address,
        f"{address}:{','.join(ports)}",
        words,
        "good" if ready else "wait",
        refs=[address],
        details=[
            ("pod", target.get("name", "")),
            ("node", endpoint.get("nodeName", "")),
            ("zone", endpoint.get("zone", "")),
        ],
    )


def _annotations(obj: Json) -> list[tuple[str, str]]:
    """The load balancer settings that an object requests."""
    annotations: Mapping[str, str] = obj["metadata"].get("annotations") or {}
    return [(key, value) for key, value in sorted(annotations.items()) if key.startswith(_ASKING)]
