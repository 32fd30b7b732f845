"""`components/` as users get it: built, installed outside the checkout, and as a plugin of the engine."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.engine import Engine

pytestmark = pytest.mark.sandbox

COMPONENTS = REPOSITORY / "components"
PLUGIN = "eks-load-balancing"
SCHEMA = COMPONENTS / "schema.json"
_ENGINES_OWN = ("config", "dependencies")
_CLAUSES = re.compile(r"(?=[<>])|,")  # a requirement's parts, whose order does not matter
_SEEN = """
import importlib.metadata, importlib.resources, importlib.util, json
import eks_load_balancing
from eks_load_balancing import reference
print(json.dumps({
    "file": eks_load_balancing.__file__,
    "typed": importlib.resources.files(eks_load_balancing).joinpath("py.typed").is_file(),
    "doctor": importlib.util.find_spec("eks_load_balancing.doctor.checks") is not None,
    "requires": importlib.metadata.requires("eks-load-balancing"),
    "schema": reference.schema(),
}))
"""


def run(*command: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=environment or None, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def installed(folder: Path, what: str) -> Path:
    """A virtual environment with one package, installed by pip.

    Its dependencies, a gigabyte of SDKs, come from this test's Python, where `make environment` has installed them from
    the same requirements. The checkout does not come from there: a path file does not pass on editable installs.
    """
    run(sys.executable, "-m", "venv", "--without-pip", str(folder), cwd=folder.parent)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-deps", what, cwd=folder.parent)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python


def seen_from(python: Path, folder: Path) -> dict[str, Any]:
    return json.loads(run(str(python), "-c", _SEEN, cwd=folder))


def as_the_engine_has_it(schema: Any) -> Any:
    """A schema without what the engine adds or omits.

    A component plugin's version is its git tag (the SDK itself serves 0.0.0); items have no description.
    """
    if not isinstance(schema, dict):
        return schema
    made = {key: as_the_engine_has_it(value) for key, value in schema.items() if key not in _ENGINES_OWN}
    for inner in ("items", "additionalProperties"):
        if isinstance(made.get(inner), dict):
            made[inner].pop("description", None)
    return made


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source distribution of the current folder."""
    folder = tmp_path_factory.mktemp("built")
    (requirement,) = tomllib.loads((COMPONENTS / "pyproject.toml").read_text())["build-system"]["requires"]
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--target", str(folder / "backend"), requirement, cwd=folder)
    build = f"import sys; sys.path.insert(0, {str(folder / 'backend')!r})\n"
    build += f"import setuptools.build_meta as b; b.build_sdist({str(folder)!r})"
    # egg_info writes into the source, so use a copy.
    run("cp", "-r", str(COMPONENTS), str(folder / "components"), cwd=folder)
    run(sys.executable, "-c", build, cwd=folder / "components")
    (made,) = folder.glob("*.tar.gz")
    return made


