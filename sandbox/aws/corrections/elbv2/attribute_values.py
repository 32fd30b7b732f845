"""The values that an attribute of a load balancer, a listener or a target group can have. Pure.

The texts are AWS's where a report has them. They differ from attribute to attribute.
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ListenerAttribute.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

_BETWEEN = "'{key}' value '{value}' must be between '{first}-{last}' inclusive"
_RANGES = {
    "idle_timeout.timeout_seconds": (1, 4000, _BETWEEN),
    "client_keep_alive.seconds": (60, 604800, "The value of '{key}' must be an integer between {first} and {last}"),
    "secondary_ips.auto_assigned.per_subnet": (
        0, 7, "Valid range for the number of secondary IP addresses is from '{first}-{last}'",
    ),
    "tcp.idle_timeout.seconds": (60, 6000, _BETWEEN),
    "routing.http.response.access_control_max_age.header_value": (0, 86400, _BETWEEN),
    "deregistration_delay.timeout_seconds": (0, 3600, _BETWEEN),
    "slow_start.duration_seconds": (30, 900, _BETWEEN),
    "stickiness.lb_cookie.duration_seconds": (1, 604800, _BETWEEN),
    "stickiness.app_cookie.duration_seconds": (1, 604800, _BETWEEN),
    "target_health_state.unhealthy.draining_interval_seconds": (0, 360000, _BETWEEN),
}  # fmt: skip
_BESIDES = {"slow_start.duration_seconds": "0"}
"""A value outside the range, which turns the attribute off."""
_HEADER = "The value of '{key}' must be from the following: [{choices}], but was '{value}'"
_CHOICES = {
    "routing.http.desync_mitigation_mode": (
        ("defensive", "monitor", "strictest"), "'{value}' must be one of [{choices}]",
    ),
    "routing.http.xff_header_processing.mode": (
        ("preserve", "append", "remove"), "'{key}' must be set as 'preserve', 'append', or 'remove'",
    ),
    "dns_record.client_routing_policy": (
        ("availability_zone_affinity", "partial_availability_zone_affinity", "any_availability_zone"),
        "'{value}' is not a valid value for '{key}'",
    ),
    "load_balancing.algorithm.type": (
        ("round_robin", "weighted_random", "least_outstanding_requests"),
        "'Load balancer algorithm' must be one of [{choices}]",
    ),
    "load_balancing.algorithm.anomaly_mitigation": (("on", "off"), "'{key}' must be one of [{choices}]"),
    "target_failover.on_deregistration": (("rebalance", "no_rebalance"), "'{key}' must be one of [{choices}]"),
    "target_failover.on_unhealthy": (("rebalance", "no_rebalance"), "'{key}' must be one of [{choices}]"),
    "routing.http.response.x_content_type_options.header_value": (("nosniff",), _HEADER),
    "routing.http.response.x_frame_options.header_value": (("DENY", "SAMEORIGIN"), _HEADER),
    "routing.http.response.access_control_allow_credentials.header_value": (("true",), _HEADER),
}  # fmt: skip
CROSS_ZONE = "load_balancing.cross_zone.enabled"
_GROUPS_CROSS_ZONE = ("use_load_balancer_configuration", "true", "false")
_SWITCH = (".enabled", ".deny_all_igw_traffic")
_HEALTH = "target_group_health."
_ALWAYS_ON = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"
"""The one threshold that cannot be off."""
_COOKIE = "stickiness.app_cookie.cookie_name"
_RESERVED = "AWSALB"
_WHOLE = 100
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]*")


def problems(pairs: Iterable[Mapping[str, str]], *, of_group: bool = False) -> Iterator[str]:
    """What is wrong with the attributes of a request: keys that come twice, and values.

    Args:
        pairs: the request's `Key` and `Value`.
        of_group: whether they are a target group's, whose switch for zones has a third value.
    """
    given = [(pair["Key"], pair.get("Value", "")) for pair in pairs]
    for key, count in Counter(key for key, _ in given).items():
        if count > 1:
            yield f"Attribute key '{key}' has been specified more than once"
    for key, value in given:
        if of_group and key == CROSS_ZONE:
            if value not in _GROUPS_CROSS_ZONE:
                yield f"'{key}' must be one of {','.join(_GROUPS_CROSS_ZONE)}"
        elif key.endswith(_SWITCH):
            if value not in {"true", "false"}:
                yield f"The value of '{key}' must be 'true' or 'false', but was '{value}'"
        else:
            yield from _problems(key, value)


def _problems(key: str, value: str) -> Iterator[str]:
    if key.endswith(".header_value") and not value:
        return  # the header is no longer added
    if key.startswith(_HEALTH):
        yield from _threshold(key, value)
    if key == _COOKIE and value.startswith(_RESERVED):
        yield f"The application cookie name '{value}' is not allowed: names that begin with {_RESERVED} are reserved"
    if key.endswith(".header_name") and not _TOKEN.fullmatch(value):
        yield f"The value of '{key}' contains invalid characters"
    if key in _CHOICES:
        choices, text = _CHOICES[key]
        if value not in choices:
            yield text.format(key=key, value=value, choices=", ".join(choices))
    if key in _RANGES and value != _BESIDES.get(key):
        first, last, text = _RANGES[key]
        if not value.isdigit() or not first <= int(value) <= last:
            yield text.format(key=key, value=value, first=first, last=last)


def _threshold(key: str, value: str) -> Iterator[str]:
    """How many targets must be healthy."""
    if value == "off" and key != _ALWAYS_ON:
        return
    if not value.isdigit() or int(value) < 1:
        off = "" if key == _ALWAYS_ON else "'off' or "
        yield f"The value of '{key}' must be {off}a positive integer"
    elif key.endswith(".percentage") and int(value) > _WHOLE:
        yield f"'{key}' must be 'off' or an integer from 1 to {_WHOLE} inclusive"


def conflicts(protocol: str | None, attributes: Mapping[str, str]) -> Iterator[str]:
    """Which attributes of a target group exclude each other.

    Args:
        protocol: the target group's.
        attributes: all of its attributes after the change.
    """
    yield from _algorithm(attributes)
    yield from _stickiness(protocol, attributes)
    for unit in ("count", "percentage"):
        first, second = (
            attributes.get(f"{_HEALTH}{what}.minimum_healthy_targets.{unit}", "off")
            for what in ("dns_failover", "unhealthy_state_routing")
        )
        if first.isdigit() and second.isdigit() and int(first) < int(second):
            yield "DNS failover threshold must be greater than or equal to unhealthy state routing threshold"
    if protocol in {"UDP", "TCP_UDP", "QUIC", "TCP_QUIC"} and attributes.get("preserve_client_ip.enabled") == "false":
        yield "preserve_client_ip.enabled cannot be false if the target group protocol is UDP or TCP_UDP."
    ends, waits = (
        f"target_health_state.unhealthy.{what}"
        for what in ("connection_termination.enabled", "draining_interval_seconds")
    )
    if attributes.get(ends, "true") == "true" and attributes.get(waits, "0") != "0":
        yield f"You cannot have both '{ends}' and '{waits}' enabled on a target group"
    keys = ("target_failover.on_unhealthy", "target_failover.on_deregistration")
    if len({attributes.get(key, "no_rebalance") for key in keys}) > 1:
        both = " and ".join(f"'{key}'" for key in keys)
        yield f"Target group attribute keys {both} must both be set to the same value for this target group"


def _algorithm(attributes: Mapping[str, str]) -> Iterator[str]:
    algorithm = attributes.get("load_balancing.algorithm.type", "round_robin")
    words = algorithm.replace("_", " ")
    if attributes.get("load_balancing.algorithm.anomaly_mitigation") == "on" and algorithm != "weighted_random":
        yield f"You cannot enable both anomaly mitigation and {words} algorithm on a target group"
    if attributes.get("slow_start.duration_seconds", "0") != "0" and algorithm != "round_robin":
        yield f"You cannot enable both slow start and {words} algorithm on a target group"


def _stickiness(protocol: str | None, attributes: Mapping[str, str]) -> Iterator[str]:
    kind = attributes.get("stickiness.type")
    http = protocol in {None, "HTTP", "HTTPS"}
    if kind == "app_cookie" and attributes.get("stickiness.enabled") == "true" and not attributes.get(_COOKIE):
        yield "You must set an application cookie name to enable stickiness of type 'app_cookie'"
    if kind and protocol != "GENEVE" and http != (kind in {"lb_cookie", "app_cookie"}):
        yield f"Stickiness type '{kind}' is not supported for target groups with the {protocol} protocol"
