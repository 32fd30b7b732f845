"""What an update would do to an object, as the engine wants to be told. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi.provider.experimental.provider as sdk

from sandbox.providers.kubernetes.changes import (
    Change,
    changes,
    covers,
    moved_group,
    parse_property_path,
    property_path,
    replaces,
    replacing,
)
from sandbox.providers.kubernetes.identity import keeps_its_name, placed
from sandbox.providers.kubernetes.kinds import Kind

_KINDS: Final = {
    "add": (sdk.PropertyDiffKind.ADD, sdk.PropertyDiffKind.ADD_REPLACE),
    "update": (sdk.PropertyDiffKind.UPDATE, sdk.PropertyDiffKind.UPDATE_REPLACE),
    "delete": (sdk.PropertyDiffKind.DELETE, sdk.PropertyDiffKind.DELETE_REPLACE),
}


@dataclass(frozen=True)
class Difference:
    """Changes of an object's inputs.

    Attributes:
        changes: All of them.
        replacing: Those that need a new object.
        delete_first: Whether that can only be made once the old one is gone.
    """

    changes: Sequence[Change] = ()
    replacing: Sequence[Change] = ()
    delete_first: bool = field(default=False)

    @property
    def in_place(self) -> bool:
        """Whether there are changes, and none needs a new object."""
        return bool(self.changes) and not self.replacing

    def response(self) -> sdk.DiffResponse:
        """The difference as the engine wants it."""
        return sdk.DiffResponse(
            changes=bool(self.changes),
            replaces=[property_path(change.path) for change in self.replacing],
            delete_before_replace=bool(self.replacing) and self.delete_first,
            detailed_diff={
                property_path(change.path): sdk.PropertyDiff(
                    _KINDS[change.edit][change in self.replacing], input_diff=True
                )
                for change in self.changes
            },
        )


def difference(
    kind: Kind,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    live: Mapping[str, Any],
    *,
    ignored: Sequence[str] = (),
    mutable_data: bool = False,
) -> Difference:
    """The difference between old and new inputs of an object.

    Args:
        kind: The object's kind.
        old: The inputs that it has.
        new: The inputs that it is to have.
        live: The object as the cluster gave it last.
        ignored: The `ignoreChanges` paths.
        mutable_data: See `changes.replacing`.
    """
    found = list(changes(placed(old, live), placed(new, live)))
    if old and moved_group(old, new):
        found.append(Change(("kind",), "update"))
    paths = [parse_property_path(path) for path in ignored]
    found = [change for change in found if not any(covers(path, change.path) for path in paths)]
    patterns = replacing(kind, old, mutable_data=mutable_data)
    return Difference(
        found, [change for change in found if replaces(kind, change, patterns)], keeps_its_name(new, live)
    )
