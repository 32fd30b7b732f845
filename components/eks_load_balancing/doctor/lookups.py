"""How facts relate: which object belongs to which. Pure; it draws no conclusions."""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from eks_load_balancing.controller.statements import TAG
from eks_load_balancing.controller.values import NLB_CLASS
from eks_load_balancing.doctor.facts import Facts, Object

ROLE_ANNOTATION: Final = "eks.amazonaws.com/role-arn"
STACK_TAGS: Final = (
    "service.k8s.aws/stack",
    "ingress.k8s.aws/stack",
    "gateway.k8s.aws.alb/stack",
    "gateway.k8s.aws.nlb/stack",
)
"""The controller's tags that name a resource's object: `namespace/name`, or the name of an IngressGroup."""
GROUP_ANNOTATION: Final = "alb.ingress.kubernetes.io/group.name"
WEBHOOK_PORT: Final = 9443
"""The controller's port for webhooks, by default: `--webhook-bind-port`."""
CONTROLLER: Final = "ingress.k8s.aws/alb"
"""`spec.controller` of the IngressClasses that the controller serves."""
DEFAULT_CLASS: Final = "ingressclass.kubernetes.io/is-default-class"
OLD_CLASS: Final = "kubernetes.io/ingress.class"
"""The annotation that names a class; it takes precedence over `spec.ingressClassName`."""
_TYPE: Final = "service.beta.kubernetes.io/aws-load-balancer-type"
_OIDC: Final = "alb.ingress.kubernetes.io/auth-idp-oidc"
_SECRET: Final = "aws-load-balancer-tls"  # noqa: S105 - its name in the chart


# --- AWS


def tags_of(thing: Object) -> dict[str, str]:
    """Return a resource's tags, from `Tags` or `TagSet`."""
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags") or thing.get("TagSet") or []}


def own_balancers(facts: Facts) -> list[Object]:
    """Return the load balancers that serve the cluster: those with the controller's tag, or behind a binding."""
    return [balancer for balancer in facts.load_balancers if balancer["LoadBalancerArn"] in facts.listeners]


def own_groups(facts: Facts) -> list[Object]:
    """Return the target groups that serve the cluster: those with the controller's tag, or with a binding."""
    return [group for group in facts.target_groups if group["TargetGroupArn"] in facts.health]


def tagged(facts: Facts, arn: str) -> Mapping[str, str] | None:
    """Return the tags of a load balancer or target group, if the controller made it for this cluster's name."""
    tags = facts.tags.get(arn, {})
    return tags if tags.get(TAG) == facts.name else None


def forwarded(actions: Iterable[Object]) -> dict[str, int]:
    """Return the target groups that actions forward to, with their weights."""
    found: dict[str, int] = {}
    for action in actions:
        weighted = action.get("ForwardConfig", {}).get("TargetGroups", [])
        found |= {group["TargetGroupArn"]: group.get("Weight", 1) for group in weighted}
        if "TargetGroupArn" in action:
            found.setdefault(action["TargetGroupArn"], 1)
    return found


# --- Kubernetes


def annotations_of(thing: Object) -> Mapping[str, str]:
    """Return an object's annotations."""
    return thing.get("metadata", {}).get("annotations") or {}


def key(thing: Object) -> tuple[str, str]:
    """Return an object's namespace (or "") and name."""
    return thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


def called(thing: Object) -> str:
    """Return an object's kind and name: `Service shop/web`, `IngressClass alb`."""
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
    """Return the controller's version from its image's tag, without `v`; "" for a digest or no tag."""
    image = container(deployment)["image"].partition("@")[0].rpartition("/")[2]
    return image.partition(":")[2].removeprefix("v")


def serving_secret(deployment: Object) -> str:
    """Return the name of the Secret that holds the webhooks' certificate."""
    volumes = deployment["spec"]["template"]["spec"].get("volumes") or []
    return next((v["secret"]["secretName"] for v in volumes if "secretName" in v.get("secret", {})), _SECRET)


def webhooks_of_the_controller(configuration: Object) -> list[Object]:
    """Return the webhooks of a configuration that are the controller's; it recognises them by name."""
    return [w for w in configuration.get("webhooks") or [] if w["name"].endswith(".k8s.aws")]


def webhook_services(facts: Facts) -> dict[tuple[str, str], list[Object]]:
    """Return the Services through which the API server calls the controller, each with its webhooks."""
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
    """Return the pod that has an address; a pod that has ended has none.

    Pods in their node's network share its address: then it is the one that names the port.
    """
    having = _by_address(facts).get(address, [])
    own = [pod for pod in having if not pod["spec"].get("hostNetwork")]
    naming = [pod for pod in having if port in _ports(pod)]
    return first([*own, *naming, *having])


