"""Conditions and actions of listener rules in words that say all of them. Pure."""

from collections.abc import Mapping
from typing import Any

from sandbox.network.elb.model import Action, Condition

Json = dict[str, Any]
Words = Mapping[str, str]
"""ARN of a target group -> what it is called."""
_ANY = {"#{protocol}", "#{host}", "#{port}", "/#{path}", "#{query}"}


def condition(given: Condition) -> str:
    """A condition: `host-header is shop.example.com or *.shop.example.com`."""
    expressions = [f"/{v}/" for v in given.expressions]
    name = f" {given.config['HttpHeaderName']}" if "HttpHeaderName" in given.config else ""
    return f"{given.field}{name} is {' or '.join(sorted([*given.values, *expressions]))}"


def action(given: Action, words: Words) -> str:
    """An action: `forward to shop/web-web:80`."""
    config = given.config
    match given.type:
        case "forward":
            return _forward(given, words)
        case "redirect":
            return _redirect(config)
        case "fixed-response":
            more = [config.get("ContentType"), repr(config["MessageBody"]) if config.get("MessageBody") else None]
            return " ".join(str(part) for part in ("respond", config["StatusCode"], *more) if part)
        case kind:
            shown = [f"{k} {v}" for k, v in sorted(config.items()) if "Secret" not in k and v not in (None, "", {}, [])]
            return f"{kind} {', '.join(shown)}".strip()


def _forward(given: Action, words: Words) -> str:
    weighted = len(given.forwards) > 1
    named = sorted(words.get(arn, arn) + (f" (weight {weight})" if weighted else "") for arn, weight in given.forwards)
    sticky: Json = given.config.get("TargetGroupStickinessConfig") or {}
    enabled = str(sticky.get("Enabled", False)).lower() == "true"
    return f"forward to {', '.join(named)}" + (f", sticky for {sticky['DurationSeconds']} s" if enabled else "")


def _redirect(config: Json) -> str:
    parts = {
        "protocol": config.get("Protocol", "#{protocol}"),
        "host": config.get("Host", "#{host}"),
        "port": config.get("Port", "#{port}"),
        "path": config.get("Path", "/#{path}"),
        "query": config.get("Query", "#{query}"),
    }
    changed = [f"{key} {value}" for key, value in parts.items() if value not in _ANY]
    code = str(config.get("StatusCode", "")).removeprefix("HTTP_")
    return f"redirect {code} to {', '.join(changed) or 'the same'}"
