"""Who can reach what: target types, schemes, source ranges, and accidental load balancers."""

from collections.abc import Iterable
from typing import Any

from kinds.annotations import NLB
from kinds.aws import CLASSIC_LOAD_BALANCER
from kinds.balancers import PUBLIC, either, listed, pairs
from kinds.cidrs import WIDEST, is_world, together
from kinds.every_balancer import BALANCER
from kinds.gateways import GATEWAY_BALANCER, GATEWAY_CONFIGURATION, TARGET_GROUPS
from kinds.ingresses import CLASS_PARAMS, INGRESS
from kinds.kubernetes import objects
from kinds.services import ANY_SERVICE, BACKEND, NLB_CLASSES, SERVICE, SOURCE_RANGES, NlbService, is_nlbs
from pack.controls import ALB_ANNOTATIONS, BY_CONTROLLER, NLB_ANNOTATIONS, POD_TARGETS, SECURITY_GROUPS, TENANTS, guide
from pack.properties import Edit
from pack.registry import ADVISORY, LOW, MEDIUM, Finding, Messages, rule, texts
from pack.values import dig, items, known, truth, unknown, words


@rule(
    on=either("load balancer, or what describes its target groups", BALANCER, BACKEND, TARGET_GROUPS),
    instead="Set the target type to ip: target-type, of a Service nlb-target-type, of IngressClassParams targetType",
    severity=MEDIUM,
    controls=[POD_TARGETS],
    target_types=texts(["ip"], "the target types allowed"),
)
def load_balancer_targets_are_pods(balancer: Any, *, target_types: list[str]) -> Messages:
    """Load balancers send to pods, not to node ports: target type ip.

    Through a node port the traffic takes one more hop, and health checks test the node instead of the pod. The nodes'
    ports 30000-32767 must be open. The controller's default is instance.
    """
    if balancer.governed("targetType"):
        return
    kind = balancer.target_type
    if kind is not None and kind not in target_types:
        yield f"{balancer.title} has target type {kind}"
    elif kind is None and not balancer.owned and balancer.speaks_alone:
        yield f"{balancer.title} leaves the target type at instance"


@load_balancer_targets_are_pods.remedy
def _fix_load_balancer_targets_are_pods(balancer: Any, *, target_types: list[str]) -> Iterable[Edit]:
    yield from balancer.set_target_type(target_types[0])


@rule(
    on=BALANCER,
    instead='Set the scheme to "internal"',
    source=f"{ALB_ANNOTATIONS}#scheme",
    controls=[guide("networking/loadbalancing", "Choosing Load Balancer Type")],
    public_namespaces=texts([], "namespaces whose Ingresses and Services may face the internet"),
    public_owners=texts(
        [],
        "what else may: IngressClassParams by metadata.name, LoadBalancerConfigurations by NAMESPACE/NAME, "
        "the program's own load balancers by their name in AWS",
    ),
)
def load_balancer_is_internal_unless_its_namespace_may_be_public(
    balancer: Any, *, public_namespaces: list[str], public_owners: list[str]
) -> Messages:
    """A load balancer is internal, unless the profile allows its namespace to be on the internet.

    The platform decides what faces the internet, not the author of an annotation.
    """
    if not any(not unknown(scheme) and scheme == PUBLIC for scheme in balancer.schemes):
        return
    if not balancer.owned:
        if balancer.namespace not in public_namespaces:
            where = f"{balancer.title} in the namespace {balancer.namespace}"
            yield Finding(f"{where} faces the internet", f'add "{balancer.namespace}" to publicNamespaces')
        return
    name = balancer.identity
    if name is None:
        yield Finding(f"{balancer.title} faces the internet", "give it a name and add that to publicOwners")
    elif name not in public_owners:
        yield Finding(f"{balancer.title} ({name}) faces the internet", f'add "{name}" to publicOwners')


