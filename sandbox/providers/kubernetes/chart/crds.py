"""The chart's CRDs, from a short notation of their schemas in `data/*.yaml`.

The notation, in YAML: a mapping is an object and its keys are its properties, `name!` a required one, `"*"` all
others; a list is an array of its one item; a string is a scalar: a type word and what limits it, such as
`int32 min=1 max=5 default=3`, `string =ipv4|dualstack` or `string shortest=1 ~^arn:` (`~` and all behind it is the
pattern). What has no word stands under `"="` (of an array: in a second entry) as in OpenAPI, but for two: `rules` are
CEL rules with what they say to who breaks them, `atomic` is how server-side apply merges. The properties `apiVersion`,
`kind` and `metadata` go without saying; a version whose schema differs has its own under its name.

Schemas are the published CRDs' of version 3.5.0, checked field by field (without the descriptions); `older.yaml` says
what an older version had of them.
"""

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.providers.kubernetes.chart.releases import NEWEST

_FOLDER: Final = Path(__file__).parent / "data"
_GROUPS: Final = ("elbv2", "aga", "gateway")
_QUANTITY: Final = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
_EITHER: Final = {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}
_WORDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "object": {"type": "object"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "date-time": {"type": "string", "format": "date-time"},
    "int-or-string": _EITHER,
    "quantity": {**_EITHER, "pattern": _QUANTITY},
}
_LIMITS: Final = {"min": "minimum", "max": "maximum", "shortest": "minLength", "longest": "maxLength"}
_AGE: Final = {"name": "AGE", "type": "date", "jsonPath": ".metadata.creationTimestamp"}


@functools.cache
def definitions(version: str = NEWEST) -> tuple[dict[str, Any], ...]:
    """The CustomResourceDefinitions of a version of the chart; not to be changed by whoever asks."""
    newest = {kind: entry for group in _GROUPS for kind, entry in _read(group).items()}
    if version == NEWEST:
        return tuple(_definition(kind, entry) for kind, entry in newest.items())
    return tuple(_definition(kind, _older(newest[kind], had)) for kind, had in _read("older")[version].items())


def _older(entry: Mapping[str, Any], had: Mapping[str, Any]) -> dict[str, Any]:
    """A CRD's entry without the fields that an older chart did not know."""
    spec = {part: dict(fields) for part, fields in entry["schema"].items()}
    for path in had["without"]:
        part, _, name = path.partition(".")
        del spec[part][name]
    return {**entry, "schema": spec, "singular": had.get("singular")}


def _read(group: str) -> Mapping[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # eight times as fast where libyaml is
    return yaml.load((_FOLDER / f"{group}.yaml").read_text(), loader)  # noqa: S506 - both are safe


def _definition(kind: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    plural, group = entry["plural"], entry["group"]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": entry.get("singular") or plural.removesuffix("s"),
            },
            "scope": entry.get("scope", "Namespaced"),
            "versions": [_version(entry, name, traits) for name, traits in entry["versions"].items()],
        },
    }


def _version(entry: Mapping[str, Any], name: str, traits: Mapping[str, bool]) -> dict[str, Any]:
    common = {"apiVersion": "string", "kind": "string", "metadata": "object"}
    version = {
        "name": name,
        "served": True,
        "storage": traits.get("storage", False),
        "schema": {"openAPIV3Schema": schema({**common, **entry.get(name, entry["schema"])})},
        "additionalPrinterColumns": [*_columns(entry.get("columns", {})), _AGE],
    }
    if entry.get("subresources"):
        version["subresources"] = {subresource: {} for subresource in entry["subresources"]}
    return {**version, "deprecated": True} if traits.get("deprecated") else version


def _columns(columns: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, where in columns.items():
        path, *priority = where if isinstance(where, list) else [where]
        yield {"name": name, "type": "string", "jsonPath": path} | ({"priority": priority[0]} if priority else {})


def schema(short: Any) -> dict[str, Any]:
    """The OpenAPI schema that a short notation means.

    Example:
        >>> schema({"name!": "string", "ports": ["int32 min=1"]})["required"]
        ['name']
    """
    if isinstance(short, str):
        return _scalar(short)
    if isinstance(short, list):
        item, *more = short
        return {"type": "array", "items": schema(item), **_raw(more[0] if more else {}, "list")}
    if "is" in short:  # a scalar with more than words can say
        return {**schema(short["is"]), **_raw(short["="], "scalar")}
    named = {key: value for key, value in short.items() if key not in ("*", "=")}
    result: dict[str, Any] = {"type": "object", **_raw(short.get("=", {}), "map")}
    if named:
        result["properties"] = {key.removesuffix("!"): schema(value) for key, value in named.items()}
    if required := [key.removesuffix("!") for key in named if key.endswith("!")]:
        result["required"] = required
    if "*" in short:
        result["additionalProperties"] = schema(short["*"])
    return result


def _raw(keywords: Mapping[str, Any], of: str) -> dict[str, Any]:
    result = {key: value for key, value in keywords.items() if key not in ("rules", "atomic")}
    if keywords.get("atomic"):
        result[f"x-kubernetes-{of}-type"] = "atomic"
    if rules := keywords.get("rules"):
        result["x-kubernetes-validations"] = [{"rule": rule, "message": text} for rule, text in rules.items()]
    return result


def _scalar(text: str) -> dict[str, Any]:
    words, tilde, pattern = text.partition(" ~")
    first, *limits = words.split()
    result: dict[str, Any] = dict(_WORDS[first])
    for limit in limits:
        key, _, value = limit.partition("=")
        if not key:
            result["enum"] = [_value(result, one) for one in value.split("|")]
        elif key == "default":
            result["default"] = _value(result, value)
        else:
            result[_LIMITS[key]] = int(value)
    return {**result, "pattern": pattern} if tilde else result


def _value(of: Mapping[str, Any], text: str) -> Any:
    if of["type"] == "boolean":
        return text == "true"
    return int(text) if of["type"] == "integer" else text
