"""The Pulumi side: what the engine asks, answered from `objects` and the pure modules."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, cast

import pulumi.provider.experimental.provider as sdk
from google.protobuf import struct_pb2

from sandbox.providers.common.server import DiffRequest, ProviderError, UnfinishedError
from sandbox.providers.common.values import Properties, has_unknown, plain_properties, property_value
from sandbox.providers.kubernetes import annotations, identity, kubeconfig, objects, readiness, settings, state
from sandbox.providers.kubernetes.changes import Change, drifted, in_effect
from sandbox.providers.kubernetes.client import Client
from sandbox.providers.kubernetes.difference import Difference, difference
from sandbox.providers.kubernetes.enginelog import EngineLog
from sandbox.providers.kubernetes.kinds import Kind, object_id, of_token, split_id
from sandbox.providers.kubernetes.kubeconfig import UnreachableError
from sandbox.providers.kubernetes.watching import WaitingError

VERSION: Final = "4.34.2"


class Kubernetes(sdk.Provider):
    """One configured provider: one cluster, asked when something is first wanted of it."""

    def __init__(self, engine: str = "") -> None:
        self._settings = settings.Settings()
        self._client: Client | None = None
        self._stopped = asyncio.Event()
        self._log = EngineLog(engine)
        self._told: set[str] = set()

    # Configuration

    async def check_config(self, request: sdk.CheckRequest) -> sdk.CheckResponse:
        """Refuses what this stand-in does not know."""
        default = request.urn.rpartition("::")[2].startswith("default")
        wrong = settings.problems(plain_properties(request.new_inputs), default_provider=default)
        failures = [sdk.CheckFailure(key, reason) for key, reason in wrong.items()]
        return sdk.CheckResponse(request.new_inputs, failures)

    async def diff_config(self, request: sdk.DiffRequest) -> sdk.DiffResponse:
        """Another cluster replaces everything that is in it."""
        old, new = plain_properties(request.old_state), plain_properties(request.new_inputs)
        # `changes` stays unknown: the SDK (3.272.0) would send true as "none"; the engine compares the inputs itself.
        return sdk.DiffResponse(replaces=list(settings.replacing(old, new)))

    async def configure(self, request: sdk.ConfigureRequest) -> sdk.ConfigureResponse:
        """Remembers the configuration; the cluster is asked nothing yet."""
        self._settings = settings.settings(plain_properties(request.args))
        return sdk.ConfigureResponse(
            accept_secrets=True, supports_preview=True, accept_resources=True, accept_outputs=True
        )

    async def cancel(self) -> None:
        """Ends everything that waits."""
        self._stopped.set()

    def _cluster(self) -> Client:
        if self._client is None:
            chosen = self._settings
            config = kubeconfig.load(chosen.kubeconfig)
            self._client = Client(kubeconfig.resolve(config, chosen.context, chosen.cluster))
        return self._client

    def _operation(self, urn: str, item: Mapping[str, Any], timeout: float = 0) -> objects.Operation:
        async def report(missing: Sequence[str]) -> None:
            await self._log.status(urn, f"waiting: {'; '.join(missing)}" if missing else "")

        warn = partial(self._log.warn, urn)
        return objects.Operation(self._cluster(), annotations.wish(item, timeout), self._stopped, report, warn)

    # Components and functions

    async def construct(self, request: sdk.ConstructRequest) -> sdk.ConstructResponse:
        """Makes a chart or a group of YAML objects."""
        from sandbox.providers.kubernetes import components  # noqa: PLC0415 - most updates have none

        client = self._cluster()
        return await components.construct(request, client, self._settings.namespace or client.connection.namespace)

    async def invoke(self, request: sdk.InvokeRequest) -> sdk.InvokeResponse:
        """Decodes YAML; every other function is refused by name."""
        if request.tok != "kubernetes:yaml:decode":
            raise ProviderError(f"{request.tok} is not known to this stand-in: it has kubernetes:yaml:decode only")
        from sandbox.providers.kubernetes import manifests  # noqa: PLC0415 - most updates have none

        text = plain_properties(request.args).get("text", "")
        found = manifests.parse(text, "the text of kubernetes:yaml:decode")
        return sdk.InvokeResponse({"result": property_value(found)})

    async def _relay_warnings(self, client: Client) -> None:
        """Tells the user, once, what the API server has warned of."""
        if not self._settings.suppress_deprecation_warnings:
            for text in client.warnings.keys() - self._told:
                self._told.add(text)
                await self._log.warn("", text)

    # Inputs

    def settled(self, inputs: struct_pb2.Struct) -> bool:
        """Whether inputs that are the last ones again need no look: they have a name and no wish of their own."""
        metadata = inputs.fields["metadata"].struct_value.fields if "metadata" in inputs.fields else {}
        if "name" not in metadata or (self._settings.namespace and "namespace" not in metadata):
            return False
        wishes = metadata["annotations"].struct_value.fields if "annotations" in metadata else {}
        return annotations.REPLACE_UNREADY not in wishes and not any(w.startswith("helm.sh/hook") for w in wishes)

    async def check(self, request: sdk.CheckRequest) -> sdk.CheckResponse:
        """Names what has no name, and refuses what cannot be right."""
        kind = of_token(request.type)
        item = state.manifest(request.new_inputs)
        failures = [
            sdk.CheckFailure(f'metadata.annotations["{name}"]', reason)
            for name, reason in annotations.problems(item).items()
        ]
        for key, wanted in (("apiVersion", kind.api_version), ("kind", kind.name)):
            given = item.setdefault(key, wanted)
            if given != wanted and not has_unknown(given):
                failures.append(sdk.CheckFailure(key, f"{key} is {given!r}, but {request.type} means {wanted!r}"))
        if "metadata" not in item or isinstance(item["metadata"], Mapping):
            failures += identity.named(request, item)
            await self._place(kind, item)
        if not self._settings.suppress_helm_hook_warnings and annotations.is_hook(item):
            await self._log.warn(
                request.urn, "this is a Helm hook: it is made as any other object, and when is not heeded"
            )
        return sdk.CheckResponse(state.properties(item, request.new_inputs, kind), failures)

    async def _place(self, kind: Kind, item: dict[str, Any]) -> None:
        """Gives an object the provider's namespace, where the program gives none and its kind has any."""
        if not self._settings.namespace or "namespace" in item["metadata"]:
            return
        try:
            namespaced = await self._cluster().is_namespaced(kind)
        except UnreachableError:
            namespaced = None
        if namespaced is not False:  # a kind not known yet is taken for a namespaced one, and seen to in `_fit`
            item["metadata"] = {**item["metadata"], "namespace": self._settings.namespace}

    # Differences

    async def diff(self, request: sdk.DiffRequest) -> sdk.DiffResponse:
        """What an update would change, and whether it needs a new object."""
        request = cast(DiffRequest, request)
        kind = of_token(request.type)
        old = state.manifest(request.old_inputs) or state.inputs_of(request.old_state)
        new, live = state.manifest(request.new_inputs), state.live_of(request.old_state)
        mutable = self._settings.mutable_data(kind.name)
        found = difference(kind, old, new, live, ignored=request.ignore_changes, mutable_data=mutable)
        if found.in_place and not has_unknown(new) and not await self._in_effect(request, found, new, live):
            found = Difference()
        if annotations.is_true(new, annotations.REPLACE_UNREADY) and await self._is_unready(request.urn, kind, live):
            unready = Change(("metadata", "annotations", annotations.REPLACE_UNREADY), "update")
            delete_first = identity.keeps_its_name(new, live)
            found = Difference([*found.changes, unready], [*found.replacing, unready], delete_first)
        return found.response()

    async def _is_unready(self, urn: str, kind: Kind, live: Mapping[str, Any]) -> bool:
        """Whether a Job, for which alone this can be asked, has not come to a good end."""
        if (kind.group, kind.name) != ("batch", "Job"):
            await self._log.warn(urn, f"{annotations.REPLACE_UNREADY} is for Jobs: {kind.name} is left as it is")
            return False
        client = self._cluster()
        path = await client.path_of(live)
        now = await client.get(path) if path else None
        return now is not None and readiness.condition(now, "Complete").get("status") != "True"

    async def _in_effect(
        self, request: sdk.DiffRequest, found: Difference, new: Mapping[str, Any], live: Mapping[str, Any]
    ) -> bool:
        """Whether the cluster would make anything of changed inputs."""
        operation = self._operation(request.urn, new)
        manager = identity.manager(request.urn, new, request.old_state)
        try:
            path = await operation.client.path_of(live)
            now = await operation.client.get(path) if path else None
            would_be = await objects.preview(operation, identity.placed(new, live), manager) if now else None
        except ProviderError:
            return True  # the update says it better
        return would_be is None or in_effect(found.changes, now, would_be)

    # The life of an object

    async def create(self, request: sdk.CreateRequest) -> sdk.CreateResponse:
        """Makes an object and waits until it is ready; in a preview, asks what it would be."""
        kind = of_token(request.type)
        item = await self._fit(kind, state.manifest(request.properties))
        manager = identity.manager(request.urn, item, {})
        if request.preview:
            return sdk.CreateResponse("", await self._preview(request.urn, kind, item, request.properties, manager))
        operation = self._operation(request.urn, item, request.timeout)
        live = await objects.create(operation, item, manager, upsert=self._settings.upsert_existing_objects)
        await self._relay_warnings(operation.client)
        make = partial(state.state, item, like=request.properties, kind=kind, manager=manager)
        live = await self._ready(operation, live, make, request.properties)
        return sdk.CreateResponse(object_id(live), make(live))

    async def update(self, request: sdk.UpdateRequest) -> sdk.UpdateResponse:
        """Changes an object in place and waits until it is ready again."""
        kind = of_token(request.type)
        item = await self._fit(kind, state.manifest(request.news))
        item = identity.placed(item, state.live_of(request.olds))
        manager = identity.manager(request.urn, item, request.olds)
        if request.preview and (has_unknown(item) or not await self._knows(kind)):
            return sdk.UpdateResponse(dict(request.news))
        operation = self._operation(request.urn, item, request.timeout)
        live = await objects.update(operation, item, manager, request.ignore_changes, dry_run=request.preview)
        await self._relay_warnings(operation.client)
        make = partial(state.state, item, like=request.news, kind=kind, manager=manager)
        if request.preview:
            return sdk.UpdateResponse(make(live))
        live = await self._ready(operation, live, make, request.news)
        old_manager = identity.manager(request.urn, {}, request.olds)
        if old_manager != manager:
            await objects.relinquish(operation, live, old_manager)
        return sdk.UpdateResponse(make(live))

    async def read(self, request: sdk.ReadRequest) -> sdk.ReadResponse:
        """An object as it is now, for refresh and import; an empty id where it is gone."""
        kind = of_token(request.type)
        namespace, name = split_id(request.resource_id)
        try:
            client = self._cluster()
            path = await client.path(kind, namespace or client.connection.namespace, name)
            live = await client.get(path) if path else None
        except UnreachableError as error:
            return await self._read_nothing(request, error)
        if live is None:
            return sdk.ReadResponse("", {}, {})
        inputs = state.manifest(request.inputs)
        now = drifted(inputs, state.live_of(request.properties), live) if inputs else state.imported(live)
        like = request.inputs
        manager = identity.manager(request.urn, now, request.properties)
        kept = state.state(now, live, like, kind, manager)
        return sdk.ReadResponse(request.resource_id, kept, state.properties(now, like, kind))

    async def delete(self, request: sdk.DeleteRequest) -> None:
        """Deletes an object and waits until it is gone."""
        live, inputs = state.live_of(request.properties), state.inputs_of(request.properties)
        try:
            operation = self._operation(request.urn, inputs, request.timeout)
            await objects.delete(operation, live, to_the_end=not annotations.skips_its_end(inputs))
        except UnreachableError as error:
            if not self._settings.delete_unreachable:
                raise _with_remedy(error) from error
            await self._log.warn(request.urn, f"{error}: forgotten, for deleteUnreachable is set")
        except WaitingError as error:
            raise ProviderError(f"{live['kind']} {request.resource_id} was not deleted: {error}") from error

    async def _read_nothing(self, request: sdk.ReadRequest, error: UnreachableError) -> sdk.ReadResponse:
        if self._settings.delete_unreachable:
            await self._log.warn(request.urn, f"{error}: forgotten, for deleteUnreachable is set")
            return sdk.ReadResponse("", {}, {})
        if self._settings.skip_update_unreachable:
            await self._log.warn(request.urn, f"{error}: left as it was, for skipUpdateUnreachable is set")
            return sdk.ReadResponse(request.resource_id, request.properties, request.inputs)
        raise _with_remedy(error) from error

    async def _preview(
        self, urn: str, kind: Kind, item: Mapping[str, Any], properties: Properties, manager: str
    ) -> dict[str, Any]:
        """The object as it would be, as far as that can be said before it is made."""
        if has_unknown(item):
            return state.expected(properties, kind)
        try:
            would_be = await objects.preview(self._operation(urn, item), item, manager)
        except UnreachableError as error:
            await self._log.warn(urn, f"previewed without the cluster: {error}")
            would_be = None
        if would_be is None:
            return state.expected(properties, kind)
        return state.state(item, state.promised(would_be, item), properties, kind, manager)

    async def _ready(self, operation: objects.Operation, live: Any, make: Any, inputs: Properties) -> Any:
        try:
            return await objects.ready(operation, live)
        except WaitingError as error:
            last = next(iter(error.objects.get("self", ())), live)
            message = f"{live['kind']} {object_id(live)} exists and is not ready, {error}"
            raise UnfinishedError(message, object_id(live), make(last), inputs) from error

    async def _fit(self, kind: Kind, item: dict[str, Any]) -> dict[str, Any]:
        """The object without the namespace that its kind turns out not to have."""
        metadata = item.get("metadata")
        if not isinstance(metadata, Mapping) or "namespace" not in metadata:
            return item
        try:
            namespaced = await self._cluster().is_namespaced(kind)
        except UnreachableError:
            return item  # whoever asks the cluster next says so
        if namespaced is not False:
            return item
        return {**item, "metadata": {key: value for key, value in metadata.items() if key != "namespace"}}

    async def _knows(self, kind: Kind) -> bool:
        try:
            return await self._cluster().plural(kind) is not None
        except UnreachableError:
            return False


def _with_remedy(error: UnreachableError) -> ProviderError:
    remedy = "if it is gone for good, run again with PULUMI_K8S_DELETE_UNREACHABLE=true, and Pulumi forgets the object"
    return ProviderError(f"{error}; {remedy}")
