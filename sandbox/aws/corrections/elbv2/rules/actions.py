"""What listeners and rules do with a request: forwarding, redirects, fixed responses, authentication, JWT validation.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html
"""

import copy
import itertools
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from moto.elbv2.exceptions import ActionTargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeAction

from sandbox.aws.corrections.elbv2.limits import check_room
from sandbox.aws.refusal import Refusal

Actions = list[dict[str, Any]]
_CONFIGS = {
    "forward": "ForwardConfig",
    "redirect": "RedirectConfig",
    "fixed-response": "FixedResponseConfig",
    "authenticate-oidc": "AuthenticateOidcConfig",
    "authenticate-cognito": "AuthenticateCognitoConfig",
    "jwt-validation": "JwtValidationConfig",
}
_LAST = {"forward", "redirect", "fixed-response"}
# The target group protocols that each listener protocol can forward to.
_FORWARDS = {
    "HTTP": {"HTTP", "HTTPS"},
    "HTTPS": {"HTTP", "HTTPS"},
    "TCP": {"TCP", "TCP_UDP"},
    "TLS": {"TCP", "TLS"},
    "UDP": {"UDP", "TCP_UDP"},
    "TCP_UDP": {"TCP_UDP"},
    "QUIC": {"QUIC", "TCP_QUIC"},
    "TCP_QUIC": {"TCP_QUIC"},
}
_CONTENT_TYPES = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")
_SIGN_IN = {
    "OnUnauthenticatedRequest": "authenticate",
    "Scope": "openid",
    "SessionCookieName": "AWSELBAuthSessionCookie",
    "SessionTimeout": 604800,
}
"""What AWS adds to an authentication configuration."""
_REGISTERED_CLAIMS = {"exp", "iss", "nbf", "iat"}
_PORT = re.compile(r"#\{port\}|[1-9]\d{0,4}")
_LONGEST = 256
_MOST_CLAIMS = 10
_HEAVIEST = 999
_STICKIEST = 604800


def parsed(actions: Actions | None, held: list[Any] | None = None) -> list[Any]:
    """Actions in moto's form, with AWS's defaults; a copy.

    Args:
        actions: AWS's.
        held: the actions that these replace; their client secret may stay.
    """
    return [FakeAction(_complete(copy.deepcopy(action), held or [])) for action in actions or []]


def _complete(action: dict[str, Any], held: list[Any]) -> dict[str, Any]:
    for kind in ("AuthenticateOidcConfig", "AuthenticateCognitoConfig"):
        if kind in action:
            action[kind] = {**_SIGN_IN, **action[kind]}
    oidc = action.get("AuthenticateOidcConfig")
    if oidc:
        secret = oidc.pop("ClientSecret", None)
        if oidc.pop("UseExistingClientSecret", False):
            if secret:
                raise Refusal(
                    "InvalidLoadBalancerAction",
                    "You cannot both specify a client secret and set UseExistingClientSecret to true",
                )
            secret = next((one.client_secret for one in held if getattr(one, "client_secret", None)), None)
        if not secret:
            raise Refusal("InvalidLoadBalancerAction", "A client secret must be specified for 'authenticate-oidc'")
        # No API returns the secret again: it is stored beside the answer of DescribeRules.
        action["client_secret"] = secret
    if "TargetGroupArn" in action and "ForwardConfig" not in action and action.get("Type") == "forward":
        action["ForwardConfig"] = {"TargetGroups": [{"TargetGroupArn": action["TargetGroupArn"]}]}
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    if len(groups) == 1:
        action.setdefault("TargetGroupArn", groups[0].get("TargetGroupArn"))
    return action


def groups_of(action: Any) -> list[dict[str, Any]]:
    """The weighted target groups of a forward action."""
    return (action.data.get("ForwardConfig") or {}).get("TargetGroups") or []


def check_actions(self: ELBv2Backend, balancer: Any, protocol: str | None, actions: list[Any]) -> None:
    """Raise unless a listener with this protocol supports all of the load balancer's actions."""
    for place, action in enumerate(actions, 1):
        _check_form(place, action)
        if balancer.type != "application" and action.type != "forward":
            raise Refusal(
                "InvalidLoadBalancerAction",
                f"Action type '{action.type}' is not supported on load balancers with type '{balancer.type}'",
            )
        if action.type not in _LAST and protocol != "HTTPS":
            raise Refusal(
                "InvalidLoadBalancerAction", f"Actions of type '{action.type}' are supported only on HTTPS listeners"
            )
        _check_groups(self, balancer, protocol, action)
    orders = [action.data.get("Order") for action in actions]
    if len(actions) > 1 and (None in orders or len(set(orders)) < len(orders)):
        raise Refusal("InvalidLoadBalancerAction", "Each of several actions must have an order of its own")
    by_order = sorted(actions, key=lambda action: action.data.get("Order") or 0)
    if actions and (by_order[-1].type not in _LAST or any(action.type in _LAST for action in by_order[:-1])):
        raise Refusal(
            "InvalidLoadBalancerAction",
            "The last action must be of type 'forward', 'redirect' or 'fixed-response', and no other may be",
        )
    used = {arn for action in actions for arn in self._get_target_group_arns_from(action.data)}
    held = {group.arn for group in self.target_groups.values() if balancer.arn in group.load_balancer_arns}
    if balancer.type == "application":
        check_room(
            "TooManyUniqueTargetGroupsPerLoadBalancer", f"unique target groups of load balancer '{balancer.arn}'",
            len(used | held), "target-groups-per-application-load-balancer",
        )  # fmt: skip


