"""Target groups and bindings of a group of Ingresses: one for each Service port that an Ingress sends traffic to."""

from sandbox.controller.annotations import ALB, Reader
from sandbox.controller.model import names
from sandbox.controller.model.groups import Group, Member
from sandbox.controller.model.objects import annotations, int_or_name, key, name_of, service_port
from sandbox.controller.model.stack import (
    Binding,
    HealthCheck,
    Json,
    LoadBalancer,
    ModelError,
    Ref,
    TargetGroup,
)
from sandbox.controller.model.tags import IngressTags
from sandbox.controller.settings import Settings

TRAFFIC_PORT = "traffic-port"


def health_port(reader: Reader, suffix: str, default: str, service: Json, target_type: str) -> str:
    """The health check's port: a number, `traffic-port`, or a Service port's name resolved.

    Raises:
        ModelError: the name stands for no number.
    """
    given = reader.text(suffix)
    port = int_or_name(default if given is None else given)
    if port == TRAFFIC_PORT or isinstance(port, int):
        return str(port)
    found = service_port(service, port)
    if target_type == "instance":
        return str(found.get("nodePort", 0))
    if isinstance(found.get("targetPort"), int):
        return str(found["targetPort"])
    raise ModelError("cannot use named healthCheckPort for IP TargetType when service's targetPort is a named port")


def target_port(port: Json, target_type: str) -> int:
    """The target group's port: the node port, the pods' port, or 1 where pods give a name.

    Raises:
        ModelError: there is none.
    """
    if target_type == "instance":
        number = port.get("nodePort") or 0
        need = "When using Instance targets, your service be must of type 'NodePort' or 'LoadBalancer'"
    else:
        wanted = port.get("targetPort", port["port"])
        number = wanted if isinstance(wanted, int) else 1
        need = "Are you using the correct service type?"
    if not number:
        raise ModelError(f"TargetGroup port is empty. {need}")
    return number


def ip_family(service: Json, lb_type: str, kind: str) -> str:
    """ipv4 or ipv6, by the Service's families.

    Raises:
        ModelError: IPv6 behind a load balancer that has none.
    """
    if "IPv6" not in (service["spec"].get("ipFamilies") or []):
        return "ipv4"
    if lb_type == "ipv4" or (kind == "network" and lb_type != "dualstack"):
        raise ModelError("unsupported IPv6 configuration, lb not dual-stack")
    return "ipv6"


