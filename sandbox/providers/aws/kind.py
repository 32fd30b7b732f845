"""What the provider knows of a resource type: its inputs, and the calls that create, read, change and remove it."""

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
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
        """An input, or a default if the program did not give it."""
        value = self.inputs.get(name)
        return default if value is None else value

    def parameters(self, *names: str) -> dict[str, Any]:
        """The given ones of some inputs as parameters of AWS's, which begin with a capital: `vpcId` as `VpcId`."""
        return {name[0].upper() + name[1:]: self.inputs[name] for name in names if self.get(name) is not None}

    @property
    def all_tags(self) -> dict[str, str]:
        """The tags for the creating call."""
        return {**self.tags, CREATION_TAG: self.creation}


def _at_once(aws: Aws, resource_id: str) -> bool:
    """For types that are ready when the creating call returns."""
    del aws, resource_id
    return True


@dataclass(frozen=True, slots=True)
class Calls:
    """The four operations on a resource. All block; `provider` runs them in threads.

    Attributes:
        create: Creates the resource, or finds what an interrupted creation created, and returns its id.
        read: Every property that can be read, or None if the resource does not exist. A known input without a value in
            AWS is None; one that AWS does not return is absent. All tags are under `tagsAll`.
        update: Changes it in place, given the names of the inputs that differ; None if all inputs require replacement.
        delete: Removes it; "not found" is no error; waits for a dependent that is still being deleted.
    """

    create: Callable[[Aws, Wanted], str]
    read: Callable[[Aws, str, State], dict[str, Any] | None]
    update: Callable[[Aws, str, Wanted, set[str]], None] | None
    delete: Callable[[Aws, str, State], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """One resource type. All functions block; `provider` runs them in threads.

    Attributes:
        type: Such as `aws:ec2/vpc:Vpc`.
        inputs: What a program may give, without `region` and `tags`.
        calls: How it is created, read, updated and deleted.
        retag: Sets and removes tags; None if the type has none.
        ready: Whether it is ready; raises if it never will be.
        outputs: The names that `read` returns besides inputs.
        volatile: Outputs that an update changes.
        naming: The input that is named automatically, and the maximum length of the name.
        secrets: Properties that are encrypted in the state.
        respelled: Inputs whose state is AWS's value, as in the real provider, and not the program's.
        computed_inside: For an input that is a block: the members that AWS fills in.
        delete_first: A replacement cannot exist beside the old one.
        minutes: The timeout to create, update or delete, unless the program gives another.
        import_id: From an imported id to the properties that `read` needs.
        deleted_unseen: Whether the real provider is done when AWS has accepted the call, without checking again.
        has_region: Whether the SDK gives it a `region` input.
        has_prefix: Whether the SDK also gives a named type a name prefix.
    """

    type: str
    inputs: Fields
    calls: Calls
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
        """The names in a state besides the program's inputs."""
        return (*self.outputs, *(("tagsAll",) if self.retag else ()))


def same_json(one: Any, other: Any) -> bool:
    """Whether two JSON texts, such as policies, have the same meaning.

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
        remove: Removes keys: gets the client, the service's name for the resource, and the keys.
        add: Sets tags: gets the client, the service's name for the resource, and the tags.
        known_by: The service's name for the resource, if it is not its id.
    """

    def change(aws: Aws, resource_id: str, state: State, new: dict[str, str], old: list[str]) -> None:
        client, name = aws.client(service), known_by(resource_id, state)
        if old:
            remove(client, name, old)
        if new:
            add(client, name, new)

    return change


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in most services' form."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_map(tags: Any) -> dict[str, str]:
    """Tags from any service's form, list or map."""
    if isinstance(tags, Mapping):
        return dict(tags)
    return {tag["Key"]: tag["Value"] for tag in tags or ()}


def known(**values: Any) -> dict[str, Any]:
    """Keyword arguments for boto3 without those that are None, which boto3 does not accept."""
    return {name: value for name, value in values.items() if value is not None}


def is_ours(tags: Any, wanted: Wanted) -> bool:
    """Whether an existing resource is the result of this same creation, interrupted."""
    return tag_map(tags).get(CREATION_TAG) == wanted.creation


@contextmanager
def created_once(exists: type[Exception], wanted: Wanted, tags: Callable[[], Any]) -> Generator[None]:
    """The block creates a resource. If that exists already, an interrupted attempt at this same creation made it.

    Args:
        exists: The service's exception.
        wanted: What is created.
        tags: Reads the existing resource's.
    """
    try:
        yield
    except exists:
        if not is_ours(tags(), wanted):
            raise


def deleting(service: str, operation: str, parameter: str) -> Callable[[Aws, str, State], None]:
    """Return the function that deletes a resource with one call, which takes its id.

    Args:
        service: The boto3 client's name.
        operation: The client's method.
        parameter: The id's name.
    """

    def delete(aws: Aws, resource_id: str, _state: State) -> None:
        getattr(aws.client(service), operation)(**{parameter: resource_id})

    return delete


def pascal(value: Any) -> Any:
    """Nested blocks in boto3's form, if only the first letters differ.

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
