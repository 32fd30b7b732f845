"""Target groups and bindings of a Gateway: one for each Service port that a route sends traffic to."""

from collections.abc import Mapping
from typing import Any

from sandbox.controller.gateway.backends import Backend
from sandbox.controller.gateway.flavors import Flavor
from sandbox.controller.gateway.networking import Networking
from sandbox.controller.model import names
from sandbox.controller.model.ingress_targets import TRAFFIC_PORT, ip_family, target_port
from sandbox.controller.model.lookup import Lookup
from sandbox.controller.model.objects import int_or_name, key, service_port
from sandbox.controller.model.stack import Binding, HealthCheck, Json, LoadBalancer, ModelError, Ref, TargetGroup
from sandbox.controller.model.tags import refuse_external, with_defaults
from sandbox.controller.settings import Settings

_BY_ROUTE = {"TCPRoute": "TCP", "UDPRoute": "UDP", "TLSRoute": "TLS", "HTTPRoute": "HTTP", "GRPCRoute": "HTTP"}
_PROTOCOLS = {"application": ("HTTP", "HTTPS"), "network": ("TCP", "TLS", "UDP", "TCP_UDP")}
_DEFAULTS = {"interval": 15, "timeout": 5, "healthy": 3, "unhealthy": 3}
# With externalTrafficPolicy Local kube-proxy answers for its node on a port of its own.
_LOCAL_DEFAULTS = {"interval": 10, "timeout": 6, "healthy": 2, "unhealthy": 2}
_FIELDS = {
    "interval": "healthCheckInterval",
    "timeout": "healthCheckTimeout",
    "healthy": "healthyThresholdCount",
    "unhealthy": "unhealthyThresholdCount",
}


