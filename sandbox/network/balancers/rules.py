"""The rules of an Application Load Balancer's listener as HAProxy's statements. Pure.

The first rule whose conditions hold sets `txn.rule` to its number; its actions test that.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html
"""

import re
from collections.abc import Iterator
from urllib.parse import quote

from sandbox.network.balancers.patterns import format_text, glob, regex, substitution, word
from sandbox.network.balancers.pools import pool_name
from sandbox.network.elb.model import Action, Condition, Document, Listener

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OWN = "hdr Server awselb/2.0"
_PLACEHOLDER = re.compile(r"#\{(protocol|host|port|path|query)\}")


def statements(listener: Listener) -> list[str]:
    """All rules of a listener, in the order of their evaluation."""
    server = _OWN if listener.attributes.get("routing.http.response.server.enabled", "true") == "true" else ""
    found: list[str] = []
    for place, rule in enumerate(listener.rules):
        names: list[str] = []
        for number, condition in enumerate(rule.conditions):
            name = f"r{place}c{number}"
            names.append(name)
            found += [f"acl {name} {test}" for test in tests(condition)]
        unless_found = "" if place == 0 else "!{ var(txn.rule) -m found } "
        # The default rule has no condition.
        when = f" if {unless_found}{' '.join(names)}".rstrip() if names or unless_found else ""
        found.append(f"http-request set-var(txn.rule) int({place}){when}")
    for place, rule in enumerate(listener.rules):
        holds = f"{{ var(txn.rule) -m int {place} }}"
        # First: a redirect to `#{path}` redirects to the rewritten one.
        for transform in rule.document.get("Transforms") or ():
            found += _rewrites(transform, holds)
        for action in sorted(rule.actions, key=lambda a: a.order):
            found += actions(action, listener, holds, server)
    return found


def tests(condition: Condition) -> Iterator[str]:
    """The tests, of which one must hold.

    Raises:
        ValueError: the kind of condition is unknown.
    """
    match condition.field:
        case "host-header":
            yield from _patterns("req.hdr(host),host_only", condition, "-i ")
        case "path-pattern":
            yield from _patterns("path", condition, "")
        case "http-header":
            name = condition.config["HttpHeaderName"]
            if not _TOKEN.fullmatch(name):
                raise ValueError(f"{name!r} is not a header name")
            yield from _patterns(f"req.fhdr({name})", condition, "-i ")
        case "http-request-method":
            yield f"method -m str {' '.join(word(v) for v in condition.values)}"
        case "source-ip":
            yield f"src {' '.join(condition.values)}"
        case "query-string":
            yield from _query(condition)
        case field:
            raise ValueError(f"a condition on {field}")


def _patterns(fetch: str, condition: Condition, flags: str) -> Iterator[str]:
    for value in condition.values:
        yield f"{fetch} -m reg {flags}{regex(f'^{glob(value)}$')}"
    for expression in condition.expressions:
        yield f"{fetch} -m reg {flags}{regex(expression)}"


def _query(condition: Condition) -> Iterator[str]:
    for pair in condition.config["Values"]:
        key = glob(pair["Key"], "[^&=]") if pair.get("Key") else "[^&=]*"
        value = glob(pair.get("Value", ""), "[^&]")
        yield f"query -m reg -i {regex(f'(^|&){key}={value}(&|$)')}"


def actions(action: Action, listener: Listener, holds: str, server: str) -> Iterator[str]:
    """What an action does if `holds`.

    Raises:
        ValueError: the kind of action is unknown.
    """
    config = action.config
    match action.type:
        case "forward":
            yield from forward(action, holds, cookie=True)
        case "redirect":
            yield from _redirect(config, listener, holds, server)
        case "fixed-response":
            body = config.get("MessageBody") or ""
            content = f" content-type {word(config.get('ContentType') or 'text/plain')} string {word(body)}"
            yield f"http-request return status {int(config['StatusCode'])}{content if body else ''} {server} if {holds}"
        case "authenticate-oidc":
            yield from _login(config["AuthorizationEndpoint"], config, config["ClientId"], holds)
        case "authenticate-cognito":
            domain = config["UserPoolDomain"]
            region = config["UserPoolArn"].split(":")[3]
            host = domain if "." in domain else f"{domain}.auth.{region}.amazoncognito.com"
            yield from _login(f"https://{host}/oauth2/authorize", config, config["UserPoolClientId"], holds)
        case kind:
            raise ValueError(f"an action {kind}")


