"""A Service of class `service.k8s.aws/nlb` as one network load balancer with its listeners, target groups, bindings."""

from collections import defaultdict

from sandbox.controller.annotations import NLB, Reader
from sandbox.controller.model import names, schema
from sandbox.controller.model.actions import ordered
from sandbox.controller.model.addresses import subnet_mappings
from sandbox.controller.model.ingress import MANAGED, MANAGED_DESCRIPTION
from sandbox.controller.model.lookup import Existing, Lookup
from sandbox.controller.model.objects import Objects, annotations, deleting, finalizers, key, name_of
from sandbox.controller.model.service_targets import ServiceTargets
from sandbox.controller.model.stack import (
    BACKEND,
    Json,
    Listener,
    LoadBalancer,
    ModelError,
    Permission,
    Ref,
    SecurityGroup,
    Stack,
    StackId,
    merged,
)
from sandbox.controller.model.subnets import SubnetChoice
from sandbox.controller.model.tags import refuse_external, with_defaults
from sandbox.controller.settings import Settings

FINALIZER = "service.k8s.aws/resources"
_LONGEST_NAME = 32
_ALPN = ("None", "HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred")
_ROUTING = "dns_record.client_routing_policy"
_ROUTING_POLICIES = ("any_availability_zone", "partial_availability_zone_affinity", "availability_zone_affinity")
_HEAVIEST = 999


def stack_id(namespace: str, name: str) -> StackId:
    """The id of a Service's stack."""
    return StackId("service.k8s.aws", namespace, name)


def ours(service: Json, settings: Settings) -> bool:
    """Whether the controller serves it: by class, or without one by the type annotation."""
    spec = service["spec"]
    if deleting(service):
        return False
    if settings.gate("ServiceTypeLoadBalancerOnly") and spec.get("type") != "LoadBalancer":
        return False
    if spec.get("loadBalancerClass") is not None:
        return spec["loadBalancerClass"] == settings.load_balancer_class
    reader = Reader(NLB, annotations(service))
    kind = reader.text("aws-load-balancer-type")
    target = reader.text("aws-load-balancer-nlb-target-type")
    return kind == "nlb-ip" or (kind == "external" and target in ("ip", "instance"))


def build(service: Json, objects: Objects, lookup: Lookup, settings: Settings, existing: Existing | None) -> Stack:
    """What should exist in AWS for a Service: nothing where it is not ours (any more).

    Args:
        service: the Service.
        objects: the cluster.
        lookup: AWS facts.
        settings: the flags.
        existing: its load balancer as it is now: scheme and subnets stay where nothing else is said.

    Raises:
        ModelError: the manifest contradicts itself or asks for what is not there.
        AnnotationError: a value cannot be read.
    """
    if not ours(service, settings):
        attributes = Reader(NLB, annotations(service)).mapping("aws-load-balancer-attributes") or {}
        if FINALIZER in finalizers(service) and attributes.get("deletion_protection.enabled") == "true":
            raise ModelError(f"deletion_protection is enabled, cannot delete the service: {key(service)[1]}")
        return Stack(stack_id(*key(service)))
    return _Build(service, objects, lookup, settings, existing).stack()