class TargetGroups:
    """Collects the target groups that listeners ask for, each once."""

    def __init__(
        self,
        gateway: Json,
        flavor: Flavor,
        balancer: LoadBalancer,
        networking: Networking,
        lookup: Lookup,
        *,
        settings: Settings,
    ) -> None:
        """For one Gateway's load balancer; `networking` makes the rules for the way to the targets."""
        self._gateway, self._flavor, self._balancer = gateway, flavor, balancer
        self._networking, self._lookup, self._settings = networking, lookup, settings
        self._groups: dict[str, TargetGroup] = {}
        self._bindings: dict[str, Binding] = {}

    def of(self, route: Json, backend: Backend, listener: str) -> str | Ref:
        """The target group of a route's backend behind a listener of that protocol.

        Raises:
            ModelError: properties that do not fit the Service or one another.
        """
        service, port = backend.service, backend.port
        if service is None or port is None:
            return self._lookup.target_group(backend.target_group)
        wanted = port.get("targetPort", port["port"])
        ids = ["/".join(key(self._gateway)), ":".join(key(route))]
        identity = f"{ids[0]}:{key(route)[0]}-{key(route)[1]}:{route['kind']}-{'-'.join(key(service))}:{wanted}"
        if identity not in self._groups:
            properties = backend.properties or {}
            group = self._build(identity, route, backend, properties, listener)
            self._groups[identity] = group
            self._bindings[identity] = self._binding(group, service, port, properties)
        return Ref("target-group", identity)

    def groups(self) -> tuple[TargetGroup, ...]:
        """All of them, by resource id."""
        return tuple(group for _, group in sorted(self._groups.items()))

    def bindings(self) -> tuple[Binding, ...]:
        """Their bindings, in the same order."""
        return tuple(binding for _, binding in sorted(self._bindings.items()))

    def _build(self, identity: str, route: Json, backend: Backend, properties: Json, listener: str) -> TargetGroup:
        service, port = backend.service or {}, backend.port or {}
        kind = properties.get("targetType") or self._settings.default_target_type
        protocol = self._protocol(route, properties, listener)
        version = self._version(route, port, properties, listener)
        number = target_port(port, kind)
        tags = properties.get("tags") or {}
        refuse_external(tags, self._settings, "TargetGroupConfiguration")
        parts = (*key(self._gateway), *key(route), route["kind"], *key(service), str(number), kind, protocol)
        generated = names.two_part(*key(route), self._settings.cluster_name, *parts, version or "")
        return TargetGroup(
            id=identity,
            name=properties.get("targetGroupName") or generated,
            target_type=kind,
            protocol=protocol,
            protocol_version=version,
            port=number,
            ip_address_type=ip_family(service, self._balancer.ip_address_type, self._flavor.balancer),
            health=self._health(service, kind, protocol, version, properties.get("healthCheckConfig") or {}),
            attributes={a["key"]: a["value"] for a in properties.get("targetGroupAttributes") or []},
            tags=with_defaults(tags, self._settings),
        )

    def _protocol(self, route: Json, properties: Json, listener: str) -> str:
        if listener == "TCP_UDP":
            return listener
        given = properties.get("protocol") or _BY_ROUTE[route["kind"]]
        known = _PROTOCOLS[self._flavor.balancer]
        if given not in known:
            raise ModelError(f"target group protocol {given}: {self._flavor.controller} knows {', '.join(known)}")
        return given

    def _version(self, route: Json, port: Json, properties: Json, listener: str) -> str | None:
        if self._flavor.balancer == "network":
            return None
        if listener != "HTTPS":
            return "HTTP1"
        by_port = "HTTP2" if port.get("appProtocol") == "kubernetes.io/h2c" else "HTTP1"
        return properties.get("protocolVersion") or ("GRPC" if route["kind"] == "GRPCRoute" else by_port)

    def _health(self, service: Json, kind: str, protocol: str, version: str | None, config: Json) -> HealthCheck:
        network, grpc = self._flavor.balancer == "network", version == "GRPC"
        local = network and kind == "instance" and service["spec"].get("externalTrafficPolicy") == "Local"
        default_protocol = protocol if not network else "HTTP" if local else "TCP"
        checked = config.get("healthCheckProtocol") or default_protocol
        code = ("GrpcCode", "grpcCode", "12") if grpc else ("HttpCode", "httpCode", "200-399")
        matcher = {code[0]: (config.get("matcher") or {}).get(code[1]) or code[2]}
        default_path = "/AWS.ALB/healthcheck" if grpc else "/healthz" if local else "/"
        defaults = _LOCAL_DEFAULTS if local else _DEFAULTS
        default_port = str(service["spec"].get("healthCheckNodePort", 0)) if local else TRAFFIC_PORT
        return HealthCheck(
            port=_health_port(config.get("healthCheckPort"), default_port, service, kind),
            protocol=checked,
            path=None if checked == "TCP" else config.get("healthCheckPath") or default_path,
            matcher=None if checked == "TCP" else matcher,
            **{name: _given(config, _FIELDS[name], default) for name, default in defaults.items()},
        )

    def _binding(self, group: TargetGroup, service: Json, port: Json, properties: Json) -> Binding:
        wanted = port.get("nodePort") if group.target_type == "instance" else port.get("targetPort", port["port"])
        spec: Json = {
            "targetGroupARN": Ref("target-group", group.id),
            "targetType": group.target_type,
            "targetGroupProtocol": group.protocol,
            "serviceRef": {"name": key(service)[1], "port": port["port"]},
            "ipAddressType": group.ip_address_type,
            "vpcID": self._settings.aws_vpc_id,
        }
        ingress = self._networking.rules(group, wanted)
        if ingress is not None:
            spec["networking"] = {"ingress": ingress}
        if properties.get("enableMultiCluster"):
            spec["multiClusterTargetGroup"] = True
        if properties.get("nodeSelector") and group.target_type == "instance":
            spec["nodeSelector"] = properties["nodeSelector"]
        infrastructure = self._gateway["spec"].get("infrastructure") or {}
        labels, annotations = infrastructure.get("labels") or {}, infrastructure.get("annotations") or {}
        return Binding(key(service)[0], group.name, group.id, spec, labels, annotations)


def _given(config: Mapping[str, Any], field: str, default: int) -> int:
    value = config.get(field)
    return default if value is None else value


def _health_port(given: str | None, default: str, service: Json, kind: str) -> str:
    port = int_or_name(given or default)
    if port == TRAFFIC_PORT or isinstance(port, int):
        return str(port)
    found = service_port(service, port)
    if kind == "instance":
        return str(found.get("nodePort", 0))
    if isinstance(found.get("targetPort"), int):
        return str(found["targetPort"])
    raise ModelError("a health check port by name needs a targetPort by number where targets are addresses")
