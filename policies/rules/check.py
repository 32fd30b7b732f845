"""Refuses a policy configuration that does not fit the rules: `python -m rules.check FILE...`, in the pack's folder.

The engine takes a file that names an unknown rule without a word, and the rule that was meant stays as it was.
"""

import difflib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pulumi_policy import EnforcementLevel

from rules import RULES
from rules.registry import Rule, camel

_LEVELS = [level.value for level in EnforcementLevel]
_TYPES: dict[str, tuple[type, ...]] = {"number": (int, float), "string": (str,), "array": (list,)}


def problems(config: Any) -> Iterator[str]:
    """Say what does not fit, a line each; nothing if all is well.

    Args:
        config: A file's content: `{rule: level}` or `{rule: {"enforcementLevel": level, setting: value}}`; the rule
            `all` stands for every rule and takes a level only.
    """
    if not isinstance(config, dict):
        yield "the file holds no JSON object of rules"
        return
    for name, given in config.items():
        settings: dict[str, Any] = given if isinstance(given, dict) else {"enforcementLevel": given}
        level = settings.get("enforcementLevel", _LEVELS[0])
        if level not in _LEVELS:
            yield f"{name}: the level {level!r} is none of {', '.join(_LEVELS)}"
        others = {key: value for key, value in settings.items() if key != "enforcementLevel"}
        if name == "all":
            yield from (f"all: takes a level only, not {key}: give it to a rule" for key in others)
        elif name not in RULES:
            yield f"{name}: there is no such rule{_meant(name, list(RULES))}"
        else:
            yield from _settings(RULES[name], others, str(level))


def _settings(rule: Rule, given: dict[str, Any], level: str) -> Iterator[str]:
    if level == "remediate" and rule.remediation is None:
        yield f"{rule.name}: the rule has no remediation: choose mandatory"
    known = {camel(name): setting for name, setting in rule.settings.items()}
    for key, value in given.items():
        if key not in known:
            yield f"{rule.name}: there is no setting {key}{_meant(key, list(known))}"
        elif not _fits(value, known[key].schema):
            yield f"{rule.name}: {key} is {value!r}; write {_wanted(known[key].schema)}"


def _fits(value: Any, schema: Any) -> bool:
    """Check a value against the few words of JSON schema that settings use."""
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
    """Name what comes nearest, or all there is to choose from if that is little."""
    near = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(names) or 'none'}"


def main(files: list[str]) -> int:
    """Check files, tell what is wrong on stderr, and return the exit code."""
    found = 0
    for file in files:
        try:
            wrong = list(problems(json.loads(Path(file).read_text(encoding="utf-8"))))
        except (OSError, ValueError) as error:
            wrong = [f"cannot be read as JSON: {error}"]
        for line in wrong:
            sys.stderr.write(f"{file}: {line}\n")
        found += len(wrong)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if sys.argv[1:] else "usage: python -m rules.check FILE...")
