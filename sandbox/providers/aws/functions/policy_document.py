"""`aws.iam.getPolicyDocument`: converts a policy in blocks to JSON."""

import json
from typing import Any

from sandbox.providers.aws.functions import Function
from sandbox.providers.aws.session import Aws
from sandbox.providers.common.fields import Field
from sandbox.providers.common.server import ProviderError

_PRINCIPALS = Field(inside={"type": Field(required=True), "identifiers": Field(required=True)})
_STATEMENT = {
    **{name: Field() for name in ("sid", "effect", "actions", "notActions", "resources", "notResources")},
    "principals": _PRINCIPALS,
    "notPrincipals": _PRINCIPALS,
    "conditions": Field(
        inside={"test": Field(required=True), "variable": Field(required=True), "values": Field(required=True)}
    ),
}


def _one_or_many(values: list[str]) -> str | list[str]:
    """IAM also accepts a single string; the real provider writes one, and lists in reverse order."""
    return values[0] if len(values) == 1 else sorted(values, reverse=True)


def _principals(blocks: list[dict[str, Any]]) -> Any:
    if [(block["type"], block["identifiers"]) for block in blocks] == [("*", ["*"])]:
        return "*"
    merged: dict[str, list[str]] = {}
    for block in blocks:
        merged.setdefault(block["type"], []).extend(block["identifiers"])
    return {kind: _one_or_many(identifiers) for kind, identifiers in merged.items()}


def statement(block: dict[str, Any]) -> dict[str, Any]:
    """One statement block as IAM's JSON."""
    said: dict[str, Any] = {"Sid": block["sid"]} if block.get("sid") else {}
    said["Effect"] = block.get("effect") or "Allow"
    for name in ("actions", "notActions", "resources", "notResources"):
        if block.get(name):
            said[name[0].upper() + name[1:-1]] = _one_or_many(block[name])
    for name in ("principals", "notPrincipals"):
        if block.get(name):
            said[name[0].upper() + name[1:-1]] = _principals(block[name])
    for condition in block.get("conditions") or ():
        test = said.setdefault("Condition", {}).setdefault(condition["test"], {})
        values = condition["values"]
        test[condition["variable"]] = values[0] if len(values) == 1 else list(values)
    return said


def merged(documents: list[str], own: list[dict[str, Any]], overrides: list[str]) -> list[dict[str, Any]]:
    """Statements of source documents, then the program's, then overriding ones, which replace equal Sids."""
    found = [one for text in documents for one in _statements(text)]
    sids = [one["Sid"] for one in [*found, *own] if one.get("Sid")]
    twice = next((sid for sid in sids if sids.count(sid) > 1), None)
    if twice:
        raise ProviderError(f"two statements of the policy document have the sid {twice!r}; give each a different one")
    found += own
    for text in overrides:
        for over in _statements(text):
            at = next((i for i, one in enumerate(found) if over.get("Sid") and one.get("Sid") == over["Sid"]), None)
            if at is None:
                found.append(over)
            else:
                found[at] = over
    return found


def _statements(text: str) -> list[dict[str, Any]]:
    said = json.loads(text).get("Statement", []) if text else []
    return said if isinstance(said, list) else [said]


def policy_document(_aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """The document as JSON, indented and not."""
    sources = [args.get("sourceJson") or "", *(args.get("sourcePolicyDocuments") or ())]
    overrides = [args.get("overrideJson") or "", *(args.get("overridePolicyDocuments") or ())]
    own = [statement(block) for block in args.get("statements") or ()]
    document: dict[str, Any] = {"Version": args.get("version") or "2012-10-17"}
    if args.get("policyId"):
        document["Id"] = args["policyId"]
    document["Statement"] = merged(sources, own, overrides)
    text = json.dumps(document, indent=2)
    small = json.dumps(document, separators=(",", ":"))
    return {**args, "json": text, "minifiedJson": small, "id": str(hash_of(small))}


def hash_of(text: str) -> int:
    """The document's id: a checksum of its content."""
    import zlib  # noqa: PLC0415 - only this function needs it

    return zlib.crc32(text.encode())


FUNCTIONS = (
    Function(
        "aws:iam/getPolicyDocument:getPolicyDocument",
        policy_document,
        {
            **{name: Field() for name in ("policyId", "version", "sourceJson", "overrideJson")},
            **{name: Field() for name in ("sourcePolicyDocuments", "overridePolicyDocuments")},
            "statements": Field(inside=_STATEMENT),
        },
    ),
)