def _check_form(place: int, action: Any) -> None:
    """Raise unless an action has the configuration of its type, and no other."""
    data = action.data
    wrong = [key for kind, key in _CONFIGS.items() if key in data and kind != action.type]
    if wrong or ("TargetGroupArn" in data and action.type != "forward"):
        raise Refusal(
            "InvalidLoadBalancerAction", f"Action {place} of type '{action.type}' has what belongs to another"
        )
    if _CONFIGS[action.type] not in data:
        raise Refusal("InvalidLoadBalancerAction", f"A {_CONFIGS[action.type]} must be specified for action {place}")
    for problem in _CHECKS.get(action.type, lambda _: iter(()))(data[_CONFIGS[action.type]]):
        raise Refusal("InvalidLoadBalancerAction", problem)


def _redirect(config: dict[str, Any]) -> Iterator[str]:
    if not any(config.get(part, default) != default for part, default in _SAME.items()):
        yield "The redirect must change at least one of protocol, host, port, path and query"
    port = config.get("Port", "#{port}")
    if not _PORT.fullmatch(port) or (port.isdigit() and int(port) > 65535):  # noqa: PLR2004 - a port
        yield f"The redirect port '{port}' must be #{{port}} or a number between 1 and 65535"
    if not config.get("Path", "/").startswith("/"):
        yield f"The redirect path '{config['Path']}' must begin with '/'"


_SAME = {"Protocol": "#{protocol}", "Host": "#{host}", "Port": "#{port}", "Path": "/#{path}", "Query": "#{query}"}


def _fixed_response(config: dict[str, Any]) -> Iterator[str]:
    kind = config.get("ContentType")
    if kind and kind not in _CONTENT_TYPES:
        yield f"The ContentType must be one of: {', '.join(_CONTENT_TYPES)}"


def _jwt(config: dict[str, Any]) -> Iterator[str]:
    end = urlsplit(config["JwksEndpoint"])
    if end.scheme != "https" or not end.netloc or not end.path.strip("/"):
        yield f"The JWKS endpoint '{config['JwksEndpoint']}' must be a full URL with HTTPS, a domain and a path"
    claims = config.get("AdditionalClaims") or []
    texts = itertools.chain((config["JwksEndpoint"], config["Issuer"]), *(claim["Values"] for claim in claims))
    if any(len(text) > _LONGEST for text in texts):
        yield f"Endpoints, issuers and claims cannot be longer than {_LONGEST} characters"
    if max(len(claims), *(len(claim["Values"]) for claim in claims), 0) > _MOST_CLAIMS:
        yield f"There cannot be more than {_MOST_CLAIMS} additional claims, nor more values in one"
    for claim in claims:
        if claim["Name"] in _REGISTERED_CLAIMS:
            yield f"The claim '{claim['Name']}' is validated by default and cannot be specified"
        if claim["Format"] == "space-separated-values" and any(" " in value for value in claim["Values"]):
            yield f"The values of claim '{claim['Name']}' cannot include spaces"


def _forward(config: dict[str, Any]) -> Iterator[str]:
    groups, sticky = config.get("TargetGroups") or [], config.get("TargetGroupStickinessConfig") or {}
    if not groups:
        yield "A forward action must have a target group"
    for group in groups:
        if not 0 <= group.get("Weight", 1) <= _HEAVIEST:
            yield f"The weight '{group['Weight']}' must be between 0 and {_HEAVIEST}"
    seconds = sticky.get("DurationSeconds")
    if seconds is not None and not 1 <= seconds <= _STICKIEST:
        yield f"The stickiness duration '{seconds}' must be between 1 and {_STICKIEST}"


_CHECKS = {"redirect": _redirect, "fixed-response": _fixed_response, "jwt-validation": _jwt, "forward": _forward}


def _check_groups(self: ELBv2Backend, balancer: Any, protocol: str | None, action: Any) -> None:
    """Raise unless the target groups' protocol and VPC match, and no other load balancer uses them."""
    arns = self._get_target_group_arns_from(action.data)
    listed = [group.get("TargetGroupArn") for group in groups_of(action)]
    if "TargetGroupArn" in action.data and listed != [action.data["TargetGroupArn"]]:
        raise Refusal("InvalidLoadBalancerAction", "TargetGroupArn and ForwardConfig must name the same target group")
    sticky = (action.data.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
    # A Network Load Balancer's stickiness has no duration:
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupStickinessConfig.html
    if balancer.type == "application" and sticky.get("Enabled") and "DurationSeconds" not in sticky:
        text = "A duration must be specified to enable target group stickiness"
        raise Refusal("InvalidLoadBalancerAction", text)
    quota = f"target-groups-per-action-on-{balancer.type}-load-balancer"
    check_room(
        "TooManyTargetGroups", "target groups of an action", len(listed), 1 if balancer.type == "gateway" else quota
    )
    for arn in arns:
        group = self.target_groups.get(arn)
        if group is None:
            raise ActionTargetGroupNotFoundError(arn)
        fits = _FORWARDS.get(protocol or "", {"GENEVE"})
        if group.target_type == "lambda":
            fits = {None} if protocol in {"HTTP", "HTTPS"} else set[None]()
        if group.protocol not in fits:
            raise Refusal(
                "IncompatibleProtocols",
                f"The listener protocol '{protocol}' is not supported with a target group with the target-type"
                f" '{group.target_type}' and protocol '{group.protocol}'",
            )
        if any(used != balancer.arn for used in group.load_balancer_arns):
            raise Refusal(
                "TargetGroupAssociationLimit",
                f"The following target groups cannot be associated with more than one load balancer: {arn}",
            )
        if group.vpc_id and group.vpc_id != balancer.vpc_id:
            raise Refusal(
                "InvalidConfigurationRequest",
                "The following target groups are not in the same VPC as the load balancer: " + arn,
            )
