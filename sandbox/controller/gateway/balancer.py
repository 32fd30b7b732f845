"""A Gateway as one load balancer with its listeners, rules, target groups and bindings."""

from collections.abc import Sequence

from sandbox.controller.gateway.actions import transforms
from sandbox.controller.gateway.attachment import Served
from sandbox.controller.gateway.flavors import Flavor
from sandbox.controller.gateway.listeners import Port, certificates, configuration, mutual_authentication, ports
from sandbox.controller.gateway.networking import Networking
from sandbox.controller.gateway.plan import Plan
from sandbox.controller.gateway.rules import conditions, rule_actions, sorted_matches
from sandbox.controller.gateway.target_groups import TargetGroups
from sandbox.controller.model import names
from sandbox.controller.model.actions import NOT_FOUND, ordered
from sandbox.controller.model.addresses import with_addresses
from sandbox.controller.model.ingress import MANAGED, MANAGED_DESCRIPTION
from sandbox.controller.model.lookup import Existing, Lookup
from sandbox.controller.model.objects import Key, annotations, deleting, key, name_of
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
    StackId,
)
from sandbox.controller.model.subnets import SubnetChoice
from sandbox.controller.model.tags import refuse_external, with_defaults
from sandbox.controller.settings import Settings

WEB_ACL = "gateway.k8s.aws.addon.wafv2"
"""The annotation by which a Gateway remembers that its load balancer has a web ACL of ours."""
_PROTECTED = "deletion_protection.enabled"
_ADDRESSES = {
    "eipAllocation": "elastic",
    "privateIPv4Allocation": "private",
    "ipv6Allocation": "v6",
}


def stack_id(flavor: Flavor, where: Key) -> StackId:
    """The id of a Gateway's stack."""
    return StackId(flavor.prefix, *where)


def build(
    gateway: Json, flavor: Flavor, plan: Plan, lookup: Lookup, settings: Settings, *, existing: Existing | None
) -> Stack:
    """What should exist in AWS for a Gateway: nothing where it is going.

    Args:
        gateway: the Gateway.
        flavor: its class's controller.
        plan: its configuration, its listeners and the routes on them.
        lookup: AWS facts.
        settings: the flags.
        existing: its load balancer as it is now: subnets stay as long as its scheme does.

    Raises:
        ModelError: the manifests contradict themselves or ask for what is not there.
    """
    if deleting(gateway):
        attributes = {a["key"]: a["value"] for a in plan.parameters.spec.get("loadBalancerAttributes") or []}
        if attributes.get(_PROTECTED) == "true":
            raise ModelError(f"cannot delete Gateway {name_of(gateway)}: {_PROTECTED} is true")
        return Stack(stack_id(flavor, key(gateway)))
    return _Build(gateway, flavor, plan, lookup, settings, existing=existing).stack()


