"""Target groups and bindings of a Service's network load balancer."""

from collections.abc import Sequence

from sandbox.controller.annotations import NLB, Reader, as_boolean
from sandbox.controller.model import names
from sandbox.controller.model.addresses import cidrs
from sandbox.controller.model.ingress_targets import TRAFFIC_PORT, health_port, ip_family, target_port
from sandbox.controller.model.lookup import Lookup
from sandbox.controller.model.objects import annotations, int_or_name, key, service_port
from sandbox.controller.model.stack import (
    Binding,
    HealthCheck,
    Json,
    LoadBalancer,
    ModelError,
    Ref,
    TargetGroup,
)
from sandbox.controller.model.tags import with_defaults
from sandbox.controller.settings import Settings

_PROXY = "proxy_protocol_v2.enabled"
_KEEP_CLIENT = "preserve_client_ip.enabled"
_ANYWHERE = {"ipv4": "0.0.0.0/0", "ipv6": "::/0"}


class ServiceTargets:
    """Collects the target groups that listeners ask for, each once."""

    def __init__(
        self,
        service: Json,
        lookup: Lookup,
        settings: Settings,
        balancer: LoadBalancer,
        subnets: Sequence[Json],
        *,
        source: str | Ref | None,
    ) -> None:
        """For one Service's load balancer in `subnets`, whose traffic comes from the security group `source`."""
        self._base, self._lookup, self._settings = service, lookup, settings
        self._balancer, self._subnets, self._source = balancer, subnets, source
        self._reader = Reader(NLB, annotations(service))
        own = self._reader.mapping("aws-load-balancer-additional-resource-tags") or {}
        self._tags = with_defaults(own, settings)
        self._groups: dict[str, TargetGroup] = {}
        self._bindings: dict[str, Binding] = {}

    def of(self, service: Json, port: Json, protocol: str) -> Ref:
        """The target group of a Service's port, reached by `protocol`."""
        identity = f"{'/'.join(key(service))}:{port['port']}"
        if identity not in self._groups:
            self._groups[identity] = self._build(identity, service, port, protocol)
            self._bindings[identity] = self._binding(self._groups[identity], service, port)
        return Ref("target-group", identity)

    def of_other(self, service: Json, port: int | str, protocol: str) -> Ref:
        """The target group of another Service's port (number or name) that traffic is shared with."""
        return self.of(service, service_port(service, int_or_name(port)), protocol)

    def groups(self) -> tuple[TargetGroup, ...]:
        """All of them, by resource id."""
        return tuple(group for _, group in sorted(self._groups.items()))

    def bindings(self) -> tuple[Binding, ...]:
        """Their bindings, in the same order."""
        return tuple(binding for _, binding in sorted(self._bindings.items()))

    def _build(self, identity: str, service: Json, port: Json, protocol: str) -> TargetGroup:
        kind = self._target_type(service, port)
        health = self._health(service, kind)
        number = target_port(port, kind)
        other = [] if service is self._base else [self._base["metadata"]["uid"]]
        parts = (service["metadata"]["uid"], str(number), str(port["port"]), kind, protocol)
        return TargetGroup(
            id=identity,
            name=names.two_part(
                *key(service), self._settings.cluster_name, *other, *parts, health.protocol, str(health.interval)
            ),
            target_type=kind,
            protocol=protocol,
            port=number,
            ip_address_type=ip_family(service, self._balancer.ip_address_type, "network"),
            health=health,
            attributes=self._attributes(port),
            tags=self._tags,
        )

    def _target_type(self, service: Json, port: Json) -> str:
        given = self._reader.text("aws-load-balancer-nlb-target-type") or self._settings.default_target_type
        if given == "ip" and not self._settings.gate("EnableIPTargetType"):
            raise ModelError("unsupported targetType: ip when EnableIPTargetType is false")
        if given == "ip" or self._reader.text("aws-load-balancer-type") == "nlb-ip":
            return "ip"
        spec = service["spec"]
        if spec.get("type", "ClusterIP") == "ClusterIP":
            raise ModelError(f'unsupported service type "ClusterIP" for load balancer target type "{given}"')
        if not port.get("nodePort") and spec.get("allocateLoadBalancerNodePorts") is False:
            raise ModelError("unable to support instance target type with an unallocated NodePort")
        return "instance"

    def _health(self, service: Json, kind: str) -> HealthCheck:
        spec = service["spec"]
        # With externalTrafficPolicy Local kube-proxy answers for its node on a port of its own.
        local = (
            kind == "instance" and spec.get("externalTrafficPolicy") == "Local" and spec.get("type") == "LoadBalancer"
        )
        default_port = str(self._base["spec"].get("healthCheckNodePort", 0)) if local else TRAFFIC_PORT
        given = self._text("protocol")
        protocol = ("HTTP" if local else "TCP") if given is None else given.upper()
        if protocol not in ("TCP", "HTTP", "HTTPS"):
            raise ModelError(f"unsupported health check protocol {given}")
        advanced = self._settings.gate("NLBHealthCheckAdvancedConfig")
        codes = self._text("success-codes") or "200-399"
        default_timeout, default_threshold = (6, 2) if local else (10, 3)
        return HealthCheck(
            port=health_port(self._reader, "aws-load-balancer-healthcheck-port", default_port, service, kind),
            protocol=protocol,
            path=None if protocol == "TCP" else self._text("path") or ("/healthz" if local else "/"),
            matcher={"HttpCode": codes} if advanced and protocol != "TCP" else None,
            interval=self._number("interval", 10),
            timeout=self._number("timeout", default_timeout) if advanced else default_timeout,
            healthy=self._number("healthy-threshold", default_threshold),
            unhealthy=self._number("unhealthy-threshold", default_threshold),
        )

    def _text(self, part: str) -> str | None:
        return self._reader.text(f"aws-load-balancer-healthcheck-{part}")

    def _number(self, part: str, default: int) -> int:
        given = self._reader.integer(f"aws-load-balancer-healthcheck-{part}")
        return default if given is None else given

    def _attributes(self, port: Json) -> dict[str, str]:
        suffix = "aws-load-balancer-target-group-attributes"
        attributes = {_PROXY: "false"} | (self._reader.mapping(suffix) or {})
        for name, value in (self._reader.mapping(f"{suffix}.{port['port']}") or {}).items():
            if value:
                attributes[name] = value
        if as_boolean(attributes.get(_KEEP_CLIENT, "true")) is None:
            raise ModelError(f"failed to parse attribute {_KEEP_CLIENT}={attributes[_KEEP_CLIENT]}")
        ports = self._reader.strings("aws-load-balancer-proxy-protocol-per-target-group")
        if ports is not None:
            for one in ports:
                if not one.isdigit():
                    raise ModelError(f"invalid port number in proxy-protocol-per-target-group: {one}")
            attributes[_PROXY] = str(str(port["port"]) in ports).lower()
        everywhere = self._reader.text("aws-load-balancer-proxy-protocol")
        if everywhere is not None:
            if everywhere != "*":
                raise ModelError(
                    f"invalid value {everywhere} for Load Balancer proxy protocol v2 annotation, "
                    "only value currently supported is *"
                )
            attributes[_PROXY] = "true"
        return {name: value for name, value in attributes.items() if value or name != _PROXY}

    def _binding(self, group: TargetGroup, service: Json, port: Json) -> Binding:
        spec: Json = {
            "targetGroupARN": Ref("target-group", group.id),
            "targetType": group.target_type,
            "targetGroupProtocol": group.protocol,
            "serviceRef": {"name": key(service)[1], "port": port["port"]},
            "ipAddressType": group.ip_address_type,
            "vpcID": self._settings.aws_vpc_id,
        }
        wanted = port.get("nodePort") if group.target_type == "instance" else port.get("targetPort", port["port"])
        networking = self._networking(group, service, wanted)
        if networking is not None:
            spec["networking"] = {"ingress": networking}
        if self._reader.boolean("aws-load-balancer-multi-cluster-target-group"):
            spec["multiClusterTargetGroup"] = True
        labels = self._reader.mapping("aws-load-balancer-target-node-labels")
        if labels and group.target_type == "instance":
            spec["nodeSelector"] = {"matchLabels": labels}
        return Binding(key(service)[0], group.name, group.id, spec)

    def _networking(self, group: TargetGroup, service: Json, port: int | str | None) -> list[Json] | None:
        if not self._balancer.security_groups:
            return self._without_groups(group, service, port)
        if self._source is None:
            return None
        return [{"from": [{"securityGroup": {"groupID": self._source}}], "ports": self._ports(group, port)}]

    def _ports(self, group: TargetGroup, port: int | str | None) -> list[Json]:
        datagrams = group.protocol in ("UDP", "TCP_UDP")
        if self._settings.disable_restricted_sg_rules:
            return [{"protocol": p} for p in (["TCP", "UDP"] if datagrams else ["TCP"])]
        health = group.health.port
        same = health in (TRAFFIC_PORT, str(port))
        ports: list[Json] = [{"protocol": "UDP" if datagrams else "TCP", "port": port}]
        if datagrams and (group.protocol == "TCP_UDP" or same):
            ports.append({"protocol": "TCP", "port": port})  # health checks go over TCP
        if not same:
            ports.append({"protocol": "TCP", "port": int(health)})
        return ports

    def _without_groups(self, group: TargetGroup, service: Json, port: int | str | None) -> list[Json] | None:
        """Rules by address, where the load balancer has no security group to name: clients, and its own subnets."""
        manage = self._reader.boolean("aws-load-balancer-manage-backend-security-group-rules")
        if manage is False:
            return None
        own = [c for subnet in self._subnets for c in cidrs(subnet, group.ip_address_type)]
        kept = as_boolean(group.attributes.get(_KEEP_CLIENT, str(group.target_type == "instance").lower()))
        datagrams = group.protocol in ("UDP", "TCP_UDP")
        sources, by_default = own, False
        if datagrams or kept:
            given = service["spec"].get("loadBalancerSourceRanges") or self._reader.strings(
                "load-balancer-source-ranges"
            )
            by_default = not given
            sources = given or self._default_sources(group.ip_address_type)
        protocols = {"TCP_UDP": ["TCP", "UDP"], "UDP": ["UDP"]}.get(group.protocol, ["TCP"])
        rules: list[Json] = [
            {
                "from": [{"ipBlock": {"cidr": c}} for c in sources],
                "ports": [{"protocol": p, "port": port} for p in protocols],
            }
        ]
        health = group.health.port
        same = health in (TRAFFIC_PORT, str(port))
        reached = not kept or by_default or bool({"0.0.0.0/0", "::/0"} & set(sources))
        if group.protocol == "UDP" or not same or not reached:
            check = port if health == TRAFFIC_PORT else int(health)
            rules.append(
                {"from": [{"ipBlock": {"cidr": c}} for c in own], "ports": [{"protocol": "TCP", "port": check}]}
            )
        return rules

    def _default_sources(self, family: str) -> list[str]:
        if self._balancer.scheme == "internal":
            return self._lookup.vpc_cidrs(family)
        return [_ANYWHERE[family]]
