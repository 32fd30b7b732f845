"""One look at a resource, whatever provider and version it comes from.

A rule asks a `View` for a field (`cluster.public_access`), not for a path: `aws:eks/cluster:Cluster` and
`aws-native:eks:Cluster` keep the same fact in different places. A `Kind` is what a rule is about and lists the shapes
in which it comes; a `Field` is where one shape keeps a fact and how it spells it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, cast

from pulumi_policy.secret import Secret

from pack.manifests import manifests
from pack.once import remembered
from pack.seen import Seen
from pack.values import NotYetKnown, Unknown, dig, plain, writable

_plain = remembered(plain)
REMOVE: Final = object()


@dataclass(frozen=True)
class Field:
    """Where a shape keeps a fact (keys from the resource's properties down), and how it spells it."""

    path: tuple[str, ...]
    read: Callable[[Any], Any] | None = None
    write: Callable[[Any], Any] | None = None


def at(path: str, read: Callable[[Any], Any] | None = None, write: Callable[[Any], Any] | None = None) -> Field:
    """Write a `Field` by a dotted path, which may be empty: the whole of the properties."""
    return Field(tuple(path.split(".")) if path else (), read, write)


Shape = Mapping[str, Field]


@dataclass(frozen=True)
class Edit:
    """One change of a remediation: what stands at `path` afterwards (`REMOVE`: nothing)."""

    path: tuple[str | int, ...]
    value: Any


class View:
    """A resource as the rules of its kind see it; a missing field is `None`, an unknown one `UNKNOWN`."""

    def __init__(self, seen: Seen, shape: Shape) -> None:
        self.seen = seen
        self.urn = seen.urn
        self.type = seen.resource_type
        self.props: dict[str, Any] = _plain(seen.props)
        self._shape = shape

    def __getattr__(self, name: str) -> Any:
        if name not in self._shape:
            raise AttributeError(f"{self.type} has no field {name}: name it in its shape")
        place = self._shape[name]
        value = dig(self.props, place.path)
        return value if place.read is None or isinstance(value, Unknown) else place.read(value)

    @property
    def name(self) -> str:
        """The resource's name in the program, for messages."""
        return self.seen.name or self.urn.rsplit("::", 1)[-1]

    def has(self, name: str) -> bool:
        """Say whether this shape keeps that fact at all."""
        return name in self._shape

    def field(self, name: str) -> Field:
        """Return where this shape keeps a fact."""
        return self._shape[name]

    def put(self, name: str, value: Any) -> Edit:
        """Spell a field's new value as this shape does."""
        place = self._shape[name]
        return Edit(place.path, value if place.write is None else place.write(value))

    def property_of(self, name: str) -> str:
        """Return the top-level property that holds a field: dependencies are recorded by it."""
        return self._shape[name].path[0]


@dataclass(frozen=True)
class Kind:
    """What a rule is about: a name for the documentation and the type tokens it comes in."""

    name: str
    shapes: Mapping[str, Shape] = field(default_factory=dict[str, Shape])

    def view(self, seen: Seen) -> Any:
        """Return the resource as this kind's view, or `None` if it is of another kind."""
        shape = self.shapes.get(seen.resource_type)
        return None if shape is None else View(seen, shape)

    @property
    def types(self) -> list[str]:
        """The type tokens, for the documentation."""
        return sorted(self.shapes)


class Stack:
    """All resources of a stack, for rules about how they stand to each other."""

    def __init__(self, resources: Sequence[Any]) -> None:
        self._resources = resources
        self._views: dict[int, list[Any]] = {}
        self._groups: dict[tuple[int, Any], dict[Any, list[Any]]] = {}

    def of(self, kind: Any) -> list[Any]:
        """Return the views of one kind, in the stack's order."""
        if id(kind) not in self._views:
            views = (_view(kind, one) for resource in self._resources for one in _manifests(resource))
            self._views[id(kind)] = [view for view in views if view is not None]
        return self._views[id(kind)]

    def grouped(self, kind: Any, by: Callable[[Any], Any] | str) -> dict[Any, list[Any]]:
        """Group the views of a kind by what a function says of them, or by a field; unknown fields are left out."""
        if (id(kind), by) not in self._groups:
            groups: dict[Any, list[Any]] = {}
            for view in self.of(kind):
                with suppress(NotYetKnown):
                    key = getattr(view, by) if isinstance(by, str) else by(view)
                    if not isinstance(key, Unknown | list | dict):
                        groups.setdefault(key, []).append(view)
            self._groups[id(kind), by] = groups
        return self._groups[id(kind), by]

    def sources(self, view: View, name: str, kind: Any) -> list[Any]:
        """Return the resources of a kind that a field's value comes from, as far as the engine recorded it.

        During a preview this is all that is known of an id or an ARN of a resource not made yet.
        """
        recorded = getattr(view.seen, "property_dependencies", {}).get(view.property_of(name), [])
        urns = {resource.urn for resource in recorded}
        return [other for other in self.of(kind) if other.urn in urns]

    def named(self, view: View, name: str, kind: Any, key: str) -> list[Any]:
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


def _manifests(resource: Any) -> list[Any]:
    try:
        return manifests(resource)
    except NotYetKnown:
        return []


def _view(kind: Any, resource: Any) -> Any:
    try:
        return kind.view(resource)
    except NotYetKnown:
        return None


def edited(props: Mapping[str, Any], edits: Sequence[Edit]) -> dict[str, Any]:
    """Return a copy of a resource's properties with a remediation's changes made.

    Raises:
        NotYetKnown: a change lies inside something that is unknown, or that is not what it should be.
    """
    result: dict[str, Any] = writable(props)
    for edit in edits:
        _put(result, edit)
    return result


def _inside(value: Any, key: str | int) -> Any:
    """Look into what an edit passes through on its way to a key: marked as secret it may be, unknown it may not."""
    inner: Any = value.value if isinstance(value, Secret) else value
    if not isinstance(inner, dict if isinstance(key, str) else list):
        raise NotYetKnown
    return cast("Any", inner)


def _put(result: Any, edit: Edit) -> None:
    target: Any = result
    *way, last = edit.path
    for key, following in zip(way, edit.path[1:], strict=True):
        if isinstance(target, dict) and target.get(key) is None:
            target[key] = {}
        target = _inside(target[key], following)
    if edit.value is REMOVE:
        target.pop(last, None)
    else:
        target[last] = edit.value
