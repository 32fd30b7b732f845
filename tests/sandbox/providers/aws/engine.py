"""A small engine: drives a provider's methods like Pulumi's engine, and keeps the state."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi.provider.experimental.provider as sdk
from pulumi.provider.experimental.property_value import PropertyValue

from sandbox.providers.common.server import DiffRequest, UpdateRequest
from sandbox.providers.common.values import plain_properties, to_properties

Properties = dict[str, PropertyValue]


class CheckError(Exception):
    """What a check found."""


@dataclass
class Recorded:
    """A resource in the state."""

    id: str
    inputs: Properties
    state: Properties

    def __getitem__(self, name: str) -> Any:
        return plain_properties(self.state)[name]


@dataclass
class Engine:
    """One stack.

    Attributes:
        provider: Whose resources they are.
        stack: What the state holds, by URN.
    """

    provider: sdk.Provider
    stack: dict[str, Recorded] = field(default_factory=dict, repr=False)
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner)

    def up(self, token: str, name: str, inputs: Mapping[str, Any]) -> Recorded:
        """Brings one resource to what is asked for."""
        return self.run(self._up(token, name, to_properties(inputs)))

    def create(self, token: str, name: str, inputs: Mapping[str, Any]) -> Recorded:
        """Creates one resource without recording it, even if the state has it: like an engine that was killed."""
        return self.run(self._create(urn(token, name), to_properties(inputs)))

    def preview(self, token: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What creating would give."""

        async def steps() -> Properties:
            checked = await self._check(urn(token, name), {}, to_properties(inputs))
            request = sdk.CreateRequest(urn(token, name), checked, 0, preview=True)
            return (await self.provider.create(request)).properties

        return plain_properties(self.run(steps()))

    def diff(self, token: str, name: str, inputs: Mapping[str, Any]) -> sdk.DiffResponse:
        """The provider's answer to a change."""

        async def steps() -> sdk.DiffResponse:
            old = self.stack[urn(token, name)]
            return await self._diff(
                old, urn(token, name), await self._check(urn(token, name), old.inputs, to_properties(inputs))
            )

        return self.run(steps())

    def refresh(self, token: str, name: str) -> list[str]:
        """Reads one resource; the names of the inputs that differ, or "gone"."""

        async def steps() -> list[str]:
            old = self.stack[urn(token, name)]
            read = await self.provider.read(sdk.ReadRequest(urn(token, name), old.id, old.state, old.inputs))
            if not read.resource_id:
                del self.stack[urn(token, name)]
                return ["gone"]
            self.stack[urn(token, name)] = new = Recorded(old.id, read.inputs, read.properties)
            return (await self._diff(new, urn(token, name), old.inputs)).diffs

        return self.run(steps())

    def imported(self, token: str, name: str, resource_id: str) -> dict[str, Any]:
        """The inputs that an import finds."""
        read = self.run(self.provider.read(sdk.ReadRequest(urn(token, name), resource_id, {}, {})))
        return plain_properties(read.inputs)

    def delete(self, token: str, name: str) -> None:
        """Removes one resource."""
        old = self.stack.pop(urn(token, name))
        self.run(self.provider.delete(sdk.DeleteRequest(urn(token, name), old.id, old.state, 0)))

    def invoke(self, token: str, args: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Calls a function."""
        answer = self.run(self.provider.invoke(sdk.InvokeRequest(token, to_properties(args or {}))))
        if answer.failures:
            raise CheckError(answer.failures[0].reason)
        return plain_properties(answer.return_value or {})

    def run(self, steps: Coroutine[Any, Any, Any]) -> Any:
        """Runs a coroutine as the engine would; always in the same loop, as in a provider's process."""
        return self._runner.run(steps)

    async def _up(self, token: str, name: str, inputs: Properties) -> Recorded:
        where = urn(token, name)
        old = self.stack.get(where)
        if old is None:
            self.stack[where] = await self._create(where, inputs)
            return self.stack[where]
        checked = await self._check(where, old.inputs, inputs)
        diff = await self._diff(old, where, checked)
        if diff.replaces:
            self.stack[where] = await self._create(where, inputs)
            await self.provider.delete(sdk.DeleteRequest(where, old.id, old.state, 0))
        elif diff.changes:
            request = UpdateRequest(where, old.id, old.state, checked, 0, [], preview=False)
            request.old_inputs = old.inputs
            self.stack[where] = Recorded(old.id, checked, (await self.provider.update(request)).properties)
        return self.stack[where]

    async def _create(self, where: str, inputs: Properties) -> Recorded:
        checked = await self._check(where, {}, inputs)
        made = await self.provider.create(sdk.CreateRequest(where, checked, 0, preview=False))
        return Recorded(str(made.resource_id), checked, made.properties)

    async def _check(self, where: str, old: Properties, new: Properties) -> Properties:
        checked = await self.provider.check(sdk.CheckRequest(where, old, new, b""))
        if checked.failures:
            raise CheckError(checked.failures[0].reason)
        return checked.inputs or {}

    async def _diff(self, old: Recorded, where: str, new: Properties) -> sdk.DiffResponse:
        request = DiffRequest(where, old.id, old.state, new, [])
        request.old_inputs = old.inputs
        return await self.provider.diff(request)


def urn(token: str, name: str) -> str:
    """A resource's URN in a stack called test."""
    return f"urn:pulumi:test::test::{token}::{name}"
