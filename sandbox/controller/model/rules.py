"""The rules of a listener: paths and hosts of the Ingresses in order, as conditions in AWS's shape.

Within one host of one Ingress exact paths come first, then prefixes from the longest, then the others as written. Rules
that would redirect to themselves, or that an earlier redirect always catches, are left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.controller.model.actions import Backend
from sandbox.controller.model.groups import Member
from sandbox.controller.model.stack import Json, ModelError

_WILDCARDS = frozenset("*?")
_CONFIG = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
}
_UNCHANGED = {"Host": "#{host}", "Path": "/#{path}", "Port": "#{port}", "Protocol": "#{protocol}", "Query": "#{query}"}


@dataclass(frozen=True)
class Draft:
    """A rule without its priority."""

    conditions: list[Json]
    actions: list[Json]
    tags: dict[str, str]
    transforms: list[Json] = field(default_factory=list)


def sorted_paths(paths: Iterable[Json]) -> list[Json]:
    """Paths of one host in the order of their rules."""
    by_type: dict[str, list[Json]] = {"Exact": [], "Prefix": [], "ImplementationSpecific": []}
    for path in paths:
        kind = path.get("pathType") or "ImplementationSpecific"
        if kind not in by_type:
            raise ModelError(f"unknown pathType for path {path.get('path')}")
        by_type[kind].append(path)
    by_type["Prefix"].sort(key=lambda path: -len(path.get("path") or ""))
    return [path for kind in by_type.values() for path in kind]


def path_patterns(path: Json, *, regex: bool) -> tuple[list[str], list[str]]:
    """The values and regular expressions that an Ingress path stands for.

    Raises:
        ModelError: an exact path or prefix has wildcards.
    """
    text = path.get("path") or ""
    if not text:
        return [], []
    match path.get("pathType") or "ImplementationSpecific":
        case "ImplementationSpecific":
            return ([], [text[1:]]) if regex else ([text], [])
        case "Prefix" if text == "/":
            return ["/*"], []
        case "Exact" | "Prefix" as kind if _WILDCARDS & set(text):
            raise ModelError(f"{kind.lower()} path shouldn't contain wildcards: {text}")
        case "Exact":
            return [text], []
        case _:
            stem = text.removesuffix("/")
            return [stem, f"{stem}/*"], []


def conditions(member: Member, host: str, path: Json, backend: Backend) -> list[Json]:
    """The conditions of one path's rule: the annotation's own, then hosts, then paths.

    Raises:
        ModelError: values and regular expressions are mixed in one condition.
    """
    regex = bool(member.reader().boolean("use-regex-path-match"))
    values, patterns = path_patterns(path, regex=regex)
    hosts: tuple[list[str], list[str]] = ([host] if host else [], [])
    paths: tuple[list[str], list[str]] = (values, patterns)
    result: list[Json] = []
    for one in backend.conditions:
        match one["field"]:
            case "host-header" | "path-pattern" as kind:
                config = one["hostHeaderConfig" if kind == "host-header" else "pathPatternConfig"]
                into = hosts if kind == "host-header" else paths
                into[0].extend(config.get("values") or [])
                into[1].extend(config.get("regexValues") or [])
            case _:
                result.append(_other_condition(one))
    for kind, (plain, regular) in (("host-header", hosts), ("path-pattern", paths)):
        what = kind.partition("-")[0]
        if plain and regular:
            raise ModelError(
                f"{what} condition must specify exactly one of Values and RegexValues, "
                f"got both Values {plain} and RegexValues {regular}"
            )
        if plain or regular:
            content = {"Values": plain} if plain else {"RegexValues": regular}
            result.append({"Field": kind, _CONFIG[kind]: content})
    return result or [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}]


def _other_condition(one: Json) -> Json:
    match one["field"]:
        case "http-header":
            config = one["httpHeaderConfig"]
            values = {"Values": config["values"]} if config.get("values") else {"RegexValues": config["regexValues"]}
            return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": config["httpHeaderName"], **values}}
        case "http-request-method":
            return {
                "Field": one["field"],
                "HttpRequestMethodConfig": {"Values": one["httpRequestMethodConfig"]["values"]},
            }
        case "query-string":
            pairs = [
                ({"Key": pair["key"]} if pair.get("key") else {}) | {"Value": pair["value"]}
                for pair in one["queryStringConfig"]["values"]
            ]
            return {"Field": "query-string", "QueryStringConfig": {"Values": pairs}}
        case "source-ip":
            return {"Field": "source-ip", "SourceIpConfig": {"Values": one["sourceIPConfig"]["values"]}}
        case field_name:
            raise ModelError(f"unknown condition field: {field_name}")


def optimized(port: int, protocol: str, drafts: Iterable[Draft]) -> list[Draft]:
    """Without rules that redirect to themselves or that an earlier redirect always catches."""
    kept: list[Draft] = []
    for draft in drafts:
        if _endless(port, protocol, draft):
            continue
        if not any(_redirect(other) and _covers(other.conditions, draft.conditions) for other in kept):
            kept.append(draft)
    return kept


def _redirect(draft: Draft) -> Json | None:
    return next((a["RedirectConfig"] for a in draft.actions if a["Type"] == "redirect"), None)


def _values(conditions: Iterable[Json], kind: str) -> tuple[set[str], set[str]]:
    configs = [c[_CONFIG[kind]] for c in conditions if c["Field"] == kind]
    plain = {v for config in configs for v in config.get("Values") or []}
    return plain, {v for config in configs for v in config.get("RegexValues") or []}


def _endless(port: int, protocol: str, draft: Draft) -> bool:
    config = _redirect(draft)
    if config is None:
        return False
    hosts, _ = _values(draft.conditions, "host-header")
    paths, patterns = _values(draft.conditions, "path-pattern")
    if patterns:
        return False
    here = {"Host": hosts, "Path": paths, "Port": {str(port)}, "Protocol": {protocol}, "Query": set[str]()}
    return all(
        config.get(part) is None or config[part] == _UNCHANGED[part] or config[part] in here[part]
        for part in _UNCHANGED
    )


def _covers(wider: list[Json], narrower: list[Json]) -> bool:
    if any(c["Field"] not in _CONFIG for c in wider):
        return False
    wide_hosts, narrow_hosts = _values(wider, "host-header")[0], _values(narrower, "host-header")[0]
    wide_paths = set[str]().union(*_values(wider, "path-pattern"))
    narrow_paths = set[str]().union(*_values(narrower, "path-pattern"))
    hosts = not wide_hosts or (bool(narrow_hosts) and wide_hosts >= narrow_hosts)
    paths = not wide_paths or "/*" in wide_paths or (bool(narrow_paths) and wide_paths >= narrow_paths)
    return hosts and paths
