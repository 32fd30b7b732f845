"""Listen ports of a group of Ingresses: what each asks for, and one configuration a port where they agree."""

import ipaddress
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sandbox.controller.annotations import ALB
from sandbox.controller.model import schema
from sandbox.controller.model.groups import Member
from sandbox.controller.model.lookup import Lookup
from sandbox.controller.model.schema import shaped
from sandbox.controller.model.stack import Json, ModelError
from sandbox.controller.settings import Settings

T = TypeVar("T")
_PORTS = range(1, 65536)
_MODES = ("off", "passthrough", "verify")


@dataclass(frozen=True)
class Port:
    """What one Ingress, or all that share a port, want of it."""

    protocol: str
    cidrs: frozenset[str] = frozenset()
    prefix_lists: frozenset[str] = frozenset()
    ssl_policy: str | None = None
    certificates: tuple[str, ...] = ()
    mutual_authentication: Json | None = field(default=None, hash=False)


def of_member(member: Member, lookup: Lookup) -> dict[int, Port]:
    """The ports one Ingress asks for.

    Raises:
        ModelError: it asks for what cannot be.
    """
    reader, params = member.reader(), member.params
    explicit = params.get("certificateArn") or reader.strings("certificate-arn") or []
    protocols = _listen_ports(reader.text("listen-ports"), https=bool(explicit))
    certificates = explicit
    if not explicit and "HTTPS" in protocols.values():
        certificates = lookup.certificates(_hosts(member.ingress))
    prefix_lists = params.get("prefixListsIDs") or params.get("PrefixListsIDs")
    mtls = _mutual_authentication(reader.json("mutual-authentication", schema.MUTUAL_AUTHENTICATION), lookup)
    policy = params.get("sslPolicy") or reader.text("ssl-policy")
    return {
        port: Port(
            protocol,
            _cidrs(params.get("inboundCIDRs") or reader.strings("inbound-cidrs") or [], member.name),
            frozenset(prefix_lists or reader.strings("security-group-prefix-lists") or []),
            policy if protocol == "HTTPS" else None,
            tuple(certificates) if protocol == "HTTPS" else (),
            mtls.get(port) if protocol == "HTTPS" else None,
        )
        for port, protocol in protocols.items()
    }


def merge(port: int, wishes: Sequence[tuple[str, Port]], settings: Settings) -> Port:
    """One configuration for a port that several Ingresses want.

    Args:
        port: its number, for messages.
        wishes: name of each Ingress and what it wants, in the group's order.
        settings: for the default TLS policy.

    Raises:
        ModelError: they contradict each other.
    """
    protocol = _agreed(port, "protocol", ((name, one.protocol) for name, one in wishes))
    cidrs = _agreed(port, "inbound-cidrs", ((name, one.cidrs) for name, one in wishes)) or frozenset()
    prefixes = _agreed(port, "inbound-prefix-lists", ((n, one.prefix_lists) for n, one in wishes)) or frozenset()
    policy = _agreed(port, "sslPolicy", ((name, one.ssl_policy) for name, one in wishes))
    mtls = [(name, one.mutual_authentication) for name, one in wishes if one.mutual_authentication is not None]
    if any(one != mtls[0][1] for _, one in mtls):
        raise ModelError(f"conflicting mTLS Attributes on port {port}: {[name for name, _ in mtls]}")
    if not cidrs and not prefixes:
        cidrs = frozenset({"0.0.0.0/0", "::/0"})
    first = next((one.certificates[:1] for _, one in wishes if one.certificates), ())
    # The default certificate can be an SNI certificate too; each of the others is named once.
    others = dict.fromkeys(c for _, one in wishes for c in one.certificates)
    return Port(
        str(protocol),
        cidrs,
        prefixes,
        policy or (settings.default_ssl_policy if protocol == "HTTPS" else None),
        first + tuple(c for c in others if c not in first),
        mtls[0][1] if mtls else None,
    )


def redirect_port(members: Sequence[Member], ports: dict[int, Port]) -> int | None:
    """The HTTPS port that HTTP listeners redirect to, None where they do not.

    Raises:
        ModelError: it is not an HTTPS port of the group, or they do not agree.
    """
    wanted: set[int] = set()
    for member in members:
        by_class = member.params.get("sslRedirectPort")
        port = int(by_class) if by_class else member.reader().integer("ssl-redirect")
        if port is not None:
            wanted.add(port)
    if not wanted:
        return None
    if len(wanted) > 1:
        raise ModelError(f"conflicting sslRedirect port: {sorted(wanted)}")
    port = wanted.pop()
    if port not in ports:
        raise ModelError(f"listener does not exist for SSLRedirect port: {port}")
    if ports[port].protocol != "HTTPS":
        raise ModelError(f"listener protocol non-SSL for SSLRedirect port: {port}")
    return port