class _Build:
    def __init__(
        self,
        gateway: Json,
        flavor: Flavor,
        plan: Plan,
        lookup: Lookup,
        settings: Settings,
        *,
        existing: Existing | None,
    ) -> None:
        self._gateway, self._flavor, self._plan = gateway, flavor, plan
        self._lookup, self._settings, self._existing = lookup, settings, existing
        self._spec = spec = plan.parameters.spec
        self._scheme: str = spec.get("scheme") or settings.default_load_balancer_scheme
        self._ip_type: str = spec.get("ipAddressType") or "ipv4"
        own = spec.get("tags") or {}
        refuse_external(own, settings, "LoadBalancerConfiguration")
        self._tags = with_defaults(own, settings)
        self._secrets: frozenset[tuple[str, str]] = frozenset()

    def stack(self) -> Stack:
        network = self._flavor.balancer == "network"
        subnets, mappings = self._subnets()
        groups, made, source = self._security_groups()
        balancer = LoadBalancer(
            name=self._name(),
            type=self._flavor.balancer,
            scheme=self._scheme,
            ip_address_type=self._ip_type,
            subnets=mappings,
            security_groups=groups,
            tags=self._tags,
            attributes={a["key"]: a["value"] for a in self._spec.get("loadBalancerAttributes") or []},
            customer_owned_pool=None if network else self._spec.get("customerOwnedIpv4Pool"),
            private_link_rules=self._spec.get("enforceSecurityGroupInboundRulesOnPrivateLinkTraffic")
            if network
            else None,
        )
        ranges = self._spec.get("sourceRanges") or ()
        networking = Networking(bool(groups), source, self._scheme, subnets, ranges, self._lookup, self._settings)
        targets = TargetGroups(self._gateway, self._flavor, balancer, networking, self._lookup, settings=self._settings)
        made_of = self._l4 if network else self._l7
        wanted = ports(self._plan.attachment)
        listeners = [ls for number, port in sorted(wanted.items()) if (ls := made_of(number, port, targets))]
        return Stack(
            stack_id(self._flavor, key(self._gateway)),
            balancer,
            tuple(listeners),
            made,
            targets.groups(),
            targets.bindings(),
            Ref("security-group", BACKEND) in groups,
            None if network else self._web_acl(),
            self._secrets,
        )

    def _web_acl(self) -> str | None:
        """The web ACL; `none` takes one away that was put there before, None leaves everything as it is."""
        given = (self._spec.get("wafV2") or {}).get("webACL")
        return given or ("none" if annotations(self._gateway).get(WEB_ACL) == "true" else None)

    def _name(self) -> str:
        uid = self._gateway["metadata"]["uid"]
        generated = names.two_part(*key(self._gateway), self._settings.cluster_name, uid, self._scheme)
        return self._spec.get("loadBalancerName") or generated

    def _subnets(self) -> tuple[list[Json], list[Json]]:
        """The subnets, and the same with addresses as AWS wants them."""
        given: Sequence[Json] = self._spec.get("loadBalancerSubnets") or []
        for field in ("identifier", *_ADDRESSES):
            if any(bool(one.get(field)) != bool(given[0].get(field)) for one in given):
                raise ModelError(f"loadBalancerSubnets: give {field} for all subnets or for none")
        addresses = {
            name: [one[field] for one in given] if given and given[0].get(field) else None
            for field, name in _ADDRESSES.items()
        }
        if self._flavor.balancer == "application" and any(addresses.values()):
            raise ModelError("loadBalancerSubnets: only a network load balancer takes addresses")
        choice = SubnetChoice(self._lookup, self._settings, self._flavor.balancer, self._scheme, self._ip_type)
        if given and given[0].get("identifier"):
            chosen = choice.given([one["identifier"] for one in given])
        elif selector := self._spec.get("loadBalancerSubnetsSelector"):
            chosen = choice.selected({"tags": selector})
        elif self._existing and self._existing.scheme == self._scheme:
            chosen = choice.given(self._existing.subnet_ids)
        else:
            chosen = choice.discovered()
        return chosen, with_addresses(self._scheme, self._ip_type, chosen, **addresses)

    def _security_groups(self) -> tuple[tuple[str | Ref, ...], tuple[SecurityGroup, ...], str | Ref | None]:
        """Its groups, those made for it, and where its traffic to targets comes from (None: not ours)."""
        settings, shared = self._settings, Ref("security-group", BACKEND)
        if self._flavor.balancer == "network" and self._spec.get("disableSecurityGroup"):
            return (), (), None
        given = self._spec.get("securityGroups")
        if not given:
            own = self._managed_group()
            mine = Ref("security-group", own.id)
            if settings.enable_backend_security_group:
                return (mine, shared), (own,), shared
            return (mine,), (own,), mine
        groups: tuple[str | Ref, ...] = tuple(self._lookup.security_groups(given))
        if not self._spec.get("manageBackendSecurityGroupRules"):
            return groups, (), None
        if not settings.enable_backend_security_group:
            raise ModelError("manageBackendSecurityGroupRules needs --enable-backend-security-group")
        return (*groups, shared), (), shared

    def _managed_group(self) -> SecurityGroup:
        namespace, name = key(self._gateway)
        identity = (self._settings.cluster_name, name, namespace, self._gateway["metadata"]["uid"])
        generated = names.two_part(namespace, name, *identity)
        return SecurityGroup(MANAGED, generated, MANAGED_DESCRIPTION, self._permissions(), self._tags)

    def _permissions(self) -> tuple[Permission, ...]:
        ranges = self._spec.get("sourceRanges")
        sources = ["0.0.0.0/0", "::/0"] if ranges is None else ranges
        if self._ip_type == "ipv4":
            sources = [cidr for cidr in sources if ":" not in cidr]
        result: list[Permission] = []
        for listener in self._plan.attachment.served:
            number = listener.spec["port"]
            protocol = "udp" if listener.spec["protocol"] == "UDP" else "tcp"
            for cidr in sources:
                result.append(Permission(protocol, number, number, cidr))
                if self._spec.get("enableICMP"):
                    # Type and code of "packet too big" and of "fragmentation needed".
                    v6 = ":" in cidr
                    result.append(Permission("icmpv6", 2, 0, cidr) if v6 else Permission("icmp", 3, 4, cidr))
            result += [
                Permission(protocol, number, number, one) for one in self._spec.get("securityGroupPrefixes") or []
            ]
        return tuple(dict.fromkeys(result))

    def _listener(self, number: int, port: Port, actions: list[Json], rules: tuple[Rule, ...] = ()) -> Listener:
        config = configuration(self._spec, number, port)
        secure = port.protocol in ("HTTPS", "TLS")
        return Listener(
            port=number,
            protocol=port.protocol,
            actions=ordered(actions),
            tags=self._tags,
            rules=rules,
            certificates=certificates(number, port, config, self._lookup) if secure else (),
            ssl_policy=(config.get("sslPolicy") or self._settings.default_ssl_policy) if secure else None,
            alpn=(config.get("alpnPolicy") or "None") if port.protocol == "TLS" else None,
            mutual_authentication=mutual_authentication(config, self._lookup) if port.protocol == "HTTPS" else None,
            attributes={a["key"]: a["value"] for a in config.get("listenerAttributes") or []},
        )

    def _l7(self, number: int, port: Port, targets: TargetGroups) -> Listener | None:
        """A listener of an application load balancer; without a route it is none."""
        if not port.routes:
            return None
        routes = [(s.route, s.hostnames, self._plan.rules[s.route["kind"], key(s.route)]) for s in port.routes]
        made: list[Rule] = []
        for priority, match in enumerate(sorted_matches(routes), 1):
            actions, secrets = rule_actions(
                match,
                port.protocol,
                lambda route, backend: targets.of(route, backend, port.protocol),
                self._lookup.secret,
            )
            self._secrets |= secrets
            own = ((match.rule.configuration or {}).get("spec") or {}).get("tags") or {}
            refuse_external(own, self._settings, "ListenerRuleConfiguration")
            rewrites = transforms(match.rule.spec, match.match) if match.route["kind"] == "HTTPRoute" else []
            made.append(Rule(priority, conditions(match), actions, with_defaults(own, self._settings), rewrites))
        return self._listener(number, port, [NOT_FOUND], tuple(made))

    def _l4(self, number: int, port: Port, targets: TargetGroups) -> Listener | None:
        """A listener of a network load balancer has one route, the oldest; without traffic for anybody it is none."""
        oldest = min(port.routes, key=_age, default=None)
        if oldest is None:
            return None
        groups = [
            {"TargetGroupArn": targets.of(oldest.route, backend, port.protocol), "Weight": backend.weight}
            for rule in self._plan.rules[oldest.route["kind"], key(oldest.route)]
            for backend in rule.backends
        ]
        if not any(group["Weight"] for group in groups):
            return None
        forward: Json = {"TargetGroups": groups}
        sticky = configuration(self._spec, number, port).get("targetGroupStickiness")
        if sticky is not None:
            forward["TargetGroupStickinessConfig"] = {"Enabled": sticky}
        return self._listener(number, port, [{"Type": "forward", "ForwardConfig": forward}])


def _age(served: Served) -> tuple[str, str]:
    return served.route["metadata"].get("creationTimestamp", ""), name_of(served.route)
