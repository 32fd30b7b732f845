"""Target groups: the valid settings of each protocol, health check defaults, and complete descriptions.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
"""

import re
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
_CHECKS = {"HTTP", "HTTPS", "TCP"}
"""Protocols of health checks; other target group protocols cannot be used for checks."""
_VERSIONS = ("GRPC", "HTTP1", "HTTP2")
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
    existing: Any = next((g for g in backend.target_groups.values() if g.name == name), None)
    if existing:
        if existing.wish == wish:
            return ActionResult({"TargetGroups": [existing]})
        raise Refusal(
            "DuplicateTargetGroupName",
            f"A target group with the same name '{name}' exists, but with different settings",
        )
    check_name(name)
    check_target(backend, kind, params)
    check_room("TooManyTargetGroups", "target groups", len(backend.target_groups) + 1, "target-groups")
    check_tags(params.get("Tags"))
    health = first_health(kind, params)
    check_health(params.get("Protocol"), health)
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
    """Raise unless the group is valid: protocol, port, VPC, protocol version and control port."""
    protocol, version = params.get("Protocol"), params.get("ProtocolVersion")
    words = {"Protocol": "protocol", "Port": "port", "VpcId": "VPC ID"}
    for key, word in words.items():
        if kind == "lambda" and key in params:
            raise Refusal(
                "ValidationError",
                f"{word[0].upper()}{word[1:]} cannot be specified for target groups with target type 'lambda'",
            )
        if kind != "lambda" and key not in params:
            raise Refusal("ValidationError", f"A {word} must be specified")
    if "VpcId" in params and params["VpcId"] not in backend.ec2_backend.vpcs:
        raise Refusal("ValidationError", f"The VPC ID '{params['VpcId']}' is not found")
    if kind == "alb" and protocol != "TCP":
        raise Refusal("ValidationError", f"Protocol '{protocol}' is not supported with target type 'alb'")
    if version is not None and (protocol not in _HTTP or version not in _VERSIONS):
        raise Refusal("ValidationError", f"Protocol version '{version}' is not supported with protocol '{protocol}'")
    if "TargetControlPort" in params and (protocol not in _HTTP or kind not in {"instance", "ip"}):
        raise Refusal(
            "InvalidConfigurationRequest",
            f"A target control port is not supported for target groups with protocol '{protocol}' and target type"
            f" '{kind}'",
        )
    if params.get("IpAddressType") == "ipv6" and kind == "alb":
        raise Refusal("ValidationError", "IP address type 'ipv6' is not supported with target type 'alb'")


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


def check_health(protocol: str | None, health: dict[str, Any]) -> None:
    """Raise unless a health check is valid."""
    if protocol and health.get("HealthCheckEnabled") is False:
        raise Refusal(
            "ValidationError", "Health checks can be disabled only for target groups with target type 'lambda'"
        )
    checked, interval = health.get("HealthCheckProtocol"), health["HealthCheckIntervalSeconds"]
    timeout, port = health["HealthCheckTimeoutSeconds"], health.get("HealthCheckPort", "traffic-port")
    if checked is not None and checked not in _CHECKS:
        raise Refusal("ValidationError", f"Health check protocol '{checked}' must be one of 'HTTP, HTTPS, TCP'")
    if checked == "TCP" and protocol in _HTTP:
        raise Refusal(
            "InvalidConfigurationRequest",
            f"Health check protocol 'TCP' is not supported for target groups with protocol '{protocol}'",
        )
    if timeout > interval or (protocol in _HTTP and timeout == interval):
        raise Refusal("ValidationError", "Health check interval must be greater than the timeout.")
    if port != "traffic-port" and not (port.isdigit() and 1 <= int(port) <= 65535):  # noqa: PLR2004 - a port
        raise Refusal(
            "ValidationError",
            f"Health check port '{port}' must be 'traffic-port' or an integer between '1' and '65535'",
        )
    if checked == "TCP" and (health.get("HealthCheckPath") or health.get("Matcher")):
        raise Refusal(
            "InvalidConfigurationRequest",
            "A path and a matcher cannot be specified for health checks with protocol 'TCP'",
        )
    matcher = health.get("Matcher") or {}
    if len(matcher) > 1:
        raise Refusal("ValidationError", "Only one of HttpCode and GrpcCode can be specified for a matcher")
    first, last = (0, 99) if "GrpcCode" in matcher else (200, _LAST_CODE.get(protocol or "HTTP", 599))
    for kind, codes in matcher.items():
        if not _CODES.fullmatch(codes) or any(not first <= int(n) <= last for n in re.findall(r"\d+", codes)):
            raise Refusal("ValidationError", f"Health check matcher {kind} '{codes}' must be within '{first}-{last}'")


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
    check_health(group.protocol, health)
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