def _agreed(port: int, what: str, values: Iterable[tuple[str, T | None]]) -> T | None:
    given = [(name, value) for name, value in values if value]
    for name, value in given:
        if value != given[0][1]:
            raise ModelError(
                f"failed to merge listenPort config for port: {port}: conflicting {what}, "
                f"{given[0][0]}: {_shown(given[0][1])} | {name}: {_shown(value)}"
            )
    return given[0][1] if given else None


def _shown(value: object) -> object:
    return sorted(map(str, value)) if isinstance(value, frozenset) else value


def _listen_ports(text: str | None, *, https: bool) -> dict[int, str]:
    if text is None:
        return {443: "HTTPS"} if https else {80: "HTTP"}
    try:
        pairs = [pair for entry in shaped(json.loads(text), schema.LISTEN_PORTS) for pair in entry.items()]
    except ValueError as error:
        raise ModelError(f"failed to parse listen-ports configuration: `{text}`") from error
    if not pairs:
        raise ModelError(f"empty listen-ports configuration: `{text}`")
    for protocol, port in pairs:
        if port not in _PORTS:
            raise ModelError(f"listen port must be within [1, 65535]: {port}")
        if protocol not in ("HTTP", "HTTPS"):
            raise ModelError(f"listen protocol must be within [HTTP, HTTPS]: {protocol}")
    return {port: protocol for protocol, port in pairs}


def _cidrs(given: Sequence[str], name: str) -> frozenset[str]:
    for cidr in given:
        try:
            if "/" not in cidr:
                raise ValueError("no prefix length")  # noqa: TRY301 - one message for both ways to be wrong
            ipaddress.ip_network(cidr, strict=False)
        except ValueError as error:
            raise ModelError(
                f"invalid inbound-cidrs settings on Ingress: {name}: invalid CIDR address: {cidr}"
            ) from error
    return frozenset(given)


def _hosts(ingress: Json) -> list[str]:
    spec = ingress["spec"]
    hosts = {rule["host"] for rule in spec.get("rules") or [] if rule.get("host")}
    return sorted(hosts.union(*(tls.get("hosts") or [] for tls in spec.get("tls") or [])))


def _mutual_authentication(entries: list[Json] | None, lookup: Lookup) -> dict[int, Json]:
    if entries is None:
        return {}
    if not entries:
        raise ModelError(
            f"empty mutualAuthentication configuration from ingress annotation {ALB}/mutual-authentication"
        )
    return {entry.get("port", 0): _mode(entry, lookup) for entry in entries}


def _mode(entry: Json, lookup: Lookup) -> Json:
    port, mode, store = entry.get("port"), entry.get("mode", ""), entry.get("trustStore") or ""
    expiry, advertise = entry.get("ignoreClientCertificateExpiry"), entry.get("advertiseTrustStoreCaNames")
    if port not in _PORTS:
        raise ModelError(f"listen port must be within [1, 65535]: {port}")
    if mode not in _MODES:
        raise ModelError(
            f"mutualAuthentication mode value must be among [{', '.join(_MODES)}] for port {port} : {mode}"
        )
    if mode != "verify":
        unwanted = {
            "trustStore": store,
            "ignoring client certificate expiry": expiry,
            "advertiseTrustStoreCaNames": advertise,
        }
        for what, value in unwanted.items():
            if value:
                raise ModelError(f"Mutual Authentication mode {mode} does not support {what} for port {port}")
        return {"Mode": mode}
    if not store:
        raise ModelError(f"trustStore is required when mutualAuthentication mode is verify for port {port}")
    if advertise not in (None, "on", "off"):
        raise ModelError(f'advertiseTrustStoreCaNames only supports the values "on" and "off" got {advertise}')
    return {
        "Mode": "verify",
        "TrustStoreArn": store if store.startswith("arn:") else lookup.trust_store(store),
        "IgnoreClientCertificateExpiry": bool(expiry),
        "AdvertiseTrustStoreCaNames": advertise or "off",
    }
