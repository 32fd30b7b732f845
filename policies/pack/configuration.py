"""Refuses a configuration that does not fit the rules, before any rule runs.

The engine accepts a file that names an unknown rule, and the intended rule would keep its old settings. The engine
passes the whole file to the pack, which checks it here; `check.py` does the same without an engine.
"""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pack.registry import Level, Rule, camel
from pack.reports import ELSEWHERE, WAIVERS
from pack.waivers import problems as waiver_problems

_LEVELS = [level.value for level in Level]
_TYPES: dict[str, tuple[type, ...]] = {"number": (int, float), "string": (str,), "array": (list,)}


def problems(config: Any, rules: Mapping[str, Rule]) -> Iterator[str]:
    """Report what does not fit, one line each; nothing if all is well.

    Args:
        config: A file's content: `{rule: level}` or `{rule: {"enforcementLevel": level, setting: value}}`; the rule
            `all` stands for every rule and takes only a level.
        rules: The rules by name.
    """
    if not isinstance(config, dict):
        yield "the file does not contain a JSON object of rules"
        return
    for name, given in config.items():
        settings: dict[str, Any] = given if isinstance(given, dict) else {"enforcementLevel": given}
        level = settings.get("enforcementLevel", _LEVELS[0])
        if level not in _LEVELS:
            yield f"{name}: the level {level!r} is not one of {', '.join(_LEVELS)}"
        others = {key: value for key, value in settings.items() if key != "enforcementLevel"}
        if name == "all":
            yield from (f"all: takes only a level, not {key}: give it to a rule" for key in others)
        elif name not in rules:
            yield f"{name}: unknown rule{_meant(name, list(rules))}"
        else:
            yield from _settings(rules[name], others, str(level), rules)


def _settings(rule: Rule, given: dict[str, Any], level: str, rules: Mapping[str, Rule]) -> Iterator[str]:
    if level == "remediate" and rule.remediation is None:
        yield f"{rule.name}: the rule has no remediation: choose mandatory"
    known = {camel(name): setting for name, setting in rule.settings.items()}
    for key, value in given.items():
        if rule is WAIVERS and key == "waivers":
            yield from waiver_problems(value, rules)
        elif rule is ELSEWHERE and key == "manifests":
            yield from _manifests(value)
        elif key not in known:
            yield f"{rule.name}: unknown setting {key}{_meant(key, list(known))}"
        elif not _fits(value, known[key].schema):
            yield f"{rule.name}: {key} is {value!r}; write {_wanted(known[key].schema)}"


def _manifests(value: Any) -> Iterator[str]:
    for index, one in enumerate(value if isinstance(value, list) else [value]):
        texts = [one.get("apiVersion"), one.get("kind")] if isinstance(one, dict) else [None]
        metadata = one.get("metadata") if isinstance(one, dict) else None
        if not (all(isinstance(text, str) for text in texts) and isinstance(metadata, dict) and "name" in metadata):
            yield f"manifests[{index}]: not a manifest; give apiVersion, kind and metadata.name"


def _fits(value: Any, schema: Any) -> bool:
    """Check a value against the few JSON schema keywords that settings use."""
    if isinstance(value, bool) or not isinstance(value, _TYPES[schema["type"]]):
        return False
    if "minimum" in schema and value < schema["minimum"]:
        return False
    return all(_fits(item, schema["items"]) for item in value) if schema["type"] == "array" else True


def _wanted(schema: Any) -> str:
    if schema["type"] == "array":
        return f"a list of {schema['items']['type']}s"
    return f"a {schema['type']}" + (f" of {schema['minimum']} or more" if "minimum" in schema else "")


def _meant(name: str, names: list[str]) -> str:
    """Name the nearest match, or all choices if there are few."""
    near = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(names) or 'none'}"
