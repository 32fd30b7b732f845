"""Judges resources by a profile without an engine: `python judge.py PROFILE < resources.json`.

The resources are a JSON list of `{"type", "name", "properties"}` as a Pulumi program declares them. What the rules say
of them is printed as a JSON list of `{"rule", "level", "resource", "message"}`; `resource` is the name.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pack.configuration import problems
from pack.properties import plain
from pack.registry import Level
from pack.reports import REPORTS
from pack.resources import Resource
from pack.secrets import Vault
from pack.session import Session
from rules import RULES


def judged(profile: dict[str, Any], resources: list[dict[str, Any]]) -> list[dict[str, str]]:
    """What the rules of a profile say of resources."""
    session = Session(RULES.values())
    given = {name: one if isinstance(one, dict) else {"enforcementLevel": one} for name, one in profile.items()}
    levels = {name: Level(one["enforcementLevel"]) for name, one in given.items() if "enforcementLevel" in one}
    if (everyone := levels.pop("all", None)) is not None:
        levels = dict.fromkeys(RULES, everyone) | levels
    session.configure(given, levels)
    shown = [_resource(one) for one in resources]
    said = [one for each in shown for one in session.declare(each)] + list(session.finish(shown))
    names = {one.urn: one.name for one in shown}
    return [
        {"rule": one.rule.name, "level": one.level.value, "resource": names[one.urn], "message": one.message}
        for one in said
        if one.urn in names  # the pack's reports are about the run
    ]


def _resource(given: dict[str, Any]) -> Resource:
    vault, token, name = Vault(), given["type"], given["name"]
    urn = f"urn:pulumi:plan::plan::{token}::{name}"
    return Resource(token, plain(given["properties"], vault), urn, name, vault=vault)


def main(file: str) -> int:
    """Judge what standard input has, and return the exit code: 1 if the profile cannot be used."""
    try:
        profile = json.loads(Path(file).read_text(encoding="utf-8"))
        wrong = list(problems(profile, {**RULES, **REPORTS}))
    except (OSError, ValueError) as error:
        wrong, profile = [f"cannot be read as JSON: {error}"], {}
    for line in wrong:
        sys.stderr.write(f"{file}: {line}\n")
    if wrong:
        return 1
    sys.stdout.write(json.dumps(judged(profile, json.load(sys.stdin)), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else "usage: python judge.py PROFILE < resources.json")  # noqa: PLR2004
