"""Who reaches what: target types, schemes, source ranges, and the load balancers that nobody meant to make."""

from collections.abc import Iterable
from typing import Any

from kinds import balancers as lb
from kinds.annotations import NLB
from kinds.aws import CLASSIC_LOAD_BALANCER
from kinds.balancers import CLASSES, left_to_class
from kinds.cidrs import together
from kinds.kubernetes import objects
from kinds.owners import BACKEND, BALANCER
from pack.controls import BY_CONTROLLER, guide
from pack.properties import Edit
from pack.registry import ADVISORY, HIGH, LOW, MEDIUM, Messages, rule, texts
from pack.values import dig, items, known, truth, unknown, words

_ALB_ANNOTATIONS = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/"
_NLB_ANNOTATIONS = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/"


@rule(
    "load-balancer-targets-are-pods",
    on=lb.either("load balancer, or Service behind one", BALANCER, BACKEND),
    demand="Load balancers send to pods, not to node ports: target type ip.",
    instead="Set the annotation target-type (of a Service: nlb-target-type) to ip",
    source="https://docs.aws.amazon.com/eks/latest/best-practices/load-balancing.html",
    severity=MEDIUM,
    controls=[guide("networking/loadbalancing", "Register Pods as targets using IP Target-Type")],
    target_types=texts(["ip"], "the target types allowed"),
    classes_with_params=CLASSES,
)
def load_balancer_targets_are_pods(
    balancer: Any, *, target_types: list[str], classes_with_params: list[str]
) -> Messages:
    """By node port the traffic takes another hop, and health checks ask the node instead of the pod.

    The nodes' ports 30000-32767 must be open for it. The controller's default is instance.
    """
    kind = balancer.target_type
    if kind is None and not left_to_class(balancer, classes_with_params):
        yield f"{balancer.title} leaves the target type at instance"
    elif kind is not None and kind not in target_types:
        yield f"{balancer.title} has target type {kind}"


@load_balancer_targets_are_pods.remedy
def _fix_load_balancer_targets_are_pods(
    balancer: Any, *, target_types: list[str], classes_with_params: list[str]
) -> Iterable[Edit]:
    del classes_with_params
    yield balancer.set_target_type(target_types[0])


@rule(
    "load-balancer-is-internal-unless-its-namespace-may-be-public",
    on=BALANCER,
    demand="A load balancer is internal, unless the profile allows its namespace to be on the internet.",
    instead='Set the scheme to "internal", or add the namespace to publicNamespaces',
    source=f"{_ALB_ANNOTATIONS}#scheme",
    severity=HIGH,
    controls=[guide("networking/loadbalancing", "Choosing Load Balancer Type")],
    public_namespaces=texts([], "namespaces whose load balancers may face the internet"),
    public_owners=texts([], "names of IngressClassParams, LoadBalancerConfigurations and own load balancers that may"),
)
def load_balancer_is_internal_unless_its_namespace_may_be_public(
    balancer: Any, *, public_namespaces: list[str], public_owners: list[str]
) -> Messages:
    """What faces the internet is a decision of the platform, not of whoever writes an annotation."""
    if not any(not unknown(scheme) and scheme == lb.PUBLIC for scheme in balancer.schemes):
        return
    own = balancer.decides_for_others or not balancer.in_cluster
    if balancer.name in public_owners if own else balancer.namespace in public_namespaces:
        return
    where = "" if own else f" in the namespace {balancer.namespace}"
    yield f"{balancer.title}{where} faces the internet"


@rule(
    "source-ranges-take-effect",
    on=lb.either("Service or Ingress with source ranges", lb.SERVICE, lb.INGRESS),
    demand="Source ranges stand where the controller heeds them.",
    instead="Give ranges in spec.loadBalancerSourceRanges (Ingress: inbound-cidrs) and name no security groups",
    source=f"{_NLB_ANNOTATIONS}#lb-source-ranges",
    severity=HIGH,
    controls=[guide("networking/subnets", "Configure Security Groups Carefully")],
    ignored_annotations=texts(
        [
            "service.beta.kubernetes.io/aws-load-balancer-source-ranges",
            "service.beta.kubernetes.io/aws-load-balancer-inbound-cidrs",
            "service.beta.kubernetes.io/inbound-cidrs",
            "alb.ingress.kubernetes.io/source-ranges",
            "alb.ingress.kubernetes.io/load-balancer-source-ranges",
        ],
        "annotations that look like source ranges and are read by nobody",
    ),
)
def source_ranges_take_effect(balancer: Any, *, ignored_annotations: list[str]) -> Messages:
    """Named security groups make the controller ignore the ranges, without a word; so does 0.0.0.0/0 beside them.

    The load balancer is then open to whom the groups let in. The same holds for an NLB without a security group,
    unless client addresses are preserved.
    """
    for key in balancer.annotations:
        if key in ignored_annotations or (balancer.application and key == lb.SOURCE_RANGES):
            yield f"{balancer.title} has {key}, which the controller does not read"
    if balancer.application:
        ranges = balancer.of_balancer("inbound-cidrs")
    else:
        ranges = dig(balancer.spec, ["loadBalancerSourceRanges"]) or balancer.annotation(lb.SOURCE_RANGES)
    if not ranges:
        return
    yield from _wider_than_they_look(balancer, lb.listed(ranges) if isinstance(ranges, str) else items(ranges))
    if balancer.has_of_balancer("security-groups"):
        yield f"{balancer.title} names security groups, so its source ranges are ignored"
    if balancer.application:
        return
    if truth(balancer.of_balancer("disable-nlb-sg")) and not _keeps_addresses(balancer):
        yield f"{balancer.title} has no security group, so its source ranges are ignored"
    if dig(balancer.spec, ["loadBalancerSourceRanges"]) and lb.SOURCE_RANGES in balancer.annotations:
        yield f"{balancer.title} gives ranges twice: the annotation is ignored"


