"""How facts hang together: which objects belong to which. Pure, and without an opinion."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from eks_load_balancing.controller_policy import TAG
from eks_load_balancing.doctor.facts import Facts, Object

ROLE_ANNOTATION: Final = "eks.amazonaws.com/role-arn"
STACK_TAGS: Final = (
    "service.k8s.aws/stack",
    "ingress.k8s.aws/stack",
    "gateway.k8s.aws.alb/stack",
    "gateway.k8s.aws.nlb/stack",
)
"""Tags by which the controller tells what a thing is for: `namespace/name`, or an Ingress group's name."""
GROUP_ANNOTATION: Final = "alb.ingress.kubernetes.io/group.name"
WEBHOOK_PORT: Final = 9443
"""What the controller listens on for webhooks unless told: `--webhook-bind-port`."""
_SECRET: Final = "aws-load-balancer-tls"  # noqa: S105 - its name, as the chart has it


# --- AWS


def tags_of(thing: Object) -> dict[str, str]:
    """Return a resource's tags, whichever of AWS's two spellings holds them."""
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags") or thing.get("TagSet") or []}


def own_balancers(facts: Facts) -> list[Object]:
    """Return the load balancers that serve the cluster: by the controller's tag, or by a binding."""
    return [balancer for balancer in facts.load_balancers if balancer["LoadBalancerArn"] in facts.listeners]


def own_groups(facts: Facts) -> list[Object]:
    """Return the target groups that serve the cluster: by the controller's tag, or by a binding."""
    return [group for group in facts.target_groups if group["TargetGroupArn"] in facts.health]


def tagged(facts: Facts, arn: str) -> Mapping[str, str] | None:
    """Return the tags of a load balancer or target group, if the controller made it for this cluster's name."""
    tags = facts.tags.get(arn, {})
    return tags if tags.get(TAG) == facts.name else None


def forwarded(actions: Iterable[Object]) -> list[str]:
    """Return the target groups that actions forward to, each once."""
    found: dict[str, None] = {}
    for action in actions:
        if "TargetGroupArn" in action:
            found[action["TargetGroupArn"]] = None
        for group in action.get("ForwardConfig", {}).get("TargetGroups", []):
            found[group["TargetGroupArn"]] = None
    return list(found)


# --- Kubernetes


def annotations_of(thing: Object) -> Mapping[str, str]:
    """Return an object's annotations."""
    return thing.get("metadata", {}).get("annotations") or {}


def key(thing: Object) -> tuple[str, str]:
    """Return an object's namespace (or "") and name."""
    return thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


def called(thing: Object) -> str:
    """Return how an object is called: `Service shop/web`, `IngressClass alb`."""
    return f"{thing['kind']} {'/'.join(part for part in key(thing) if part)}"


def container(deployment: Object) -> Object:
    """Return the controller's container."""
    return deployment["spec"]["template"]["spec"]["containers"][0]


def flags(deployment: Object) -> dict[str, str]:
    """Return the controller's flags by name, without dashes; one without a value is `true`."""
    given: dict[str, str] = {}
    for argument in [*(container(deployment).get("command") or []), *(container(deployment).get("args") or [])]:
        if argument.startswith("-"):
            name, equals, value = argument.lstrip("-").partition("=")
            given[name] = value if equals else "true"
    return given


def image_version(deployment: Object) -> str:
    """Return the controller's version as its image's tag says it, without `v`; "" for a digest or no tag."""
    image = container(deployment)["image"].partition("@")[0].rpartition("/")[2]
    return image.partition(":")[2].removeprefix("v")


def serving_secret(deployment: Object) -> str:
    """Return the name of the Secret that holds the webhooks' certificate."""
    volumes = deployment["spec"]["template"]["spec"].get("volumes") or []
    return next((v["secret"]["secretName"] for v in volumes if "secretName" in v.get("secret", {})), _SECRET)


def webhooks_of_the_controller(configuration: Object) -> list[Object]:
    """Return the webhooks of a configuration that are the controller's, by their names."""
    return [w for w in configuration.get("webhooks") or [] if w["name"].endswith(".k8s.aws")]


def webhook_services(facts: Facts) -> dict[tuple[str, str], list[Object]]:
    """Return the Services that the API server calls the controller through, each with the webhooks that it serves."""
    found: dict[tuple[str, str], list[Object]] = {}
    for configuration in facts.webhooks:
        for webhook in webhooks_of_the_controller(configuration):
            service = webhook["clientConfig"].get("service")
            if service:
                found.setdefault((service["namespace"], service["name"]), []).append(webhook)
    return found


