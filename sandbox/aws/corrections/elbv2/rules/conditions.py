"""Conditions and transforms of rules: valid values, and how many. No state.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleTransform.html
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from moto.elbv2.exceptions import InvalidConditionFieldError

from sandbox.aws.corrections.elbv2.limits import QUOTAS
from sandbox.aws.refusal import Refusal

Condition = dict[str, Any]
_CONFIGS = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-header": "HttpHeaderConfig",
    "query-string": "QueryStringConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "source-ip": "SourceIpConfig",
}
_SEVERAL = {"http-header", "query-string"}
"""Fields for which a rule may have more than one condition."""
_REGEX = {"host-header", "path-pattern", "http-header"}
_TRANSFORMS = {"host-header-rewrite": "HostHeaderRewriteConfig", "url-rewrite": "UrlRewriteConfig"}
_LONGEST, _LONGEST_NAME, _LONGEST_REWRITE = 128, 40, 1024
_INVALID = "Condition value '{}' contains a character that is not valid"
_HOST = re.compile(r"[A-Za-z0-9.*?_-]*\.[A-Za-z0-9.*?_-]*")
"""A host name must have a dot. AWS's message about one without is that of an invalid character."""
_PATH = re.compile(r"[A-Za-z0-9_\-.$/~\"'@:+&*?=%#,;!()\[\]{}|^<>\\`]*")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_METHOD = re.compile(r"[A-Z_-]+")


def check_conditions(conditions: list[Condition], balancer_type: str) -> None:
    """Raise unless a rule on such a load balancer may have these conditions."""
    for condition in conditions:
        field = condition.get("Field")
        if field not in _CONFIGS:
            raise InvalidConditionFieldError(str(field))
        if balancer_type != "application" and field != "source-ip":
            raise _invalid(f"Condition field '{field}' is not supported on load balancers with type '{balancer_type}'")
        for problem in _problems(field, condition):
            raise _invalid(problem)
    for field, count in Counter(condition["Field"] for condition in conditions).items():
        if count > 1 and field not in _SEVERAL:
            raise _invalid(f"A rule can only have one '{field}' condition")
    values = [value for condition in conditions for value in _values(condition)]
    most = QUOTAS["condition-values-per-alb-rule"]
    if len(values) > most:
        raise _invalid(f"A rule can only have '{most}' condition values and regex values")
    wild, plain = QUOTAS["condition-wildcards-per-alb-rule"], _patterns(conditions)
    if sum(len(re.findall(r"(?<!\\)[*?]", text)) for text in plain) > wild:
        raise _invalid(f"A rule can only have '{wild}' condition wildcards")


def _invalid(text: str) -> Refusal:
    return Refusal("ValidationError", text)


def _patterns(conditions: list[Condition]) -> Iterator[str]:
    """The values in which wildcards are allowed."""
    for condition in conditions:
        if condition["Field"] == "query-string":
            for pair in condition["QueryStringConfig"]["Values"]:
                yield from pair.values()
        elif not _regexes(condition) and condition["Field"] not in {"source-ip", "http-request-method"}:
            yield from _values(condition)


def _config(condition: Condition) -> dict[str, Any]:
    return condition.get(_CONFIGS[condition["Field"]]) or {}


def _regexes(condition: Condition) -> list[str]:
    return condition.get("RegexValues") or _config(condition).get("RegexValues") or []


def _values(condition: Condition) -> list[Any]:
    return condition.get("Values") or _config(condition).get("Values") or _regexes(condition)


