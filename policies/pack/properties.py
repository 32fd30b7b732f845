"""A resource's properties as the engine sends them, converted to plain data and back.

The engine marks special values with a signature in a map: a secret contains the value, an asset or archive contains a
path or a text. The protocol's constants: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go
and https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import struct_pb2

from pack.secrets import Vault
from pack.values import UNKNOWN, NotYetKnown

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the mark of a secret, and none itself
# What the engine sends instead of an unknown value (boolean, number, string, list, asset, archive, map), and what
# `pulumi policy analyze` shows for a secret that it cannot decrypt.
UNKNOWN_MARKS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
        "[secret]",
    }
)
REMOVE: Final = object()


@dataclass(frozen=True)
class Edit:
    """One change of a remediation: the new value at `path` (`REMOVE`: none)."""

    path: tuple[str | int, ...]
    value: Any


def sent(properties: struct_pb2.Struct) -> dict[str, Any]:
    """Return properties as the engine sent them, with the marks of secrets and unknown values."""
    return {key: _value(value) for key, value in properties.fields.items()}


def _value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return sent(value.struct_value)
    if kind == "list_value":
        return [_value(item) for item in value.list_value.values]
    if kind == "number_value":  # the protocol has only floats; a port is 80 and not 80.0
        return int(value.number_value) if value.number_value.is_integer() else value.number_value
    return None if kind in {"null_value", None} else getattr(value, str(kind))


def plain(value: Any, vault: Vault) -> Any:
    """Return properties as plain dicts, lists and scalars: `UNKNOWN` for unknown values, secrets hidden in a vault."""
    if isinstance(value, str):
        return UNKNOWN if value in UNKNOWN_MARKS else value
    if isinstance(value, dict):
        if SIGNATURE in value:
            return vault.hide(plain(value.get("value"), vault)) if value[SIGNATURE] == SECRET_SIGNATURE else {}
        return {key: plain(item, vault) for key, item in value.items()}
    return [plain(item, vault) for item in value] if isinstance(value, list) else value


def edited(properties: dict[str, Any], edits: Sequence[Edit]) -> dict[str, Any]:
    """Return properties, as the engine sent them, with a remediation's changes: secrets stay secret.

    Raises:
        NotYetKnown: a change is inside an unknown value, or inside a value of the wrong type.
    """
    result: dict[str, Any] = _copy(properties)
    vault = Vault()
    plain(properties, vault)
    for edit in edits:
        told = any(text and text in str(edit.value) for text in vault.texts)
        _put(result, Edit(edit.path, _as_secret(edit.value)) if told else edit)
    return result


def _as_secret(value: Any) -> dict[str, Any]:
    return {SIGNATURE: SECRET_SIGNATURE, "value": value}


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET_SIGNATURE


def _put(result: Any, edit: Edit) -> None:
    target: Any = result
    *way, last = edit.path
    for key, following in zip(way, edit.path[1:], strict=True):
        target = _inside(target, key, dict if isinstance(following, str) else list)
    if edit.value is REMOVE:
        target.pop(last, None)
        return
    before = target.get(last) if isinstance(target, dict) else target[last]
    target[last] = _as_secret(edit.value) if _is_secret(before) and not _is_secret(edit.value) else edit.value


def _inside(holder: Any, key: Any, kind: type) -> Any:
    """Return a key's value, created if it is missing; it may be secret, but not unknown."""
    if isinstance(holder, dict):
        holder.setdefault(key, None)
    while _is_secret(holder[key]):
        holder, key = holder[key], "value"
        holder.setdefault(key, None)
    if holder[key] is None and kind is dict:
        holder[key] = {}
    if not isinstance(holder[key], kind) or SIGNATURE in holder[key]:
        raise NotYetKnown
    return holder[key]
