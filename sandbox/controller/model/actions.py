"""A backend of an Ingress as listener actions: a Service's port, or an `actions.NAME` annotation, behind a login."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.controller.annotations import ALB, Reader
from sandbox.controller.model.groups import Member
from sandbox.controller.model.lookup import Lookup
from sandbox.controller.model.objects import Objects, annotations, int_or_name
from sandbox.controller.model.stack import Json, ModelError, Ref
from sandbox.controller.settings import Settings

USE_ANNOTATION = "use-annotation"
NOT_FOUND: Json = {"Type": "fixed-response", "FixedResponseConfig": {"ContentType": "text/plain", "StatusCode": "404"}}
_CONDITIONS = {
    "host-header": "hostHeaderConfig",
    "path-pattern": "pathPatternConfig",
    "http-header": "httpHeaderConfig",
    "http-request-method": "httpRequestMethodConfig",
    "query-string": "queryStringConfig",
    "source-ip": "sourceIPConfig",
}
_REWRITES = {"host-header-rewrite": "hostHeaderRewriteConfig", "url-rewrite": "urlRewriteConfig"}

TargetGroupFor = Callable[[Member, Json, "int | str"], Ref]


@dataclass(frozen=True)
class Backend:
    """A backend: its last action as the annotation schema has it, and what its rules carry besides."""

    action: Json
    services: Mapping[str, Json]
    conditions: list[Json] = field(default_factory=list)
    transforms: list[Json] = field(default_factory=list)


def ordered(actions: list[Json]) -> list[Json]:
    """Actions with their place, as AWS wants it."""
    return [action | {"Order": place} for place, action in enumerate(actions, 1)]


def redirect_to(port: int) -> Json:
    """The action of an HTTP listener that sends everybody to HTTPS."""
    return {"Type": "redirect", "RedirectConfig": {"Port": str(port), "Protocol": "HTTPS", "StatusCode": "HTTP_301"}}


def backend(member: Member, spec: Json, objects: Objects, settings: Settings) -> Backend:
    """What an Ingress's backend stands for.

    Args:
        member: the Ingress.
        spec: the backend as the Ingress has it.
        objects: to find Services.
        settings: what to do about a backend that is not there.

    Raises:
        ModelError: it cannot be served.
    """
    service = spec.get("service")
    if service is None:
        raise ModelError('missing required "service" field')
    reader, name, port = member.reader(), service["name"], service.get("port") or {}
    if port.get("name") == USE_ANNOTATION:
        action: Json = _annotated(reader, name, settings)
    else:
        target = {"serviceName": name, "servicePort": port.get("name") or port.get("number")}
        action = {"type": "forward", "forwardConfig": {"targetGroups": [target]}}
    services: dict[str, Json] = {}
    if action["type"] == "forward":
        groups = action["forwardConfig"]["targetGroups"]
        for wanted in sorted({g["serviceName"] for g in groups if g.get("serviceName")}):
            found = objects.get("Service", member.namespace, wanted)
            if found is not None:
                services[wanted] = found
            elif settings.tolerate_non_existent_backend_service and len(groups) == 1:
                return Backend(_unavailable("Backend service does not exist"), {}, conditions(reader, name))
            else:
                raise ModelError(f'services "{wanted}" not found')
    return Backend(action, services, conditions(reader, name), _transforms(reader, name))


def aws_actions(
    member: Member, protocol: str, one: Backend, lookup: Lookup, target_group: TargetGroupFor
) -> tuple[list[Json], frozenset[tuple[str, str]]]:
    """The listener actions of a backend, and the Secrets they were made with.

    Raises:
        ModelError: the login or the action cannot be.
    """
    actions: list[Json] = []
    secrets: frozenset[tuple[str, str]] = frozenset()
    if protocol == "HTTPS":
        login, secrets = _login(member, one, lookup)
        token = _jwt(member.reader())
        if login and token:
            raise ModelError("authentication and jwt validation can't both be configured")
        actions += [action for action in (login, token) if action]
    actions.append(_aws_action(member, one, lookup, target_group))
    return ordered(actions), secrets


def _annotated(reader: Reader, name: str, settings: Settings) -> Json:
    action = reader.json(f"actions.{name}")
    if action is None:
        if settings.tolerate_non_existent_backend_action:
            return _unavailable("Backend action does not exist")
        raise ModelError(f"missing actions.{name} configuration")
    match action.get("type"):
        case "fixed-response" | "redirect" as kind:
            config = action.get("fixedResponseConfig" if kind == "fixed-response" else "redirectConfig")
            if config is None:
                raise ModelError(f"{ALB}/actions.{name}: missing {kind} config")
            if not config.get("statusCode"):
                raise ModelError(f"{ALB}/actions.{name}: statusCode is required")
            return action
        case "forward":
            return _forward(name, action)
        case kind:
            raise ModelError(f"unknown action type: {kind}")


def _forward(name: str, action: Json) -> Json:
    whole = {k: action[k] for k in ("targetGroupARN", "targetGroupName") if action.get(k)}
    config: Any = action.get("forwardConfig")
    if bool(whole) == (config is not None):
        raise ModelError(f"{ALB}/actions.{name}: precisely one of forwardConfig and targetGroupARN/targetGroupName")
    if whole:
        return {"type": "forward", "forwardConfig": {"targetGroups": [whole]}}
    groups = [dict(group) for group in config.get("targetGroups") or []]
    for group in groups:
        by_arn = bool(group.get("targetGroupARN") or group.get("targetGroupName"))
        if by_arn == bool(group.get("serviceName")):
            raise ModelError(f"{ALB}/actions.{name}: precisely one of serviceName and targetGroupARN/targetGroupName")
        if group.get("serviceName"):
            if group.get("servicePort") is None:
                raise ModelError(f"{ALB}/actions.{name}: missing servicePort")
            group["servicePort"] = int_or_name(group["servicePort"])
        if len(groups) > 1 and group.get("weight") is None:
            raise ModelError("weight must be set when route to multiple target groups")
    return {"type": "forward", "forwardConfig": config | {"targetGroups": groups}}


def _unavailable(body: str) -> Json:
    answer = {"contentType": "text/plain", "statusCode": "503", "messageBody": body}
    return {"type": "fixed-response", "fixedResponseConfig": answer}


def conditions(reader: Reader, name: str) -> list[Json]:
    """The `conditions.NAME` annotation, checked.

    Raises:
        ModelError: a condition lacks its values.
    """
    given = reader.json(f"conditions.{name}") or []
    for one in given:
        config_name = _CONDITIONS.get(one.get("field"), "")
        if not config_name:
            continue
        config = one.get(config_name)
        if config is None:
            raise ModelError(f"missing {config_name}")
        values, patterns = config.get("values"), config.get("regexValues")
        if not values and not patterns:
            raise ModelError(f"invalid {config_name}: values cannot be empty")
        if values and patterns:
            raise ModelError(f"invalid {config_name}: precisely one of values and regexValues can be specified")
        if one["field"] == "query-string" and any(not pair.get("value") for pair in values):
            raise ModelError(f"invalid {config_name}: value cannot be empty")
    return given


def _transforms(reader: Reader, name: str) -> list[Json]:
    result: list[Json] = []
    for one in reader.json(f"transforms.{name}") or []:
        kind = one.get("type")
        if kind not in _REWRITES:
            raise ModelError(f"unknown transform type: {kind}")
        rewrites = (one.get(_REWRITES[kind]) or {}).get("rewrites")
        if not rewrites:
            raise ModelError(f"{_REWRITES[kind]}.rewrites cannot be empty")
        pairs = [{"Regex": r["regex"], "Replace": r["replace"]} for r in rewrites]
        config = "HostHeaderRewriteConfig" if kind == "host-header-rewrite" else "UrlRewriteConfig"
        result.append({"Type": kind, config: {"Rewrites": pairs}})
    return result


def _aws_action(member: Member, one: Backend, lookup: Lookup, target_group: TargetGroupFor) -> Json:
    action = one.action
    if action["type"] == "fixed-response":
        return {"Type": "fixed-response", "FixedResponseConfig": _capitalized(action["fixedResponseConfig"])}
    if action["type"] == "redirect":
        return {"Type": "redirect", "RedirectConfig": _capitalized(action["redirectConfig"])}
    config = action["forwardConfig"]
    groups: list[Json] = []
    for group in config["targetGroups"]:
        arn: Any = group.get("targetGroupARN")
        if not arn and group.get("targetGroupName"):
            arn = lookup.target_group(group["targetGroupName"])
        if not arn:
            arn = target_group(member, one.services[group["serviceName"]], group["servicePort"])
        weight = {"Weight": int(group["weight"])} if group.get("weight") is not None else {}
        groups.append({"TargetGroupArn": arn, **weight})
    forward: Json = {"TargetGroups": groups}
    if sticky := config.get("targetGroupStickinessConfig"):
        forward["TargetGroupStickinessConfig"] = _capitalized(sticky)
    return {"Type": "forward", "ForwardConfig": forward}


def _capitalized(config: Json) -> Json:
    return {key[0].upper() + key[1:]: value for key, value in config.items() if value is not None}


def _login(member: Member, one: Backend, lookup: Lookup) -> tuple[Json | None, frozenset[tuple[str, str]]]:
    only = next(iter(one.services.values())) if len(one.services) == 1 else None
    single = one.action["type"] == "forward" and len(one.action["forwardConfig"]["targetGroups"]) == 1
    layers = [annotations(only)] if only and single else []
    reader = Reader(ALB, *layers, annotations(member.ingress))
    kind = reader.text("auth-type") or "none"
    if kind == "none":
        return None, frozenset()
    if kind not in ("oidc", "cognito"):
        raise ModelError(f"unknown authType: {kind}")
    provider = reader.json(f"auth-idp-{kind}")
    if provider is None:
        raise ModelError(f"missing {ALB}/auth-idp-{kind}")
    timeout = reader.integer("auth-session-timeout")
    session: Json = {
        "OnUnauthenticatedRequest": reader.text("auth-on-unauthenticated-request") or "authenticate",
        "Scope": reader.text("auth-scope") or "openid",
        "SessionCookieName": reader.text("auth-session-cookie") or "AWSELBAuthSessionCookie",
        "SessionTimeout": 604800 if timeout is None else timeout,
    }
    if extra := provider.get("authenticationRequestExtraParams"):
        session["AuthenticationRequestExtraParams"] = extra
    if kind == "cognito":
        pool = {
            "UserPoolArn": provider["userPoolARN"],
            "UserPoolClientId": provider["userPoolClientID"],
            "UserPoolDomain": provider["userPoolDomain"],
        }
        return {"Type": "authenticate-cognito", "AuthenticateCognitoConfig": pool | session}, frozenset()
    secret = (member.namespace, provider["secretName"])
    client = {
        "Issuer": provider["issuer"],
        "AuthorizationEndpoint": provider["authorizationEndpoint"],
        "TokenEndpoint": provider["tokenEndpoint"],
        "UserInfoEndpoint": provider["userInfoEndpoint"],
        **_client(secret, lookup.secret(*secret)),
    }
    return {"Type": "authenticate-oidc", "AuthenticateOidcConfig": client | session}, frozenset({secret})


def _client(secret: tuple[str, str], data: Mapping[str, bytes]) -> Json:
    identity, password = data.get("clientID", data.get("clientId")), data.get("clientSecret")
    for what, value in (("clientID", identity), ("clientSecret", password)):
        if value is None:
            raise ModelError(f"missing {what}, secret: {'/'.join(secret)}")
    return {"ClientId": (identity or b"").decode().rstrip(), "ClientSecret": (password or b"").decode().rstrip("\r\n")}


def _jwt(reader: Reader) -> Json | None:
    config = reader.json("jwt-validation")
    if config is None:
        return None
    for required in ("jwksEndpoint", "issuer"):
        if not config.get(required):
            raise ModelError(f"{required} is a required field for jwt validation")
    claims = [_capitalized(claim) for claim in config.get("additionalClaims") or []]
    for claim in claims:
        for required in ("Format", "Name", "Values"):
            if not claim.get(required):
                raise ModelError(f"{required.lower()} is required for additional claims for jwt validation")
    body: Json = {"JwksEndpoint": config["jwksEndpoint"], "Issuer": config["issuer"]}
    return {"Type": "jwt-validation", "JwtValidationConfig": body | ({"AdditionalClaims": claims} if claims else {})}