def _problems(field: str, condition: Condition) -> Iterator[str]:
    """What is wrong with one condition."""
    config = _config(condition)
    foreign = [key for key in _CONFIGS.values() if key in condition and key != _CONFIGS[field]]
    if foreign:
        yield f"'{foreign[0]}' cannot be specified for a condition of type '{field}'"
    if "Values" in condition and field not in {"host-header", "path-pattern"}:
        yield f"The 'Values' field is not compatible with '{field}'"
    if "Values" in condition and config:
        yield f"You cannot provide both Values and '{_CONFIGS[field]}' for a condition of type '{field}'"
    if _regexes(condition) and field not in _REGEX:
        yield f"'RegexValues' is not supported for a condition of type '{field}'"
    values = _values(condition)
    if not (config or values):
        plain = "Values or RegexValues or " if field in {"host-header", "path-pattern"} else ""
        needed = f"{plain}{_CONFIGS[field]}"
        yield f"For conditions of type '{field}', you must specify the following fields: '{needed}'"
    both = _regexes(condition) and (condition.get("Values") or config.get("Values"))
    if both or not values:
        one = "exactly one of the following: ['Values' 'RegexValues']"
        yield f"You must provide {one} for config of type '{_CONFIGS[field]}'"
    for value in values:
        texts = [value] if isinstance(value, str) else list(value.values())
        if field != "http-request-method" and any(len(text) > _LONGEST for text in texts):
            yield f"Condition value for '{field}' cannot contain more than {_LONGEST} characters"
    yield from _of_expressions(_regexes(condition)) if _regexes(condition) else _of_field(field, config, values)


def _of_expressions(expressions: list[str]) -> Iterator[str]:
    for one in expressions:
        try:
            re.compile(one)
        except re.error:
            yield f"The regular expression '{one}' is not valid"


def _of_field(field: str, config: dict[str, Any], values: list[Any]) -> Iterator[str]:
    """What is wrong with the values of a field."""
    match field:
        case "host-header" | "path-pattern":
            allowed = _HOST if field == "host-header" else _PATH
            yield from (_INVALID.format(one) for one in values if not allowed.fullmatch(one))
        case "http-request-method":
            for one in values:
                if len(one) > _LONGEST_NAME:
                    yield f"Condition value for '{field}' cannot contain more than {_LONGEST_NAME} characters"
                if not _METHOD.fullmatch(one):
                    yield _INVALID.format(one)
        case "http-header":
            yield from _of_header(config.get("HttpHeaderName", ""))
        case "query-string":
            yield from (
                "A 'Value' must be specified in 'QueryStringKeyValuePair'" for one in values if not one.get("Value")
            )
        case _:
            yield from _addresses(config.get("IpAddressType"), values)


def _of_header(name: str) -> Iterator[str]:
    """What is wrong with the name of an HTTP header."""
    if len(name) > _LONGEST_NAME:
        yield f"Condition value for 'http-header' cannot contain more than {_LONGEST_NAME} characters"
    if not _TOKEN.fullmatch(name):
        yield f"The HTTP header name '{name}' must have 1 to {_LONGEST_NAME} characters of RFC 7230"
    if name.lower() == "host":
        yield "You cannot specify 'host' as an HTTP header name"


def _addresses(kind: str | None, blocks: list[str]) -> Iterator[str]:
    """What is wrong with the CIDR blocks of a `source-ip` condition."""
    for block in blocks:
        try:
            network = ipaddress.ip_network(block, strict=False)
        except ValueError:
            network = None
        if network is None or "/" not in block:
            yield f"The specified value '{block}' is not a valid CIDR block"
        elif kind and kind != f"ipv{network.version}":
            yield f"The source IP '{block}' is not one of IP address type '{kind}'"


def check_transforms(transforms: list[dict[str, Any]], balancer_type: str) -> None:
    """Raise unless a rule may have these transforms."""
    if transforms and balancer_type != "application":
        raise _invalid(f"Transforms are not supported on load balancers with type '{balancer_type}'")
    for kind, count in Counter(transform["Type"] for transform in transforms).items():
        if count > 1:
            raise _invalid(f"A rule can only have one transform of type '{kind}'")
    for transform in transforms:
        key = _TRANSFORMS[transform["Type"]]
        rewrites = (transform.get(key) or {}).get("Rewrites") or []
        if len(rewrites) != 1 or any(other in transform for other in _TRANSFORMS.values() if other != key):
            raise _invalid(f"A transform of type '{transform['Type']}' must have one rewrite in {key}, and no other")
        for text in rewrites[0].values():
            if len(text) > _LONGEST_REWRITE:
                raise _invalid(f"A rewrite is too long; the limit is '{_LONGEST_REWRITE}'")
        try:
            re.compile(rewrites[0]["Regex"])
        except re.error:
            raise _invalid(f"The regular expression '{rewrites[0]['Regex']}' is not valid") from None
