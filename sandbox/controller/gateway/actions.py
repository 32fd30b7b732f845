"""Actions and transforms of a rule, from its filters and its ListenerRuleConfiguration, in AWS's shape."""

from collections.abc import Callable, Mapping

from sandbox.controller.model.actions import capitalized, oidc_client
from sandbox.controller.model.stack import Json, ModelError

_PORTS = {"HTTP": "80", "HTTPS": "443"}
_WILDCARDS = frozenset("*?")
_HELP = "an ALB changes headers by attributes of its listener only (LoadBalancerConfiguration)"
NO_BACKEND: Json = {"Type": "fixed-response", "FixedResponseConfig": {"ContentType": "text/plain", "StatusCode": "500"}}


def before_routing(
    given: Mapping[str, Json], namespace: str, secret: Callable[[str, str], dict[str, bytes]]
) -> tuple[Json, frozenset[tuple[str, str]]] | None:
    """The login or token check of a ListenerRuleConfiguration (by action type), and the Secret it was made with."""
    if action := given.get("authenticate-oidc"):
        config = dict(action["authenticateOIDCConfig"])
        where = namespace, config.pop("secret")["name"]
        config.pop("useExistingClientSecret", None)  # the Secret's is given each time
        body = capitalized(config) | oidc_client(where, secret(*where))
        return {"Type": "authenticate-oidc", "AuthenticateOidcConfig": body}, frozenset({where})
    if action := given.get("authenticate-cognito"):
        body = capitalized(action["authenticateCognitoConfig"])
        return {"Type": "authenticate-cognito", "AuthenticateCognitoConfig": body}, frozenset()
    if action := given.get("jwt-validation"):
        config = dict(action["jwtValidationConfig"])
        claims = [capitalized(claim) for claim in config.pop("additionalClaims", None) or []]
        body = capitalized(config) | ({"AdditionalClaims": claims} if claims else {})
        return {"Type": "jwt-validation", "JwtValidationConfig": body}, frozenset()
    return None


def routing(route: Json, rule: Json, given: Mapping[str, Json], groups: list[Json]) -> Json:
    """The last action of a rule: a fixed response, a redirect, its target groups, or 500 where it leads nowhere.

    Args:
        route: the rule's route.
        rule: the rule.
        given: the actions of its ListenerRuleConfiguration by type.
        groups: its target groups with weights.

    Raises:
        ModelError: a filter that a load balancer cannot do.
    """
    if fixed := given.get("fixed-response"):
        config = fixed["fixedResponseConfig"]
        body = capitalized(config) | {"StatusCode": str(config["statusCode"])}
        return {"Type": "fixed-response", "FixedResponseConfig": body}
    redirect = _redirect(route, rule, given)
    if redirect is not None:
        return redirect
    if not any(group["Weight"] for group in groups):
        return NO_BACKEND
    forward: Json = {"TargetGroups": groups}
    sticky = (given.get("forward") or {}).get("forwardConfig", {}).get("targetGroupStickinessConfig")
    if sticky is not None:
        forward["TargetGroupStickinessConfig"] = {
            "Enabled": sticky.get("enabled", False),
            "DurationSeconds": sticky.get("durationSeconds", 3600),
        }
    return {"Type": "forward", "ForwardConfig": forward}


def _redirect(route: Json, rule: Json, given: Mapping[str, Json]) -> Json | None:
    allowed = {"RequestRedirect", "URLRewrite"} if route["kind"] == "HTTPRoute" else set[str]()
    filters = rule.get("filters") or []
    found: Json | None = None
    for one in filters:
        if one["type"] not in allowed | {"ExtensionRef"}:
            raise ModelError(f"{route['kind']} filter {one['type']} is nothing that a load balancer can do: {_HELP}")
        if one["type"] == "RequestRedirect" and found is None:
            found = one["requestRedirect"]
    config = (given.get("redirect") or {}).get("redirectConfig")
    if found is None:
        if config is not None:
            raise ModelError("a redirect of a ListenerRuleConfiguration needs a RequestRedirect filter beside it")
        return None
    return {"Type": "redirect", "RedirectConfig": _redirect_config(found, (config or {}).get("query"))}


def _redirect_config(redirect: Json, query: str | None) -> Json:
    config: Json = {"StatusCode": f"HTTP_{redirect.get('statusCode', 302)}"}
    if redirect.get("hostname"):
        config["Host"] = redirect["hostname"]
    path = redirect.get("path") or {}
    for field in ("replaceFullPath", "replacePrefixMatch"):
        if _WILDCARDS & set(path.get(field) or ""):
            raise ModelError(f"{field} cannot have wildcards: {path[field]}")
    if path.get("replaceFullPath") is not None:  # a prefix is replaced by a transform
        config["Path"] = path["replaceFullPath"]
    scheme = (redirect.get("scheme") or "").upper()
    if scheme:
        if scheme not in _PORTS:
            raise ModelError(f"redirect to scheme {scheme}: a load balancer knows HTTP and HTTPS")
        config["Protocol"] = scheme
    port = redirect.get("port") or _PORTS.get(scheme)
    if port:
        config["Port"] = str(port)
    return config | ({"Query": query} if query is not None else {})


def transforms(rule: Json, match: Json) -> list[Json]:
    """The rewrites of an HTTPRoute's rule for one match."""
    result: list[Json] = []
    for one in rule.get("filters") or []:
        rewrite = one.get("urlRewrite") or {}
        if rewrite.get("path"):
            result.append(_rewrite("url-rewrite", *_new_path(rewrite["path"], match)))
        if rewrite.get("hostname"):
            result.append(_rewrite("host-header-rewrite", ".*", rewrite["hostname"]))
        path = (one.get("requestRedirect") or {}).get("path") or {}
        if path.get("replacePrefixMatch") is not None:
            result.append(_rewrite("url-rewrite", *_new_path(path, match)))
    return result


def _rewrite(kind: str, regex: str, replace: str) -> Json:
    config = "UrlRewriteConfig" if kind == "url-rewrite" else "HostHeaderRewriteConfig"
    return {"Type": kind, config: {"Rewrites": [{"Regex": regex, "Replace": replace}]}}


def _new_path(path: Json, match: Json) -> tuple[str, str]:
    """Regular expression and replacement of a path; the query stays as it is."""
    if path["type"] == "ReplaceFullPath":
        return "^([^?]*)", path["replaceFullPath"]
    prefix = (match.get("path") or {"value": "/"})["value"]
    replacement = path.get("replacePrefixMatch") or "/"
    # The slash behind the prefix comes back where the replacement does not bring its own: never two, never none.
    return f"(^{prefix}(/)?)", replacement if replacement.endswith("/") else f"{replacement}$2"
