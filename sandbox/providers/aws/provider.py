"""The provider: answers the engine's requests for any type through its `Kind`."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import pulumi.provider.experimental.provider as sdk
from pulumi.provider.experimental.property_value import PropertyValue

from sandbox.providers.aws import functions, sdk_names
from sandbox.providers.aws.errors import delete_or_wait, found_live, message
from sandbox.providers.aws.kind import Kind, State, Wanted
from sandbox.providers.aws.session import HIDDEN_TAGS, Aws, settings_from
from sandbox.providers.aws.states import filled_in, given_ones, inputs_read, known_ones, named
from sandbox.providers.aws.types import kind_of
from sandbox.providers.common.creation import CREATION, Creations
from sandbox.providers.common.fields import INTERNAL, changes, diff_response, problems
from sandbox.providers.common.server import DiffRequest, ProviderError, UnfinishedError, UpdateRequest, supported
from sandbox.providers.common.values import UNKNOWN, Properties, has_unknown, plain_properties, to_properties


class AwsProvider(sdk.Provider):
    """Types and functions of `aws`, as far as the sandbox's project uses them."""

    def __init__(self, pause: float = 0.25) -> None:
        """Create a provider that is not configured yet.

        Args:
            pause: Seconds between the first two polls of something awaited; later pauses are longer.
        """
        self._aws = Aws(os.environ.get("AWS_REGION", ""))
        self._creations = Creations()
        self._cancelled = asyncio.Event()
        self._pause = pause

    async def cancel(self) -> None:
        """Ends every wait; a call that was sent to AWS still completes."""
        self._cancelled.set()

    async def check_config(self, request: sdk.CheckRequest) -> sdk.CheckResponse:
        """Refuses settings that the stand-in does not know."""
        settings_from(known_ones(request.new_inputs), sdk_names.has_setting)
        return sdk.CheckResponse(request.new_inputs)

    async def configure(self, request: sdk.ConfigureRequest) -> sdk.ConfigureResponse:
        """Takes the provider's settings; calls AWS only when necessary."""
        settings = settings_from(known_ones(request.args), sdk_names.has_setting)
        region = settings.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        if not region:
            raise ProviderError("no AWS region: set the configuration key aws:region, or AWS_REGION")
        self._aws = Aws(region, settings)
        return sdk.ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def invoke(self, request: sdk.InvokeRequest) -> sdk.InvokeResponse:
        """Calls a function such as `aws:index/getCallerIdentity:getCallerIdentity`."""
        function = supported(request.tok, functions.functions())
        args = plain_properties(request.args)
        failures = problems(args, function.fields, request.tok, lambda name: sdk_names.has_argument(request.tok, name))
        if failures:
            return sdk.InvokeResponse(failures=failures)
        result = await self._call(request.tok, "", function.answer, self._aws.at(args.pop("region", None)), args)
        return sdk.InvokeResponse(to_properties(result, function.secrets))

    async def check(self, request: sdk.CheckRequest) -> sdk.CheckResponse:
        """Reports what is wrong with the inputs, and adds an automatic name."""
        kind = kind_of(request.type)
        news, olds = plain_properties(request.new_inputs), plain_properties(request.old_inputs)
        failures = problems(news, kind.fields, kind.type, lambda name: sdk_names.has_input(kind.type, name))
        if failures:
            return sdk.CheckResponse(request.new_inputs, failures)
        token = self._creations.token(request.urn, olds)
        extra = {CREATION: token, **named(kind, request.name, token, news)}
        return sdk.CheckResponse({**given_ones(request.new_inputs), **to_properties(extra)})

    async def diff(self, request: sdk.DiffRequest) -> sdk.DiffResponse:
        """Compares the program's old and new inputs."""
        kind = kind_of(request.type)
        state, news = plain_properties(request.old_state), plain_properties(request.new_inputs)
        olds = plain_properties(request.old_inputs) if isinstance(request, DiffRequest) else state
        found = changes(olds, news, kind.fields)
        if kind.retag and "tags" not in found and state.get("tagsAll") != self._tags(news):
            found["tagsAll"] = sdk.PropertyDiff(sdk.PropertyDiffKind.UPDATE, input_diff=False)
        return diff_response(found, delete_before_replace=kind.delete_first)

    async def create(self, request: sdk.CreateRequest) -> sdk.CreateResponse:
        """Creates a resource and waits until it is ready."""
        kind = kind_of(request.type)
        inputs = plain_properties(request.properties)
        if request.preview:
            outputs = dict.fromkeys(kind.all_outputs, UNKNOWN) | filled_in(kind, inputs)
            if kind.retag:
                outputs["tagsAll"] = UNKNOWN if has_unknown(inputs.get("tags")) else self._tags(inputs)
            return sdk.CreateResponse("", self._state(kind, outputs, request.properties))
        aws = self._aws.at(inputs.get("region"))
        wanted = self._wanted(inputs)
        resource_id = await self._call(kind.type, request.name, kind.calls.create, aws, wanted)
        try:
            await self._until(kind, request, "to be ready", kind.ready, aws, resource_id)
            live = await self._read(kind, request.name, aws, resource_id, inputs)
        except ProviderError as error:
            state = self._state(kind, {}, request.properties)
            raise UnfinishedError(str(error), resource_id, state, request.properties) from error
        if live is None:
            raise ProviderError(
                f"{kind.type} `{request.name}`: {resource_id} was created and is gone; run the update again"
            )
        return sdk.CreateResponse(resource_id, self._state(kind, live, request.properties))

    async def read(self, request: sdk.ReadRequest) -> sdk.ReadResponse:
        """Reads a resource for a refresh, an import or a `get`; an empty id means that it is gone."""
        kind = kind_of(request.type)
        given, state = plain_properties(request.inputs), plain_properties(request.properties)
        if not state and kind.import_id:
            state = kind.import_id(request.resource_id)
        aws = self._aws.at(state.get("region"))
        live = await self._read(kind, request.name, aws, request.resource_id, state)
        if live is None:
            return sdk.ReadResponse("")
        inputs = inputs_read(kind, live, given, request.inputs)
        return sdk.ReadResponse(request.resource_id, self._state(kind, live, inputs), inputs)

    async def update(self, request: sdk.UpdateRequest) -> sdk.UpdateResponse:
        """Changes a resource in place and waits until it is ready again."""
        kind = kind_of(request.type)
        state, news = plain_properties(request.olds), plain_properties(request.news)
        olds = plain_properties(request.old_inputs) if isinstance(request, UpdateRequest) else state
        changed = set(changes(olds, news, kind.fields))
        if request.preview:
            outputs = {name: state.get(name) for name in kind.all_outputs}
            outputs |= dict.fromkeys(kind.volatile if changed else (), UNKNOWN)
            outputs |= {name: state[name] for name in kind.respelled if name in state and name not in changed}
            outputs |= {name: {**state.get(name, {}), **news[name]} for name in changed & set(kind.computed_inside)}
            if kind.retag:
                outputs["tagsAll"] = self._tags(news)
            return sdk.UpdateResponse(self._state(kind, outputs, request.news))
        aws = self._aws.at(news.get("region"))
        wanted = self._wanted(news)
        if kind.all_outputs - state.keys():
            # After an interrupted creation only the inputs are known.
            state = {**(await self._read(kind, request.name, aws, request.resource_id, state) or {}), **state}
        if kind.calls.update:
            arguments = (aws, request.resource_id, wanted, changed - {"tags"})
            await self._call(kind.type, request.name, kind.calls.update, *arguments)
        if kind.retag:
            await self._retag(kind, request, aws, state, wanted)
        await self._until(kind, request, "to be ready", kind.ready, aws, request.resource_id)
        live = await self._read(kind, request.name, aws, request.resource_id, {**state, **news})
        if live is None:
            raise ProviderError(f"{kind.type} `{request.name}`: {request.resource_id} is gone; run `pulumi refresh`")
        return sdk.UpdateResponse(self._state(kind, live, request.news))

    async def delete(self, request: sdk.DeleteRequest) -> None:
        """Removes a resource and waits until it is gone."""
        kind = kind_of(request.type)
        state = plain_properties(request.properties)
        aws = self._aws.at(state.get("region"))
        deleted = False

        def gone() -> bool:
            nonlocal deleted
            if not deleted:
                deleted = delete_or_wait(kind, aws, request.resource_id, state)
            return deleted and (kind.deleted_unseen or found_live(kind, aws, request.resource_id, state) is None)

        await self._until(kind, request, "to be gone", gone)

    # Helpers for the answers above.

    def _tags(self, inputs: State) -> dict[str, str]:
        return {**self._aws.default_tags, **(inputs.get("tags") or {})}

    def _wanted(self, inputs: State) -> Wanted:
        return Wanted(inputs, self._tags(inputs), str(inputs.get(CREATION, "")))

    def _state(self, kind: Kind, live: State, inputs: Properties) -> dict[str, PropertyValue]:
        """A resource's properties: the inputs as given (with their secrets), the rest as in AWS."""
        outputs = {"region": self._aws.region, **live} if kind.has_region else dict(live)
        outputs.pop("tags", None)  # only if the program gave some
        given = {name: value for name, value in given_ones(inputs).items() if not name.startswith(INTERNAL)}
        respelled = {name: live[name] for name in kind.respelled if name in live}
        return {**to_properties(outputs, kind.secrets), **given, **to_properties(respelled)}

    async def _read(self, kind: Kind, name: str, aws: Aws, resource_id: str, state: State) -> dict[str, Any] | None:
        live = await self._call(kind.type, name, found_live, kind, aws, resource_id, state)
        if live is None or not kind.retag:
            return live
        tags = {key: value for key, value in live["tagsAll"].items() if not key.startswith(HIDDEN_TAGS)}
        given = state.get("tags") or {}
        defaults = self._aws.default_tags
        own = {key: value for key, value in tags.items() if key in given or defaults.get(key) != value}
        return {**live, "tagsAll": tags, "tags": own}

    async def _retag(self, kind: Kind, request: sdk.UpdateRequest, aws: Aws, state: State, wanted: Wanted) -> None:
        had: Mapping[str, str] = state.get("tagsAll") or {}
        new = {key: value for key, value in wanted.tags.items() if had.get(key) != value}
        old = sorted(set(had) - set(wanted.tags))
        if kind.retag and (new or old):
            await self._call(kind.type, request.name, kind.retag, aws, request.resource_id, state, new, old)

    async def _call(self, token: str, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """Runs a blocking function in a thread; AWS's refusal becomes one line."""
        try:
            return await asyncio.to_thread(function, *args)
        except ProviderError:
            raise
        except Exception as error:
            where = f"{token} `{name}`" if name else token
            raise ProviderError(f"{where}: {message(error)}") from error

    async def _until(
        self,
        kind: Kind,
        request: Any,
        what: str,
        done: Callable[..., bool],
        *args: Any,
    ) -> None:
        """Polls until the condition holds, less and less often; stops at the deadline or when the engine cancels."""
        limit = request.timeout or kind.minutes * 60
        deadline = time.monotonic() + limit
        pause = self._pause
        while not await self._call(kind.type, request.name, done, *args):
            if time.monotonic() > deadline:
                raise ProviderError(
                    f"{kind.type} `{request.name}`: waited {limit:.0f} s for it {what}; look at `sandbox status`"
                )
            try:
                await asyncio.wait_for(self._cancelled.wait(), pause)
            except TimeoutError:
                pause = min(pause * 1.5, 2.0)
                continue
            raise ProviderError(f"{kind.type} `{request.name}`: cancelled while waiting for it {what}")
