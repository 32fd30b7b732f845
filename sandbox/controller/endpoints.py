"""Who answers behind a Service: pods' addresses or nodes' ports. Pure functions over the cluster's objects."""

from dataclasses import dataclass

from sandbox.controller.model.objects import Objects, int_or_name, matches, service_port
from sandbox.controller.model.stack import Json, ModelError

SERVICE_LABEL = "kubernetes.io/service-name"
_NO_TRAFFIC = (
    "node-role.kubernetes.io/master",
    "node.kubernetes.io/exclude-from-external-load-balancers",
    "alpha.service-controller.kubernetes.io/exclude-balancer",
)
_COMPUTE = "eks.amazonaws.com/compute-type"


class BackendMissingError(Exception):
    """The Service or its port is not there."""


@dataclass(frozen=True, order=True)
class Target:
    """What is registered: an address or instance id, and a port."""

    id: str
    port: int


@dataclass(frozen=True)
class Endpoints:
    """Targets that should be registered, with the pod (or node) behind each.

    `waiting` says that an endpoint's pod is not known yet: the pod's own event will bring us here again.
    """

    targets: dict[Target, Json]
    waiting: bool = False


def service_of(binding: Json, objects: Objects) -> tuple[Json, Json]:
    """A binding's Service and its port.

    Raises:
        BackendMissingError: either is not there.
    """
    namespace, reference = binding["metadata"]["namespace"], binding["spec"]["serviceRef"]
    service = objects.get("Service", namespace, reference["name"])
    if service is None:
        raise BackendMissingError(f'backend not found: Service "{reference["name"]}" not found')
    try:
        return service, service_port(service, int_or_name(reference["port"]))
    except ModelError as error:
        raise BackendMissingError(f"backend not found: {error}") from error


def slices(service: Json, objects: Objects) -> list[Json]:
    """A Service's EndpointSlices."""
    namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
    return [
        one
        for one in objects.list("EndpointSlice", namespace)
        if (one["metadata"].get("labels") or {}).get(SERVICE_LABEL) == name
    ]


def of_pods(binding: Json, objects: Objects, *, fail_open: bool) -> Endpoints:
    """Addresses of the pods behind a binding.

    Ready ones; and those whose containers are ready on a ready node, for a readiness gate may wait for their
    registration. Where there is none at all, those on nodes of which nothing is known, if `fail_open`.

    Raises:
        BackendMissingError: the Service or its port is not there.
    """
    service, port = service_of(binding, objects)
    family = "IPv6" if binding["spec"].get("ipAddressType") == "ipv6" else "IPv4"
    ready: dict[Target, Json] = {}
    unknown: dict[Target, Json] = {}
    waiting = False
    for one in slices(service, objects):
        if one.get("addressType") != family:
            continue
        numbers = [p["port"] for p in one.get("ports") or [] if p.get("port") and _same_port(port, p)]
        for endpoint in one.get("endpoints") or []:
            reference = endpoint.get("targetRef") or {}
            if reference.get("kind") != "Pod" or not endpoint.get("addresses") or not numbers:
                continue
            namespace = reference.get("namespace") or service["metadata"]["namespace"]
            pod = objects.get("Pod", namespace, reference["name"])
            if pod is None:
                waiting = True
                continue
            into = _fate(endpoint, pod, objects)
            for number in numbers:
                target = Target(endpoint["addresses"][0], number)
                if into == "True":
                    ready[target] = pod
                elif into == "Unknown":
                    unknown[target] = pod
    return Endpoints(ready or (unknown if fail_open else {}), waiting)


def _same_port(wanted: Json, port: Json) -> bool:
    return not wanted.get("name") or port.get("name") == wanted["name"]


def _fate(endpoint: Json, pod: Json, objects: Objects) -> str:
    """True: a target; Unknown: one in need; False: none."""
    conditions = endpoint.get("conditions") or {}
    if conditions.get("ready") is not False:
        return "True"
    if condition(pod, "ContainersReady") != "True":
        return "False"
    node = objects.get("Node", "", pod["spec"].get("nodeName", ""))
    status = condition(node, "Ready") if node else "False"
    return "False" if status == "True" and conditions.get("terminating") else status


def of_nodes(binding: Json, objects: Objects, *, fail_open: bool) -> Endpoints:
    """Instances and node port behind a binding: ready nodes that take traffic and match its selector.

    Raises:
        BackendMissingError: the Service or its port is not there.
        ModelError: the Service has no node ports.
    """
    service, port = service_of(binding, objects)
    if service["spec"].get("type", "ClusterIP") not in ("NodePort", "LoadBalancer"):
        where = f"{service['metadata']['namespace']}/{service['metadata']['name']}"
        raise ModelError(f"service type must be either 'NodePort' or 'LoadBalancer': {where}")
    nodes = [n for n in objects.list("Node") if takes_traffic(n, binding["spec"].get("nodeSelector"))]
    chosen = [n for n in nodes if condition(n, "Ready") == "True"]
    if not chosen and fail_open:
        chosen = [n for n in nodes if condition(n, "Ready") == "Unknown"]
    return Endpoints({Target(instance_id(n), port["nodePort"]): n for n in chosen})


def takes_traffic(node: Json, selector: Json | None) -> bool:
    """Whether a node may be a target."""
    labels = node["metadata"].get("labels") or {}
    if any(label in labels for label in _NO_TRAFFIC) or labels.get(_COMPUTE) == "fargate":
        return False
    for taint in (node.get("spec") or {}).get("taints") or []:
        if taint["key"] == "ToBeDeletedByClusterAutoscaler":
            return False
        if taint["key"] == "karpenter.sh/disrupted" and taint.get("effect") == "NoSchedule":
            return False
    return matches(selector, labels)


def instance_id(node: Json) -> str:
    """The EC2 instance of a node.

    Raises:
        ModelError: its providerID names none.
    """
    provider = (node.get("spec") or {}).get("providerID", "")
    identity = provider.rsplit("/", 1)[-1]
    if not identity.startswith("i-"):
        raise ModelError(f"providerID {provider!r} of node {node['metadata']['name']} names no instance")
    return identity


def condition(obj: Json, kind: str) -> str:
    """The status of a condition; False where there is none."""
    found = (obj.get("status") or {}).get("conditions") or []
    return next((c["status"] for c in found if c["type"] == kind), "False")


def gates(pod: Json) -> set[str]:
    """The readiness gates of a pod."""
    return {gate["conditionType"] for gate in pod["spec"].get("readinessGates") or []}