def _wider_than_they_look(balancer: Any, ranges: list[Any]) -> Messages:
    """Refuse ranges that shut nobody out though one of them looks so; the world alone says plainly what it means."""
    worlds = [network for network in together(ranges) if network.prefixlen == 0]
    if worlds and any(not str(one).strip().endswith("/0") for one in known(ranges)):
        yield f"{balancer.title} names ranges that come to {worlds[0]} together, so none of them shuts anybody out"


def _keeps_addresses(balancer: Any) -> bool:
    attributes = lb.pairs(balancer.of_balancer("target-group-attributes"))
    return truth(attributes.get("preserve_client_ip.enabled")) is True


@rule(
    "source-ranges-are-given",
    on=lb.either("Service or Ingress", lb.SERVICE, lb.INGRESS),
    demand="A load balancer says which networks may connect.",
    instead="Give spec.loadBalancerSourceRanges (Ingress: inbound-cidrs), or a prefix list",
    source=f"{_NLB_ANNOTATIONS}#lb-source-ranges",
    severity=LOW,
    prod=ADVISORY,
    controls=[guide("networking/subnets", "Configure Security Groups Carefully")],
    open_namespaces=texts([], "namespaces whose load balancers may leave it out"),
)
def source_ranges_are_given(balancer: Any, *, open_namespaces: list[str]) -> Messages:
    """Left out, the security group lets in 0.0.0.0/0.

    On an internal load balancer that is everything which reaches the VPC. It is advice, since a public service
    wants it so.
    """
    if balancer.namespace in open_namespaces:
        return
    given = [
        balancer.annotation(lb.SOURCE_RANGES) if not balancer.application else balancer.of_balancer("inbound-cidrs"),
        dig(balancer.spec, ["loadBalancerSourceRanges"]),
        balancer.of_balancer("security-group-prefix-lists"),
        balancer.of_balancer("security-groups"),
    ]
    if all(value is None or value == [] for value in given):
        yield f"{balancer.title} does not say which networks may connect"


@rule(
    "no-classic-load-balancer",
    on=objects(
        "Service or Classic load balancer",
        [("core", "Service")],
        lb.NlbService,
        dict.fromkeys(CLASSIC_LOAD_BALANCER.shapes, CLASSIC_LOAD_BALANCER.view),
    ),
    demand="Nothing makes a Classic load balancer.",
    instead="Set spec.loadBalancerClass to service.k8s.aws/nlb",
    source=f"{_NLB_ANNOTATIONS}#lb-type",
    severity=HIGH,
    controls=[BY_CONTROLLER],
    classes=texts(lb.NLB_CLASSES, "the load balancer classes allowed"),
)
def no_classic_load_balancer(service: Any, *, classes: list[str]) -> Messages:
    """A Service without class or type falls to the cloud controller of the control plane.

    That makes an internet-facing Classic load balancer to node ports, which AWS no longer develops.
    """
    if not isinstance(service, lb.NlbService):
        yield "the program makes a Classic load balancer"
        return
    if dig(service.spec, ["type"]) == "LoadBalancer" and not lb.is_nlbs(service, classes):
        yield f"{service.title} has neither an allowed loadBalancerClass nor {NLB}type external"


@rule(
    "service-has-no-external-ips",
    on=lb.ANY_SERVICE,
    demand="No Service claims addresses by externalIPs.",
    instead="Leave spec.externalIPs out",
    source="https://kubernetes.io/docs/concepts/services-networking/service/#external-ips",
    severity=HIGH,
    controls=[guide("security/multitenancy", "Tenant Isolation")],
    allowed_addresses=texts([], "addresses that may be claimed"),
)
def service_has_no_external_ips(service: Any, *, allowed_addresses: list[str]) -> Messages:
    """Whoever may make a Service can have other pods' traffic to any address sent to his own (CVE-2020-8554)."""
    claimed = [address for address in words(dig(service.spec, ["externalIPs"])) if address not in allowed_addresses]
    if claimed:
        yield f"{service.title} claims {', '.join(claimed)}"
