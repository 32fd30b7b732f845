"""Many objects at once: read from YAML, lists unfolded, put in order. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from sandbox.providers.common.server import ProviderError
from sandbox.providers.kubernetes.annotations import SKIP_AWAIT
from sandbox.providers.kubernetes.annotations import of as annotations_of
from sandbox.providers.kubernetes.kinds import Kind, of_object
from sandbox.providers.kubernetes.objects import DEFINITIONS, NAMESPACES

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEPENDS_ON: Final = "config.kubernetes.io/depends-on"
_RBAC: Final = "rbac.authorization.k8s.io"
_WORKLOADS: Final = frozenset(
    {("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("batch", "Job"), ("batch", "CronJob")}
    | {("", "Pod"), ("", "ReplicationController"), ("apps", "ReplicaSet")}
)
_WHAT_WORKLOADS_NEED: Final = frozenset(
    {("", "ServiceAccount"), ("", "Secret"), ("", "ConfigMap"), ("", "PersistentVolumeClaim")}
    | {(_RBAC, kind) for kind in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")}
)


def parse(text: str, source: str) -> list[dict[str, Any]]:
    """The objects of a YAML text, with its lists unfolded.

    Raises:
        ProviderError: It is not YAML of objects that say what they are and what they are called.
    """
    try:
        documents = list(yaml.load_all(text, _LOADER))
    except yaml.YAMLError as error:
        raise ProviderError(f"{source} is not YAML: {' '.join(str(error).split())}") from error
    return list(unfolded((document for document in documents if document), source))


def unfolded(documents: Iterable[Any], source: str) -> Iterator[dict[str, Any]]:
    """The objects among documents, and in the lists among them.

    Raises:
        ProviderError: One lacks apiVersion, kind or name.
    """
    for document in documents:
        if not isinstance(document, Mapping):
            raise ProviderError(f"{source} holds {document!r}, which is no object")
        if str(document.get("kind", "")).endswith("List") and isinstance(document.get("items"), list):
            yield from unfolded(document["items"], source)
            continue
        kind = of_object(document)
        if not (document.get("metadata") or {}).get("name"):
            raise ProviderError(f"{source} holds a {kind} without metadata.name")
        yield {**document, "apiVersion": kind.api_version}


def made_by(objects: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], bool]:
    """Whether the kinds that CRDs among the objects make live in namespaces, by group and kind."""
    return {
        (item["spec"]["group"], item["spec"]["names"]["kind"]): item["spec"]["scope"] == "Namespaced"
        for item in objects
        if _is(item, DEFINITIONS)
    }


def in_namespace(item: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    """An object with a namespace, unless it has one."""
    metadata = item["metadata"]
    return {**item, "metadata": {**metadata, "namespace": metadata.get("namespace") or namespace}}


def unawaited(item: Mapping[str, Any]) -> dict[str, Any]:
    """An object that nothing waits for."""
    annotations = {**annotations_of(item), SKIP_AWAIT: "true"}
    return {**item, "metadata": {**item["metadata"], "annotations": annotations}}


def resource_name(item: Mapping[str, Any], prefix: str) -> str:
    """The Pulumi name of an object in a component: PREFIX:NAMESPACE/NAME, as pulumi-kubernetes has it."""
    metadata = item["metadata"]
    name = f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else metadata["name"]
    return f"{prefix}:{name}" if prefix else name


def ordered(objects: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], list[int]]]:
    """The objects, each behind those it needs, with the positions of these in the result.

    CRDs and namespaces come first, for both are awaited; what workloads read comes before the workloads.

    Raises:
        ProviderError: The annotation `config.kubernetes.io/depends-on` makes a circle, or names nothing.
    """
    needs: dict[int, set[int]] = {index: set(_needs(objects, item)) for index, item in enumerate(objects)}
    position: dict[int, int] = {}
    while len(position) < len(objects):
        free = [index for index in needs if index not in position and needs[index] <= position.keys()]
        if not free:
            stuck = [_says(objects[index]) for index in needs if index not in position]
            raise ProviderError(f"{_DEPENDS_ON} makes a circle of {', '.join(stuck)}")
        for index in free:
            position[index] = len(position)
    return [(objects[index], sorted(position[need] for need in needs[index])) for index in position]


def _needs(objects: Sequence[Mapping[str, Any]], item: Mapping[str, Any]) -> Iterator[int]:
    def where(holds: Callable[[Mapping[str, Any]], bool]) -> list[int]:
        return [index for index, other in enumerate(objects) if other is not item and holds(other)]

    if not _is(item, DEFINITIONS):
        yield from where(lambda other: _is(other, DEFINITIONS))
    namespace = item["metadata"].get("namespace")
    yield from where(lambda other: _is(other, NAMESPACES) and other["metadata"]["name"] == namespace)
    if _key(item) in _WORKLOADS:
        yield from where(lambda other: _key(other) in _WHAT_WORKLOADS_NEED)
    for wanted in filter(None, str(annotations_of(item).get(_DEPENDS_ON, "")).split(",")):
        found = where(lambda other, wanted=wanted: _says(other) == wanted.strip())
        if not found:
            raise ProviderError(f"{_says(item)} depends on {wanted.strip()}, which is not among the objects")
        yield from found


def _says(item: Mapping[str, Any]) -> str:
    """How the annotation names an object: GROUP/namespaces/NAMESPACE/KIND/NAME or GROUP/KIND/NAME."""
    metadata, kind = item["metadata"], of_object(item)
    middle = f"namespaces/{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{kind.group}/{middle}{kind.name}/{metadata['name']}"


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    kind = of_object(item)
    return kind.group, kind.name


def _is(item: Mapping[str, Any], kind: Kind) -> bool:
    return _key(item) == (kind.group, kind.name)
