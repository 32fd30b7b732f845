"""What an ALB does with requests beside forwarding them: who may come in, and how they are shared out. Pure functions.

https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict

from pulumi import Input

from eks_load_balancing import errors
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.outputs import applied

WEIGHTED: Final = "weighted"
"""The name of the action that shares requests out; a backend of this name stands for it."""
MODES: Final = ("off", "passthrough", "verify")
UNAUTHENTICATED: Final = ("authenticate", "allow", "deny")
HEAVIEST: Final = 999
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupTuple.html"""


class WeightedServiceArgs(TypedDict):
    """A Service that gets a share of an ALB's requests."""

    service_name: Input[str]
    """The Service, in the Ingress's namespace."""
    service_port: NotRequired[int]
    """The Service's port. Default 80."""
    weight: int
    """Its share, from 0 to 999, in proportion to the others'."""


class MutualTlsArgs(TypedDict):
    """How an ALB asks clients for a certificate."""

    mode: str
    """`verify`, against the trust store; `passthrough`, the pods verify it; or `off`."""
    trust_store_arn: NotRequired[Input[str]]
    """The trust store, for `verify`."""
    ignore_client_certificate_expiry: NotRequired[bool]
    """Whether expired certificates are taken. Default no."""


class OidcLoginArgs(TypedDict):
    """How an ALB lets users log in with an OpenID Connect provider."""

    issuer: Input[str]
    """The provider's issuer, with `https://`."""
    authorization_endpoint: Input[str]
    """Where users log in."""
    token_endpoint: Input[str]
    """Where the ALB fetches tokens."""
    user_info_endpoint: Input[str]
    """Where the ALB asks about users."""
    secret_name: Input[str]
    """A Secret in the Ingress's namespace with `clientID` and `clientSecret`. The controller must be let read it."""
    scope: NotRequired[str]
    """Scopes to ask for. Default `openid`."""
    session_timeout: NotRequired[int]
    """Seconds that a login lasts. Default a week."""
    on_unauthenticated: NotRequired[str]
    """`authenticate` (the default), `allow` or `deny`."""


class CognitoLoginArgs(TypedDict):
    """How an ALB lets users log in with Amazon Cognito."""

    user_pool_arn: Input[str]
    """The user pool."""
    user_pool_client_id: Input[str]
    """The pool's client; the controller must not have `cognito` among its disabled features."""
    user_pool_domain: Input[str]
    """The prefix of the pool's domain, or its own domain."""
    scope: NotRequired[str]
    """Scopes to ask for. Default `openid`."""
    session_timeout: NotRequired[int]
    """Seconds that a login lasts. Default a week."""
    on_unauthenticated: NotRequired[str]
    """`authenticate` (the default), `allow` or `deny`."""


def weighted(services: Sequence[WeightedServiceArgs]) -> dict[str, Input[str]]:
    """Return the action that shares requests out among Services."""
    groups = [
        {"serviceName": one["service_name"], "servicePort": one.get("service_port", 80), "weight": one["weight"]}
        for one in services
    ]
    for one in services:
        if not 0 <= one["weight"] <= HEAVIEST:
            raise InvalidInputError(
                f"weight {one['weight']} of a weighted service is not between 0 and {HEAVIEST}: give one that is",
                key="weighted_services",
            )
    action = {"type": "forward", "forwardConfig": {"targetGroups": groups}}
    return {f"actions.{WEIGHTED}": applied(json.dumps, action)}


def mutual_tls(args: MutualTlsArgs) -> dict[str, Input[str]]:
    """Return how the listener on 443 asks clients for a certificate."""
    mode = errors.one_of(args["mode"], MODES, "mutual_tls.mode")
    if (mode == "verify") != ("trust_store_arn" in args):
        raise InvalidInputError(
            f"mutual_tls has mode {mode} and {'a' if 'trust_store_arn' in args else 'no'} trust_store_arn: give one"
            " with verify, and with nothing else",
            key="mutual_tls",
        )
    asked: dict[str, Any] = {"port": 443, "mode": mode}
    if "trust_store_arn" in args:
        asked["trustStore"] = args["trust_store_arn"]
    if "ignore_client_certificate_expiry" in args:
        asked["ignoreClientCertificateExpiry"] = args["ignore_client_certificate_expiry"]
    return {"mutual-authentication": applied(json.dumps, [asked])}


def oidc_login(args: OidcLoginArgs) -> dict[str, Input[str]]:
    """Return how users log in with an OpenID Connect provider."""
    provider = {
        "issuer": args["issuer"],
        "authorizationEndpoint": args["authorization_endpoint"],
        "tokenEndpoint": args["token_endpoint"],
        "userInfoEndpoint": args["user_info_endpoint"],
        "secretName": args["secret_name"],
    }
    return {"auth-type": "oidc", "auth-idp-oidc": applied(json.dumps, provider), **_session(args, "oidc_login")}


def cognito_login(args: CognitoLoginArgs) -> dict[str, Input[str]]:
    """Return how users log in with Amazon Cognito."""
    pool = {
        "userPoolARN": args["user_pool_arn"],
        "userPoolClientID": args["user_pool_client_id"],
        "userPoolDomain": args["user_pool_domain"],
    }
    return {"auth-type": "cognito", "auth-idp-cognito": applied(json.dumps, pool), **_session(args, "cognito_login")}


def _session(args: Mapping[str, Any], key: str) -> dict[str, Input[str]]:
    annotations: dict[str, Input[str]] = {}
    if "scope" in args:
        annotations["auth-scope"] = args["scope"]
    if "session_timeout" in args:
        annotations["auth-session-timeout"] = str(errors.at_least(args["session_timeout"], 1, f"{key}.session_timeout"))
    if "on_unauthenticated" in args:
        what = f"{key}.on_unauthenticated"
        annotations["auth-on-unauthenticated-request"] = errors.one_of(
            args["on_unauthenticated"], UNAUTHENTICATED, what
        )
    return annotations
