"""Target groups: the valid settings of each protocol, health check defaults, and complete descriptions.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
"""

import itertools
import re
from collections.abc import Iterator
from typing import Any

from moto.core.responses import ActionResult
from moto.elbv2.exceptions import LoadBalancerNotFoundError, TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeTargetGroup
from moto.elbv2.responses import ELBV2Response

from sandbox.aws.corrections.elbv2.attributes import target_group_defaults
from sandbox.aws.corrections.elbv2.limits import check_room, check_tags
from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal

_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,32}(?<!-)")
_HTTP = {"HTTP", "HTTPS"}
_CHECKS = ("HTTP", "HTTPS", "TCP")
"""Protocols of health checks; other target group protocols cannot be used for checks."""
_VERSIONS = ("HTTP2", "HTTP1", "GRPC")
_GENEVE = 6081
_LAST_CODE = {"HTTP": 499, "HTTPS": 499, "GENEVE": 399}
_CODES = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*")
_HEALTH = (
    "HealthCheckProtocol", "HealthCheckPort", "HealthCheckPath", "HealthCheckEnabled", "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds", "HealthyThresholdCount", "UnhealthyThresholdCount", "Matcher",
)  # fmt: skip
_MOTO = {"HealthCheckEnabled": "health_check_enabled", "HealthCheckPort": "health_check_port",
         "HealthCheckProtocol": "health_check_protocol", "HealthCheckPath": "health_check_path"}  # fmt: skip
"""What other modules read under moto's names."""


def install() -> None:
    """Install the corrections."""
    replace(ELBV2Response, "create_target_group", create_target_group)
    replace(ELBV2Response, "modify_target_group", modify_target_group)
    replace(ELBv2Backend, "describe_target_groups", describe_target_groups)


def create_target_group(self: ELBV2Response) -> ActionResult:
    """CreateTargetGroup; the same request again returns the same group."""
    backend, params = self.elbv2_backend, self._get_params()
    wish = {key: value for key, value in params.items() if key not in {"Action", "Version", "Tags"}}
    name, kind = params["Name"], params.get("TargetType", "instance")
    check_name(name)
    check_target(backend, kind, params)
    health = first_health(kind, params)
    check_health(kind, params.get("Protocol"), params.get("ProtocolVersion"), health)
    existing: Any = next((g for g in backend.target_groups.values() if g.name == name), None)
    if existing:
        if existing.wish == wish:
            return ActionResult({"TargetGroups": [existing]})
        raise Refusal(
            "DuplicateTargetGroupName",
            f"A target group with the same name '{name}' exists, but with different settings",
        )
    check_room("TooManyTargetGroups", "target groups", len(backend.target_groups) + 1, "target-groups")
    check_tags(params.get("Tags"))
    made: Any = FakeTargetGroup(
        name, backend.account_id, backend.region_name, params.get("VpcId"), params.get("Protocol"), params.get("Port"),
        target_type=kind,
    )  # fmt: skip
    addresses = None if kind == "lambda" else params.get("IpAddressType", "ipv4")
    told = {"ProtocolVersion": version_of(params), "TargetControlPort": params.get("TargetControlPort")}
    made.__dict__ |= {"wish": wish, "IpAddressType": addresses, "ip_address_type": addresses, **told}
    made.protocol_version = told["ProtocolVersion"]
    tell(made, health)
    made.attributes = target_group_defaults(made.protocol, kind)
    backend.target_groups[made.arn] = made
    backend.tagging_service.tag_resource(made.arn, params.get("Tags"))
    return ActionResult({"TargetGroups": [made]})


def tell(group: Any, health: dict[str, Any]) -> None:
    """Set the group's health check."""
    group.__dict__ |= {key: health.get(key) for key in _HEALTH}
    group.__dict__ |= {ours: health.get(theirs) for theirs, ours in _MOTO.items()}
    group.matcher = health.get("Matcher")


def check_name(name: str) -> None:
    """Raise unless `name` is valid for a target group."""
    if len(name) > 32:  # noqa: PLR2004 - AWS's limit, in its message too
        raise Refusal("ValidationError", f"Target group name '{name}' cannot be longer than '32' characters")
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise Refusal(
            "ValidationError",
            f"Target group name '{name}' can only contain characters that are alphanumeric characters or hyphens(-)",
        )
    if not _NAME.fullmatch(name):
        raise Refusal("ValidationError", f"Target group name '{name}' cannot begin or end with '-'")


