"""A backend of an Ingress as listener actions: a Service's port, or an `actions.NAME` annotation, behind a login."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.controller.annotations import ALB, Reader
from sandbox.controller.model import schema
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
    login: "Login | None" = None
    token: Json | None = None


@dataclass(frozen=True)
class Login:
    """How users log in: `kind` is oidc or cognito, `provider` the annotation's, `session` in AWS's shape."""

    kind: str
    provider: Json | None
    session: Json


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
    refined, rewrites = conditions(reader, name), _transforms(reader, name)
    services: dict[str, Json] = {}
    if action["type"] == "forward":
        groups = action["forwardConfig"]["targetGroups"]
        for wanted in sorted({g["serviceName"] for g in groups if g.get("serviceName")}):
            found = objects.get("Service", member.namespace, wanted)
            if found is not None:
                services[wanted] = found
            elif settings.tolerate_non_existent_backend_service and len(groups) == 1:
                action = _unavailable("Backend service does not exist")
            else:
                raise ModelError(f'Service "{wanted}" not found')
    return Backend(action, services, refined, rewrites, _login(member, action, services), _jwt(reader))


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
        if one.login:
            login, secrets = _login_action(member, one.login, lookup)
            actions.append(login)
        if one.login and one.token:
            raise ModelError("authentication and jwt validation can't both be configured")
        actions += [one.token] if one.token else []
    actions.append(_aws_action(member, one, lookup, target_group))
    return ordered(actions), secrets


def _annotated(reader: Reader, name: str, settings: Settings) -> Json:
    action = reader.json(f"actions.{name}", schema.ACTION)
    if action is None:
        if settings.tolerate_non_existent_backend_action:
            return _unavailable("Backend action does not exist")
        raise ModelError(f"missing actions.{name} configuration")
    match action.get("type"):
        case "fixed-response" | "redirect" as kind:
            part = "FixedResponseConfig" if kind == "fixed-response" else "RedirectConfig"
            config = action.get(part[0].lower() + part[1:])
            if config is None:
                raise ModelError(f"missing {part}")
            if not config.get("statusCode"):
                raise ModelError(f"invalid {part}: statusCode is required")
            return action
        case "forward":
            return _forward(action)
        case kind:
            raise ModelError(f"unknown action type: {kind or ''}")


def _forward(action: Json) -> Json:
    whole = {k: action[k] for k in ("targetGroupARN", "targetGroupName") if k in action}
    config: Any = action.get("forwardConfig")
    if not whole and config is None:
        raise ModelError("missing ForwardConfig or TargetGroupARN/TargetGroupName")
    if whole and config is not None:
        raise ModelError("either ForwardConfig or TargetGroupARN/TargetGroupName can be specified")
    if config is None:
        return {"type": "forward", "forwardConfig": {"targetGroups": [whole]}}
    groups: list[Json] = config.get("targetGroups") or []
    for group in groups:
        if problem := _problem(group):
            raise ModelError(f"invalid ForwardConfig: invalid TargetGroupTuple: {problem}")
        if len(groups) > 1 and "weight" not in group:
            raise ModelError("invalid ForwardConfig: weight must be set when route to multiple target groups")
        if "servicePort" in group:
            group["servicePort"] = int_or_name(group["servicePort"])
    return {"type": "forward", "forwardConfig": config | {"targetGroups": groups}}


def _problem(group: Json) -> str:
    by_arn = "targetGroupARN" in group or "targetGroupName" in group
    if not by_arn and "serviceName" not in group:
        return "missing serviceName or targetGroupARN/targetGroupName"
    if by_arn and "serviceName" in group:
        return "either serviceName or targetGroupARN/targetGroupName can be specified"
    return "missing servicePort" if "serviceName" in group and "servicePort" not in group else ""


def _unavailable(body: str) -> Json:
    answer = {"contentType": "text/plain", "statusCode": "503", "messageBody": body}
    return {"type": "fixed-response", "fixedResponseConfig": answer}


def conditions(reader: Reader, name: str) -> list[Json]:
    """The `conditions.NAME` annotation, checked.

    Raises:
        ModelError: a condition lacks its values.
    """
    known: list[Json] = []
    for one in reader.json(f"conditions.{name}", schema.CONDITIONS) or []:
        config_name = _CONDITIONS.get(one.get("field"))
        if config_name is None:
            continue  # the real controller passes unknown fields over
        config = one.get(config_name)
        if config is None:
            raise ModelError(f"missing {config_name}")
        if problem := _emptiness(one["field"], config):
            raise ModelError(f"invalid {config_name}: {problem}")
        known.append(one)
    return known


def _emptiness(kind: str, config: Json) -> str:
    values: list[Json] = config.get("values") or []
    patterns = config.get("regexValues")
    if values and patterns:
        return "precisely one of values and regexValues can be specified"
    if not values and not patterns:
        both = kind in ("host-header", "path-pattern", "http-header")
        return "values or regexValues must be specified" if both else "values cannot be empty"
    if kind == "query-string" and any(not pair.get("value") for pair in values):
        return "value cannot be empty"
    return ""


def _transforms(reader: Reader, name: str) -> list[Json]:
    result: list[Json] = []
    for one in reader.json(f"transforms.{name}", schema.TRANSFORMS) or []:
        kind = one.get("type", "")
        if kind not in _REWRITES:
            raise ModelError(f"unknown transform type: {kind}")
        if _REWRITES[kind] not in one:
            raise ModelError(f"missing {_REWRITES[kind]}")
        rewrites = one[_REWRITES[kind]].get("rewrites")
        if not rewrites:
            raise ModelError(f"{_REWRITES[kind]}.rewrites cannot be empty")
        pairs = [{"Regex": r.get("regex", ""), "Replace": r.get("replace", "")} for r in rewrites]
        config = "HostHeaderRewriteConfig" if kind == "host-header-rewrite" else "UrlRewriteConfig"
        result.append({"Type": kind, config: {"Rewrites": pairs}})
    return result


def _aws_action(member: Member, one: Backend, lookup: Lookup, target_group: TargetGroupFor) -> Json:
    action = one.action
    if action["type"] == "fixed-response":
        return {"Type": "fixed-response", "FixedResponseConfig": capitalized(action["fixedResponseConfig"])}
    if action["type"] == "redirect":
        return {"Type": "redirect", "RedirectConfig": capitalized(action["redirectConfig"])}
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
        forward["TargetGroupStickinessConfig"] = capitalized(sticky)
    return {"Type": "forward", "ForwardConfig": forward}


def capitalized(config: Json) -> Json:
    """A configuration of Kubernetes' spelling in AWS's: each field with a capital, those without a value left out."""
    return {key[0].upper() + key[1:]: value for key, value in config.items() if value is not None}


def _login(member: Member, action: Json, services: Mapping[str, Json]) -> Login | None:
    """The login that annotations ask for; those of a Service count where it alone gets the traffic."""
    groups = action["forwardConfig"]["targetGroups"] if action["type"] == "forward" else []
    only = services.get(groups[0].get("serviceName", "")) if len(groups) == 1 else None
    layers = [annotations(only)] if only else []
    reader = Reader(ALB, *layers, annotations(member.ingress))
    kind = _given(reader, "auth-type", "none")
    if kind not in ("none", "oidc", "cognito"):
        raise ModelError(f"unknown authType: {kind}")
    timeout = reader.integer("auth-session-timeout", bits=64)
    # Both are read whatever the type is: one that cannot be read is refused.
    providers = {
        "cognito": reader.json("auth-idp-cognito", schema.COGNITO),
        "oidc": reader.json("auth-idp-oidc", schema.OIDC),
    }
    if kind == "none":
        return None
    session: Json = {
        "OnUnauthenticatedRequest": _given(reader, "auth-on-unauthenticated-request", "authenticate"),
        "Scope": _given(reader, "auth-scope", "openid"),
        "SessionCookieName": _given(reader, "auth-session-cookie", "AWSELBAuthSessionCookie"),
        "SessionTimeout": 604800 if timeout is None else timeout,
    }
    return Login(kind, providers[kind], session)


def _given(reader: Reader, suffix: str, default: str) -> str:
    text = reader.text(suffix)
    return default if text is None else text


def _login_action(member: Member, login: Login, lookup: Lookup) -> tuple[Json, frozenset[tuple[str, str]]]:
    provider, session = login.provider, dict(login.session)
    if provider is None:
        raise ModelError(f"missing IDPConfig{'Cognito' if login.kind == 'cognito' else 'OIDC'}")
    if extra := provider.get("authenticationRequestExtraParams"):
        session["AuthenticationRequestExtraParams"] = extra
    if login.kind == "cognito":
        fields = ("userPoolARN", "userPoolClientID", "userPoolDomain")
        pool = dict(zip(("UserPoolArn", "UserPoolClientId", "UserPoolDomain"), _texts(provider, fields), strict=True))
        return {"Type": "authenticate-cognito", "AuthenticateCognitoConfig": pool | session}, frozenset()
    fields = ("issuer", "authorizationEndpoint", "tokenEndpoint", "userInfoEndpoint")
    client = {f[0].upper() + f[1:]: text for f, text in zip(fields, _texts(provider, fields), strict=True)}
    secret = (member.namespace, provider.get("secretName", ""))
    client |= oidc_client(secret, lookup.secret(*secret))
    return {"Type": "authenticate-oidc", "AuthenticateOidcConfig": client | session}, frozenset({secret})


def _texts(provider: Json, fields: Iterable[str]) -> list[str]:
    return [provider.get(name, "") for name in fields]


def oidc_client(secret: tuple[str, str], data: Mapping[str, bytes]) -> Json:
    """The OIDC client that a Secret's data holds.

    Raises:
        ModelError: the Secret lacks a part.
    """
    identity, password = data.get("clientID", data.get("clientId")), data.get("clientSecret")
    for what, value in (("clientID", identity), ("clientSecret", password)):
        if value is None:
            raise ModelError(f"missing {what}, secret: {'/'.join(secret)}")
    return {"ClientId": (identity or b"").decode().rstrip(), "ClientSecret": (password or b"").decode().rstrip("\r\n")}


def _jwt(reader: Reader) -> Json | None:
    config = reader.json("jwt-validation", schema.JWT)
    if config is None:
        return None
    for required in ("jwksEndpoint", "issuer"):
        if not config.get(required):
            raise ModelError(f"{required} is a required field for jwt validation")
    claims = [capitalized(claim) for claim in config.get("additionalClaims") or []]
    for claim in claims:
        for required in ("Format", "Name", "Values"):
            if not claim.get(required):
                raise ModelError(f"{required.lower()} is required for additional claims for jwt validation")
    body: Json = {"JwksEndpoint": config["jwksEndpoint"], "Issuer": config["issuer"]}
    return {"Type": "jwt-validation", "JwtValidationConfig": body | ({"AdditionalClaims": claims} if claims else {})}
