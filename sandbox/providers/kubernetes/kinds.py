"""Kinds of objects: type tokens, ids, and the path under which the API server keeps an object."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.providers.common.server import ProviderError

_COMPONENTS = ("helm.sh/", "yaml/", "kustomize/")


@dataclass(frozen=True)
class Kind:
    """A group, a version and a kind; the core group is the empty string."""

    group: str
    version: str
    name: str

    @property
    def api_version(self) -> str:
        """What stands in an object's `apiVersion`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def token(self) -> str:
        """Pulumi's type token, such as `kubernetes:apps/v1:Deployment`."""
        return f"kubernetes:{self.group or 'core'}/{self.version}:{self.name}"

    @property
    def base_path(self) -> str:
        """The path of the group and version on the API server."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def __str__(self) -> str:
        return f"{self.api_version} {self.name}"


@dataclass(frozen=True)
class Selection:
    """Which objects to look at: of one kind, in one namespace, by name or by labels."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    labels: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The selection as the API server's query parameters."""
        fields = {"fieldSelector": f"metadata.name={self.name}"} if self.name else {}
        return {**fields, "labelSelector": self.labels} if self.labels else fields


_BUILT_IN: Final = frozenset(
    {"", "apps", "autoscaling", "batch", "policy", "apiextensions.k8s.io", "apiregistration.k8s.io"}
    | {f"{group}.k8s.io" for group in ("admissionregistration", "certificates", "coordination", "discovery", "events")}
    | {f"{group}.k8s.io" for group in ("flowcontrol.apiserver", "networking", "node", "rbac.authorization")}
    | {f"{group}.k8s.io" for group in ("resource", "scheduling", "storage")}
)
_CLUSTER_WIDE: Final = frozenset(
    {"Namespace", "Node", "PersistentVolume", "ComponentStatus", "CustomResourceDefinition", "APIService"}
    | {f"{what}WebhookConfiguration" for what in ("Mutating", "Validating")}
    | {f"{what}AdmissionPolicy{part}" for what in ("Mutating", "Validating") for part in ("", "Binding")}
    | {"CertificateSigningRequest", "ClusterTrustBundle", "FlowSchema", "PriorityLevelConfiguration"}
    | {"IngressClass", "IPAddress", "ServiceCIDR", "RuntimeClass", "ClusterRole", "ClusterRoleBinding"}
    | {"DeviceClass", "DeviceTaintRule", "ResourceSlice", "PriorityClass"}
    | {"StorageClass", "CSIDriver", "CSINode", "VolumeAttachment", "VolumeAttributesClass"}
)


def is_namespaced(kind: Kind) -> bool | None:
    """Whether a built-in kind's objects live in namespaces; None for a kind that only the cluster knows.

    Known here so that an update without changes asks the cluster nothing (and so needs no token for it).
    """
    return kind.name not in _CLUSTER_WIDE if is_built_in(kind) else None


def is_built_in(kind: Kind) -> bool:
    """Whether a kind is Kubernetes' own, if it is one at all: no CRD will ever make it."""
    return kind.group in _BUILT_IN


def of_token(token: str) -> Kind:
    """The kind that a type token names.

    Raises:
        ProviderError: The token is no object's: a component, a Patch or a List.
    """
    token = token.rpartition("$")[2]  # a URN's type is that of its parents too
    package, _, rest = token.partition(":")
    module, _, name = rest.rpartition(":")
    group, _, version = module.rpartition("/")
    if package != "kubernetes" or not (group and version and name):
        raise ProviderError(f"{token} is no Kubernetes object: a token reads kubernetes:GROUP/VERSION:Kind")
    if module.startswith(_COMPONENTS):
        raise ProviderError(
            f"{token} is not known to this stand-in: declare the objects, or a kubernetes:helm.sh/v4:Chart"
        )
    if name.endswith("Patch"):
        raise ProviderError(
            f"{token}: this stand-in has no Patch resources; declare {name.removesuffix('Patch')} itself"
        )
    kind = Kind("" if group == "core" else group, version, name)
    if is_built_in(kind) and name.endswith("List"):
        raise ProviderError(f"{token} is a list, and no list is an object: declare what is in it")
    return kind


def of_object(item: Mapping[str, Any]) -> Kind:
    """The kind that an object says it is.

    Raises:
        ProviderError: It does not say.
    """
    api_version, name = item.get("apiVersion"), item.get("kind")
    if not isinstance(api_version, str) or not isinstance(name, str) or not api_version or not name:
        raise ProviderError(f"an object needs apiVersion and kind, both strings; this one has {sorted(item)}")
    group, _, version = api_version.rpartition("/")
    return Kind("" if group == "core" else group, version, name)


def object_id(item: Mapping[str, Any]) -> str:
    """A resource's id: NAMESPACE/NAME, or NAME for what has no namespace."""
    metadata = item["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else metadata["name"]


def split_id(resource_id: str) -> tuple[str, str]:
    """Namespace (empty if there is none) and name of an id.

    Raises:
        ProviderError: The id is not NAME or NAMESPACE/NAME.
    """
    namespace, _, name = resource_id.rpartition("/")
    if not name or "/" in namespace:
        raise ProviderError(f"{resource_id!r} is no id of an object: give NAME or NAMESPACE/NAME")
    return namespace, name