@lru_cache(maxsize=1)
def _by_address(facts: Facts) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = {}
    for pod in facts.pods:
        for address in dict.fromkeys(_addresses(pod)):
            found.setdefault(address, []).append(pod)
    return found


def _addresses(pod: Object) -> list[str]:
    status = pod.get("status", {})
    if status.get("phase") in ("Succeeded", "Failed"):
        return []
    return [status.get("podIP", ""), *(ip["ip"] for ip in status.get("podIPs") or [])]


def _ports(pod: Object) -> list[int]:
    return [port["containerPort"] for one in pod["spec"].get("containers", []) for port in one.get("ports") or []]


def pods_of(facts: Facts, deployment: Object) -> list[Object]:
    """Return a Deployment's pods, without those that have ended or are being deleted."""
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
    """Yield a Service's endpoints, each with its slice."""
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


def group_of(facts: Facts, ingress: Object) -> str | None:
    """Return the name of an Ingress's group; the group of its class takes precedence over its annotation."""
    classes = {c["metadata"]["name"]: c.get("spec", {}) for c in facts.ingress_classes}
    named = (classes.get(class_of(facts, ingress) or "", {}).get("parameters") or {}).get("name")
    params = first(p.get("spec", {}) for p in facts.ingress_class_params if p["metadata"]["name"] == named) or {}
    return (params.get("group") or {}).get("name") or annotations_of(ingress).get(GROUP_ANNOTATION)


def stack_named(facts: Facts, ingress: Object) -> str:
    """Return the stack of an Ingress: the name of its group, or `namespace/name`."""
    return group_of(facts, ingress) or "/".join(key(ingress))


def group_names(facts: Facts) -> dict[str, Object]:
    """Return the stacks of the Ingresses, by name: one Ingress of each, and each Ingress under its own name."""
    own = {"/".join(key(ingress)): ingress for ingress in facts.ingresses}
    return own | {stack_named(facts, ingress): ingress for ingress in facts.ingresses}


def stacks(facts: Facts) -> dict[str, Object]:
    """Return the objects that load balancers belong to, by the value of their stack tag."""
    return {
        **{"/".join(key(gateway)): gateway for gateway in facts.gateways},
        **group_names(facts),
        **{"/".join(key(s)): s for s in facts.services if _has_a_balancer(s)},
    }


def _has_a_balancer(service: Object) -> bool:
    held = service["metadata"].get("finalizers") or []
    return service["spec"].get("type") == "LoadBalancer" or any(f.startswith("service.k8s.aws/") for f in held)


def stack_of(tags: Mapping[str, str]) -> str | None:
    """Return which object a controller's resource belongs to: the value of its stack tag."""
    return next((tags[tag] for tag in STACK_TAGS if tag in tags), None)


def class_of(facts: Facts, ingress: Object) -> str | None:
    """Return the name of an Ingress's class: by the old annotation, by its field, or the default class."""
    named = annotations_of(ingress).get(OLD_CLASS) or ingress.get("spec", {}).get("ingressClassName")
    default = [c["metadata"]["name"] for c in facts.ingress_classes if annotations_of(c).get(DEFAULT_CLASS) == "true"]
    return named or first(default)


def is_served(facts: Facts, thing: Object) -> bool:
    """Return whether the controller serves a Service or an Ingress, by its class and its namespace.

    https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/main/pkg/service/service_utils.go
    """
    watched = {flags(deployment).get("watch-namespace", "") for deployment in facts.deployments} or {""}
    if "" not in watched and key(thing)[0] not in watched:
        return False
    if thing["kind"] == "Service":
        named = thing["spec"].get("loadBalancerClass")
        classes = {flags(d).get("load-balancer-class", NLB_CLASS) for d in facts.deployments} | {NLB_CLASS}
        return named in classes if named else annotations_of(thing).get(_TYPE) in ("external", "nlb-ip")
    if thing["kind"] != "Ingress":
        return False
    if OLD_CLASS in annotations_of(thing):
        return annotations_of(thing)[OLD_CLASS] in {flags(d).get("ingress-class", "alb") for d in facts.deployments}
    ours = {c["metadata"]["name"] for c in facts.ingress_classes if c["spec"].get("controller") == CONTROLLER}
    return class_of(facts, thing) in ours


def oidc_secret(thing: Object) -> str | None:
    """Return the name of the Secret in an object's annotation for OpenID Connect."""
    try:
        return json.loads(annotations_of(thing).get(_OIDC, "{}")).get("secretName")
    except (ValueError, AttributeError):
        return None  # the controller reports it as FailedBuildModel


def first(things: Iterable[Any]) -> Any:
    """Return the first, or `None`."""
    return next(iter(things), None)
