"""A group of Ingresses as one application load balancer with its listeners, rules, target groups and bindings."""

from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager

from sandbox.controller.annotations import ALB, AnnotationError, Reader
from sandbox.controller.model import names, ports, rules
from sandbox.controller.model.actions import NOT_FOUND, aws_actions, backend, ordered, redirect_to
from sandbox.controller.model.groups import Group, Member
from sandbox.controller.model.ingress_targets import TargetGroups
from sandbox.controller.model.lookup import Existing, Lookup
from sandbox.controller.model.objects import Objects, annotations, deleting, exclusive, name_of
from sandbox.controller.model.ports import Port
from sandbox.controller.model.stack import (
    BACKEND,
    Json,
    Listener,
    LoadBalancer,
    ModelError,
    Permission,
    Ref,
    Rule,
    SecurityGroup,
    Stack,
    merged,
)
from sandbox.controller.model.subnets import SubnetChoice
from sandbox.controller.model.tags import IngressTags
from sandbox.controller.settings import Settings

MANAGED = "ManagedLBSecurityGroup"
MANAGED_DESCRIPTION = "[k8s] Managed SecurityGroup for LoadBalancer"
_LONGEST_NAME = 32
_PROTECTED = "deletion_protection.enabled"
_IP_TYPES = ("ipv4", "dualstack", "dualstack-without-public-ipv4")


def build(group: Group, objects: Objects, lookup: Lookup, settings: Settings, existing: Existing | None) -> Stack:
    """What should exist in AWS for a group of Ingresses.

    Args:
        group: the Ingresses.
        objects: the cluster.
        lookup: AWS facts.
        settings: the flags.
        existing: the group's load balancer as it is now: its subnets stay as long as its scheme does.

    Raises:
        ModelError: the manifests contradict themselves or ask for what is not there.
        AnnotationError: a value cannot be read.
    """
    for ingress in group.former:
        attributes = Reader(ALB, annotations(ingress)).mapping("load-balancer-attributes") or {}
        if deleting(ingress) and attributes.get(_PROTECTED) == "true":
            raise ModelError(f"deletion_protection is enabled, cannot delete the ingress: {name_of(ingress)}")
    if not group.members:
        return Stack(group.id)
    return _Build(group, objects, lookup, settings, existing).stack()


@contextmanager
def _told_of(member: Member) -> Generator[None, None, None]:
    """Errors say which Ingress of the group they are about."""
    try:
        yield
    except (ModelError, AnnotationError) as error:
        raise ModelError(f"ingress: {member.name}: {error}") from error


