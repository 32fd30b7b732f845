"""The guard before the controller, with the real engine: it refuses while others' objects need the controller."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.run.processes import wait_until
from tests.conformance.stage import Stage, unique
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.sandbox

# The whole component would be a second controller on the cluster, so this has the component's guard, but no chart.
_PROGRAM = """
import os
import pulumi
from eks_load_balancing.controller.guard import guard

class Chart(pulumi.ComponentResource):
    def __init__(self):
        super().__init__("test:index:Chart", "chart")
        pulumi.Stash("deployment", input="controller", opts=pulumi.ResourceOptions(parent=self))

chart = Chart()
guard("guard", open(os.environ["GUARDED"]).read(), parent=pulumi.runtime.get_root_resource(), after=chart)
"""


class Program:
    """A separate stack in the shared sandbox's backend."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self._stage, self._folder = stage, folder
        runtime = {"name": "python", "options": {"virtualenv": str(REPOSITORY / ".venv")}}
        (folder / "Pulumi.yaml").write_text(json.dumps({"name": "guarded", "runtime": runtime}))
        (folder / "__main__.py").write_text(_PROGRAM)

    def pulumi(self, *arguments: str, check: bool = True) -> str:
        command = ["env", f"GUARDED={self._stage.kubeconfig}", "pulumi", *arguments, "--stack", "guarded"]
        return self._stage.sandbox.run(*command, cwd=self._folder, check=check)

    def change(self, verb: str, *more: str, check: bool = True) -> str:
        return self.pulumi(verb, "--yes", "--skip-preview", "--non-interactive", *more, check=check)

    def resources(self) -> set[str]:
        """The names in the state."""
        state = json.loads(self.pulumi("stack", "export"))["deployment"]
        return {r["urn"].rpartition("::")[2] for r in state.get("resources", [])}


@pytest.fixture
def program(stage: Stage, tmp_path: Path) -> Iterator[Program]:
    made = Program(stage, tmp_path)
    made.pulumi("stack", "init")
    made.change("up")
    yield made
    made.pulumi("stack", "rm", "--yes", "--force")


@pytest.fixture
def theirs(stage: Stage) -> Iterator[str]:
    """A Service created with kubectl that the controller serves."""
    namespace = unique("guard")
    stage.kubectl("create", "namespace", namespace)
    stage.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "theirs", "namespace": namespace},
            "spec": {"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb", "ports": [{"port": 80}]},
        }
    )

    def finalizers() -> list[str]:
        return stage.get("service", "theirs", "-n", namespace)["metadata"].get("finalizers", [])

    assert wait_until(lambda: "service.k8s.aws/resources" in finalizers(), 120, 0.3)
    yield namespace
    stage.kubectl("delete", "-n", namespace, "service/theirs", "--ignore-not-found", "--timeout=180s")
    stage.kubectl("delete", "namespace", namespace, "--wait=false")


def test_the_controller_stays_while_somebody_elses_service_needs_it(
    stage: Stage, program: Program, theirs: str
) -> None:
    said = program.change("destroy", "--run-program", check=False)
    assert f"still needed by Service {theirs}/theirs: delete them" in said
    assert {"chart", "deployment", "guard"} <= program.resources()

    stage.kubectl("-n", theirs, "delete", "service", "theirs", "--timeout=180s")
    program.change("destroy", "--run-program")
    assert not {"chart", "deployment", "guard"} & program.resources()


def test_a_guard_changes_nothing_in_a_second_up_or_a_refresh(program: Program) -> None:
    for verb in ("up", "refresh"):
        assert "4 unchanged" in program.change(verb)


def test_without_the_program_the_engine_refuses_and_says_what_it_wants(program: Program) -> None:
    assert "--run-program" in program.change("destroy", check=False)
    assert "guard" in program.resources()