@rule(
    on=either("Service or Ingress with source ranges", SERVICE, INGRESS),
    instead="Give ranges in spec.loadBalancerSourceRanges (Ingress: inbound-cidrs) and name no security groups",
    source=f"{NLB_ANNOTATIONS}#lb-source-ranges",
    controls=[SECURITY_GROUPS],
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
    """Source ranges are given where the controller reads them.

    With named security groups the controller ignores the ranges and reports nothing. A range beside 0.0.0.0/0 has no
    effect either. An NLB without a security group ignores them too, unless client addresses are preserved.
    """
    for key in balancer.annotations:
        if key in ignored_annotations or (balancer.application and key == SOURCE_RANGES):
            yield f"{balancer.title} has {key}, which the controller does not read"
    if balancer.application:
        ranges = balancer.of_balancer("inbound-cidrs")
    else:
        ranges = dig(balancer.spec, ["loadBalancerSourceRanges"]) or balancer.annotation(SOURCE_RANGES)
    if not ranges:
        return
    yield from _wider_than_they_look(balancer, listed(ranges) if isinstance(ranges, str) else items(ranges))
    if balancer.has_of_balancer("security-groups"):
        yield f"{balancer.title} names security groups, so its source ranges are ignored"
    if balancer.application:
        return
    if truth(balancer.of_balancer("disable-nlb-sg")) and not _keeps_addresses(balancer):
        yield f"{balancer.title} has no security group, so its source ranges are ignored"
    if dig(balancer.spec, ["loadBalancerSourceRanges"]) and SOURCE_RANGES in balancer.annotations:
        yield f"{balancer.title} gives ranges twice: the annotation is ignored"


def _wider_than_they_look(balancer: Any, ranges: list[Any]) -> Messages:
    """Refuse ranges that exclude nobody although one of them looks as if it did; 0.0.0.0/0 alone is clear."""
    worlds = [network for network in together(ranges) if network.prefixlen == 0]
    if worlds and any(not str(one).strip().endswith("/0") for one in known(ranges)):
        yield f"{balancer.title} names ranges that come to {worlds[0]} together, so none of them shuts anybody out"


def _keeps_addresses(balancer: Any) -> bool:
    attributes = pairs(balancer.of_balancer("target-group-attributes"))
    return truth(attributes.get("preserve_client_ip.enabled")) is True


@rule(
    on=either(
        "load balancer of the controller's", SERVICE, INGRESS, CLASS_PARAMS, GATEWAY_CONFIGURATION, GATEWAY_BALANCER
    ),
    instead="Give spec.loadBalancerSourceRanges (Ingress: inbound-cidrs; IngressClassParams: inboundCIDRs; "
    "LoadBalancerConfiguration: sourceRanges), or a prefix list",
    source=f"{NLB_ANNOTATIONS}#lb-source-ranges",
    severity=LOW,
    prod=ADVISORY,
    controls=[SECURITY_GROUPS],
    open_namespaces=texts([], "namespaces whose load balancers may let everybody in"),
    open_owners=texts(
        [], "IngressClassParams by metadata.name and LoadBalancerConfigurations by NAMESPACE/NAME that may"
    ),
    **WIDEST,
)
def source_ranges_are_given(
    balancer: Any, *, open_namespaces: list[str], open_owners: list[str], **widest: float
) -> Messages:
    """A load balancer says which networks may connect, and not the whole world.

    Without ranges the security group lets in 0.0.0.0/0. On an internal load balancer that is everything that reaches
    the VPC. It only advises, because a public service must be open.
    """
    if balancer.is_among(open_namespaces, open_owners):
        return
    if balancer.limits_sources or balancer.governed("inboundCIDRs") or balancer.governed("sourceRanges"):
        return
    allowed_by = balancer.how_to_allow("openNamespaces", "openOwners")
    ranges = balancer.source_ranges
    worlds = [one for one in known(ranges) if is_world(one, **widest)]
    if worlds:
        yield Finding(f"{balancer.title} lets in {worlds[0]}", allowed_by)
    elif not ranges and balancer.speaks_alone:
        yield Finding(f"{balancer.title} does not say which networks may connect", allowed_by)


@rule(
    on=objects(
        "Service or Classic load balancer",
        [("core", "Service")],
        NlbService,
        dict.fromkeys(CLASSIC_LOAD_BALANCER.shapes, CLASSIC_LOAD_BALANCER.view),
    ),
    instead="Set spec.loadBalancerClass to service.k8s.aws/nlb",
    source=f"{NLB_ANNOTATIONS}#lb-type",
    controls=[BY_CONTROLLER],
    classes=texts(NLB_CLASSES, "the load balancer classes allowed"),
)
def no_classic_load_balancer(service: Any, *, classes: list[str]) -> Messages:
    """Nothing makes a Classic load balancer.

    The control plane's cloud controller takes a Service that has neither a class nor a type. It makes an
    internet-facing Classic load balancer, a kind that AWS no longer develops, and sends to node ports.
    """
    if not isinstance(service, NlbService):
        yield "the program makes a Classic load balancer"
        return
    if dig(service.spec, ["type"]) == "LoadBalancer" and not is_nlbs(service, classes):
        yield f"{service.title} has neither an allowed loadBalancerClass nor {NLB}type external"


@rule(
    on=ANY_SERVICE,
    instead="Leave spec.externalIPs out",
    source="https://kubernetes.io/docs/concepts/services-networking/service/#external-ips",
    controls=[TENANTS],
    allowed_addresses=texts([], "addresses that may be claimed"),
)
def service_has_no_external_ips(service: Any, *, allowed_addresses: list[str]) -> Messages:
    """No Service claims addresses by externalIPs.

    Whoever may make a Service can redirect other pods' traffic to any address to their own pods (CVE-2020-8554).
    """
    claimed = [address for address in words(dig(service.spec, ["externalIPs"])) if address not in allowed_addresses]
    if claimed:
        yield f"{service.title} claims {', '.join(claimed)}"
