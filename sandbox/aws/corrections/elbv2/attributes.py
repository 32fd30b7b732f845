"""Attributes of load balancers, listeners and target groups: the defaults of each kind, and the valid keys.

Recent attributes that none of the supported controllers reads have no default.
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
"""

from typing import Any

from moto.core.responses import ActionResult
from moto.elbv2.exceptions import LoadBalancerNotFoundError, TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend
from moto.elbv2.responses import ELBV2Response

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
_UNHEALTHY = ("target_health_state.unhealthy.connection_termination.enabled",
              "target_health_state.unhealthy.draining_interval_seconds")  # fmt: skip
_GROUP_ALSO = {*_UNHEALTHY, "lambda.multi_value_headers.enabled", "target_failover.on_deregistration",
               "target_failover.on_unhealthy"}  # fmt: skip
_RANGES = {
    "idle_timeout.timeout_seconds": (1, 4000),
    "client_keep_alive.seconds": (60, 604800),
    "secondary_ips.auto_assigned.per_subnet": (0, 7),
    "tcp.idle_timeout.seconds": (60, 6000),
    "deregistration_delay.timeout_seconds": (0, 3600),
    "stickiness.lb_cookie.duration_seconds": (1, 604800),
    "stickiness.app_cookie.duration_seconds": (1, 604800),
    "target_health_state.unhealthy.draining_interval_seconds": (0, 360000),
}
_CHOICES = {
    "routing.http.desync_mitigation_mode": ("monitor", "defensive", "strictest"),
    "routing.http.xff_header_processing.mode": ("append", "preserve", "remove"),
    "dns_record.client_routing_policy": (
        "availability_zone_affinity", "partial_availability_zone_affinity", "any_availability_zone",
    ),
    "load_balancing.algorithm.type": ("round_robin", "least_outstanding_requests", "weighted_random"),
    "load_balancing.algorithm.anomaly_mitigation": ("on", "off"),
}  # fmt: skip
_SWITCH = (".enabled", ".deny_all_igw_traffic")


def check_values(attributes: dict[str, Any]) -> None:
    """Raise for the first value that is invalid for its attribute."""
    for key, value in attributes.items():
        choices = ("true", "false") if key.endswith(_SWITCH) else _CHOICES.get(key)
        if key == "load_balancing.cross_zone.enabled":
            choices = ("true", "false", "use_load_balancer_configuration")
        if choices and value not in choices:
            raise Refusal("ValidationError", f"'{key}' value '{value}' must be one of [{', '.join(choices)}]")
        first, last = _RANGES.get(key, (None, None))
        if first is not None and last is not None and not (value.isdigit() and first <= int(value) <= last):
            raise Refusal("ValidationError", f"'{key}' value '{value}' must be between '{first}-{last}' inclusive")


def install() -> None:
    """Install the corrections."""
    replace(ELBv2Backend, "modify_load_balancer_attributes", modify_load_balancer_attributes)
    replace(ELBv2Backend, "modify_listener_attributes", modify_listener_attributes)
    modify = ELBv2Backend.modify_target_group_attributes

    def modify_target_group_attributes(self: ELBv2Backend, target_group_arn: str, attributes: dict[str, Any]) -> None:
        group = self.target_groups.get(target_group_arn)
        if group is None:
            raise TargetGroupNotFoundError
        known = {*_HTTP_GROUP, *_TCP_GROUP, *_GROUP_ALSO, "preserve_client_ip.enabled"}
        check_keys("Target group", attributes, known)
        check_values(attributes)
        delay = "deregistration_delay.timeout_seconds"
        # moto's range ends before 3600; AWS's includes it.
        last = {delay: "3599"} if str(attributes.get(delay)) == "3600" else {}
        modify(self, target_group_arn, {**attributes, **last})
        group.attributes.update(attributes)

    replace(ELBv2Backend, "modify_target_group_attributes", modify_target_group_attributes)
    answer = ELBV2Response.modify_target_group_attributes

    def answer_with_all(self: ELBV2Response) -> ActionResult:
        answer(self)
        return self.describe_target_group_attributes()

    replace(ELBV2Response, "modify_target_group_attributes", answer_with_all)


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


def check_keys(what: str, wanted: Any, known: set[str]) -> None:
    """Raise for the first unknown key."""
    for key in wanted:
        if key not in known:
            raise Refusal("ValidationError", f"{what} attribute key '{key}' is not recognized")


def modify_load_balancer_attributes(self: ELBv2Backend, arn: str, attrs: dict[str, Any]) -> dict[str, Any]:
    """ModifyLoadBalancerAttributes: only keys that this kind of load balancer supports."""
    balancer = self.load_balancers.get(arn)
    if balancer is None:
        raise LoadBalancerNotFoundError
    check_keys("Load balancer", attrs, {key for kind in _DEFAULTS for key in (*_DEFAULTS[kind], *_ALSO[kind])})
    check_values(attrs)
    for key in attrs:
        if key not in _DEFAULTS[balancer.type] and key not in _ALSO[balancer.type]:
            raise Refusal(
                "InvalidConfigurationRequest",
                f"Load balancer attribute key '{key}' is not supported on load balancers with type '{balancer.type}'",
            )
    balancer.attrs.update(attrs)
    return balancer.attrs


def modify_listener_attributes(self: ELBv2Backend, listener_arn: str, attrs: list[dict[str, str]]) -> dict[str, str]:
    """ModifyListenerAttributes: only keys of the listener's protocol."""
    listener = self.describe_listeners(None, [listener_arn])[0]
    check_values({attribute["Key"]: attribute["Value"] for attribute in attrs})
    for attribute in attrs:
        key = attribute["Key"]
        routing = key.startswith("routing.http.")
        if routing != (listener.protocol in {"HTTP", "HTTPS"}) or not (routing or key == "tcp.idle_timeout.seconds"):
            raise Refusal(
                "InvalidConfigurationRequest",
                f"Listener attribute key '{key}' is not supported on listeners with protocol '{listener.protocol}'",
            )
        listener.attributes[key] = attribute["Value"]
    return listener.attributes