class _Build:
    def __init__(
        self, group: Group, objects: Objects, lookup: Lookup, settings: Settings, existing: Existing | None
    ) -> None:
        self._group, self._members = group, group.members
        self._objects, self._lookup, self._settings, self._existing = objects, lookup, settings, existing
        self._tags = IngressTags(settings)
        self._secrets: frozenset[tuple[str, str]] = frozenset()
        wishes: dict[int, list[tuple[Member, Port]]] = defaultdict(list)
        for member in self._members:
            with _told_of(member):
                for port, wish in ports.of_member(member, lookup).items():
                    wishes[port].append((member, wish))
        self._on_port = {port: [m for m, _ in wanted] for port, wanted in wishes.items()}
        self._ports = {
            port: ports.merge(port, [(m.name, wish) for m, wish in wanted], settings)
            for port, wanted in sorted(wishes.items())
        }

    def stack(self) -> Stack:
        scheme, ip_type = self._scheme(), self._ip_address_type()
        subnets = [{"SubnetId": one} for one in self._subnet_ids(scheme, ip_type)]
        groups, made, backend_group = self._security_groups(ip_type)
        balancer = LoadBalancer(
            name=self._name(scheme),
            type="application",
            scheme=scheme,
            ip_address_type=ip_type,
            subnets=subnets,
            security_groups=tuple(groups),
            tags=self._tags.of_group(self._members),
            attributes=self._attributes(),
            customer_owned_pool=self._exclusive("customer-owned-ipv4-pool", None),
        )
        targets = TargetGroups(self._group, self._settings, self._tags, balancer, self._backend_source)
        redirect = ports.redirect_port(self._members, self._ports)
        listeners = tuple(self._listener(number, port, redirect, targets) for number, port in self._ports.items())
        return Stack(
            self._group.id,
            balancer,
            listeners,
            made,
            targets.groups(),
            targets.bindings(),
            backend_group,
            self._web_acl(),
            self._secrets,
        )

    def _exclusive(self, suffix: str, by_class: str | None) -> str | None:
        """One value for the group: the class's where it has one, the annotation's else."""
        values = [(by_class and m.params.get(by_class)) or m.reader().text(suffix) for m in self._members]
        return exclusive(suffix, values)

    def _scheme(self) -> str:
        scheme = self._exclusive("scheme", "scheme") or self._settings.default_load_balancer_scheme
        if scheme not in ("internal", "internet-facing"):
            raise ModelError(f"unknown scheme: {scheme}")
        return scheme

    def _ip_address_type(self) -> str:
        kind = self._exclusive("ip-address-type", "ipAddressType") or "ipv4"
        if kind not in _IP_TYPES:
            raise ModelError(f"unknown IPAddressType: {kind}")
        return kind

    def _name(self, scheme: str) -> str:
        given = self._exclusive("load-balancer-name", "loadBalancerName")
        if given is not None:
            if len(given) > _LONGEST_NAME:
                raise ModelError("load balancer name cannot be longer than 32 characters")
            return given
        group, cluster = self._group.id, self._settings.cluster_name
        if group.namespace:
            return names.two_part(group.namespace, group.name, cluster, str(group), scheme)
        return names.one_part(group.name, cluster, str(group), scheme)

    def _subnet_ids(self, scheme: str, ip_type: str) -> list[str]:
        selectors = [m.params["subnets"] for m in self._members if m.params.get("subnets")]
        given = [
            subnets
            for m in self._members
            if not m.params.get("subnets") and (subnets := m.reader().strings("subnets")) is not None
        ]
        choice = SubnetChoice(self._lookup, self._settings, "application", scheme, ip_type)
        if selectors and given:
            raise ModelError("conflicting subnet specifications: IngressClassParams versus annotation")
        if any(one != selectors[0] for one in selectors):
            raise ModelError("conflicting IngressClassParams subnet specifications")
        for one in given:
            if sorted(one) != sorted(given[0]):
                raise ModelError(f"conflicting subnets: {given[0]} | {one}")
        if selectors:
            chosen = choice.selected(selectors[0])
        elif given:
            chosen = choice.given(given[0])
        elif self._existing and self._existing.scheme == scheme:
            return list(self._existing.subnet_ids)
        else:
            chosen = choice.discovered()
        return [subnet["SubnetId"] for subnet in chosen]

    def _security_groups(self, ip_type: str) -> tuple[list[str | Ref], tuple[SecurityGroup, ...], bool]:
        """The load balancer's security groups, those made for it, and whether the shared one is among them."""
        self._backend_source: str | Ref | None = None
        settings = self._settings
        given = [sgs for m in self._members if (sgs := m.reader().strings("security-groups")) is not None]
        for one in given:
            if one != given[0]:
                raise ModelError(f"conflicting securityGroups: {given[0]} | {one}")
        shared = Ref("security-group", BACKEND)
        if not given or not given[0]:
            own = self._managed_group(ip_type)
            if not settings.enable_backend_security_group:
                self._backend_source = Ref("security-group", own.id)
                return [self._backend_source], (own,), False
            self._backend_source = shared
            return [Ref("security-group", own.id), shared], (own,), True
        groups: list[str | Ref] = list(self._lookup.security_groups(given[0]))
        if not self._manage_backend_rules():
            return groups, (), False
        if not settings.enable_backend_security_group:
            raise ModelError(
                "backendSG feature is required to manage worker node SG rules when frontendSG manually specified"
            )
        self._backend_source = shared
        return [*groups, shared], (), True

    def _manage_backend_rules(self) -> bool:
        given = {m.reader().boolean("manage-backend-security-group-rules") for m in self._members} - {None}
        if len(given) > 1:
            raise ModelError("conflicting manage backend security group rules settings")
        return bool(given.pop()) if given else self._settings.enable_manage_backend_security_group_rules

    def _managed_group(self, ip_type: str) -> SecurityGroup:
        group, cluster = self._group.id, self._settings.cluster_name
        if group.namespace:
            name = names.two_part(group.namespace, group.name, cluster, str(group))
        else:
            name = names.one_part(group.name, cluster, str(group))
        ingress = tuple(
            Permission("tcp", number, number, source)
            for number, port in self._ports.items()
            for source in [
                *sorted(c for c in port.cidrs if ":" not in c or ip_type != "ipv4"),
                *sorted(port.prefix_lists),
            ]
        )
        return SecurityGroup(MANAGED, name, MANAGED_DESCRIPTION, ingress, self._tags.of_group(self._members))

    def _attributes(self) -> dict[str, str]:
        by_class = {a["key"]: a["value"] for a in self._members[0].params.get("loadBalancerAttributes") or []}
        given = [m.reader().mapping("load-balancer-attributes") or {} for m in self._members]
        return _agreed("load balancer attributes", by_class, given)

    def _web_acl(self) -> str | None:
        name = self._exclusive("wafv2-acl-name", "wafv2AclName")
        if name:
            return "none" if name == "none" else self._lookup.web_acl(name)
        return self._exclusive("wafv2-acl-arn", "wafv2AclArn")

    def _listener(self, number: int, port: Port, redirect: int | None, targets: TargetGroups) -> Listener:
        members = self._on_port[number]
        redirected = redirect is not None and port.protocol == "HTTP"
        default = [redirect_to(redirect)] if redirect is not None and redirected else None
        return Listener(
            port=number,
            protocol=port.protocol,
            actions=ordered(default) if default else self._default_actions(port.protocol, members, targets),
            tags=self._tags.of_group(members),
            rules=() if redirected else self._rules(number, port.protocol, members, targets),
            certificates=port.certificates,
            ssl_policy=port.ssl_policy,
            mutual_authentication=port.mutual_authentication,
            attributes=self._listener_attributes(number, port.protocol, members),
        )

    def _default_actions(self, protocol: str, members: list[Member], targets: TargetGroups) -> list[Json]:
        having = [m for m in members if m.ingress["spec"].get("defaultBackend")]
        if not having:
            return ordered([NOT_FOUND])
        if len(having) > 1:
            raise ModelError(f"multiple ingress defined default backend: [{' '.join(m.name for m in having)}]")
        return self._actions(having[0], having[0].ingress["spec"]["defaultBackend"], protocol, targets)

    def _actions(self, member: Member, spec: Json, protocol: str, targets: TargetGroups) -> list[Json]:
        one = backend(member, spec, self._objects, self._settings)
        actions, secrets = aws_actions(member, protocol, one, self._lookup, targets.of)
        self._secrets |= secrets
        return actions

    def _rules(self, number: int, protocol: str, members: list[Member], targets: TargetGroups) -> tuple[Rule, ...]:
        drafts: list[rules.Draft] = []
        for member in members:
            with _told_of(member):
                drafts += self._drafts(member, protocol, targets)
        kept = rules.optimized(number, protocol, drafts)
        return tuple(Rule(i, d.conditions, d.actions, d.tags, d.transforms) for i, d in enumerate(kept, 1))

    def _drafts(self, member: Member, protocol: str, targets: TargetGroups) -> list[rules.Draft]:
        drafts: list[rules.Draft] = []
        for rule in member.ingress["spec"].get("rules") or []:
            for path in rules.sorted_paths((rule.get("http") or {}).get("paths") or []):
                one = backend(member, path["backend"], self._objects, self._settings)
                conditions = rules.conditions(member, rule.get("host") or "", path, one)
                actions, secrets = aws_actions(member, protocol, one, self._lookup, targets.of)
                self._secrets |= secrets
                drafts.append(rules.Draft(conditions, actions, self._tags.of_member(member), one.transforms))
        return drafts

    def _listener_attributes(self, number: int, protocol: str, members: list[Member]) -> dict[str, str]:
        by_class: dict[str, str] = {}
        for listener in members[0].params.get("listeners") or []:
            if listener.get("protocol") == protocol and listener.get("port") == number:
                by_class = {a["key"]: a["value"] for a in listener.get("listenerAttributes") or []}
        suffix = f"listener-attributes.{protocol}-{number}"
        given = [m.reader().mapping(suffix) or {} for m in members]
        return _agreed("listener attributes", by_class, given)


def _agreed(what: str, by_class: dict[str, str], given: list[dict[str, str]]) -> dict[str, str]:
    """Attributes of all members; the class's settle a conflict."""
    result: dict[str, str] = {}
    for attributes in given:
        for key, value in attributes.items():
            if result.get(key, value) != value and key not in by_class:
                raise ModelError(f"conflicting {what} {key}: {result[key]} | {value}")
            result[key] = value
    return merged(by_class, result)
