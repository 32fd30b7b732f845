"""What Pulumi keeps of an object: the live object, and beside it the inputs and the field manager.

The layout is pulumi-kubernetes' own (`__inputs`, `__fieldManager`, `__initialApiVersion`), so that a state says the
same whoever wrote it. Fields that only the API server's bookkeeping needs (`managedFields`) are left out.
"""

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any, Final

from pulumi.provider.experimental.property_value import PropertyValue

from sandbox.providers.common.server import ProviderError
from sandbox.providers.common.values import UNKNOWN, Properties, Secret, marked, property_value
from sandbox.providers.kubernetes.kinds import Kind

INPUTS: Final = "__inputs"
MANAGER: Final = "__fieldManager"
FIRST_VERSION: Final = "__initialApiVersion"
_SERVERS_OWN = ("creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields")
_IDENTITY = ("resourceVersion", "uid", "selfLink")
# The SDKs cannot have dashes in names.
_DASHED = {
    f"x_kubernetes_{name}": f"x-kubernetes-{name.replace('_', '-')}"
    for name in (
        *("embedded_resource", "int_or_string", "list_map_keys", "list_type", "map_type"),
        *("preserve_unknown_fields", "validations"),
    )
}
_UNDERSCORED = {dashed: name for name, dashed in _DASHED.items()}


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """A value with its keys renamed, at any depth."""
    match value:
        case Mapping():
            return {names.get(key, key): renamed(item, names) for key, item in value.items()}
        case list():
            return [renamed(item, names) for item in value]
        case Secret():
            return Secret(renamed(value.value, names))
        case _:
            return value


def without_nulls(value: Any) -> Any:
    """A value without the keys that hold null: to the API server a null is no value."""
    match value:
        case Mapping():
            return {key: without_nulls(item) for key, item in value.items() if item is not None}
        case list():
            return [without_nulls(item) for item in value]
        case _:
            return value


def manifest(properties: Properties) -> dict[str, Any]:
    """Inputs as the object that they describe: plain, dashed, without nulls and what only the server sets.

    Raises:
        ProviderError: `metadata` is no mapping.
    """
    item = without_nulls(renamed(unmarked({key: marked(value) for key, value in properties.items()}), _DASHED))
    metadata = item.get("metadata")
    if isinstance(metadata, Mapping):
        item["metadata"] = {key: value for key, value in metadata.items() if key not in (*_SERVERS_OWN, *_IDENTITY)}
    elif metadata is not None and metadata is not UNKNOWN:
        raise ProviderError(f"metadata is {metadata!r}: give a mapping with name, namespace, labels or annotations")
    return item


def unmarked(value: Any) -> Any:
    """A value without its secret marks."""
    match value:
        case Secret():
            return unmarked(value.value)
        case Mapping():
            return {key: unmarked(item) for key, item in value.items()}
        case list():
            return [unmarked(item) for item in value]
        case _:
            return value


def properties(item: Mapping[str, Any], like: Properties, kind: Kind) -> dict[str, Any]:
    """An object as properties: what was secret in `like` is secret in it, and a Secret's data always is."""
    hidden = _hide(renamed(item, _UNDERSCORED), {key: marked(value) for key, value in like.items()})
    if kind == Kind("", "v1", "Secret"):
        hidden |= {key: Secret(hidden[key]) for key in ("data", "stringData") if key in hidden}
    return {key: property_value(value) for key, value in hidden.items()}


def _hide(item: Any, like: Any) -> Any:
    """Marks as secret what is secret in `like`; of a list that holds a secret, all."""
    if isinstance(like, Secret):
        return Secret(item)
    if isinstance(item, Mapping) and isinstance(like, Mapping):
        return {key: _hide(value, like[key]) if key in like else value for key, value in item.items()}
    return Secret(item) if _holds_a_secret(like) else item


