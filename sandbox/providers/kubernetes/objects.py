"""The life of one object: made and changed by server-side apply, awaited, deleted to the end."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandbox.providers.common.server import ProviderError
from sandbox.providers.kubernetes import readiness
from sandbox.providers.kubernetes.annotations import Wish
from sandbox.providers.kubernetes.client import ApiError, Client
from sandbox.providers.kubernetes.ignoring import without_ignored
from sandbox.providers.kubernetes.kinds import Kind, Selection, is_built_in, of_object
from sandbox.providers.kubernetes.readiness import Objects
from sandbox.providers.kubernetes.watching import WaitingError, until

DEFINITIONS: Final = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
NAMESPACES: Final = Kind("", "v1", "Namespace")
SECONDS_FOR_ITS_KIND: Final = 30
"""How long an object waits for the CRD or the namespace that another resource of the same update makes."""

_LOOK_SECONDS = 0.1
_NOT_FOUND, _CONFLICT = 404, 409
_BY_DEPENDENTS = "foregroundDeletion"  # the garbage collector's own
_MANAGER = re.compile(r'conflict with "([^"]+)"( with subresource)?')
Report = Callable[[Sequence[str]], Awaitable[None]]


class UnknownKindError(ProviderError):
    """The cluster does not know the kind: its CRD is not there."""


class ExistsError(ProviderError):
    """An object of that name is there already, and not ours."""


@dataclass(frozen=True)
class Operation:
    """What every step of one resource's create, update or delete shares.

    Attributes:
        client: The cluster.
        wish: What the object's annotations ask for.
        stopped: Set when the engine wants everything to end.
        report: Told what is still missing while something is awaited.
        warn: Told what the user should know afterwards too.
    """

    client: Client
    wish: Wish
    stopped: asyncio.Event
    report: Report | None = None
    warn: Callable[[str], Awaitable[None]] | None = None


def is_managed_by(live: Any, manager: str) -> bool:
    """Whether a field manager has applied an object."""
    fields = live["metadata"].get("managedFields") or ()
    return any(entry["manager"] == manager and entry["operation"] == "Apply" for entry in fields)


async def create(operation: Operation, item: Any, manager: str, *, upsert: bool) -> Any:
    """Makes an object; the same again for one that this manager made before (an interrupted update).

    Raises:
        ExistsError: It is there and another made it.
        ApiError: The server refused.
    """
    client = operation.client
    path = await _path(operation, item)
    existing = await client.get(path)
    if existing and existing["metadata"].get("deletionTimestamp"):
        await gone(operation, existing)
        existing = None
    if existing and not upsert and not is_managed_by(existing, manager):
        name = existing["metadata"]["name"]
        raise ExistsError(
            f"{of_object(item)} {name} exists and is not this resource's: "
            "give another name, `pulumi import` it, or set the provider's upsertExistingObjects"
        )
    try:
        return await apply(operation, path, item, manager)
    except ApiError as error:
        if not error.lacks_namespace():
            raise
        await _namespace(operation, item["metadata"].get("namespace") or client.connection.namespace)
        return await apply(operation, path, item, manager)


async def apply(operation: Operation, path: str, item: Any, manager: str, *, dry_run: bool = False) -> Any:
    """Applies an object; takes over what kubectl alone has changed, as pulumi-kubernetes does.

    It does so from `kubectl scale` too, which pulumi-kubernetes does not: on a laptop one scales by hand, and goes on.
    The warning says what a real update would have said.

    Raises:
        ApiError: The server refused; a conflict's message says how to force it.
    """
    try:
        return await operation.client.apply(path, item, manager, force=operation.wish.force, dry_run=dry_run)
    except ApiError as error:
        if error.code != _CONFLICT or error.reason != "Conflict" or not error.causes:
            raise
        others = [_MANAGER.search(cause.get("message", "")) for cause in error.causes]
        if not all(other and other[1].startswith("kubectl") for other in others):
            remedy = 'leave these fields to it, or set the annotation pulumi.com/patchForce: "true" to take them over'
            raise ApiError(error.code, {"message": f"{error}: {remedy}", "reason": error.reason}) from error
        if operation.warn and any(other and other[2] for other in others):
            await operation.warn(f"taken over from `kubectl scale`, which pulumi-kubernetes would refuse ({error})")
        return await operation.client.apply(path, item, manager, force=True, dry_run=dry_run)


async def preview(operation: Operation, item: Any, manager: str) -> Any:
    """The object as it would be; None where the cluster cannot say: its kind or its namespace is not there yet.

    Raises:
        ApiError: The server would refuse.
    """
    path = await operation.client.path_of(item)
    if path is None:
        return None
    try:
        # Forced: a conflict is the update's to report, and an object about to be replaced conflicts with itself.
        return await operation.client.apply(path, item, manager, force=True, dry_run=True)
    except ApiError as error:
        if error.lacks_namespace() or error.reason in ("Forbidden", "Conflict") or is_immutable(error):
            return None
        raise


def is_immutable(error: ApiError) -> bool:
    """Whether the server refused a change of what cannot change: in a preview, of an object about to be replaced."""
    return error.reason == "Invalid" and any(
        word in str(error) for word in ("immutable", "may not change once set", "updates to", "cannot be changed")
    )


async def update(operation: Operation, item: Any, manager: str, ignored: Sequence[str], *, dry_run: bool) -> Any:
    """Changes an object in place.

    Args:
        operation: Where and how.
        item: All that this manager wants.
        manager: The field manager.
        ignored: The `ignoreChanges` paths: left to their other manager, or kept as they are.
        dry_run: Only say what it would be.

    Raises:
        ProviderError: It is gone.
        ApiError: The server refused.
    """
    path = await _path(operation, item)
    live = await operation.client.get(path)
    if live is None:
        raise ProviderError(f"{of_object(item)} {item['metadata']['name']} is gone: run `pulumi refresh`")
    return await apply(operation, path, without_ignored(item, live, manager, ignored), manager, dry_run=dry_run)


async def relinquish(operation: Operation, item: Any, manager: str) -> None:
    """Has a field manager give up all that it owns of an object; what another owns too stays."""
    metadata = {key: item["metadata"][key] for key in ("name", "namespace") if item["metadata"].get(key)}
    nothing = {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": metadata}
    await operation.client.apply(await _path(operation, item), nothing, manager)


async def ready(operation: Operation, live: Any) -> Any:
    """Waits until an object is ready, and gives it as it is then.

    Raises:
        WaitingError: It is not, in time; `missing` says why.
    """
    rule = readiness.RULES.get((of_object(live).group, live["kind"]))
    if operation.wish.wait_for:
        rule = readiness.waits_for(operation.wish.wait_for)
    if rule is None or operation.wish.skip_await:
        return live
    selections = {readiness.SELF: _itself(live), **rule.related(live)}

    def missing(objects: Objects) -> Sequence[str]:
        if not objects[readiness.SELF]:
            raise WaitingError("it was deleted meanwhile", ["the object"], {readiness.SELF: [live]})
        return rule.missing(objects)

    try:
        if len(selections) == 1 and not missing({readiness.SELF: [live]}):
            return live  # as it was made: nothing to look at
        found = await until(
            operation.client,
            selections,
            missing,
            seconds=operation.wish.timeout,
            stopped=operation.stopped,
            report=operation.report,
        )
    except readiness.FailedError as error:
        raise WaitingError(str(error), [str(error)], {readiness.SELF: [live]}) from error
    return found[readiness.SELF][0]


async def delete(operation: Operation, live: Any, *, to_the_end: bool) -> None:
    """Deletes an object; one that is gone already, or whose kind is, is deleted.

    Raises:
        WaitingError: It is still there; the message names the finalizers that hold it.
        ApiError: The server refused.
    """
    path = await operation.client.path_of(live)
    if path is None:
        return
    body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": operation.wish.propagation}
    try:
        await operation.client.request("DELETE", path, body)
    except ApiError as error:
        if error.code != _NOT_FOUND:
            raise
        return
    if to_the_end:
        await gone(operation, live)


async def gone(operation: Operation, live: Any) -> None:
    """Waits until an object is gone, or another has its name.

    Raises:
        WaitingError: It is not, in time.
    """
    uid = live["metadata"].get("uid")
    path = await operation.client.path_of(live)
    left: Any = live
    # A list comes from the API server's cache, which may not have heard of the object yet; a read by name does not.
    while path and left and uid in (None, left["metadata"]["uid"]):
        await until(
            operation.client,
            {readiness.SELF: _itself(live)},
            lambda objects: [
                what_holds(item) for item in objects[readiness.SELF] if uid in (None, item["metadata"]["uid"])
            ],
            seconds=operation.wish.timeout,
            stopped=operation.stopped,
            report=operation.report,
        )
        left = await operation.client.get(path)


def what_holds(item: Any) -> str:
    """Why an object that is being deleted is still there."""
    finalizers = [*(item["metadata"].get("finalizers") or ()), *(readiness.at(item, "spec", "finalizers") or ())]
    held = [finalizer for finalizer in finalizers if finalizer != _BY_DEPENDENTS]
    reasons = [
        entry["message"]
        for entry in readiness.at(item, "status", "conditions") or ()
        if entry.get("status") == "True"
        and entry.get("type") in ("NamespaceContentRemaining", "NamespaceFinalizersRemaining")
    ]
    text = f"{item['metadata']['name']} is still there"
    text += ", its dependents go first" if held != finalizers else ""
    text += f", held by the finalizers {', '.join(held)}" if held else ""
    return ". ".join([text, *reasons])


def _itself(live: Any) -> Selection:
    metadata = live["metadata"]
    return Selection(of_object(live), metadata.get("namespace", ""), metadata["name"])


async def _path(operation: Operation, item: Any) -> str:
    """The path of an object, once its kind is known."""
    path = await operation.client.path_of(item)
    if path is None:
        await _definition(operation, of_object(item))
        path = await _discovered(operation, item)
    if path is None:
        raise UnknownKindError(f"the cluster does not know {of_object(item)}, although its CRD serves it: try again")
    return path


async def _discovered(operation: Operation, item: Any) -> str | None:
    """The path of an object whose CRD is established: the API server shows it to clients a moment later."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + SECONDS_FOR_ITS_KIND
    while (path := await operation.client.path_of(item)) is None:
        if clock() >= deadline or operation.stopped.is_set():
            return None
        await asyncio.sleep(_LOOK_SECONDS)
    return path


