"""A uniform view of a resource from any provider and version.

A rule asks a `View` for a field (`cluster.public_access`), not for a path: `aws:eks/cluster:Cluster` and
`aws-native:eks:Cluster` have the same fact in different places. A `Kind` is what a rule is about, and lists its shapes.
A `Field` is where one shape has a fact, and how it spells it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pack.properties import REMOVE, Edit
from pack.resources import Resource
from pack.values import Unknown, dig


@dataclass(frozen=True)
class Field:
    """Where a shape has a fact (keys from the resource's properties down), and how it spells it."""

    path: tuple[str, ...]
    read: Callable[[Any], Any] | None = None
    write: Callable[[Any], Any] | None = None


def at(path: str, read: Callable[[Any], Any] | None = None, write: Callable[[Any], Any] | None = None) -> Field:
    """Create a `Field` from a dotted path; an empty one means all properties."""
    return Field(tuple(path.split(".")) if path else (), read, write)


Shape = Mapping[str, Field]


class View:
    """A resource as the rules of its kind see it; a missing field is `None`, an unknown one `UNKNOWN`."""

    def __init__(self, seen: Resource, shape: Shape) -> None:
        self.seen = seen
        self.urn = seen.urn
        self.type = seen.type
        self.props = seen.props
        self._shape = shape

    def __getattr__(self, name: str) -> Any:
        if name not in self._shape:
            raise AttributeError(f"{self.type} has no field {name}: name it in its shape")
        place = self._shape[name]
        value = dig(self.props, place.path)
        return value if place.read is None or isinstance(value, Unknown) else place.read(value)

    @property
    def name(self) -> str:
        """The resource's name in the program, for messages only: a program may choose any, so no rule decides by it."""
        return self.seen.name

    def has(self, name: str) -> bool:
        """Say whether this shape has that fact at all."""
        return name in self._shape

    def field(self, name: str) -> Field:
        """Return where this shape has a fact."""
        return self._shape[name]

    def put(self, name: str, value: Any) -> Edit:
        """Convert a field's new value to this shape's spelling."""
        place = self._shape[name]
        return Edit(place.path, value if place.write is None else place.write(value))

    def property_of(self, name: str) -> str:
        """Return the top-level property that contains a field: dependencies are recorded for it."""
        return self._shape[name].path[0]


@dataclass(frozen=True)
class Kind:
    """What a rule is about: a name for the documentation and the type tokens it comes in."""

    name: str
    shapes: Mapping[str, Shape] = field(default_factory=dict[str, Shape])

    def view(self, seen: Resource) -> Any:
        """Return the resource as this kind's view, or `None` if it is of another kind."""
        shape = self.shapes.get(seen.type)
        return None if shape is None else View(seen, shape)

    @property
    def types(self) -> list[str]:
        """The type tokens, for the documentation."""
        return sorted(self.shapes)


__all__ = ["REMOVE", "Edit", "Field", "Kind", "Shape", "View", "at"]
