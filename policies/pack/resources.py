"""What the engine shows of a resource, the Kubernetes objects in it, and its stack.

`kubernetes:core/v1:ServiceList` and `kubernetes:core/v1:List` contain objects that are checked one by one.
`kubernetes:core/v1:ServicePatch` changes a part of an existing object: it is checked for what it says, not for what it
leaves out
(https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, Protocol

from pack.properties import plain, sent
from pack.secrets import Open, Vault
from pack.values import NotYetKnown, Partial, Unknown, dig, items, partial

_SEVERAL: Final = re.compile(r"kubernetes:(?P<group>[^/:]+)/(?P<version>v[^:]+):(?P<kind>\w*)List$")
_PATCH: Final = re.compile(r"(?P<token>kubernetes:[^/:]+/v[^:]+:\w+)Patch$")


@dataclass(eq=False)
class Resource:
    """A resource, or a Kubernetes object in one."""

    type: str
    props: Mapping[str, Any]
    urn: str
    name: str
    provider: "Resource | None" = None
    sources: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])
    """URNs of the resources that a property's value comes from."""
    vault: Vault = field(default_factory=Vault)
    stack: "Stack" = field(default_factory=lambda: Stack([]))
    """What else is known of the stack."""


def resource(message: Any, vault: Vault | None = None) -> Resource:
    """Read a resource from one of the engine's messages."""
    vault = vault or Vault()
    provider = message.provider if message.HasField("provider") else None
    sources = getattr(message, "propertyDependencies", {})
    return Resource(
        message.type,
        plain(sent(message.properties), vault),
        message.urn,
        message.name or message.urn.rsplit("::", 1)[-1],
        provider and Resource(provider.type, plain(sent(provider.properties), vault), provider.urn, provider.name),
        {name: list(found.urns) for name, found in sources.items()},
        vault,
    )


def opened(message: Any) -> Resource:
    """Read a resource without hiding its secrets, for a remediation."""
    return resource(message, Open())


def objects_in(seen: Resource) -> list[Resource]:
    """Return the objects of a list, the object of a patch, or the resource itself.

    Raises:
        NotYetKnown: the items of a list are unknown.
    """
    patch, several = _forms(seen.type)
    if patch:
        return [replace(seen, type=patch["token"], props=_part(seen.props))]
    return list(_items(seen, several)) if several else [seen]


@lru_cache(maxsize=1024)
def _forms(token: str) -> tuple[re.Match[str] | None, re.Match[str] | None]:
    """Say whether a type token is a patch's, and whether it is a list's."""
    return _PATCH.match(token), _SEVERAL.match(token)


def is_patch(seen: Resource) -> bool:
    """Say whether only a part of an object is known."""
    return isinstance(seen.props, Partial)


def _items(seen: Resource, several: re.Match[str]) -> Iterator[Resource]:
    for item in items(dig(seen.props, ["items"])):
        if isinstance(item, dict):
            token = f"kubernetes:{several['group']}/{several['version']}:{several['kind']}"
            if not several["kind"]:
                token = _token(dig(item, ["apiVersion"]), dig(item, ["kind"]))
            name = dig(item, ["metadata", "name"])
            yield replace(seen, type=token, props=item, name=name if isinstance(name, str) else seen.name)


def _token(version: Any, kind: Any) -> str:
    """Convert a manifest's API version and kind to Pulumi's token: `v1` becomes `core/v1`."""
    group = str(version) if "/" in str(version) else "core/" + str(version)
    return "kubernetes:" + group + ":" + str(kind)


def manifest(value: Mapping[str, Any]) -> Resource:
    """Read an object of another stack from its manifest."""
    name = dig(value, ["metadata", "name"])
    return Resource(_token(value["apiVersion"], value["kind"]), value, "", str(name))


def _part(props: Mapping[str, Any]) -> dict[str, Any]:
    """Mark everything as a part, except the metadata that identifies the object."""
    said = partial(props)
    metadata = said.get("metadata", None)
    if isinstance(metadata, Partial):
        said["metadata"] = {"annotations": Partial(), "labels": Partial(), **metadata}
    return said


class Looks(Protocol):
    """A kind of resource, as far as a stack needs it."""

    def view(self, seen: Resource) -> Any:
        """Return the resource as this kind's view, or `None` if it is of another kind."""


class Stack:
    """The resources of a stack: all of them, or those that the program has declared so far."""

    def __init__(self, resources: Iterable[Resource], *, complete: bool = True) -> None:
        self.complete = complete
        self._objects: list[Resource] = []
        self._views: dict[int, list[Any]] = {}
        self._groups: dict[tuple[int, Any], dict[Any, list[Any]]] = {}
        self._kinds: list[Any] = []
        for one in resources:
            self.add(one)

    def add(self, one: Resource) -> None:
        """Add a resource."""
        one.stack = self
        with suppress(NotYetKnown):
            found = objects_in(one)
            self._objects += found
            for kind in self._kinds:
                self._views[id(kind)] += [view for seen in found if (view := _view(kind, seen)) is not None]
            self._groups.clear()

    @property
    def vaults(self) -> list[Vault]:
        """Return the secrets of all resources."""
        return [one.vault for one in self._objects]

    def of(self, kind: Looks) -> list[Any]:
        """Return the views of one kind, in the stack's order."""
        if id(kind) not in self._views:
            self._kinds.append(kind)
            views = (_view(kind, one) for one in self._objects)
            self._views[id(kind)] = [view for view in views if view is not None]
        return self._views[id(kind)]

    def grouped(self, kind: Looks, by: Callable[[Any], Any] | str) -> dict[Any, list[Any]]:
        """Group the views of a kind by a function's result or by a field; unknown fields are left out."""
        if (id(kind), by) not in self._groups:
            groups: dict[Any, list[Any]] = {}
            for view in self.of(kind):
                with suppress(NotYetKnown):
                    key = getattr(view, by) if isinstance(by, str) else by(view)
                    if _is_key(key):
                        groups.setdefault(key, []).append(view)
            self._groups[id(kind), by] = groups
        return self._groups[id(kind), by]

    def alike(self, kind: Looks, by: Callable[[Any], Any] | str, key: Any) -> list[Any]:
        """Return the views of a kind for which a function or a field gives `key`."""
        return self.grouped(kind, by).get(key, []) if _is_key(key) else []

    def sources(self, view: Any, name: str, kind: Looks) -> list[Any]:
        """Return the resources of a kind that a field's value comes from, as far as the engine recorded it.

        During a preview this is all that is known about the id or ARN of a resource that does not exist yet.
        """
        urns = set(view.seen.sources.get(view.property_of(name), []))
        return [other for other in self.of(kind) if other.urn in urns] if urns else []

    def named(self, view: Any, name: str, kind: Looks, key: Callable[[Any], Any] | str) -> list[Any]:
        """Return the resources of a kind that a field names by their `key`, or that its value comes from."""
        sources = self.sources(view, name, kind)
        if sources:
            return sources
        value = getattr(view, name)
        if isinstance(value, Unknown):
            return []
        wanted = dict.fromkeys(
            item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)
        )
        groups = self.grouped(kind, key)
        return [other for item in wanted for other in groups.get(item, [])]


def _is_key(value: Any) -> bool:
    """Say whether a value is known and can be looked up: a program may give a list instead of a name."""
    try:
        hash(value)
    except (NotYetKnown, TypeError):
        return False
    return True


def _view(kind: Looks, seen: Resource) -> Any:
    try:
        return kind.view(seen)
    except NotYetKnown:
        return None
