"""`kubernetes:helm.sh/v4:Chart`: which chart, with which values, rendered by whom."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pulumi
import yaml

from sandbox.providers.common.server import ProviderError
from sandbox.providers.kubernetes import chart as own
from sandbox.providers.kubernetes import helm
from sandbox.providers.kubernetes.chart.releases import known
from sandbox.providers.kubernetes.chart.render import secret_to_keep
from sandbox.providers.kubernetes.client import Client
from sandbox.providers.kubernetes.kinds import Kind

_REFUSED: Final = {
    "postRenderer": "it runs no program over the objects",
    "includeHooks": "it applies to rendered files only, as in pulumi-kubernetes",
    "verify": "it fetches no chart whose signature could be verified",
    "keyring": "it fetches no chart whose signature could be verified",
    "devel": "it fetches no chart, so there are no pre-releases to choose from",
    "plainHttp": "it fetches no chart",
}
_TEXTS: Final = ("chart", "version", "namespace", "name", "resourcePrefix")
_FLAGS: Final = ("skipCrds", "skipAwait", "dependencyUpdate")
_KNOWN: Final = (*_TEXTS, *_FLAGS, "values", "valueYamlFiles", "repositoryOpts", *_REFUSED)
_DISCOVERY: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@dataclass(frozen=True)
class ChartInputs:
    """A chart's inputs, checked."""

    chart: str
    name: str
    prefix: str
    version: str | None = None
    namespace: str | None = None
    repository: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    skip_crds: bool = False
    skip_await: bool = False
    dependency_update: bool = False

    @property
    def is_own(self) -> bool:
        """Whether it is the one chart that is rendered here."""
        name = self.chart.rpartition("/")[2] if self.repository else self.chart
        return name == own.CHART and not helm.is_local(self.chart)


def inputs(given: Mapping[str, Any], resource: str) -> ChartInputs:
    """A chart's inputs.

    Args:
        given: Plain properties, all known.
        resource: The component's name: the release's name and the prefix unless given.

    Raises:
        ProviderError: An input that there is not, of another shape, or that this stand-in cannot honour.
    """
    for key, value in given.items():
        if problem := _problem(key, value):
            raise ProviderError(f"chart {resource}: {problem}")
    if not given.get("chart"):
        raise ProviderError(f"chart {resource}: chart is missing: give its name or its folder")
    options = given.get("repositoryOpts") or {}
    return ChartInputs(
        chart=given["chart"],
        name=given.get("name") or resource,
        prefix=given.get("resourcePrefix", resource),
        version=given.get("version"),
        namespace=given.get("namespace") or None,
        repository=options.get("repo") or None,
        values=_all_values(given.get("valueYamlFiles") or (), given.get("values") or {}),
        skip_crds=given.get("skipCrds", False),
        skip_await=given.get("skipAwait", False),
        dependency_update=given.get("dependencyUpdate", False),
    )


def _problem(key: str, value: Any) -> str | None:
    if key not in _KNOWN:
        near = difflib.get_close_matches(key, _KNOWN, 1)
        return f"{key} is no input of a chart" + (f": {near[0]}?" if near else "")
    if key in _REFUSED:
        return f"{key} is not for this stand-in: {_REFUSED[key]}" if value else None
    shape = str if key in _TEXTS else bool if key in _FLAGS else list if key == "valueYamlFiles" else Mapping
    if not isinstance(value, shape):
        return f"{key} is {value!r}: give a {shape.__name__.lower()}"
    if isinstance(value, Mapping) and key == "repositoryOpts" and (more := sorted(set(value) - {"repo"})):
        return f"repositoryOpts.{more[0]} is not for this stand-in: it fetches no chart; give repo alone"
    return None


def _all_values(files: Sequence[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all files, each over those before it, and over them the values."""
    result: dict[str, Any] = {}
    for asset in files:
        if isinstance(asset, pulumi.FileAsset):
            source, text = str(asset.path), Path(asset.path).read_text()
        elif isinstance(asset, pulumi.StringAsset):
            source, text = "a string asset", asset.text
        else:
            raise ProviderError(f"valueYamlFiles holds a {type(asset).__name__}: give file or string assets")
        document = yaml.safe_load(text) or {}
        if not isinstance(document, Mapping):
            raise ProviderError(f"{source} of valueYamlFiles holds no mapping")
        result = laid_over(result, document)
    return laid_over(result, values)


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two trees of values, the second over the first, as Helm merges them."""
    both = {
        key: laid_over(below[key], value)
        if isinstance(value, Mapping) and isinstance(below.get(key), Mapping)
        else value
        for key, value in above.items()
    }
    return {**below, **both}


async def rendered(asked: ChartInputs, client: Client, namespace: str) -> str | list[dict[str, Any]]:
    """A chart's objects, or the YAML of them.

    Raises:
        ProviderError: The chart cannot be had here, or cannot be rendered with these values.
    """
    if asked.is_own:
        release = own.Release(asked.name, namespace, _own_version(asked))
        secret = secret_to_keep(release, asked.values)
        path = await client.path(Kind("", "v1", "Secret"), namespace, secret) if secret else None
        there = await client.get(path) if path else None
        return own.render(release, asked.values, crds=not asked.skip_crds, secret=there)
    if asked.repository or not helm.is_local(asked.chart):
        where = f" of {asked.repository}" if asked.repository else ""
        raise ProviderError(
            f"the chart {asked.chart}{where} is not on this machine: this stand-in renders {own.CHART} "
            f"{', '.join(own.CHARTS)}, and any chart whose folder is given as `chart`"
        )
    version, apis = await _capabilities(client)
    return await helm.template(
        helm.Template(
            chart=asked.chart,
            name=asked.name,
            namespace=namespace,
            values=asked.values,
            crds=not asked.skip_crds,
            dependency_update=asked.dependency_update,
            kube_version=version,
            api_versions=apis,
        )
    )


def _own_version(asked: ChartInputs) -> str:
    if asked.version is None:
        raise ProviderError(f"the chart {own.CHART} has no version: this stand-in renders {', '.join(own.CHARTS)}")
    version = known(asked.version).chart
    if asked.repository is None:
        raise ProviderError(f"the chart {own.CHART} has no repositoryOpts.repo: give {own.REPOSITORY}")
    if asked.repository.rstrip("/") != own.REPOSITORY:
        raise ProviderError(f"{asked.repository} is not the repository of {own.CHART}: give {own.REPOSITORY}")
    if asked.dependency_update:
        raise ProviderError(f"dependencyUpdate: the chart {own.CHART} has no dependencies; leave it out")
    return version


async def _capabilities(client: Client) -> tuple[str, list[str]]:
    """The cluster's version and API versions, for charts that ask what the cluster can do."""
    version = await client.request("GET", "/version")
    apis: list[str] = []
    for path in ("/api", "/apis"):
        found = await client.request("GET", path, accept=_DISCOVERY)
        for group in found["items"]:
            for served in group["versions"]:
                name = (
                    f"{group['metadata']['name']}/{served['version']}"
                    if group["metadata"].get("name")
                    else served["version"]
                )
                apis += [name, *(f"{name}/{one['responseKind']['kind']}" for one in served["resources"])]
    return version["gitVersion"], apis