class TargetGroups:
    """Collects the target groups that rules and default actions ask for, each once."""

    def __init__(
        self, group: Group, settings: Settings, tags: IngressTags, balancer: LoadBalancer, source: str | Ref | None
    ) -> None:
        """For one group's load balancer, whose traffic comes from the security group `source` (None: not ours)."""
        self._group, self._settings, self._tags = group, settings, tags
        self._balancer, self._source = balancer, source
        self._groups: dict[str, TargetGroup] = {}
        self._bindings: dict[str, Binding] = {}

    def of(self, member: Member, service: Json, port: int | str) -> Ref:
        """The target group of a Service's port (number or name) for one Ingress."""
        identity = f"{member.namespace}/{key(member.ingress)[1]}-{key(service)[1]}:{port}"
        if identity not in self._groups:
            group, found = self._build(identity, member, service, port)
            self._groups[identity] = group
            self._bindings[identity] = self._binding(group, member, service, port, found)
        return Ref("target-group", identity)

    def groups(self) -> tuple[TargetGroup, ...]:
        """All of them, by resource id."""
        return tuple(group for _, group in sorted(self._groups.items()))

    def bindings(self) -> tuple[Binding, ...]:
        """Their bindings, in the same order."""
        return tuple(binding for _, binding in sorted(self._bindings.items()))

    def _build(self, identity: str, member: Member, service: Json, port: int | str) -> tuple[TargetGroup, Json]:
        reader = Reader(ALB, annotations(service), annotations(member.ingress))
        found = service_port(service, port)
        kind = member.params.get("targetType") or reader.text("target-type") or self._settings.default_target_type
        if kind not in ("instance", "ip"):
            raise ModelError(f"unknown targetType: {kind}")
        if kind == "ip" and not self._settings.gate("EnableIPTargetType"):
            raise ModelError("unsupported targetType: ip when EnableIPTargetType is false")
        protocol = _one_of("backend protocol", reader.text("backend-protocol") or "HTTP", "HTTP", "HTTPS")
        version = _one_of(
            "backend protocol version", reader.text("backend-protocol-version") or "HTTP1", "HTTP1", "HTTP2", "GRPC"
        )
        number = target_port(found, kind)
        namespace, name = key(member.ingress)
        identity_parts = (namespace, name, service["metadata"]["uid"], str(port), str(number), kind, protocol, version)
        return (
            TargetGroup(
                id=identity,
                name=names.two_part(*key(service), self._settings.cluster_name, str(self._group.id), *identity_parts),
                target_type=kind,
                protocol=protocol,
                protocol_version=version,
                port=number,
                ip_address_type=ip_family(service, self._balancer.ip_address_type, "application"),
                health=_health(reader, service, kind, protocol, version),
                attributes=reader.mapping("target-group-attributes") or {},
                tags=self._tags.of_backend(member, service),
            ),
            found,
        )

    def _binding(self, group: TargetGroup, member: Member, service: Json, port: int | str, found: Json) -> Binding:
        spec: Json = {
            "targetGroupARN": Ref("target-group", group.id),
            "targetType": group.target_type,
            "targetGroupProtocol": group.protocol,
            "serviceRef": {"name": key(service)[1], "port": port},
            "ipAddressType": group.ip_address_type,
            "vpcID": self._settings.aws_vpc_id,
        }
        if self._source is not None:
            spec["networking"] = {"ingress": self._rules(group, found)}
        shared = [Reader(ALB, annotations(o)).boolean("multi-cluster-target-group") for o in (member.ingress, service)]
        if any(shared):
            spec["multiClusterTargetGroup"] = True
        labels = Reader(ALB, annotations(service), annotations(member.ingress)).mapping("target-node-labels")
        if labels and group.target_type == "instance":
            spec["nodeSelector"] = {"matchLabels": labels}
        return Binding(key(service)[0], group.name, group.id, spec)

    def _rules(self, group: TargetGroup, found: Json) -> list[Json]:
        source = [{"securityGroup": {"groupID": self._source}}]
        if self._settings.disable_restricted_sg_rules:
            return [{"from": source, "ports": [{"protocol": "TCP"}]}]
        wanted = found.get("nodePort") if group.target_type == "instance" else found.get("targetPort", found["port"])
        ports: list[int | str | None] = [wanted]
        if group.health.port != TRAFFIC_PORT:
            ports.append(int(group.health.port))
        return [{"from": source, "ports": [{"protocol": "TCP", "port": port}]} for port in ports]


def _one_of(what: str, value: str, *known: str) -> str:
    if value not in known:
        raise ModelError(f"{what} must be within [{', '.join(known)}]: {value}")
    return value


def _health(reader: Reader, service: Json, kind: str, protocol: str, version: str) -> HealthCheck:
    grpc = version == "GRPC"
    codes = reader.text("success-codes") or ("12" if grpc else "200")

    def number(suffix: str, default: int) -> int:
        given = reader.integer(suffix)
        return default if given is None else given

    try:
        port = health_port(reader, "healthcheck-port", TRAFFIC_PORT, service, kind)
    except ModelError as error:
        raise ModelError(f"failed to resolve healthCheckPort of {name_of(service)}: {error}") from error
    return HealthCheck(
        port=port,
        protocol=_one_of("healthCheckProtocol", reader.text("healthcheck-protocol") or protocol, "HTTP", "HTTPS"),
        path=reader.text("healthcheck-path") or ("/AWS.ALB/healthcheck" if grpc else "/"),
        matcher={"GrpcCode" if grpc else "HttpCode": codes},
        interval=number("healthcheck-interval-seconds", 15),
        timeout=number("healthcheck-timeout-seconds", 5),
        healthy=number("healthy-threshold-count", 2),
        unhealthy=number("unhealthy-threshold-count", 2),
    )
