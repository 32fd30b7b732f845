"""Manifests from files, folders, kustomizations and standard input, each with the place that it comes from."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.plan.errors import PlanError

Object = dict[str, Any]

_ENDINGS = (".yaml", ".yml", ".json")
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_STDIN = "-"
_KUSTOMIZE_SECONDS = 60
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Manifest:
    """One Kubernetes object and where it stands."""

    document: Object
    file: str
    line: int

    @property
    def kind(self) -> str:
        """Its kind."""
        return self.document["kind"]

    @property
    def group(self) -> str:
        """Its API group; empty for the core one."""
        group, slash, _ = self.document["apiVersion"].partition("/")
        return group if slash else ""

    @property
    def name(self) -> str:
        """Its name."""
        return self.document["metadata"].get("name", "")

    @property
    def namespace(self) -> str:
        """Its namespace, `default` if it gives none."""
        return self.document["metadata"].get("namespace") or "default"

    @property
    def place(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def spec(self) -> Object:
        """Its spec, empty if there is none."""
        return self.document.get("spec") or {}

    @property
    def annotations(self) -> dict[str, str]:
        """Its annotations."""
        return self.document["metadata"].get("annotations") or {}


@dataclass(frozen=True)
class Read:
    """What was read: objects, and files that hold something else."""

    manifests: list[Manifest]
    others: list[str]
    """Places of YAML documents that are no Kubernetes objects."""


def parse(text: str, file: str) -> Read:
    """The objects of a YAML or JSON text; those of a `List` one by one.

    Raises:
        PlanError: the text is neither, with file and line.
    """
    found, others = list[Manifest](), list[str]()
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            for document, line in _items(loader.construct_document(node), node):
                if _is_object(document):
                    found.append(Manifest(document, file, line))
                elif document is not None:
                    others.append(f"{file}:{line}")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{file}:{mark.line + 1}" if mark else file
        remedy = "; a Helm template? then `helm template NAME CHART | sandbox plan -f -`" if "{{" in text else ""
        raise PlanError(f"{place}: not YAML: {getattr(error, 'problem', None) or error}{remedy}") from error
    finally:
        loader.dispose()
    return Read(found, others)


def _items(document: Any, node: Any) -> Iterator[tuple[Any, int]]:
    if not (isinstance(document, dict) and str(document.get("kind")).endswith("List") and "items" in document):
        yield document, node.start_mark.line + 1
        return
    nodes = next((value.value for key, value in node.value if key.value == "items"), [])
    for item, at in zip(document["items"] or [], nodes, strict=False):
        yield item, at.start_mark.line + 1


def _is_object(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    texts = isinstance(document.get("apiVersion"), str) and isinstance(document.get("kind"), str)
    metadata = document.get("metadata")
    return (
        texts and isinstance(metadata, dict) and isinstance(metadata.get("name") or metadata.get("generateName"), str)
    )


def files(folder: Path) -> Iterator[Path]:
    """The manifests of a folder and those below it, in order; a folder with a kustomization stands for itself."""
    if any((folder / name).is_file() for name in _KUSTOMIZATIONS):
        yield folder
        return
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from files(entry)
        elif entry.is_file() and entry.suffix in _ENDINGS:
            yield entry


def read(sources: Sequence[str], kubectl: Callable[[], list[str]]) -> Read:
    """Everything that the sources name.

    Args:
        sources: files, folders, or `-` for standard input.
        kubectl: the command that builds kustomizations, asked for when there is one.

    Raises:
        PlanError: one of them cannot be read.
    """
    found = Read([], [])
    for source in sources:
        for part in _parts(source, kubectl):
            found.manifests.extend(part.manifests)
            found.others.extend(part.others)
    if not found.manifests:
        raise PlanError(f"no Kubernetes object in {', '.join(sources)}: name files or folders with manifests by -f")
    return found


def _parts(source: str, kubectl: Callable[[], list[str]]) -> Iterator[Read]:
    if source == _STDIN:
        yield parse(sys.stdin.read(), "stdin")
        return
    path = Path(source)
    if not path.exists():
        raise PlanError(f"-f {source}: there is no such file or folder")
    for file in files(path) if path.is_dir() else [path]:
        if file.is_dir():
            yield parse(_kustomized(file, kubectl()), str(file))
            continue
        try:
            yield parse(file.read_text(), str(file))
        except (OSError, UnicodeDecodeError) as error:
            raise PlanError(f"{file} cannot be read: {error}") from error


def _kustomized(folder: Path, kubectl: list[str]) -> str:
    command = [*kubectl, "kustomize", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_KUSTOMIZE_SECONDS)
    except subprocess.TimeoutExpired:
        raise PlanError(
            f"{folder}: `kubectl kustomize` took longer than {_KUSTOMIZE_SECONDS} s: does it fetch remote bases?"
        ) from None
    if done.returncode:
        raise PlanError(f"{folder}: `kubectl kustomize` refuses: {' '.join(done.stderr.split())[-400:]}")
    return done.stdout


def preview_objects(text: str, file: str) -> list[Manifest]:
    """The Kubernetes objects of a `pulumi preview --json`, each named by its URN.

    Values that the preview does not know yet are left out with their keys.

    Raises:
        PlanError: it is no preview's document.
    """
    try:
        steps = json.loads(text)["steps"]
    except (ValueError, TypeError, KeyError) as error:
        raise PlanError(f"{file}: not what `pulumi preview --json` prints ({error!r})") from error
    found = list[Manifest]()
    for step in steps:
        state = step.get("newState") or {}
        inputs = _known(state.get("inputs") or {})
        if str(state.get("type", "")).startswith("kubernetes:") and _is_object(inputs):
            found.append(Manifest(inputs, state.get("urn", file).rpartition("::")[2] or file, 0))
    return found


UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What stands for a value that a preview does not know yet: pulumi/sdk/go/common/resource/plugin/rpc.go."""
_SECRET_KEY = "4dabf18193072939515e22adb298388d"  # noqa: S105 - Pulumi's mark of a secret, no secret


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        if _SECRET_KEY in value:
            return _known(value.get("value", value.get("plaintext")))
        known = {key: _known(item) for key, item in value.items() if item != UNKNOWN}
        return {key: item for key, item in known.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [_known(item) for item in value if item != UNKNOWN]
    return value