def forward(action: Action, holds: str, *, cookie: bool) -> Iterator[str]:
    """Choose a target group by weight, or the one in a cookie."""
    groups = [(pool_name(arn), weight) for arn, weight in action.forwards if weight]
    sticky = action.config.get("TargetGroupStickinessConfig") or {}
    remembers = cookie and str(sticky.get("Enabled", False)).lower() == "true"
    if remembers:
        names = " ".join(name for name, _ in groups)
        yield (f"http-request set-var(txn.pool) req.cook(AWSALBTG) if {holds} {{ req.cook(AWSALBTG) -m str {names} }}")
    if len(groups) > 1:
        yield f"http-request set-var(txn.pick) rand({sum(weight for _, weight in groups)}) if {holds}"
    below = 0
    for name, weight in groups:
        below += weight
        picked = f" {{ var(txn.pick) -m int lt {below} }}" if len(groups) > 1 else ""
        yield f"http-request set-var(txn.pool) str({name}) if {holds} !{{ var(txn.pool) -m found }}{picked}"
    if remembers:
        until = f"Expires=%[date({int(sticky.get('DurationSeconds') or 3600)}),http_date]; Path=/"
        yield f'http-response add-header Set-Cookie "AWSALBTG=%[var(txn.pool)]; {until}" if {holds}'


def _rewrites(transform: Document, holds: str) -> Iterator[str]:
    """Rewrite what a target sees.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-transforms.html

    Raises:
        ValueError: the kind of transform is unknown.
    """
    match transform["Type"]:
        case "url-rewrite":
            for one in transform["UrlRewriteConfig"]["Rewrites"]:
                yield f"http-request set-pathq '%[pathq,{substitution(one['Regex'], one['Replace'])}]' if {holds}"
        case "host-header-rewrite":
            for one in transform["HostHeaderRewriteConfig"]["Rewrites"]:
                new = substitution(one["Regex"], one["Replace"])
                yield f"http-request set-header Host '%[req.hdr(host),{new}]' if {holds}"
        case kind:
            raise ValueError(f"a transform {kind}")


def _redirect(config: Document, listener: Listener, holds: str, server: str) -> Iterator[str]:
    own = {
        "protocol": listener.protocol.lower(),
        "port": str(listener.port),
        "host": "%[req.hdr(host),host_only]",
        # A path's first slash is not part of the placeholder.
        "path": "%[var(txn.bare)]",
        "query": "%[query]",
    }
    protocol = (config.get("Protocol") or "#{protocol}").lower()
    host, port = config.get("Host") or "#{host}", config.get("Port") or "#{port}"
    path = config.get("Path") or "/#{path}"
    query = config["Query"] if config.get("Query") is not None else "#{query}"
    code = int(str(config["StatusCode"]).removeprefix("HTTP_"))
    yield f"http-request set-var(txn.bare) path,regsub(^/,) if {holds}"
    yield f'http-request set-var-fmt(txn.query) "{_filled(query, own)}" if {holds}'
    place = _filled(f"{protocol}://{host}:{port}{path}", own)
    for suffix, when in ((r"\x3f%[var(txn.query)]", "{ var(txn.query) -m len gt 0 }"), ("", "")):
        location = f'hdr Location "{place}{suffix}"'
        yield f"http-request return status {code} {location} {server} if {holds} {when}".rstrip()


def _filled(template: str, values: dict[str, str]) -> str:
    """A template whose placeholders are expressions of a log-format."""
    parts = _PLACEHOLDER.split(template)
    return "".join(values[p] if n % 2 else format_text(p) for n, p in enumerate(parts))


def _login(endpoint: str, config: Document, client: str, holds: str) -> Iterator[str]:
    """A login starts as on AWS and never completes: no identity provider is asked.

    561 is AWS's answer if the provider does not confirm a login.
    """
    unknown = config.get("OnUnauthenticatedRequest") or "authenticate"
    yield f"http-request return status 561 {_OWN} if {holds} {{ path /oauth2/idpresponse }}"
    if unknown == "deny":
        yield f"http-request return status 401 {_OWN} if {holds}"
    elif unknown == "authenticate":
        asked = f"client_id={quote(client)}&response_type=code&scope={quote(config.get('Scope') or 'openid')}"
        to = format_text(f"{endpoint}?{asked}&redirect_uri=https%3A%2F%2F")
        back = format_text("%2Foauth2%2Fidpresponse&state=")
        location = f"{to}%[req.hdr(host),host_only]{back}%[uuid()]"
        yield f'http-request return status 302 hdr Location "{location}" {_OWN} if {holds}'