class _Build:
    def __init__(
        self, service: Json, objects: Objects, lookup: Lookup, settings: Settings, existing: Existing | None
    ) -> None:
        self._service, self._spec = service, service["spec"]
        self._objects, self._lookup, self._settings, self._existing = objects, lookup, settings, existing
        self._reader = Reader(NLB, annotations(service))
        self._scheme, self._ip_type = self._decide_scheme(), self._ip_address_type()
        own = self._reader.mapping("aws-load-balancer-additional-resource-tags") or {}
        refuse_external(own, settings, "Service")
        self._tags = with_defaults(own, settings)

    def stack(self) -> Stack:
        subnets = self._subnets()
        groups, made, source = self._security_groups()
        balancer = LoadBalancer(
            name=self._name(),
            type="network",
            scheme=self._scheme,
            ip_address_type=self._ip_type,
            subnets=subnet_mappings(self._reader, self._scheme, self._ip_type, subnets),
            security_groups=groups,
            tags=self._tags,
            attributes=self._attributes(),
            private_link_rules=self._private_link_rules(),
        )
        targets = ServiceTargets(self._service, self._lookup, self._settings, balancer, subnets, source=source)
        listeners = self._listeners(targets)
        return Stack(
            stack_id(*key(self._service)),
            balancer,
            listeners,
            made,
            targets.groups(),
            targets.bindings(),
            Ref("security-group", BACKEND) in groups,
        )

    def _decide_scheme(self) -> str:
        given = self._reader.text("aws-load-balancer-scheme")
        if given is not None:
            if given not in ("internal", "internet-facing"):
                raise ModelError(f"unknown scheme: {given}")
            return given
        internal = self._reader.boolean("aws-load-balancer-internal")
        if internal is not None:
            return "internal" if internal else "internet-facing"
        return self._existing.scheme if self._existing else self._settings.default_load_balancer_scheme

    def _ip_address_type(self) -> str:
        given = self._reader.text("aws-load-balancer-ip-address-type") or "ipv4"
        if given not in ("ipv4", "dualstack"):
            raise ModelError(f"unknown IPAddressType: {given}")
        return given

    def _name(self) -> str:
        given = self._reader.text("aws-load-balancer-name")
        if given is not None:
            if len(given) > _LONGEST_NAME:
                raise ModelError("load balancer name cannot be longer than 32 characters")
            return given
        return names.two_part(
            *key(self._service), self._settings.cluster_name, self._service["metadata"]["uid"], self._scheme
        )

    def _subnets(self) -> list[Json]:
        choice = SubnetChoice(self._lookup, self._settings, "network", self._scheme, self._ip_type)
        given = self._reader.strings("aws-load-balancer-subnets")
        if given is not None:
            return choice.given(given)
        if self._existing and self._existing.scheme == self._scheme:
            return choice.given(self._existing.subnet_ids)
        return choice.discovered()

    def _security_groups(self) -> tuple[tuple[str | Ref, ...], tuple[SecurityGroup, ...], str | Ref | None]:
        """Its groups, those made for it, and where its traffic to targets comes from (None: not ours)."""
        settings, existing = self._settings, self._existing
        disabled = self._reader.boolean("aws-load-balancer-disable-nlb-sg") or not settings.gate("NLBSecurityGroup")
        if existing and not existing.has_security_groups:
            return (), (), None  # AWS cannot add security groups to a network load balancer that was made without
        if disabled:
            if existing:
                raise ModelError("conflicting security groups configuration")
            return (), (), None
        shared = Ref("security-group", BACKEND)
        given = self._reader.strings("aws-load-balancer-security-groups")
        if not given:
            own = self._managed_group()
            mine = Ref("security-group", own.id)
            if settings.enable_backend_security_group:
                return (mine, shared), (own,), shared
            return (mine,), (own,), mine
        groups: tuple[str | Ref, ...] = tuple(self._lookup.security_groups(given))
        manage = self._reader.boolean("aws-load-balancer-manage-backend-security-group-rules")
        if not (settings.enable_manage_backend_security_group_rules if manage is None else manage):
            return groups, (), None
        if not settings.enable_backend_security_group:
            raise ModelError(
                "backendSG feature is required to manage worker node SG rules when frontendSG is manually specified"
            )
        return (*groups, shared), (), shared

    def _managed_group(self) -> SecurityGroup:
        namespace, name = key(self._service)
        uid = self._service["metadata"]["uid"]
        generated = names.two_part(namespace, name, self._settings.cluster_name, name, namespace, uid)
        return SecurityGroup(MANAGED, generated, MANAGED_DESCRIPTION, self._permissions(), self._tags)

    def _permissions(self) -> tuple[Permission, ...]:
        prefix_lists = self._reader.strings("aws-load-balancer-security-group-prefix-lists")
        cidrs = self._spec.get("loadBalancerSourceRanges") or self._reader.strings("load-balancer-source-ranges") or []
        for cidr in cidrs:
            if ":" in cidr and self._ip_type != "dualstack":
                raise ModelError(f"unsupported v6 cidr {cidr} when lb is not dualstack")
        if not cidrs and prefix_lists is None:
            cidrs = ["0.0.0.0/0"] + (["::/0"] if self._ip_type == "dualstack" else [])
        icmp = self._reader.text("aws-load-balancer-enable-icmp-for-path-mtu-discovery") == "on"
        permissions: list[Permission] = []
        for port in self._spec.get("ports") or []:
            protocol, number = port.get("protocol", "TCP").lower(), port["port"]
            for cidr in cidrs:
                permissions.append(Permission(protocol, number, number, cidr))
                if icmp:
                    # Type and code of "fragmentation needed" and of "packet too big".
                    v6 = ":" in cidr
                    permissions.append(Permission("icmpv6", 2, 0, cidr) if v6 else Permission("icmp", 3, 4, cidr))
            permissions += [Permission(protocol, number, number, one) for one in prefix_lists or []]
        return tuple(dict.fromkeys(permissions))

    def _attributes(self) -> dict[str, str]:
        given = self._reader.mapping("aws-load-balancer-attributes") or {}
        if given.get(_ROUTING, _ROUTING_POLICIES[0]) not in _ROUTING_POLICIES:
            raise ModelError(
                f"invalid {_ROUTING} set in annotation aws-load-balancer-attributes: got '{given[_ROUTING]}' "
                f"expected one of {list(_ROUTING_POLICIES)}"
            )
        old: dict[str, str] = {}
        if self._reader.boolean("aws-load-balancer-access-log-enabled"):
            old["access_logs.s3.enabled"] = "true"
            for part in ("bucket", "prefix"):
                suffix = "bucket-name" if part == "bucket" else "bucket-prefix"
                value = self._reader.text(f"aws-load-balancer-access-log-s3-{suffix}")
                if value is not None:
                    old[f"access_logs.s3.{part}"] = value
        cross_zone = self._reader.boolean("aws-load-balancer-cross-zone-load-balancing-enabled")
        if cross_zone is not None:
            old["load_balancing.cross_zone.enabled"] = str(cross_zone).lower()
        return merged(old, given)

    def _private_link_rules(self) -> str | None:
        given = self._reader.text("aws-load-balancer-inbound-sg-rules-on-private-link-traffic")
        if given not in (None, "on", "off"):
            raise ModelError(
                f"Invalid value for securityGroupsInboundRulesOnPrivateLink status: {given}, "
                "value must be one of [on, off]"
            )
        return given

    def _listeners(self, targets: ServiceTargets) -> tuple[Listener, ...]:
        certificates = tuple(self._reader.strings("aws-load-balancer-ssl-cert") or ())
        tls_ports = self._tls_ports()
        listeners: dict[int, Listener] = {}
        for port, protocol in self._ports():
            secure = (
                bool(certificates)
                and protocol == "TCP"
                and (not tls_ports or bool(tls_ports & {port.get("name"), str(port["port"])}))
            )
            to_targets = (
                "TLS" if secure and self._reader.text("aws-load-balancer-backend-protocol") == "ssl" else protocol
            )
            shown = "TLS" if secure else protocol
            if port["port"] in listeners:
                continue  # both protocols without TCP_UDP: a number has room for one listener, the first
            listeners[port["port"]] = Listener(
                port=port["port"],
                protocol=shown,
                actions=self._actions(shown, port, to_targets, targets),
                tags=self._tags,
                certificates=certificates if secure else (),
                ssl_policy=self._ssl_policy() if secure else None,
                alpn=self._alpn() if secure else None,
                attributes=self._reader.mapping(f"aws-load-balancer-listener-attributes.{shown}-{port['port']}") or {},
            )
        return tuple(listener for _, listener in sorted(listeners.items()))

    def _ports(self) -> list[tuple[Json, str]]:
        """Each port with its listener's protocol."""
        ports = self._spec.get("ports") or []
        try:
            merge = self._reader.boolean("aws-load-balancer-enable-tcp-udp-listener")
        except ValueError:
            merge = None
        if not (self._settings.gate("EnableTCPUDPListener") if merge is None else merge):
            return [(port, port.get("protocol", "TCP")) for port in ports]
        by_number: dict[int, list[Json]] = defaultdict(list)
        for port in ports:
            by_number[port["port"]].append(port)
        result: list[tuple[Json, str]] = []
        for same in by_number.values():
            protocols = sorted(port.get("protocol", "TCP") for port in same)
            if len(same) > 1 and protocols != ["TCP", "UDP"]:
                raise ModelError(f"can only merge a TCP and a UDP port, not {protocols}")
            result.append((same[0], "TCP_UDP" if len(same) > 1 else protocols[0]))
        return result

    def _tls_ports(self) -> set[str]:
        given = self._reader.strings("aws-load-balancer-ssl-ports") or []
        known = {v for p in self._spec.get("ports") or [] for v in (p.get("name"), str(p["port"]))}
        if unused := [port for port in given if port not in known]:
            raise ModelError(f"Unused port in ssl-ports annotation [{' '.join(unused)}]")
        return set(given)

    def _ssl_policy(self) -> str:
        return self._reader.text("aws-load-balancer-ssl-negotiation-policy") or self._settings.default_ssl_policy

    def _alpn(self) -> str | None:
        given = self._reader.text("aws-load-balancer-alpn-policy")
        if given is not None and given not in _ALPN:
            raise ModelError(f"invalid ALPN policy {given}, policy must be one of [{', '.join(_ALPN)}]")
        return given

    def _actions(self, shown: str, port: Json, to_targets: str, targets: ServiceTargets) -> list[Json]:
        base = targets.of(self._service, port, to_targets)
        config = self._reader.json(f"actions.{shown}-{port['port']}", schema.SERVICE_ACTION)
        if config is None:
            return ordered([{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": base}]}}])
        if config.get("type") != "forward":
            raise ModelError(f"unknown action type: {config.get('type')}")
        forward = config.get("forwardConfig") or {}
        groups: list[Json] = [{"TargetGroupArn": base} | _weight(forward.get("baseServiceWeight"))]
        others = forward.get("targetGroups") or []
        for other in others:
            if len(others) > 1 and other.get("weight") is None:
                raise ModelError("weight must be set when routing to multiple target groups")
            groups.append({"TargetGroupArn": self._other(other, shown, targets)} | _weight(other.get("weight")))
        action: Json = {"TargetGroups": groups}
        sticky = forward.get("targetGroupStickinessConfig")
        if sticky is not None:
            action["TargetGroupStickinessConfig"] = {"Enabled": bool(sticky.get("enabled"))}
        return ordered([{"Type": "forward", "ForwardConfig": action}])

    def _other(self, other: Json, shown: str, targets: ServiceTargets) -> str | Ref:
        arn, name = other.get("targetGroupARN"), other.get("serviceName")
        if bool(arn) == bool(name):
            raise ModelError("precisely one of targetGroupARN and serviceName can be specified")
        if arn:
            return arn
        if other.get("servicePort") is None:
            raise ModelError("missing servicePort")
        service = self._objects.get("Service", key(self._service)[0], str(name))
        if service is None:
            raise ModelError(f'Service "{name}" not found')
        protocol = "TCP" if shown == "TLS" and other.get("decrypt") else shown
        return targets.of_other(service, other["servicePort"], protocol)


def _weight(weight: int | None) -> Json:
    if weight is None:
        return {}
    if not 0 <= weight <= _HEAVIEST:
        raise ModelError(f"target group weight must be between 0 and {_HEAVIEST}")
    return {"Weight": weight}


def describe(service: Json) -> str:
    """The Service in a message."""
    return f"Service {name_of(service)}"
