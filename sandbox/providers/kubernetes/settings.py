"""The provider's own configuration: what it may hold, what it means, and when a change of it moves the cluster."""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandbox.providers.common.server import ProviderError
from sandbox.providers.common.values import UNKNOWN, has_unknown
from sandbox.providers.kubernetes import kubeconfig

_TEXTS: Final = ("kubeconfig", "context", "cluster", "clusterIdentifier", "namespace")
_FLAGS: Final = (
    *("deleteUnreachable", "skipUpdateUnreachable", "enableServerSideApply", "enablePatchForce"),
    *("enableConfigMapMutable", "enableSecretMutable", "upsertExistingObjects"),
    *("suppressDeprecationWarnings", "suppressHelmHookWarnings", "strictMode"),
)
_REFUSED: Final = {
    "renderYamlToDirectory": "it speaks to a cluster only",
    "alwaysRender": "it speaks to a cluster only",
    "helmReleaseSettings": "it has no Helm releases; use kubernetes:helm.sh/v4:Chart",
    "kubeClientSettings": "it does not throttle itself",
}
_FROM_THE_ENGINE: Final = ("version", "pluginDownloadURL")  # resource options that travel as configuration


@dataclass(frozen=True)
class Settings:
    """The configuration, typed. Its fields are named as in `pulumi_kubernetes.Provider`."""

    kubeconfig: str | None = None
    context: str | None = None
    cluster: str | None = None
    namespace: str | None = None
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False
    enable_patch_force: bool = False
    enable_config_map_mutable: bool = False
    enable_secret_mutable: bool = False
    upsert_existing_objects: bool = False
    suppress_deprecation_warnings: bool = False
    suppress_helm_hook_warnings: bool = False

    def mutable_data(self, kind: str) -> bool:
        """Whether a ConfigMap's or a Secret's data may change in place."""
        return self.enable_secret_mutable if kind == "Secret" else self.enable_config_map_mutable


def problems(config: Mapping[str, Any], *, default_provider: bool = False) -> dict[str, str]:
    """What is wrong with a configuration, by key."""
    given = {key: value for key, value in config.items() if value is not None and value is not UNKNOWN}
    found = {key: problem for key, value in given.items() if (problem := _problem(key, value))}
    if _flag(given.get("strictMode", False)):
        if default_provider:
            found["strictMode"] = "strictMode refuses the default provider: give each resource a provider"
        found |= {key: f"strictMode wants {key}" for key in ("kubeconfig", "context") if not config.get(key)}
    return found


def _problem(key: str, value: Any) -> str | None:
    if key in _FROM_THE_ENGINE or (key in _REFUSED and _flag(value) is False):
        return None
    if key in _REFUSED:
        return f"{key} is not for this stand-in: {_REFUSED[key]}"
    if key in _TEXTS:
        return None if isinstance(value, str) else f"{key} is a {type(value).__name__}: give a string"
    if key not in _FLAGS:
        near = difflib.get_close_matches(key, (*_TEXTS, *_FLAGS), 1)
        return f"{key} is no setting of the Kubernetes provider" + (f": {near[0]}?" if near else "")
    if key == "enableServerSideApply" and _flag(value) is False:
        return "enableServerSideApply is false: this stand-in knows server-side apply only; leave it out"
    return f"{key} is {value!r}: give true or false" if _flag(value) is None else None


def settings(config: Mapping[str, Any]) -> Settings:
    """The configuration, typed.

    Raises:
        ProviderError: Something is wrong with it.
    """
    if wrong := problems(config):
        raise ProviderError("; ".join(wrong.values()))
    values: dict[str, Any] = {}
    for field in Settings.__dataclass_fields__:
        first, *rest = field.split("_")
        value = config.get(first + "".join(word.capitalize() for word in rest))
        if value is not None:
            values[field] = bool(_flag(value)) if isinstance(getattr(Settings, field), bool) else value or None
    return Settings(**values)


def replacing(old: Mapping[str, Any], new: Mapping[str, Any]) -> Sequence[str]:
    """The changed keys that mean another cluster, so that all that is in it has to be made anew there.

    A cluster has no identity of its own: `clusterIdentifier`, where given, is it. Without one it is the settings of
    the cluster that the kubeconfig points to.
    https://github.com/pulumi/pulumi-kubernetes/blob/master/provider/pkg/provider/provider.go (DiffConfig)
    """
    before, after = old.get("clusterIdentifier"), new.get("clusterIdentifier")
    if before and before == after:
        return []
    replaced = ["clusterIdentifier"] if before and after else []
    if unknown := [key for key in ("kubeconfig", "context", "cluster") if has_unknown(new.get(key))]:
        return [*replaced, unknown[0]]
    if _active(old) is not None and _active(new) is not None and _active(old) != _active(new):
        replaced += [key for key in ("kubeconfig", "context", "cluster") if old.get(key) != new.get(key)]
    return replaced


def _active(config: Mapping[str, Any]) -> Any:
    try:
        loaded = kubeconfig.load(config.get("kubeconfig"))
    except ProviderError:
        return None
    return kubeconfig.active_cluster(loaded, config.get("context"), config.get("cluster"))


def _flag(value: Any) -> bool | None:
    """A flag's value: the SDK sends it as JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return None
    return value if isinstance(value, bool) else None
