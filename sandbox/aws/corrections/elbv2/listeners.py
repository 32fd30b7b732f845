"""Listeners of ELBv2: one per port, repeatable, with certificates and mutual authentication.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
"""

from typing import Any

from moto.core.responses import ActionResult
from moto.elbv2.exceptions import ListenerNotFoundError, LoadBalancerNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeListener
from moto.elbv2.responses import ELBV2Response
from moto.moto_api._internal import mock_random

from sandbox.aws.corrections.elbv2.attributes import listener_defaults
from sandbox.aws.corrections.elbv2.certificates import check_default
from sandbox.aws.corrections.elbv2.limits import check_room, check_tags
from sandbox.aws.corrections.elbv2.rules.actions import check_actions, parsed
from sandbox.aws.corrections.elbv2.ssl_policies import POLICIES
from sandbox.aws.corrections.elbv2.trust_stores import trust_stores
from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal

_SECURE = {"HTTPS", "TLS"}
_DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"
_PROTOCOLS = {
    "application": ("HTTPS", "HTTP"),
    "network": ("TLS", "TCP", "TCP_UDP", "UDP", "QUIC", "TCP_QUIC"),
    "gateway": (),
}
_DATAGRAMS = {"UDP", "TCP_UDP", "QUIC", "TCP_QUIC"}
_ALPN = ("HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None")
_MODES = ("off", "passthrough", "verify")
_VERIFYING = 2
"""How many listeners of a load balancer may verify client certificates."""
Params = dict[str, Any]


def install() -> None:
    """Install the corrections."""
    replace(ELBV2Response, "create_listener", create_listener)
    replace(ELBV2Response, "modify_listener", modify_listener)
    describe, delete = ELBv2Backend.describe_listeners, ELBv2Backend.delete_listener

    def describe_listeners(self: ELBv2Backend, load_balancer_arn: str | None, listener_arns: list[str]) -> list[Any]:
        found = describe(self, load_balancer_arn, listener_arns)
        if len(found) < len(set(listener_arns or [])):
            raise ListenerNotFoundError
        return found

    def delete_listener(self: ELBv2Backend, listener_arn: str) -> Any:
        gone = delete(self, listener_arn)
        for arn in (listener_arn, *(rule.arn for rule in gone.rules.values())):
            self.tagging_service.delete_all_tags_for_resource(arn)
        return gone

    replace(ELBv2Backend, "describe_listeners", describe_listeners)
    replace(ELBv2Backend, "delete_listener", delete_listener)


def create_listener(self: ELBV2Response) -> ActionResult:
    """CreateListener: one per port; the same request again returns the same listener."""
    backend, params = self.elbv2_backend, self._get_params()
    balancer: Any = backend.load_balancers.get(params["LoadBalancerArn"])
    if balancer is None:
        raise LoadBalancerNotFoundError
    wish = {key: value for key, value in params.items() if key not in {"Action", "Version", "Tags"}}
    port, protocol = params.get("Port"), params.get("Protocol")
    for existing in balancer.listeners.values():
        if existing.port == port:
            if existing.wish == wish:
                return ActionResult({"Listeners": [existing]})
            raise Refusal(
                "DuplicateListener", f"A listener already exists on port {port} for this load balancer '{balancer.arn}'"
            )
    count = len(balancer.listeners) + 1
    if balancer.type == "gateway":
        check_room("TooManyListeners", f"listeners of load balancer '{balancer.arn}'", count, 1)
    else:
        quota = f"listeners-per-{balancer.type}-load-balancer"
        check_room("TooManyListeners", f"listeners of load balancer '{balancer.arn}'", count, quota)
    check_protocol(balancer, port, protocol)
    check_tags(params.get("Tags"))
    actions = parsed(params["DefaultActions"])
    settings = settings_of(backend, balancer, protocol, params, {})
    check_actions(backend, balancer, protocol, port, actions)
    check_verifying(balancer, settings)
    arn = f"{balancer.arn.replace(':loadbalancer/', ':listener/')}/{mock_random.get_random_hex(16)}"
    made: Any = FakeListener(balancer.arn, arn, protocol, port, None, None, actions, None)  # pyright: ignore[reportArgumentType] - moto's types are narrower than its use
    made.protocol = protocol
    made.__dict__ |= {**settings, "wish": wish, "extra_certificates": []}
    made.attributes = listener_defaults(protocol)
    balancer.listeners[arn] = made
    backend.tagging_service.tag_resource(arn, params.get("Tags"))
    return ActionResult({"Listeners": [made]})


def modify_listener(self: ELBV2Response) -> ActionResult:
    """ModifyListener: a protocol of the load balancer's kind, a free port, matching target groups."""
    backend, params = self.elbv2_backend, self._get_params()
    listener: Any = backend.describe_listeners(None, [params["ListenerArn"]])[0]
    balancer: Any = backend.load_balancers[listener.load_balancer_arn]
    port, protocol = params.get("Port", listener.port), params.get("Protocol", listener.protocol)
    if any(other.port == port for other in balancer.listeners.values() if other is not listener):
        raise Refusal("DuplicateListener", f"A listener already exists on port {port} for this load balancer")
    check_protocol(balancer, port, protocol)
    actions = parsed(params.get("DefaultActions"), listener.default_actions) or listener.default_actions
    settings = settings_of(backend, balancer, protocol, params, listener.__dict__)
    check_actions(backend, balancer, protocol, port, actions)
    check_verifying(balancer, settings, besides=listener)
    if protocol != listener.protocol:
        listener.attributes = listener_defaults(protocol)
    if protocol not in _SECURE:
        listener.extra_certificates = []
    listener.port, listener.protocol, listener.default_actions = port, protocol, actions
    listener._default_rule[0].actions = actions
    listener.__dict__ |= {**settings, "wish": None}
    return ActionResult({"Listeners": [listener]})


