"""The rules of an ALB's listener: matches of all routes on a port, the closest first, as conditions and actions of AWS.

Order and limits: https://gateway-api.sigs.k8s.io/reference/spec/ and
https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/gateway/l7gateway/
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sandbox.controller.gateway import actions
from sandbox.controller.gateway.backends import Backend, RouteRule
from sandbox.controller.gateway.hostnames import rank
from sandbox.controller.model.actions import ordered
from sandbox.controller.model.objects import key, name_of
from sandbox.controller.model.stack import Json, ModelError, Ref

TargetGroupFor = Callable[[Json, Backend], "str | Ref"]
"""The target group of a route's backend."""
_EVERYTHING: Json = {"path": {"type": "PathPrefix", "value": "/"}}
_PATH_TYPES = {"Exact": 3, "PathPrefix": 2, "RegularExpression": 1}
_WILDCARDS = frozenset("*?")


@dataclass(frozen=True)
class Match:
    """One match of one rule for one hostname (empty: all): a rule of the load balancer."""

    route: Json
    rule: RouteRule
    rule_index: int
    match: Json
    match_index: int
    hostname: str

    def precedence(self) -> tuple[object, ...]:
        """Sorts the match that the Gateway API prefers first."""
        meta = self.route["metadata"]
        order = (meta.get("creationTimestamp", ""), name_of(self.route), self.rule_index, self.match_index)
        return (*rank(self.hostname), *(-figure for figure in self._closeness()), *order, self.hostname)

    def _closeness(self) -> tuple[int, ...]:
        """Kind of path, its length (of a gRPC service and method), method, headers, query: more is closer."""
        match = self.match
        headers = len(match.get("headers") or [])
        if self.route["kind"] == "GRPCRoute":
            method = match.get("method") or {}
            kind = _PATH_TYPES[method.get("type") or "Exact"] if method else 0
            return kind, len(method.get("service") or ""), len(method.get("method") or ""), 0, headers, 0
        path = match.get("path") or _EVERYTHING["path"]
        has_method = int(match.get("method") is not None)
        return (
            _PATH_TYPES[path["type"]],
            len(path["value"]),
            0,
            has_method,
            headers,
            len(match.get("queryParams") or []),
        )


def sorted_matches(routes: Iterable[tuple[Json, tuple[str, ...], list[RouteRule]]]) -> list[Match]:
    """All matches of a port's routes (with hostnames and rules) in the order of their rules."""
    return sorted(_matches(routes), key=Match.precedence)


def _matches(routes: Iterable[tuple[Json, tuple[str, ...], list[RouteRule]]]) -> Iterator[Match]:
    for route, hostnames, loaded in routes:
        everything: Json = _EVERYTHING if route["kind"] == "HTTPRoute" else {}
        for rule_index, rule in enumerate(loaded):
            for match_index, match in enumerate(rule.spec.get("matches") or [everything]):
                for hostname in hostnames or ("",):
                    yield Match(route, rule, rule_index, match, match_index, hostname)


def conditions(one: Match) -> list[Json]:
    """A match's conditions, with the addresses that its ListenerRuleConfiguration adds.

    Raises:
        ModelError: a prefix with wildcards.
    """
    match = one.match
    result: list[Json] = []
    if one.hostname:
        result.append({"Field": "host-header", "HostHeaderConfig": {"Values": [one.hostname]}})
    if one.route["kind"] == "GRPCRoute":
        result.append(_path(Values=[_grpc_path(match.get("method"))]))
        result += [_header(header, regex=False) for header in match.get("headers") or []]
    else:
        result.append(_http_path(match.get("path") or _EVERYTHING["path"]))
        for header in match.get("headers") or []:
            result.append(_header(header, regex=header.get("type") == "RegularExpression"))
        for pair in match.get("queryParams") or []:
            # AWS compares with wildcards at most: a regular expression is taken as text, as the real controller does.
            values = [{"Key": pair["name"], "Value": pair["value"]}]
            result.append({"Field": "query-string", "QueryStringConfig": {"Values": values}})
        if match.get("method"):
            methods = {"Values": [match["method"]]}
            result.append({"Field": "http-request-method", "HttpRequestMethodConfig": methods})
    for extra in (one.rule.configuration or {"spec": {}})["spec"].get("conditions") or []:
        indexes = extra.get("matchIndexes")
        if indexes is None or one.match_index in indexes:
            result.append({"Field": "source-ip", "SourceIpConfig": {"Values": extra["sourceIPConfig"]["values"]}})
    return result


def _path(**config: list[str]) -> Json:
    return {"Field": "path-pattern", "PathPatternConfig": config}


def _http_path(path: Json) -> Json:
    kind, value = path["type"], path["value"]
    if kind == "RegularExpression":
        return _path(RegexValues=[value])
    if kind == "Exact":
        return _path(Values=[value])
    if _WILDCARDS & set(value):
        raise ModelError(f"a path prefix cannot have wildcards: {value}")
    stem = value.removesuffix("/")
    return _path(Values=[stem, f"{stem}/*"] if stem else ["/*"])


def _grpc_path(method: Json | None) -> str:
    if not method:
        return "/*"
    return f"/{method.get('service') or '*'}/{method.get('method') or '*'}"


def _header(header: Json, *, regex: bool) -> Json:
    values = {"RegexValues": [header["value"]]} if regex else {"Values": split(header["value"])}
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": header["name"], **values}}


def split(text: str) -> list[str]:
    r"""A header's values: parted by commas; a backslash takes the next character as it is.

    Example:
        >>> split(r"a\,b,c")
        ['a,b', 'c']
    """
    values, escaped = [""], False
    for character in text:
        if character == "\\" and not escaped:
            escaped = True
            continue
        if character == "," and not escaped:
            values.append("")
        else:
            values[-1] += character
        escaped = False
    return values


def rule_actions(
    one: Match, protocol: str, target_group: TargetGroupFor, secret: Callable[[str, str], dict[str, bytes]]
) -> tuple[list[Json], frozenset[tuple[str, str]]]:
    """The actions of a match's rule, and the Secrets they were made with.

    Raises:
        ModelError: a filter or action that a load balancer cannot do.
    """
    spec = (one.rule.configuration or {"spec": {}})["spec"]
    given = {action["type"]: action for action in spec.get("actions") or []}
    result: list[Json] = []
    secrets: frozenset[tuple[str, str]] = frozenset()
    groups = [{"TargetGroupArn": target_group(one.route, b), "Weight": b.weight} for b in one.rule.backends]
    if protocol == "HTTPS" and (login := actions.before_routing(given, key(one.route)[0], secret)):
        action, secrets = login
        result.append(action)
    result.append(actions.routing(one.route, one.rule.spec, given, groups))
    return ordered(result), secrets