def check_target(backend: ELBv2Backend, kind: str, params: dict[str, Any]) -> None:
    """Raise unless the group is valid: protocol, port, VPC, protocol version, addresses and control port."""
    for fault in itertools.chain(_faults(kind, params), _of_protocol(kind, params)):
        raise Refusal("ValidationError", fault)
    if "VpcId" in params and params["VpcId"] not in backend.ec2_backend.vpcs:
        raise Refusal("ValidationError", f"The VPC ID '{params['VpcId']}' is not found")
    if "TargetControlPort" in params and (params.get("Protocol") not in _HTTP or kind not in {"instance", "ip"}):
        raise Refusal("InvalidConfigurationRequest", "Target control port is not supported")


def _faults(kind: str, params: dict[str, Any]) -> Iterator[str]:
    if kind == "lambda":
        for key, word in {"Protocol": "Protocol", "Port": "Port", "VpcId": "VPC ID"}.items():
            if key in params:
                yield f"{word} cannot be specified for target groups with target type 'lambda'"
    elif not {"Protocol", "Port"} <= params.keys():
        yield f"A target group of type '{kind}' must have a protocol and a port"
    elif "VpcId" not in params:
        yield "A VPC ID must be specified"


def _of_protocol(kind: str, params: dict[str, Any]) -> Iterator[str]:
    protocol, version = params.get("Protocol"), params.get("ProtocolVersion")
    if kind == "alb" and protocol != "TCP":
        yield f"Target type 'alb' is not supported for target groups with {protocol} protocol"
    if protocol == "GENEVE" and params["Port"] != _GENEVE:
        yield f"Port must be {_GENEVE} for GENEVE target groups."
    if version is not None and protocol not in _HTTP:
        yield f"You cannot specify the protocol version for a target group with the '{protocol}' protocol"
    if version is not None and version not in _VERSIONS:
        yield f"Target group protocol version '{version}' must be one of '[{', '.join(_VERSIONS)}]'"
    if params.get("IpAddressType") == "ipv6":
        if kind in {"lambda", "alb"}:
            yield f"Target type '{kind}' is not supported with an IPv6 target group"
        if protocol in {"QUIC", "TCP_QUIC"}:
            yield f"Protocol '{protocol}' is not supported with an IPv6 target group"


def version_of(params: dict[str, Any]) -> str | None:
    """A group's protocol version; HTTP/1.1 by default."""
    return params.get("ProtocolVersion", "HTTP1") if params.get("Protocol") in _HTTP else None


def first_health(kind: str, params: dict[str, Any]) -> dict[str, Any]:
    """A new group's health check: the request's settings, and AWS's defaults for the rest. Pure."""
    protocol, version = params.get("Protocol"), params.get("ProtocolVersion")
    given = {key: params[key] for key in _HEALTH if key in params}
    if kind == "lambda":
        default = {"HealthCheckEnabled": False, "HealthCheckIntervalSeconds": 35, "HealthCheckTimeoutSeconds": 30,
                   "HealthCheckPath": "/", "Matcher": {"HttpCode": "200"},
                   "HealthyThresholdCount": 5, "UnhealthyThresholdCount": 5}  # fmt: skip
        return {**default, **given}
    usual = protocol if protocol in _HTTP else "HTTP" if kind == "alb" else "TCP"
    checked = given.get("HealthCheckProtocol", usual)
    default = {
        "HealthCheckProtocol": checked,
        "HealthCheckPort": "80" if protocol == "GENEVE" else "traffic-port",
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": 10 if protocol == "GENEVE" else 30,
        "HealthCheckTimeoutSeconds": 5 if protocol in {*_HTTP, "GENEVE"} else 6 if checked == "HTTP" else 10,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
    }
    if checked != "TCP":
        codes = {"HttpCode": "200" if protocol in _HTTP else "200-399"}
        grpc = version == "GRPC"
        default["HealthCheckPath"] = "/AWS.ALB/healthcheck" if grpc else "/"
        default["Matcher"] = {"GrpcCode": "12"} if grpc else codes
    return {**default, **given}


def check_health(kind: str, protocol: str | None, version: str | None, health: dict[str, Any]) -> None:
    """Raise unless a health check is valid."""
    for fault in _health_faults(kind, protocol, version, health):
        raise Refusal("ValidationError", fault)
    if health.get("HealthCheckProtocol") == "TCP":
        for key, word in (("HealthCheckPath", "paths"), ("Matcher", "matchers")):
            if health.get(key):
                text = f"Health check {word} are not supported for TCP health checks"
                raise Refusal("InvalidConfigurationRequest", text)


