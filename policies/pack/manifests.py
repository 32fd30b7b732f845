"""The Kubernetes objects in a resource: one, those of a list, or a part of one.

`kubernetes:core/v1:ServiceList` and `kubernetes:core/v1:List` hold objects that are judged one by one.
`kubernetes:core/v1:ServicePatch` changes a part of an object that somebody else made: it is judged by what it says, not
by what it leaves out (https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pack.once import remembered
from pack.seen import Seen
from pack.values import Partial, dig, items, partial, plain

_plain = remembered(plain)
_SEVERAL: Final = re.compile(r"kubernetes:(?P<group>[^/:]+)/(?P<version>v[^:]+):(?P<kind>\w*)List$")
_PATCH: Final = re.compile(r"(?P<token>kubernetes:[^/:]+/v[^:]+:\w+)Patch$")


@dataclass
class Manifest:
    """An object in a resource, seen as if it were a resource of its own."""

    resource_type: str
    props: Mapping[str, Any]
    urn: str
    name: str
    provider: Any
    property_dependencies: Mapping[str, Any]


def manifests(seen: Seen) -> list[Any]:
    """Return the objects of a list, the object that a patch is about, or the resource itself.

    Raises:
        NotYetKnown: the items of a list are unknown.
    """
    patch, several = _forms(seen.resource_type)
    if patch:
        return [_manifest(seen, patch["token"], _patch(_plain(seen.props)), seen.name)]
    return list(_items(seen, several)) if several else [seen]


@lru_cache(maxsize=1024)
def _forms(token: str) -> tuple[re.Match[str] | None, re.Match[str] | None]:
    """Say whether a type token is of a patch, and whether of a list."""
    return _PATCH.match(token), _SEVERAL.match(token)


def is_patch(seen: Seen) -> bool:
    """Say whether an object is known in part only."""
    return isinstance(seen.props, Partial)


def _items(seen: Seen, several: re.Match[str]) -> Iterator[Manifest]:
    for item in items(dig(_plain(seen.props), ["items"])):
        if isinstance(item, dict):
            token = f"kubernetes:{several['group']}/{several['version']}:{several['kind']}"
            if not several["kind"]:
                token = _token(dig(item, ["apiVersion"]), dig(item, ["kind"]))
            name = dig(item, ["metadata", "name"])
            yield _manifest(seen, token, item, name if isinstance(name, str) else seen.name)


def _token(version: Any, kind: Any) -> str:
    """Spell API version and kind of a manifest as Pulumi's token: `v1` is `core/v1`."""
    return f"kubernetes:{version if '/' in str(version) else f'core/{version}'}:{kind}"


def _patch(props: dict[str, Any]) -> dict[str, Any]:
    """Mark as a part all but the metadata that say which object is meant."""
    said = partial(props)
    metadata = said.get("metadata", None)
    if isinstance(metadata, Partial):
        said["metadata"] = {"annotations": Partial(), "labels": Partial(), **metadata}
    return said


def _manifest(seen: Seen, token: str, props: Mapping[str, Any], name: str) -> Manifest:
    return Manifest(token, props, seen.urn, name, seen.provider, getattr(seen, "property_dependencies", {}))