def check_protocol(balancer: Any, port: int | None, protocol: str | None) -> None:
    """Raise unless a load balancer supports this listener."""
    if balancer.type == "gateway":
        if port is not None or protocol is not None:
            raise Refusal("ValidationError", "A port and a protocol cannot be specified for gateway listeners")
        return
    for what, value in (("port", port), ("protocol", protocol)):
        if value is None:
            raise Refusal("ValidationError", f"A listener {what} must be specified")
    allowed = _PROTOCOLS[balancer.type]
    if protocol not in allowed:
        raise Refusal("ValidationError", f"Listener protocol '{protocol}' must be one of '{', '.join(allowed)}'")
    if protocol in _DATAGRAMS and balancer.ip_address_type != "ipv4" and balancer.EnablePrefixForIpv6SourceNat != "on":
        raise Refusal(
            "InvalidConfigurationRequest",
            f"The specified listener protocol '{protocol}' is not supported on load balancers using the"
            f" '{balancer.ip_address_type}' IP address type when 'EnablePrefixForIpv6SourceNat' is set to 'off'",
        )


def check_verifying(balancer: Any, settings: Params, besides: Any = None) -> None:
    """Raise if too many listeners would verify client certificates."""
    others = [listener for listener in balancer.listeners.values() if listener is not besides]
    modes = [(one.get("MutualAuthentication") or {}).get("Mode") for one in (settings, *map(vars, others))]
    if modes[0] == "verify" and modes.count("verify") > _VERIFYING:
        raise Refusal(
            "InvalidConfigurationRequest",
            "You have reached the maximum number of listeners with mutual authentication with verify mode that you can"
            f" associate with load balancer '{balancer.arn}': [{_VERIFYING}]",
        )


def settings_of(backend: ELBv2Backend, balancer: Any, protocol: str | None, params: Params, held: Params) -> Params:
    """A listener's TLS settings: policy, default certificate, ALPN policy and mutual authentication.

    Args:
        backend: moto's.
        balancer: the listener's load balancer.
        protocol: the listener's, after the change.
        params: the request's parameters.
        held: the listener's current settings.
    """
    secure = protocol in _SECURE
    for key, words in (("SslPolicy", "An SSL policy"), ("Certificates", "A certificate")):
        if params.get(key) and not secure:
            raise Refusal("ValidationError", f"{words} cannot be specified for {protocol} listeners")
    policy = params.get("SslPolicy") or held.get("ssl_policy") or _DEFAULT_POLICY
    if policy not in POLICIES:
        raise Refusal("SSLPolicyNotFound", f"SSL policy '{policy}' not found")
    certificate = (
        check_default(backend, protocol, params.get("Certificates"), held.get("certificate")) if secure else None
    )
    return {
        "ssl_policy": policy if secure else None,
        "certificate": certificate,
        "certificates": [certificate] if certificate else [],
        "alpn_policy": alpn(balancer.type, protocol, params.get("AlpnPolicy"), held.get("alpn_policy")),
        "MutualAuthentication": mutual(backend, protocol, params.get("MutualAuthentication"), held),
    }


def alpn(kind: str, protocol: str | None, wanted: list[str] | None, held: list[str] | None) -> list[str]:
    """A listener's ALPN policy."""
    if not wanted:
        return (held or []) if protocol == "TLS" else []
    if kind != "network":
        raise Refusal("ALPNPolicyNotSupported", f"You cannot set ALPN policy on load balancers of type '{kind}'")
    if protocol != "TLS":
        raise Refusal("ALPNPolicyNotSupported", f"ALPN policies are not supported on {protocol} listeners")
    if len(wanted) > 1:
        text = f"Up to '1' ALPN policy can be specified, but '{len(wanted)}' were specified"
        raise Refusal("ValidationError", text)
    if wanted[0] not in _ALPN:
        raise Refusal("ALPNPolicyNotSupported", f"The ALPN policy must be one of {', '.join(_ALPN)}")
    return wanted


def mutual(backend: ELBv2Backend, protocol: str | None, wanted: Params | None, held: Params) -> Params | None:
    """How an HTTPS listener handles client certificates; other listeners have no such setting."""
    if protocol != "HTTPS":
        if wanted and wanted.get("Mode", "off") != "off":
            raise Refusal("ValidationError", "Mutual Authentication cannot be set for non secure listeners")
        return None
    if not wanted:
        return held.get("MutualAuthentication") or {"Mode": "off"}
    mode, store = wanted.get("Mode", "off"), wanted.get("TrustStoreArn")
    if mode not in _MODES:
        raise Refusal("ValidationError", f"Mutual authentication mode '{mode}' must be one of '{', '.join(_MODES)}'")
    verifying = ("TrustStoreArn", "IgnoreClientCertificateExpiry", "AdvertiseTrustStoreCaNames")
    if mode != "verify":
        given = [key for key in verifying if wanted.get(key)]
        if given:
            raise Refusal("InvalidConfigurationRequest", f"{given[0]} cannot be specified in mode '{mode}'")
        return {"Mode": mode}
    if not store:
        raise Refusal("ValidationError", "Mutual Authentication mode verify requires a trust store arn")
    trust_stores(backend).find(store)
    return {
        "Mode": mode,
        "TrustStoreArn": store,
        "IgnoreClientCertificateExpiry": wanted.get("IgnoreClientCertificateExpiry", False),
        "TrustStoreAssociationStatus": "active",
        "AdvertiseTrustStoreCaNames": wanted.get("AdvertiseTrustStoreCaNames", "off"),
    }
