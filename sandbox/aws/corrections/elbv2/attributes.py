"""Attributes of load balancers, listeners and target groups: the defaults of each kind, and the valid keys.

Recent attributes that none of the supported controllers reads have no default.
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
"""

from collections.abc import Iterable
from typing import Any

from moto.core.responses import ActionResult
from moto.elbv2.exceptions import LoadBalancerNotFoundError, TargetGroupNotFoundError
from moto.elbv2.responses import ELBV2Response

from sandbox.aws.corrections.elbv2.attribute_values import CROSS_ZONE, conflicts, problems
from sandbox.aws.corrections.elbv2.log_buckets import problems as log_problems
from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal

_LOGS = {"enabled": "false", "bucket": "", "prefix": ""}
_BALANCER = {
    **{f"access_logs.s3.{key}": value for key, value in _LOGS.items()},
    "deletion_protection.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
_APPLICATION = {
    **_BALANCER,
    **{f"connection_logs.s3.{key}": value for key, value in _LOGS.items()},
    "client_keep_alive.seconds": "3600",
    "idle_timeout.timeout_seconds": "60",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
}
_NETWORK = {
    **_BALANCER,
    "dns_record.client_routing_policy": "any_availability_zone",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "false",
}
_DEFAULTS = {
    "application": _APPLICATION,
    "network": _NETWORK,
    "gateway": {"deletion_protection.enabled": "false", "load_balancing.cross_zone.enabled": "false"},
}
# Attributes that can be set and have no default.
_ALSO = {
    "application": {"ipv6.deny_all_igw_traffic", *(f"health_check_logs.s3.{key}" for key in _LOGS)},
    "network": {"secondary_ips.auto_assigned.per_subnet"},
    "gateway": set[str](),
}
_HEALTH = {
    f"target_group_health.{what}.minimum_healthy_targets.{unit}": value
    for what in ("dns_failover", "unhealthy_state_routing")
    for unit, value in (("count", "1"), ("percentage", "off"))
}
_GROUP = {
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "stickiness.enabled": "false",
    **_HEALTH,
}
_HTTP_GROUP = {
    **_GROUP,
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.algorithm.type": "round_robin",
    "slow_start.duration_seconds": "0",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.type": "lb_cookie",
}
_TCP_GROUP = {
    **_GROUP,
    "deregistration_delay.connection_termination.enabled": "false",
    "proxy_protocol_v2.enabled": "false",
    "stickiness.type": "source_ip",
}
_HEADERS = ("strict_transport_security", "access_control_allow_origin", "access_control_allow_methods",
            "access_control_allow_headers", "access_control_allow_credentials", "access_control_expose_headers",
            "access_control_max_age", "content_security_policy", "x_content_type_options",
            "x_frame_options")  # fmt: skip
_PASSED = ("x_amzn_mtls_clientcert_serial_number", "x_amzn_mtls_clientcert_issuer", "x_amzn_mtls_clientcert_subject",
           "x_amzn_mtls_clientcert_validity", "x_amzn_mtls_clientcert_leaf", "x_amzn_mtls_clientcert",
           "x_amzn_tls_version", "x_amzn_tls_cipher_suite")  # fmt: skip
_TLS = {f"routing.http.request.{header}.header_name" for header in _PASSED}
_HTTP = {"routing.http.response.server.enabled", *(f"routing.http.response.{one}.header_value" for one in _HEADERS)}
_IDLE = {"tcp.idle_timeout.seconds"}
_LISTENERS: dict[str | None, set[str]] = {"HTTP": _HTTP, "HTTPS": _HTTP | _TLS, "TCP": _IDLE, None: _IDLE}
"""The keys that listeners with a protocol support; those of gateway load balancers have none."""
_LAMBDA = {"lambda.multi_value_headers.enabled", "load_balancing.cross_zone.enabled", "stickiness.enabled",
           "stickiness.type", *_HEALTH}  # fmt: skip
_NETWORK_GROUP = {*_TCP_GROUP, "preserve_client_ip.enabled", "target_health_state.unhealthy.draining_interval_seconds",
                  "target_health_state.unhealthy.connection_termination.enabled"}  # fmt: skip
_GROUPS = {
    "HTTP": {*_HTTP_GROUP},
    "HTTPS": {*_HTTP_GROUP},
    "GENEVE": {*_GROUP, "stickiness.type", "target_failover.on_deregistration", "target_failover.on_unhealthy"},
}
"""The keys that target groups with a protocol support. Those with another one have a network load balancer's."""


def install() -> None:
    """Install the corrections."""
    replace(ELBV2Response, "modify_load_balancer_attributes", modify_load_balancer_attributes)
    replace(ELBV2Response, "modify_listener_attributes", modify_listener_attributes)
    replace(ELBV2Response, "modify_target_group_attributes", modify_target_group_attributes)


def load_balancer_defaults(kind: str) -> dict[str, str]:
    """A new load balancer's attributes."""
    return dict(_DEFAULTS[kind])


def target_group_defaults(protocol: str | None, target_type: str) -> dict[str, Any]:
    """A new target group's attributes.

    Client addresses are preserved for instances and for UDP:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
    """
    if target_type == "lambda":
        return {"lambda.multi_value_headers.enabled": "false", "stickiness.enabled": "false", **_HEALTH}
    if protocol in {"HTTP", "HTTPS"}:
        return dict(_HTTP_GROUP)
    if protocol == "GENEVE":
        return dict(_GROUP)
    kept = target_type == "instance" or protocol in {"UDP", "TCP_UDP", "QUIC", "TCP_QUIC"}
    return {**_TCP_GROUP, "preserve_client_ip.enabled": "true" if kept else "false"}


def listener_defaults(protocol: str | None) -> dict[str, str]:
    """A new listener's attributes."""
    if protocol in {"HTTP", "HTTPS"}:
        return {"routing.http.response.server.enabled": "true"}
    return {"tcp.idle_timeout.seconds": "350"} if protocol == "TCP" else {}


def check(code: str, faults: Iterable[str]) -> None:
    """Raise for the first fault."""
    for fault in faults:
        raise Refusal(code, fault)


def check_keys(what: str, keys: Iterable[str], known: set[str]) -> None:
    """Raise for the first unknown key."""
    check("ValidationError", (f"{what} attribute key '{key}' is not recognized" for key in keys if key not in known))


def modify_load_balancer_attributes(self: ELBV2Response) -> ActionResult:
    """ModifyLoadBalancerAttributes: only keys that this kind of load balancer supports."""
    backend, pairs = self.elbv2_backend, self._get_params()["Attributes"]
    balancer: Any = backend.load_balancers.get(self._get_param("LoadBalancerArn"))
    if balancer is None:
        raise LoadBalancerNotFoundError
    known = {*_DEFAULTS[balancer.type], *_ALSO[balancer.type]}
    new = {pair["Key"]: pair.get("Value", "") for pair in pairs}
    check_keys("Load balancer", new, known)
    check("ValidationError", problems(pairs))
    if balancer.type == "application" and new.get(CROSS_ZONE) == "false":
        text = f"The value for '{CROSS_ZONE}' must always be 'true' for an Application Load Balancer"
        raise Refusal("InvalidConfigurationRequest", text)
    check("InvalidConfigurationRequest", log_problems(balancer, {**balancer.attrs, **new}, new))
    balancer.attrs.update(new)
    return ActionResult({"Attributes": balancer.attrs})


def modify_listener_attributes(self: ELBV2Response) -> ActionResult:
    """ModifyListenerAttributes: only keys of the listener's protocol."""
    pairs = self._get_params()["Attributes"]
    listener: Any = self.elbv2_backend.describe_listeners(None, [self._get_param("ListenerArn")])[0]
    every = set[str]().union(*_LISTENERS.values())
    keys = [pair["Key"] for pair in pairs]
    check_keys("Listener", keys, every)
    if not _LISTENERS.get(listener.protocol, set[str]()).issuperset(keys):
        raise Refusal("InvalidConfigurationRequest", "The provided listener attribute is not supported")
    check("ValidationError", problems(pairs))
    listener.attributes.update({pair["Key"]: pair.get("Value", "") for pair in pairs})
    return ActionResult({"Attributes": listener.attributes})


def modify_target_group_attributes(self: ELBV2Response) -> ActionResult:
    """ModifyTargetGroupAttributes: only keys that this kind of target group supports, and none that exclude others."""
    pairs = self._get_params()["Attributes"]
    group: Any = self.elbv2_backend.target_groups.get(self._get_param("TargetGroupArn"))
    if group is None:
        raise TargetGroupNotFoundError
    new = {pair["Key"]: pair.get("Value", "") for pair in pairs}
    check_keys("Target group", new, _LAMBDA.union(_NETWORK_GROUP, *_GROUPS.values()))
    known = _LAMBDA if group.target_type == "lambda" else _GROUPS.get(group.protocol, _NETWORK_GROUP)
    kind = f"{group.protocol} protocol" if group.protocol else f"target type '{group.target_type}'"
    foreign = (f"A target group with {kind} does not support the attribute {key}" for key in new if key not in known)
    check("InvalidConfigurationRequest", foreign)
    check("ValidationError", problems(pairs, of_group=True))
    check("InvalidConfigurationRequest", conflicts(group.protocol, {**group.attributes, **new}))
    group.attributes.update(new)
    return ActionResult({"Attributes": group.attributes})