def _health_faults(kind: str, protocol: str | None, version: str | None, health: dict[str, Any]) -> Iterator[str]:
    if protocol and health.get("HealthCheckEnabled") is False:
        yield f"Health check enabled must be true for target groups with target type '{kind}'"
    checked, interval = health.get("HealthCheckProtocol"), health["HealthCheckIntervalSeconds"]
    timeout, port = health["HealthCheckTimeoutSeconds"], health.get("HealthCheckPort", "traffic-port")
    allowed = _CHECKS[:2] if protocol in _HTTP else _CHECKS
    if checked is not None and checked not in allowed:
        yield f"Health check protocol '{checked}' must be one of '{', '.join(allowed)}'"
    if timeout > interval or (protocol in _HTTP and timeout == interval):
        yield f"Health check timeout '{timeout}' must be smaller than the interval '{interval}'"
    if port != "traffic-port" and not (port.isdigit() and 1 <= int(port) <= 65535):  # noqa: PLR2004 - a port
        yield f"Health check port '{port}' must be within '1-65535' or 'traffic-port'"
    if not health.get("HealthCheckPath", "/").startswith("/"):
        yield f"Health check path '{health['HealthCheckPath']}' must begin with a '/' character"
    if health.get("Matcher"):
        yield from _matcher_faults(protocol, version, health["Matcher"])


def _matcher_faults(protocol: str | None, version: str | None, matcher: dict[str, str]) -> Iterator[str]:
    grpc = version == "GRPC"
    if len(matcher) > 1:
        yield "Only one of HttpCode and GrpcCode can be specified for a matcher"
    codes, word = matcher.get("GrpcCode" if grpc else "HttpCode"), "GRPC" if grpc else "HTTP"
    first, last = (0, 99) if grpc else (200, _LAST_CODE.get(protocol or "HTTP", 599))
    if not codes:
        yield f"Health check matcher {word} code cannot be empty"
    elif not _CODES.fullmatch(codes) or any(not first <= int(n) <= last for n in re.findall(r"\d+", codes)):
        yield f"Health check matcher {word} code '{codes}' must be within '{first}-{last}' inclusive"


def modify_target_group(self: ELBV2Response) -> ActionResult:
    """ModifyTargetGroup: the health check; settings that are not given stay."""
    params = self._get_params()
    group: Any = self.elbv2_backend.target_groups.get(params["TargetGroupArn"])
    if group is None:
        raise TargetGroupNotFoundError
    given = {key: params[key] for key in _HEALTH if key in params}
    held = {key: group.__dict__[key] for key in _HEALTH if group.__dict__[key] is not None}
    if given.get("HealthCheckProtocol") == "TCP":
        held.pop("HealthCheckPath", None)
        held.pop("Matcher", None)
    elif held.get("HealthCheckProtocol") == "TCP" and "HealthCheckProtocol" in given:
        held = {"HealthCheckPath": "/", "Matcher": {"HttpCode": "200-399"}, **held}
    health = {**held, **given}
    check_health(group.target_type, group.protocol, group.ProtocolVersion, health)
    tell(group, health)
    group.wish = None
    return ActionResult({"TargetGroups": [group]})


def describe_target_groups(
    self: ELBv2Backend, load_balancer_arn: str | None, target_group_arns: list[str], names: list[str] | None
) -> list[Any]:
    """DescribeTargetGroups: named ones must exist; a load balancer may have none."""
    if sum(bool(given) for given in (load_balancer_arn, target_group_arns, names)) > 1:
        raise Refusal(
            "ValidationError",
            "Target group names, target group ARNs, and a load balancer ARN cannot be specified at the same time",
        )
    found: list[Any] = sorted(self.target_groups.values(), key=lambda group: group.name)
    if load_balancer_arn:
        if load_balancer_arn not in self.load_balancers:
            raise LoadBalancerNotFoundError
        return [group for group in found if load_balancer_arn in group.load_balancer_arns]
    wanted = {*(target_group_arns or []), *(names or [])}
    if not wanted:
        return found
    found = [group for group in found if group.arn in wanted or group.name in wanted]
    if len(found) < len(wanted):
        raise TargetGroupNotFoundError
    return found
