"""What is wrong with an action, and with the order of several. Pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html
"""

import functools
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

_CONFIGS = {
    "forward": "ForwardConfig",
    "redirect": "RedirectConfig",
    "fixed-response": "FixedResponseConfig",
    "authenticate-oidc": "AuthenticateOidcConfig",
    "authenticate-cognito": "AuthenticateCognitoConfig",
    "jwt-validation": "JwtValidationConfig",
}
ROUTING = {"forward", "redirect", "fixed-response"}
"""One of these is the last action."""
_CONTENT_TYPES = ("text/html", "application/json", "application/javascript", "text/css", "text/plain")
_REGISTERED_CLAIMS = {"exp", "iss", "nbf", "iat"}
_SAME = {"Protocol": "#{protocol}", "Host": "#{host}", "Port": "#{port}", "Path": "/#{path}", "Query": "#{query}"}
_PORT = re.compile(r"#\{port\}|[1-9]\d{0,4}")
_LONGEST = 256
_MOST_CLAIMS = 10
_HEAVIEST = 999
WEIGHTS = f"The weight for each target group must be between 0 and {_HEAVIEST}, inclusive"
_STICKIEST = 604800
_LONGEST_SESSION, _MOST_PARAMETERS = 604800, 10


def faults(action: Any, protocol: str | None, port: int | None) -> Iterator[tuple[str, str]]:
    """AWS's code and text for whatever is wrong with an action.

    Args:
        action: the action, in moto's form.
        protocol: its listener's.
        port: its listener's.
    """
    invalid, data, kind = "InvalidLoadBalancerAction", action.data, action.type
    wrong = [key for other, key in _CONFIGS.items() if key in data and other != kind]
    if "TargetGroupArn" in data and kind != "forward":
        wrong.append("TargetGroupArn")
    if wrong:
        yield invalid, f"'{wrong[0]}' cannot be specified for actions of type '{kind}'"
    if _CONFIGS[kind] not in data:
        yield invalid, f"For actions of type '{kind}', you must specify the following fields: '{_CONFIGS[kind]}'"
        return
    code, check = _CHECKS[kind]
    yield from ((code, text) for text in check(data[_CONFIGS[kind]]))
    if kind not in ROUTING and protocol != "HTTPS":
        yield invalid, f"Actions of type '{kind}' are supported only on HTTPS listeners"
    if kind == "redirect":
        yield from ((invalid, text) for text in _destination(data["RedirectConfig"], protocol, port))


def order_faults(actions: list[Any]) -> Iterator[str]:
    """What is wrong with the order of actions."""
    orders = [action.data.get("Order") for action in actions]
    routing = [action.type for action in actions if action.type in ROUTING]
    if len(routing) > 1:
        yield f"Action types '{','.join(routing)}' cannot be specified together"
    if len(actions) > 1 and (None in orders or len(set(orders)) < len(orders)):
        yield "When you specify multiple actions, you must specify an order for each action"
    if not routing:
        yield "The last action must be of type 'forward', 'redirect' or 'fixed-response'"
    elif max(actions, key=lambda action: action.data.get("Order") or 0).type not in ROUTING:
        yield f"An action of type '{routing[0]}' must have a higher order than all other actions"


def _redirect(config: dict[str, Any]) -> Iterator[str]:
    port = config.get("Port", "#{port}")
    if not _PORT.fullmatch(port) or (port.isdigit() and int(port) > 65535):  # noqa: PLR2004 - a port
        yield "The Port parameter must be either an integer between 1 and 65535 or '#{port}'."
    path, known = config.get("Path", "/"), ("#{path}", "#{host}", "#{port}")
    rest = functools.reduce(lambda text, name: text.replace(name, "", 1), known, path)
    if not path.startswith("/") or "#{" in rest:
        names = ", ".join(f"'{name}'" for name in known)
        yield (
            "The Path parameter must be a valid path, should start with a '/', and may contain up to one of each of"
            f" these placeholders: {names}."
        )


def _destination(config: dict[str, Any], protocol: str | None, port: int | None) -> Iterator[str]:
    """What is wrong with where a listener redirects to."""
    if protocol == "HTTPS" and config.get("Protocol") == "HTTP":
        yield "You cannot redirect HTTPS to HTTP."
    own = {"Protocol": protocol, "Port": str(port)}
    if all(config.get(part, default) in {default, own.get(part)} for part, default in _SAME.items()):
        yield "The redirect configuration is not valid because it creates a loop."


def _fixed_response(config: dict[str, Any]) -> Iterator[str]:
    kind = config.get("ContentType")
    if kind and kind not in _CONTENT_TYPES:
        known = ", ".join(f"'{one}'" for one in _CONTENT_TYPES)
        yield f"The ContentType must be one of:{known}."


def _jwt(config: dict[str, Any]) -> Iterator[str]:
    if not _secure(config["JwksEndpoint"]) or not urlsplit(config["JwksEndpoint"]).path.strip("/"):
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


def _secure(text: str) -> bool:
    """Whether a text is a URL with HTTPS and a domain."""
    url = urlsplit(text)
    return url.scheme == "https" and bool(url.netloc)


def _sign_in(config: dict[str, Any]) -> Iterator[str]:
    for key in ("Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint"):
        if key in config and not _secure(config[key]):
            yield f"The '{config[key]}' URL is not valid"
    if not 1 <= int(config["SessionTimeout"]) <= _LONGEST_SESSION:
        yield f"'Session timeout' value '{config['SessionTimeout']}' must be between 1 and {_LONGEST_SESSION} inclusive"
    if len(config.get("AuthenticationRequestExtraParams") or {}) > _MOST_PARAMETERS:
        yield f"You can specify up to {_MOST_PARAMETERS} extra authentication request parameters"


def _forward(config: dict[str, Any]) -> Iterator[str]:
    groups, sticky = config.get("TargetGroups") or [], config.get("TargetGroupStickinessConfig") or {}
    if not groups:
        yield "A target group must be specified for actions of type 'forward'"
    if not all(0 <= group.get("Weight", 1) <= _HEAVIEST for group in groups):
        yield WEIGHTS
    seconds = sticky.get("DurationSeconds")
    if seconds is not None and not 1 <= seconds <= _STICKIEST:
        yield f"Target group stickiness duration must be between 1 and {_STICKIEST} seconds"


_CHECKS: dict[str, tuple[str, Callable[[dict[str, Any]], Iterator[str]]]] = {
    "redirect": ("InvalidLoadBalancerAction", _redirect),
    "fixed-response": ("InvalidLoadBalancerAction", _fixed_response),
    "jwt-validation": ("InvalidLoadBalancerAction", _jwt),
    "authenticate-oidc": ("InvalidLoadBalancerAction", _sign_in),
    "authenticate-cognito": ("InvalidLoadBalancerAction", _sign_in),
    "forward": ("ValidationError", _forward),
}
