"""What a resource type is to the provider: its inputs and the calls that make, read, change and remove it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.providers.aws.session import CREATION_TAG, Aws
from sandbox.providers.common.fields import Field, Fields

State = Mapping[str, Any]
"""A resource's properties, plain, by camelCase name."""
Retag = Callable[[Aws, str, State, dict[str, str], list[str]], None]
"""Takes a resource's id, its state, the tags to set and the keys to remove."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a program asks for.

    Attributes:
        inputs: Plain values by camelCase name.
        tags: The inputs' tags over the provider's default tags.
        creation: The token of the creation (see `CREATION_TAG`).
    """

    inputs: Mapping[str, Any]
    tags: Mapping[str, str]
    creation: str

    def __getitem__(self, name: str) -> Any:
        return self.inputs[name]

    def get(self, name: str, default: Any = None) -> Any:
        """An input, or a default where the program gave none."""
        value = self.inputs.get(name)
        return default if value is None else value

    @property
    def all_tags(self) -> dict[str, str]:
        """The tags to create with."""
        return {**self.tags, CREATION_TAG: self.creation}


def _nothing_to_update(aws: Aws, resource_id: str, wanted: Wanted, changed: set[str]) -> None:
    """Of types whose every input replaces, but for tags."""


def _at_once(aws: Aws, resource_id: str) -> bool:
    """Of types that are ready when the call that made them returns."""
    del aws, resource_id
    return True


@dataclass(frozen=True, slots=True)
class Kind:
    """One resource type. All functions block; `provider` runs them in threads.

    Attributes:
        type: Such as `aws:ec2/vpc:Vpc`.
        inputs: What a program may give, without `region` and `tags`.
        create: Makes the resource or finds what an interrupted creation made, and returns its id.
        read: Every property that can be read, or None if there is no such resource. A known input that AWS has no
            value for is None; one that AWS does not tell is absent. Tags stand whole under `tagsAll`.
        delete: Removes it; "not found" is no error, a dependent that is still going away is waited for.
        update: Changes it in place, given the names of the inputs that differ.
        retag: Sets and removes tags; None if the type has none.
        ready: Whether it is what was asked for by now; raises if it never will be.
        outputs: The names that `read` returns besides inputs.
        volatile: Outputs that an update changes.
        naming: The input that is named automatically, and the longest name.
        secrets: Properties that are encrypted in the state.
        respelled: Inputs that the state holds as AWS has them, as the real provider does, and not as they were given.
        computed_inside: Of an input that is a block: the members that AWS fills in.
        delete_first: A replacement cannot exist beside the old one.
        minutes: To create, update or delete at most, unless the program says otherwise.
        import_id: From an imported id to the properties that `read` needs.
        deleted_unseen: Whether the real provider is done when AWS has taken the call, and does not look again.
        has_region: Whether the SDK gives it a `region` input.
        has_prefix: Whether the SDK gives a type with a name a prefix for it, too.
    """

    type: str
    inputs: Fields
    create: Callable[[Aws, Wanted], str]
    read: Callable[[Aws, str, State], dict[str, Any] | None]
    delete: Callable[[Aws, str, State], None]
    update: Callable[[Aws, str, Wanted, set[str]], None] = _nothing_to_update
    retag: Retag | None = None
    ready: Callable[[Aws, str], bool] = _at_once
    outputs: tuple[str, ...] = ()
    volatile: tuple[str, ...] = ()
    naming: tuple[str, int] | None = None
    secrets: tuple[str, ...] = ()
    respelled: tuple[str, ...] = ()
    computed_inside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    delete_first: bool = False
    minutes: int = 10
    import_id: Callable[[str], dict[str, Any]] | None = None
    deleted_unseen: bool = False
    has_region: bool = True
    has_prefix: bool = True
    fields: Fields = field(init=False)

    def __post_init__(self) -> None:
        every = {**self.inputs, **({"tags": Field(default={})} if self.retag else {})}
        if self.has_region:
            every["region"] = Field(replaces=True)
        if self.naming and self.has_prefix:
            every[f"{self.naming[0]}Prefix"] = Field(replaces=True)
        object.__setattr__(self, "fields", every)

    @property
    def all_outputs(self) -> tuple[str, ...]:
        """The names that a state has besides inputs that the program gave."""
        return (*self.outputs, *(("tagsAll",) if self.retag else ()))


def same_json(one: Any, other: Any) -> bool:
    """Whether two JSON texts, such as policies, say the same.

    Example:
        >>> same_json('{"a": [1]}', '{"a":[1]}')
        True
    """
    try:
        return json.loads(one) == json.loads(other)
    except (TypeError, ValueError):
        return one == other


def retagging(
    service: str,
    remove: Callable[[Any, str, list[str]], Any],
    add: Callable[[Any, str, dict[str, str]], Any],
    known_by: Callable[[str, State], str] = lambda resource_id, _: resource_id,
) -> Retag:
    """Return the function that changes a resource's tags with a service's two calls.

    Args:
        service: The boto3 client's name.
        remove: Removes keys from a resource: gets the client, what the service knows the resource by, and the keys.
        add: Sets tags, likewise.
        known_by: What the service knows the resource by, if not its id.
    """

    def change(aws: Aws, resource_id: str, state: State, new: dict[str, str], old: list[str]) -> None:
        client, name = aws.client(service), known_by(resource_id, state)
        if old:
            remove(client, name, old)
        if new:
            add(client, name, new)

    return change


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_map(tags: Any) -> dict[str, str]:
    """Tags as they come from any service, list or map."""
    if isinstance(tags, Mapping):
        return dict(tags)
    return {tag["Key"]: tag["Value"] for tag in tags or ()}


def known(**values: Any) -> dict[str, Any]:
    """Keyword arguments for boto3 without those that are None: it takes none for 'not given'."""
    return {name: value for name, value in values.items() if value is not None}


def is_ours(tags: Any, wanted: Wanted) -> bool:
    """Whether a resource that is in the way is the result of this very creation, interrupted."""
    return tag_map(tags).get(CREATION_TAG) == wanted.creation


def pascal(value: Any) -> Any:
    """Nested blocks as boto3 takes them where it differs by the first letter only.

    Example:
        >>> pascal([{"volumeSize": 20}])
        [{'VolumeSize': 20}]
    """
    match value:
        case Mapping():
            return {name[:1].upper() + name[1:]: pascal(item) for name, item in value.items() if item is not None}
        case list():
            return [pascal(item) for item in value]
        case _:
            return value


def lower_first(value: Any) -> Any:
    """The inverse of `pascal`."""
    match value:
        case Mapping():
            return {name[:1].lower() + name[1:]: lower_first(item) for name, item in value.items()}
        case list():
            return [lower_first(item) for item in value]
        case _:
            return value