@pytest.fixture(scope="module")
def elsewhere(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python environment with the built package."""
    return installed(tmp_path_factory.mktemp("clean") / "venv", str(source))


def test_a_built_package_is_installed_and_imported_outside_the_checkout(elsewhere: Path, tmp_path: Path) -> None:
    seen = seen_from(elsewhere, tmp_path)
    asked = tomllib.loads((COMPONENTS / "pyproject.toml").read_text())["project"]["dependencies"]
    needed = [one for one in seen["requires"] if "extra ==" not in one]

    assert Path(seen["file"]).is_relative_to(elsewhere.parents[1])
    assert seen["typed"]
    assert seen["doctor"]
    assert {frozenset(_CLAUSES.split(one)) for one in needed} == {frozenset(_CLAUSES.split(a)) for a in asked}
    assert seen["schema"] == json.loads(SCHEMA.read_text())


def test_it_is_installed_from_a_git_address_with_its_subdirectory(tmp_path: Path) -> None:
    python = installed(tmp_path / "venv", f"git+file://{REPOSITORY}#subdirectory=components")
    seen = seen_from(python, tmp_path)
    committed = run("git", "show", "HEAD:components/schema.json", cwd=REPOSITORY)

    assert Path(seen["file"]).is_relative_to(tmp_path)
    assert seen["schema"] == json.loads(committed)


def test_the_engine_reads_the_same_schema_from_the_built_plugin(
    source: Path, elsewhere: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run("tar", "--extract", "--file", str(source), cwd=tmp_path)
    (plugin,) = (path for path in tmp_path.iterdir() if path.is_dir())
    # `pulumi install` writes this after it has created a plugin's virtual environment.
    runtime = {"name": "python", "options": {"virtualenv": str(elsewhere.parents[1])}}
    assert (plugin / "PulumiPlugin.yaml").read_text() == "runtime: python\n"
    (plugin / "PulumiPlugin.yaml").write_text(json.dumps({"runtime": runtime}))

    done = Engine(tmp_path_factory.mktemp("plugin")).run("package", "get-schema", str(plugin))

    assert done.returncode == 0, done.stderr
    served, kept = (
        as_the_engine_has_it({**json.loads(text), "version": ""}) for text in (done.stdout, SCHEMA.read_text())
    )
    assert served == kept


def test_a_program_adds_the_components_as_a_package(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Programs in other languages use the generated SDK; here it is Python's."""
    engine = Engine(tmp_path_factory.mktemp("added"))
    done = engine.run("package", "add", str(COMPONENTS))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "import pulumi_eks_load_balancing" in done.stdout + done.stderr
    assert (engine.program / "requirements.txt").read_text() == "./sdks/eks-load-balancing\n"
    python = installed(engine.program / "venv", str(engine.program / "sdks" / "eks-load-balancing"))
    names = "from pulumi_eks_load_balancing import LoadBalancerController, NetworkLoadBalancedService"
    run(str(python), "-c", names, cwd=engine.program)


def test_a_program_in_yaml_is_told_in_one_line_what_is_wrong_with_an_argument(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    network = {
        "type": f"{PLUGIN}:Network",
        "properties": {"cidr": "10.0.0.0/26", "zones": ["us-west-2a", "us-west-2b"]},
    }
    project = {"name": "tiny", "runtime": "yaml", "packages": {PLUGIN: str(COMPONENTS)}, "resources": {"net": network}}
    (engine.program / "Pulumi.yaml").write_text(json.dumps(project))
    done = engine.run("up", "--stack", "one", "--yes", "--skip-preview")

    assert done.returncode != 0
    errors = [line for line in done.stdout[done.stdout.index("Diagnostics:") :].splitlines() if "error: " in line]
    assert len(errors) == 1
    assert errors[0].endswith(
        "Network 'net': cidr '10.0.0.0/26' is too small for its subnets: give a range between /16 and /23"
    )
    assert "Traceback" not in done.stdout + done.stderr


def test_the_components_unit_tests_pass_with_the_newest_kubernetes_sdk_too(tmp_path: Path) -> None:
    """The environment has the oldest that the components support: the one of the provider that the sandbox builds."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    (allowed,) = (r for r in tomllib.loads((COMPONENTS / "pyproject.toml").read_text())["project"]["dependencies"]
                  if r.startswith("pulumi-kubernetes"))  # fmt: skip
    run(*pip, "install", "--quiet", "--no-deps", "--target", str(tmp_path / "newest"), allowed, cwd=tmp_path)
    path = f"{tmp_path / 'newest'}:{COMPONENTS}:{REPOSITORY}"
    subjects = ("cluster", "controller", "identity", "network", "workloads", "test_program.py", "test_schema.py")
    tests = (*(f"tests/unit/{subject}" for subject in subjects), "-m", "not sandbox", "-p", "no:cacheprovider")
    environment = {**os.environ, "PYTHONPATH": path}
    run(sys.executable, "-m", "pytest", "-q", *tests, cwd=REPOSITORY, **environment)
    version = "import importlib.metadata as m; print(m.version('pulumi_kubernetes'))"
    assert run(sys.executable, "-c", version, cwd=tmp_path, **environment).strip() != "4.25.0"
