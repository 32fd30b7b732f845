"""The provider: answers the engine's requests for any type in the table."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pulumi.provider.experimental.provider as sdk
from pulumi.provider.experimental.property_value import PropertyValue

from sandbox.providers.common.fields import changes, diff_response, problems
from sandbox.providers.common.server import DiffRequest, ProviderError, supported
from sandbox.providers.common.values import UNKNOWN, Properties, has_unknown, plain_properties, to_properties
from sandbox.providers.tls.kinds import KINDS, Kind, renewal_is_due


def _utc_now() -> datetime:
    return datetime.now(UTC)


class TlsProvider(sdk.Provider):
    """Types of `tls`, as far as the sandbox's project uses them."""

    def __init__(self, now: Callable[[], datetime] = _utc_now) -> None:
        """Create a provider that takes the time from `now`."""
        self._now = now

    async def check_config(self, request: sdk.CheckRequest) -> sdk.CheckResponse:
        """Refuses settings: the stand-in has none."""
        for name in request.new_inputs:
            if name not in ("version", "pluginDownloadURL"):
                raise ProviderError(f"the sandbox's stand-in for tls has no setting {name!r}; remove tls:{name}")
        return sdk.CheckResponse(request.new_inputs)

    async def configure(self, request: sdk.ConfigureRequest) -> sdk.ConfigureResponse:
        """Has nothing to configure."""
        del request
        return sdk.ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def invoke(self, request: sdk.InvokeRequest) -> sdk.InvokeResponse:
        """Refuses every function: getCertificate would need a network, getPublicKey is not used.

        Raises:
            ProviderError: Always.
        """
        raise ProviderError(f"{request.tok} is not supported by the sandbox's stand-in, which has no functions")

    async def check(self, request: sdk.CheckRequest) -> sdk.CheckResponse:
        """Reports what is wrong with the inputs."""
        kind, inputs = _kind(request.type), plain_properties(request.new_inputs)
        failures = problems(inputs, kind.inputs, _type(request), lambda name: _exists(_type(request), name))
        return sdk.CheckResponse(_given(request.new_inputs), failures)

    async def diff(self, request: sdk.DiffRequest) -> sdk.DiffResponse:
        """Compares the program's old and new inputs; a certificate that expires soon is replaced."""
        kind = _kind(request.type)
        state, news = plain_properties(request.old_state), plain_properties(request.new_inputs)
        olds = plain_properties(request.old_inputs) if isinstance(request, DiffRequest) else state
        found = changes(olds, news, kind.inputs)
        if kind.renews and self._is_due(state, news):
            found["readyForRenewal"] = sdk.PropertyDiff(sdk.PropertyDiffKind.UPDATE_REPLACE, input_diff=False)
        return diff_response(found)

    async def create(self, request: sdk.CreateRequest) -> sdk.CreateResponse:
        """Makes a key, a request or a certificate."""
        kind = _kind(request.type)
        if request.preview:
            unknown = dict.fromkeys(kind.outputs, UNKNOWN)
            return sdk.CreateResponse("", _state(kind, unknown, request.properties))
        inputs = plain_properties(request.properties)
        try:
            made_id, made = await asyncio.to_thread(_make, _type(request), inputs, self._now())
        except ProviderError as error:
            raise ProviderError(f"{_type(request)} `{request.name}`: {error}") from error
        return sdk.CreateResponse(made_id, _state(kind, made, request.properties))

    async def read(self, request: sdk.ReadRequest) -> sdk.ReadResponse:
        """Returns the state, because nothing exists elsewhere, and whether a renewal is due."""
        kind, state = _kind(request.type), plain_properties(request.properties)
        if not state:
            raise ProviderError(f"{_type(request)} cannot be imported: it exists only in a stack's state")
        due = {"readyForRenewal": self._is_due(state, state)} if kind.renews else {}
        return sdk.ReadResponse(request.resource_id, {**request.properties, **to_properties(due)}, request.inputs)

    async def update(self, request: sdk.UpdateRequest) -> sdk.UpdateResponse:
        """Applies new hours of early renewal."""
        kind = _kind(request.type)
        kept = {name: value for name, value in request.olds.items() if name in kind.outputs}
        return sdk.UpdateResponse({**kept, **_given(request.news)})

    async def delete(self, request: sdk.DeleteRequest) -> None:
        """Forgets it."""

    def _is_due(self, state: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
        early = inputs.get("earlyRenewalHours") or 0
        return not has_unknown(early) and renewal_is_due(state, early, self._now())


def _make(token: str, inputs: Mapping[str, Any], now: datetime) -> tuple[str, dict[str, Any]]:
    # Tens of milliseconds, which a run without changes does not spend.
    from sandbox.providers.tls import certificates, keys  # noqa: PLC0415

    match token.rpartition(":")[2]:
        case "PrivateKey":
            return keys.written(keys.new_key(inputs))
        case "CertRequest":
            return certificates.request(inputs)
        case "SelfSignedCert":
            return certificates.self_signed(inputs, now)
        case _:
            return certificates.locally_signed(inputs, now)


def _state(kind: Kind, made: Mapping[str, Any], inputs: Properties) -> dict[str, PropertyValue]:
    return {**_given(inputs), **to_properties(made, kind.secrets)}


def _given(properties: Properties) -> dict[str, PropertyValue]:
    return {name: value for name, value in properties.items() if value.value is not None}


def _type(request: sdk.CheckRequest | sdk.CreateRequest | sdk.ReadRequest) -> str:
    """A resource's own type; in a child's URN, its parents' types come first."""
    return request.type.rpartition("$")[2]


def _kind(qualified: str) -> Kind:
    return supported(qualified.rpartition("$")[2], KINDS)


def _exists(token: str, name: str) -> bool:
    import pulumi_tls  # noqa: PLC0415 - on the way to an error only
    from pulumi._types import input_type_py_to_pulumi_names  # noqa: PLC0415

    return name in input_type_py_to_pulumi_names(getattr(pulumi_tls, f"{token.rpartition(':')[2]}Args")).values()