async def _definition(operation: Operation, kind: Kind) -> None:
    if is_built_in(kind):
        raise UnknownKindError(
            f"the cluster does not know {kind}: look for a misspelling, or a version it does not serve"
        )

    def missing(objects: Objects) -> Sequence[str]:
        for item in objects["definitions"]:
            if item["spec"]["group"] == kind.group and item["spec"]["names"]["kind"] == kind.name:
                if not any(each["name"] == kind.version and each["served"] for each in item["spec"]["versions"]):
                    raise UnknownKindError(f"the cluster does not know {kind}: its CRD serves another version")
                return readiness.definition({readiness.SELF: [item]})
        return [f"no CRD makes {kind}"]

    await _soon(operation, {"definitions": Selection(DEFINITIONS)}, missing, f"the cluster does not know {kind}")


async def _namespace(operation: Operation, name: str) -> None:
    def missing(objects: Objects) -> Sequence[str]:
        return [] if objects["namespaces"] else [f"no namespace {name}"]

    await _soon(operation, {"namespaces": Selection(NAMESPACES, name=name)}, missing, f"there is no namespace {name}")


async def _soon(
    operation: Operation, selections: Mapping[str, Selection], missing: Callable[[Objects], Sequence[str]], what: str
) -> None:
    try:
        await until(
            operation.client,
            selections,
            missing,
            seconds=SECONDS_FOR_ITS_KIND,
            stopped=operation.stopped,
            report=operation.report,
        )
    except WaitingError as error:
        raise UnknownKindError(f"{what}: make it in the same program and depend on it") from error
