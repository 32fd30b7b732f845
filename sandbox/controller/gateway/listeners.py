"""Ports of a Gateway: the listeners on one number as one listener of the load balancer, and its configuration."""

from dataclasses import dataclass, field

from sandbox.controller.gateway.attachment import Attachment, Served
from sandbox.controller.model.lookup import Lookup
from sandbox.controller.model.stack import Json, ModelError


@dataclass
class Port:
    """What the listeners on one number come to."""

    protocol: str
    hostnames: set[str] = field(default_factory=set[str])
    routes: list[Served] = field(default_factory=list[Served])


def ports(attachment: Attachment) -> dict[int, Port]:
    """The ports of a Gateway's valid listeners; TCP and UDP on one number are TCP_UDP, TLS passed through is TCP."""
    result: dict[int, Port] = {}
    for listener in attachment.served:
        spec, number = listener.spec, listener.spec["port"]
        protocol = spec["protocol"]
        if protocol == "TLS" and (spec.get("tls") or {}).get("mode") == "Passthrough":
            protocol = "TCP"
        port = result.setdefault(number, Port(protocol, routes=attachment.routes.get(number, [])))
        if port.protocol != protocol:
            if {port.protocol, protocol} - {"TCP", "UDP", "TCP_UDP"}:
                raise ModelError(f"port {number}: {port.protocol} and {protocol} cannot be one listener")
            port.protocol = "TCP_UDP"
        if spec.get("hostname"):
            port.hostnames.add(spec["hostname"])
    for port in result.values():
        port.hostnames |= {name for served in port.routes for name in served.hostnames}
    return result


def configuration(spec: Json, number: int, port: Port) -> Json:
    """The part of a LoadBalancerConfiguration that is about a port: `HTTPS:443`; empty where there is none.

    Raises:
        ModelError: it asks for QUIC.
    """
    wanted = f"{port.protocol}:{number}".lower()
    found = [one for one in spec.get("listenerConfigurations") or [] if one["protocolPort"].lower() == wanted]
    if not found:
        return {}
    if found[-1].get("quicEnabled"):
        raise ModelError(f"{found[-1]['protocolPort']}: quicEnabled is nothing that this stand-in does")
    return found[-1]


def certificates(number: int, port: Port, config: Json, lookup: Lookup) -> tuple[str, ...]:
    """The certificates of a port, the default one first: those that are named, else ACM's for its hostnames.

    Raises:
        ModelError: none is named and there is no hostname to find one by, or ACM has none.
    """
    default = [config["defaultCertificate"]] if config.get("defaultCertificate") else []
    named = [*default, *(config.get("certificates") or [])]
    if named:
        return tuple(dict.fromkeys(named))
    if not port.hostnames:
        raise ModelError(
            f"{port.protocol}:{number} has no certificate: name one in listenerConfigurations, or give a hostname "
            "that ACM has one for"
        )
    return tuple(lookup.certificates(sorted(port.hostnames)))


def mutual_authentication(config: Json, lookup: Lookup) -> Json | None:
    """The mutual TLS of a port, in AWS's shape; None where nothing is said."""
    given = config.get("mutualAuthentication")
    if given is None:
        return None
    mode = given["mode"]
    if mode != "verify":
        return {"Mode": mode}
    store = given.get("trustStore") or ""
    return {
        "Mode": mode,
        "TrustStoreArn": store if store.startswith("arn:") else lookup.trust_store(store),
        "IgnoreClientCertificateExpiry": bool(given.get("ignoreClientCertificateExpiry")),
        "AdvertiseTrustStoreCaNames": given.get("advertiseTrustStoreCaNames") or "off",
    }
