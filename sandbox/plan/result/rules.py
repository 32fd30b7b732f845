"""Conditions and actions of listener rules in words that say all of them. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]
Words = Mapping[str, str]
"""ARN of a target group -> what it is called."""
_ANY = {"#{protocol}", "#{host}", "#{port}", "/#{path}", "#{query}"}


def condition(given: Json) -> str:
    """A condition: `host-header is shop.example.com or *.shop.example.com`."""
    config: Json = next((v for k, v in given.items() if k.endswith("Config") and v), {})
    values: Iterable[Any] = config.get("Values") or given.get("Values") or []
    texts = [f"{v.get('Key') or ''}={v['Value']}" if isinstance(v, dict) else str(v) for v in values]
    expressions = [f"/{v}/" for v in config.get("RegexValues") or given.get("RegexValues") or []]
    name = f" {config['HttpHeaderName']}" if "HttpHeaderName" in config else ""
    return f"{given['Field']}{name} is {' or '.join(sorted([*texts, *expressions]))}"


def action(given: Json, words: Words) -> str:
    """An action: `forward to shop/web-web:80`."""
    kind = given["Type"]
    match kind:
        case "forward":
            return _forward(given, words)
        case "redirect":
            return _redirect(given["RedirectConfig"])
        case "fixed-response":
            config = given["FixedResponseConfig"]
            more = [config.get("ContentType"), repr(config["MessageBody"]) if config.get("MessageBody") else None]
            return " ".join(str(part) for part in ("respond", config["StatusCode"], *more) if part)
        case _:
            config = next((v for k, v in given.items() if k.endswith("Config") and v), {})
            shown = [f"{k} {v}" for k, v in sorted(config.items()) if "Secret" not in k and v not in (None, "", {}, [])]
            return f"{kind} {', '.join(shown)}".strip()


def _forward(given: Json, words: Words) -> str:
    config: Json = given.get("ForwardConfig") or {}
    groups = config.get("TargetGroups") or [{"TargetGroupArn": given["TargetGroupArn"]}]
    weighted = len(groups) > 1
    named = sorted(
        words.get(g["TargetGroupArn"], g["TargetGroupArn"]) + (f" (weight {g.get('Weight', 1)})" if weighted else "")
        for g in groups
    )
    sticky: Json = config.get("TargetGroupStickinessConfig") or {}
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
