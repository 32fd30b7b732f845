"""Pods, and what keeps them from serving. Pure."""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any, Final

from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.faults import Fault, restart, restored
from eks_load_balancing.doctor.lookups import called, first, is_ready, key

GATE: Final = "target-health.elbv2.k8s.aws/"
"""The prefix of the controller's readiness gates; the name of a TargetGroupBinding follows."""
NO_BINDING: Final = "a TargetGroupBinding that does not exist"
_PULL: Final = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName")


def selected(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Return whether a label selector matches; an empty one matches everything, a missing one nothing.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/
    """
    if selector is None:
        return False
    equal = (selector.get("matchLabels") or {}).items() <= labels.items()
    return equal and all(_holds(test, labels) for test in selector.get("matchExpressions") or [])


def _holds(test: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, operator = labels.get(test["key"]), test["operator"]
    if operator in ("Exists", "DoesNotExist"):
        return (value is not None) == (operator == "Exists")
    return (value in (test.get("values") or [])) == (operator == "In")


def labels_of(thing: Object) -> Mapping[str, str]:
    """Return an object's labels."""
    return thing["metadata"].get("labels") or {}


def service_of(facts: Facts, namespace: str, name: str) -> Object | None:
    """Return a Service."""
    return first(s for s in facts.services if key(s) == (namespace, name))


def pods_behind(facts: Facts, service: Object) -> list[Object]:
    """Return the pods that a Service selects, without those that have ended or are being deleted."""
    wanted = service["spec"].get("selector")
    return [
        pod
        for pod in facts.pods
        if wanted
        and pod["metadata"].get("namespace") == key(service)[0]
        and wanted.items() <= labels_of(pod).items()
        and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
        and "deletionTimestamp" not in pod["metadata"]
    ]


def conditions_of(thing: Object) -> dict[str, Object]:
    """Return an object's conditions by type."""
    return {condition["type"]: condition for condition in thing.get("status", {}).get("conditions") or []}


def closed_gates(pod: Object) -> list[str]:
    """Return the unmet readiness gates of a pod, whoever added them."""
    conditions = conditions_of(pod)
    gates = [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or []]
    return [gate for gate in gates if conditions.get(gate, {}).get("status") != "True"]


def waits_for_gates_alone(pod: Object) -> bool:
    """Return whether a pod's containers are ready, and only its readiness gates are not met."""
    containers = conditions_of(pod).get("ContainersReady", {}).get("status") == "True"
    return not is_ready(pod) and containers and bool(closed_gates(pod))


def gate_fault(facts: Facts, pod: Object) -> Fault | None:
    """Return why the controller's readiness gates keep a pod from being ready, if they do."""
    namespace, name = key(pod)
    bindings = {key(binding) for binding in facts.bindings}
    for gate in closed_gates(pod) if waits_for_gates_alone(pod) else []:
        binding, condition = gate.removeprefix(GATE), conditions_of(pod).get(gate)
        if not gate.startswith(GATE):
            continue
        if (namespace, binding) not in bindings:
            return Fault(
                f"its readiness gate {gate} waits for {NO_BINDING}",
                f"`kubectl delete pod -n {namespace} {name}`: its successor gets the gates of the bindings that exist",
            )
        if condition is None:
            return Fault(f"the controller has not reported on its readiness gate {gate}", restart(facts))
        said = " ".join(t for t in (condition.get("reason"), condition.get("message")) if t) or "no reason given"
        return Fault(
            f"its readiness gate {gate} waits for a healthy target: {said}",
            "make the target healthy: its own finding says how; the pod becomes ready with it",
        )
    return None


def illness(facts: Facts, pod: Object) -> Fault | None:
    """Return why a pod does not serve, if it does not; that its target is not healthy yet is no fault of the pod."""
    if is_ready(pod):
        return None
    namespace, name = key(pod)
    look = f"kubectl describe pod -n {namespace} {name}"
    unscheduled = conditions_of(pod).get("PodScheduled", {})
    if unscheduled.get("status") == "False":
        why = f"it is not scheduled: {unscheduled.get('message', 'no reason given')}"
        return Fault(why, "add nodes, or lower what it requests", look)
    waits = waits_for_gates_alone(pod)
    gate = gate_fault(facts, pod)
    if waits:
        return gate if gate is not None and NO_BINDING in gate.why else None
    return _waiting(pod, look) or Fault("it is not ready", "make its readiness probe succeed", look)


def _waiting(pod: Object, look: str) -> Fault | None:
    """Return why a container of a pod does not run."""
    namespace, name = key(pod)
    status = pod.get("status", {})
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting = container.get("state", {}).get("waiting") or {}
        reason = waiting.get("reason", "")
        if reason in _PULL:
            return Fault(f"{reason}: image {container.get('image')}", "correct the image, or its pull secret", look)
        if reason == "CrashLoopBackOff":
            logs = f"kubectl logs -n {namespace} {name} -c {container['name']} --previous"
            return Fault(f"its container {container['name']} crashes again and again", "correct its program", logs)
        if reason and reason not in ("ContainerCreating", "PodInitializing"):
            return Fault(f"{reason}: {waiting.get('message', 'no message')}", "create what it needs", look)
    return None


def deniers(facts: Facts, pod: Object, port: int, sources: Iterable[str]) -> list[Object]:
    """Return the NetworkPolicies that isolate a pod, if none of them allows any of the sources at a port.

    Whether they are enforced depends on the cluster's network plugin.
    https://kubernetes.io/docs/concepts/services-networking/network-policies/

    Args:
        facts: with the policies.
        pod: its namespace's policies apply.
        port: of the pod.
        sources: address ranges; the load balancer's.
    """
    isolating = [
        policy
        for policy in facts.network_policies
        if key(policy)[0] == key(pod)[0]
        and "Ingress" in policy["spec"].get("policyTypes", ["Ingress"])
        and selected(policy["spec"].get("podSelector") or {}, labels_of(pod))
    ]
    ranges = [ipaddress.ip_network(source) for source in sources]
    rules = [rule for policy in isolating for rule in policy["spec"].get("ingress") or []]
    return [] if any(_port(rule, pod, port) and _peer(rule, ranges) for rule in rules) else isolating


def _port(rule: Object, pod: Object, port: int) -> bool:
    named = {p.get("name"): p["containerPort"] for c in pod["spec"].get("containers", []) for p in c.get("ports") or []}
    return not rule.get("ports") or any(
        one.get("port") is None
        or named.get(one["port"], one["port"]) == port
        or (isinstance(one["port"], int) and one["port"] <= port <= one.get("endPort", 0))
        for one in rule["ports"]
    )


def _peer(rule: Object, ranges: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    blocks = [peer["ipBlock"] for peer in rule.get("from") or [] if "ipBlock" in peer]
    return not rule.get("from") or any(
        source.version == (network := ipaddress.ip_network(block["cidr"])).version
        and source.overlaps(network)
        and not any(_within(source, ipaddress.ip_network(hole)) for hole in block.get("except") or [])
        for block in blocks
        for source in ranges
    )


def _within(inner: Any, outer: Any) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)


def scaled_to_zero(facts: Facts, service: Object) -> Object | None:
    """Return a Deployment without replicas whose pods a Service would select."""
    wanted = service["spec"].get("selector")
    return first(
        workload
        for workload in facts.workloads
        if wanted
        and key(workload)[0] == key(service)[0]
        and workload["spec"].get("replicas", 1) == 0
        and wanted.items() <= (workload["spec"]["template"].get("metadata", {}).get("labels") or {}).items()
    )


def nothing_serves(facts: Facts, namespace: str, name: str) -> Fault | None:
    """Return why a Service has no pod that is ready, if it has none."""
    service = service_of(facts, namespace, name)
    if service is None:
        others = ", ".join(n for at, n in map(key, facts.services) if at == namespace) or "none"
        return Fault(
            f"Service {namespace}/{name} does not exist",
            f"create Service {namespace}/{name}, or name one that exists ({others})",
        )
    chosen = service["spec"].get("selector") or {}
    wanted = ",".join(f"{label}={value}" for label, value in chosen.items())
    pods = pods_behind(facts, service)
    if chosen and not pods:
        idle = scaled_to_zero(facts, service)
        if idle is not None:
            return Fault(
                f"{called(service)} selects the pods of {called(idle)}, which has 0 replicas",
                f"`kubectl scale -n {namespace} deployment/{key(idle)[1]} --replicas=2`",
            )
        return Fault(
            f"{called(service)} selects no pod: none in {namespace} carries {wanted}",
            f"start its pods, or set its selector to their labels{restored(service)}",
            f"kubectl get pods -n {namespace} --show-labels",
        )
    ill = [(pod, fault) for pod in pods if (fault := illness(facts, pod)) is not None]
    if ill and len(ill) == len(pods):
        pod, fault = ill[0]
        why = f"none of the {len(pods)} pods of {called(service)} serves: {called(pod)}: {fault.why}"
        return Fault(why, fault.fix, fault.see)
    return _no_port(service, pods)


def _no_port(service: Object, pods: list[Object]) -> Fault | None:
    """Return the fault that a Service names a port by a name that no container of its pods has."""
    named = {
        port.get("name")
        for pod in pods
        for container in pod["spec"].get("containers", [])
        for port in container.get("ports") or []
    }
    for port in service["spec"].get("ports") or []:
        target = port.get("targetPort")
        if pods and isinstance(target, str) and target not in named:
            there = ", ".join(sorted(filter(None, named))) or "none"
            why = f"{called(service)} sends port {port['port']} to {target}, and no container of its pods has that port"
            return Fault(why, f"name a port of the pods in targetPort ({there}){restored(service)}")
    return None
