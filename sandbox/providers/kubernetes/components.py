"""The components that the provider itself makes: a chart's objects, a YAML text's, as resources under one parent."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pulumi
import pulumi.provider.experimental.provider as sdk
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime import rpc

from sandbox.providers.common.server import ProviderError
from sandbox.providers.common.values import UNKNOWN, has_unknown, plain_properties, property_value
from sandbox.providers.kubernetes import charts, manifests
from sandbox.providers.kubernetes.annotations import of as annotations_of
from sandbox.providers.kubernetes.client import Client
from sandbox.providers.kubernetes.kinds import Kind, of_object
from sandbox.providers.kubernetes.state import without_nulls

CHART: Final = "kubernetes:helm.sh/v4:Chart"
GROUP: Final = "kubernetes:yaml/v2:ConfigGroup"
FILE: Final = "kubernetes:yaml/v2:ConfigFile"
_YAML_INPUTS: Final = {
    GROUP: ("files", "objs", "yaml", "resourcePrefix", "skipAwait"),
    FILE: ("file", "resourcePrefix", "skipAwait"),
}
_POLICY: Final = "helm.sh/resource-policy"


async def construct(request: sdk.ConstructRequest, client: Client, namespace: str) -> sdk.ConstructResponse:
    """Registers a component and its objects.

    Args:
        request: The component.
        client: The cluster, for which kinds live in namespaces.
        namespace: Where objects go that name no namespace.

    Raises:
        ProviderError: The component is not known, or its inputs are wrong.
    """
    given = plain_properties(request.inputs)
    component = pulumi.ComponentResource(request.resource_type, request.name, {}, request.options)
    if has_unknown(given):
        pulumi.log.warn("previewed without its objects: some inputs are not known yet", component)
        state = {"resources": property_value(UNKNOWN)}
        return sdk.ConstructResponse(urn=str(await component.urn.future()), state=state, state_dependencies={})
    match request.resource_type:
        case "kubernetes:helm.sh/v4:Chart":
            asked = charts.inputs(given, request.name)
            where = asked.namespace or namespace
            result = await charts.rendered(asked, client, where)
            objects = manifests.parse(result, f"chart {asked.chart}") if isinstance(result, str) else result
            prefix, skip_await = asked.prefix, asked.skip_await
        case "kubernetes:yaml/v2:ConfigGroup" | "kubernetes:yaml/v2:ConfigFile":
            objects, where = _yaml_objects(request.resource_type, request.name, given), namespace
            prefix, skip_await = given.get("resourcePrefix", request.name), given.get("skipAwait", False)
        case other:
            raise ProviderError(f"{other} is not known to this stand-in: it has {CHART}, {GROUP} and {FILE}")
    placed = await _placed(without_nulls(objects), client, where)
    children: list[pulumi.CustomResource] = []
    for item, needs in manifests.ordered([manifests.unawaited(one) if skip_await else one for one in placed]):
        children.append(_register(component, item, prefix, [children[need] for need in needs]))
    return await _response(component, children)


def _yaml_objects(token: str, name: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    for key in given:
        if key not in _YAML_INPUTS[token]:
            raise ProviderError(f"{name}: {key} is no input of {token}: it has {', '.join(_YAML_INPUTS[token])}")
    files = given.get("files", given.get("file", []))
    objects: list[dict[str, Any]] = []
    for file in [files] if isinstance(files, str) else files:
        for path in _paths(file):
            objects += manifests.parse(path.read_text(), str(path))
    objs = given.get("objs") or []
    objects += manifests.unfolded(objs if isinstance(objs, list) else [objs], f"{name}.objs")
    return objects + manifests.parse(given.get("yaml") or "", f"{name}.yaml")


def _paths(file: str) -> list[Path]:
    if "://" in file:
        raise ProviderError(f"{file} is not on this machine: give a path")
    path = Path(file)
    found = sorted(path.parent.glob(path.name)) if any(sign in path.name for sign in "*?[") else [path]
    for one in found:
        if not one.is_file():
            raise ProviderError(f"there is no file {one}")
    return found


async def _placed(objects: Sequence[Mapping[str, Any]], client: Client, namespace: str) -> list[dict[str, Any]]:
    """The objects, with a namespace where their kind has any."""
    made = manifests.made_by(objects)
    result: list[dict[str, Any]] = []
    for item in objects:
        kind = of_object(item)
        namespaced = made.get((kind.group, kind.name))
        if namespaced is None:
            namespaced = await client.is_namespaced(kind)
            if namespaced is None and not item["metadata"].get("namespace"):
                pulumi.log.warn(f"the cluster does not know {kind} yet: {item['metadata']['name']} gets no namespace")
        result.append(manifests.in_namespace(item, namespace) if namespaced else dict(item))
    return result


def _register(
    component: pulumi.Resource, item: Mapping[str, Any], prefix: str, needs: Sequence[pulumi.Resource]
) -> pulumi.CustomResource:
    kind = of_object(item)
    properties = dict(item)
    if kind == Kind("", "v1", "Secret"):
        properties |= {key: pulumi.Output.secret(item[key]) for key in ("data", "stringData") if key in item}
    keep = annotations_of(item).get(_POLICY)
    if keep not in (None, "keep"):
        pulumi.log.warn(f"{_POLICY} {keep!r} is not known: only keep is")
    options = pulumi.ResourceOptions(parent=component, depends_on=list(needs), retain_on_delete=keep == "keep" or None)
    return pulumi.CustomResource(kind.token, manifests.resource_name(item, prefix), properties, options)


async def _response(
    component: pulumi.ComponentResource, children: Sequence[pulumi.CustomResource]
) -> sdk.ConstructResponse:
    urns: list[Any] = await asyncio.gather(*(child.urn.future() for child in children))
    ids: list[Any] = await asyncio.gather(*(child.id.future() for child in children))
    references = [
        # PropertyValue's own reference says `resource_id` where the engine reads `id` (SDK 3.272.0).
        PropertyValue(
            {
                rpc._special_sig_key: PropertyValue(rpc._special_resource_sig),  # noqa: SLF001 - the wire format's own
                "urn": PropertyValue(urn),
                "id": PropertyValue(resource_id or ""),
            }
        )
        for urn, resource_id in zip(urns, ids, strict=True)
    ]
    state = {"resources": PropertyValue(references)}
    return sdk.ConstructResponse(urn=str(await component.urn.future()), state=state, state_dependencies={})
