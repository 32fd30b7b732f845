"""Who an object is: its name, its namespace, its field manager; and whether a new one can live beside the old. Pure."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import pulumi.provider.experimental.provider as sdk

from sandbox.providers.common.values import Properties
from sandbox.providers.kubernetes import annotations, state


def named(request: sdk.CheckRequest, item: dict[str, Any]) -> list[sdk.CheckFailure]:
    """Sees to it that an object has a name: its own, its old one, or one made up."""
    metadata = item.setdefault("metadata", {})
    if "generateName" in metadata:
        reason = "generateName does not work with server-side apply: leave it out, and Pulumi makes up a name"
        return [sdk.CheckFailure("metadata.generateName", reason)]
    if "name" not in metadata:
        old = state.manifest(request.old_inputs) if request.old_inputs else {}
        metadata["name"] = (
            old["metadata"]["name"]
            if annotations.is_true(old, annotations.AUTONAMED)
            else f"{request.name}-{_eight_digits(request.random_seed)}"
        )
        if isinstance(metadata.setdefault("annotations", {}), Mapping):
            metadata["annotations"] = {**metadata["annotations"], annotations.AUTONAMED: "true"}
    return []


def manager(urn: str, item: Mapping[str, Any], kept: Properties) -> str:
    """The field manager: the annotation's, the state's, or one made of the URN, so that a create can be repeated."""
    given = annotations.of(item).get(annotations.FIELD_MANAGER)
    if isinstance(given, str):
        return given
    if state.MANAGER in kept:
        return str(kept[state.MANAGER].value)
    return f"pulumi-kubernetes-{hashlib.sha256(urn.encode()).hexdigest()[:8]}"


def _eight_digits(seed: bytes) -> str:
    return hashlib.sha256(seed).hexdigest()[:8] if seed else secrets.token_hex(4)


def placed(item: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any]:
    """The object with the namespace that it has in effect, so that saying `default` aloud is no change.

    Args:
        item: An object of the program's.
        live: The same object as the cluster has it: with a namespace if its kind has any.
    """
    metadata = item.get("metadata")
    if not isinstance(metadata, Mapping):
        return dict(item)
    rest = {key: value for key, value in metadata.items() if key != "namespace"}
    if "namespace" in live.get("metadata", {}):
        rest["namespace"] = metadata.get("namespace") or live["metadata"]["namespace"]
    return {**item, "metadata": rest}


def keeps_its_name(new: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Whether the new object can only be made once the old one is gone."""
    metadata = placed(new, live).get("metadata", {})
    same = all(metadata.get(key) == live["metadata"].get(key) for key in ("name", "namespace"))
    return same and not annotations.is_true(new, annotations.AUTONAMED)