def webhook_addresses(facts: Facts) -> set[str]:
    """Return the addresses at which the API server calls the controller."""
    return {a for namespace, name in webhook_services(facts) for a in ready_addresses(facts, namespace, name)}


def is_ready(pod: Object) -> bool:
    """Return whether a pod is ready."""
    conditions = pod.get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def pod_at(facts: Facts, address: str, port: int | None = None) -> Object | None:
    """Return the pod that has an address; one that has ended has none.

    Pods in their node's network share its address: of these it is the one that names the port.
    """
    having = [pod for pod in facts.pods if address in _addresses(pod)]
    own = [pod for pod in having if not pod["spec"].get("hostNetwork")]
    naming = [pod for pod in having if port in _ports(pod)]
    return first([*own, *naming, *having])


def _addresses(pod: Object) -> list[str]:
    status = pod.get("status", {})
    if status.get("phase") in ("Succeeded", "Failed"):
        return []
    return [status.get("podIP", ""), *(ip["ip"] for ip in status.get("podIPs") or [])]


def _ports(pod: Object) -> list[int]:
    return [port["containerPort"] for one in pod["spec"].get("containers", []) for port in one.get("ports") or []]


def pods_of(facts: Facts, deployment: Object) -> list[Object]:
    """Return a Deployment's pods, those that have ended or are on their way out left aside."""
    wanted = (deployment["spec"].get("selector") or {}).get("matchLabels") or {}
    return [
        pod
        for pod in facts.pods
        if pod["metadata"].get("namespace") == deployment["metadata"]["namespace"]
        and wanted
        and wanted.items() <= (pod["metadata"].get("labels") or {}).items()
        and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
        and "deletionTimestamp" not in pod["metadata"]
    ]


def endpoints(facts: Facts, namespace: str, service: str) -> Iterator[tuple[Object, Object]]:
    """Walk over a Service's endpoints, each with the slice that it is in."""
    for part in facts.endpoint_slices:
        labels = part["metadata"].get("labels") or {}
        if part["metadata"]["namespace"] == namespace and labels.get("kubernetes.io/service-name") == service:
            yield from ((part, endpoint) for endpoint in part.get("endpoints") or [])


def ready_addresses(facts: Facts, namespace: str, service: str) -> set[str]:
    """Return the addresses of a Service's ready endpoints."""
    return {
        address
        for _, endpoint in endpoints(facts, namespace, service)
        if (endpoint.get("conditions") or {}).get("ready", True)
        for address in endpoint.get("addresses", [])
    }


def group_names(facts: Facts) -> dict[str, Object]:
    """Return the stacks that Ingresses stand for: `namespace/name`, or the name of their group -> one Ingress of it."""
    by_class = {
        c["metadata"]["name"]: (c.get("spec", {}).get("parameters") or {}).get("name") for c in facts.ingress_classes
    }
    params = {p["metadata"]["name"]: p.get("spec", {}) for p in facts.ingress_class_params}
    found: dict[str, Object] = {}
    for ingress in facts.ingresses:
        named = annotations_of(ingress).get(GROUP_ANNOTATION)
        params_of = params.get(by_class.get(ingress.get("spec", {}).get("ingressClassName")) or "", {})
        in_class = (params_of.get("group") or {}).get("name")
        found["/".join(key(ingress))] = ingress
        for group in (named, in_class):
            if group:
                found[group] = ingress
    return found


def stacks(facts: Facts) -> dict[str, Object]:
    """Return what load balancers are for: the value of a stack tag -> an object."""
    return {
        **{"/".join(key(gateway)): gateway for gateway in facts.gateways},
        **group_names(facts),
        **{"/".join(key(s)): s for s in facts.services if _has_a_balancer(s)},
    }


def _has_a_balancer(service: Object) -> bool:
    held = service["metadata"].get("finalizers") or []
    return service["spec"].get("type") == "LoadBalancer" or any(f.startswith("service.k8s.aws/") for f in held)


def stack_of(tags: Mapping[str, str]) -> str | None:
    """Return what a thing of the controller's is for, by its tags: the value of its stack tag."""
    return next((tags[tag] for tag in STACK_TAGS if tag in tags), None)


def first(things: Iterable[Any]) -> Any:
    """Return the first, or `None`."""
    return next(iter(things), None)