def _holds_a_secret(value: Any) -> bool:
    match value:
        case Secret():
            return True
        case Mapping():
            return any(_holds_a_secret(item) for item in value.values())
        case list():
            return any(_holds_a_secret(item) for item in value)
        case _:
            return False


def state(inputs: Mapping[str, Any], live: Mapping[str, Any], like: Properties, kind: Kind, manager: str) -> Any:
    """The properties that Pulumi keeps of a live object.

    Args:
        inputs: What the program set, as a manifest.
        live: The object as the server gives it.
        like: The program's inputs, for what of them is secret.
        kind: The object's kind.
        manager: The field manager that applied it.
    """
    metadata = {key: value for key, value in live["metadata"].items() if key != "managedFields"}
    return {
        **properties({**live, "metadata": metadata}, like, kind),
        INPUTS: property_value(dict(properties(inputs, like, kind))),
        FIRST_VERSION: property_value(inputs.get("apiVersion", kind.api_version)),
        MANAGER: property_value(manager),
    }


def promised(would_be: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The object of a dry run without what only the update decides.

    A dry run makes up an identity, and addresses and ports for a Service, that the object will not have; its status is
    empty. What is left out at the top is unknown to the program; below it has to be said.
    """
    metadata = dict(would_be["metadata"])
    metadata |= {key: UNKNOWN for key in ("uid", "resourceVersion", "creationTimestamp") if key in metadata}
    shown = {key: value for key, value in would_be.items() if key != "status"}
    if would_be["kind"] == "Service" and would_be["apiVersion"] == "v1":
        given = inputs.get("spec") or {}
        spec = would_be["spec"]
        made_up = [
            key for key in ("clusterIP", "clusterIPs", "healthCheckNodePort") if key in spec and key not in given
        ]
        shown["spec"] = {**spec, **dict.fromkeys([] if "clusterIP" in given else made_up, UNKNOWN)}
        shown["spec"]["ports"] = [
            {**port, "nodePort": UNKNOWN} if "nodePort" in port and "nodePort" not in asked else port
            for port, asked in zip_longest(spec.get("ports") or (), given.get("ports") or (), fillvalue={})
        ]
    return {**shown, "metadata": metadata}


def expected(inputs: Properties, kind: Kind) -> dict[str, PropertyValue]:
    """The inputs of an object that no dry run could be asked about, with what is bound to become known."""
    values = {key: marked(value) for key, value in inputs.items()}
    sections: dict[str, tuple[str, ...]] = {"metadata": ("uid", "resourceVersion", "creationTimestamp", "generation")}
    if kind == Kind("", "v1", "Service"):
        sections["spec"] = ("clusterIP", "clusterIPs")
    for section, keys in sections.items():
        if isinstance(found := values.get(section), Mapping):
            values[section] = {**dict.fromkeys(keys, UNKNOWN), **found}
    return {key: property_value(value) for key, value in values.items()}


def live_of(kept: Properties) -> dict[str, Any]:
    """The live object of a state."""
    ours = (INPUTS, MANAGER, FIRST_VERSION)
    given = {key: marked(value) for key, value in kept.items() if key not in ours}
    return renamed(unmarked(given), _DASHED)


def inputs_of(kept: Properties) -> dict[str, Any]:
    """The inputs of a state, as a manifest; empty if it has none."""
    found = kept.get(INPUTS)
    return manifest(found.value) if found and isinstance(found.value, Mapping) else {}


def imported(live: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of an object that Pulumi did not make: all but what the server keeps for itself."""
    ours = (*_SERVERS_OWN, *_IDENTITY, "ownerReferences")
    metadata = {key: value for key, value in live["metadata"].items() if key not in ours}
    if annotations := metadata.get("annotations"):
        noise = ("deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration")
        metadata["annotations"] = {key: value for key, value in annotations.items() if key not in noise}
    return {**{key: value for key, value in live.items() if key != "status"}, "metadata": metadata}
