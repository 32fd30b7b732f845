"""The real engine without AWS, for programs of a few lines."""

import os
import subprocess
from pathlib import Path

from sandbox.engine import home
from sandbox.run.state import Settings, State, write_json

_TOOLS = ("pulumi", "pulumi-resource-kubernetes", "control-plane", "load-balancer-controller", "helm", "aws")


class Engine:
    """One program in a state folder of its own, without AWS."""

    def __init__(self, folder: Path) -> None:
        self.state, self.program = State.at(folder / "state"), folder / "program"
        tools = {t: f"{os.environ['SANDBOX_TOOLS']}/{t}" for t in _TOOLS}
        tools = {name: str(Path(path).resolve()) for name, path in tools.items()}
        settings = Settings("us-west-2", "1", {"aws": 1}, {"access_key": "A", "secret_key": "S"}, tools)
        write_json(self.state.settings_file, settings.to_json())
        home.prepare(self.state)
        self.program.mkdir()
        (self.program / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
        (self.program / "Pulumi.one.yaml").write_text('config:\n  tiny:size: "3"\n')
        self.run("stack", "init", "one")

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        path = {"PATH": f"{home.path_prefix(self.state)}:{os.environ['PATH']}"}
        environment = {**os.environ, **home.environment(self.state), **path}
        command = ["pulumi", *arguments, "--non-interactive"]
        return subprocess.run(
            command, cwd=self.program, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def up(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        (self.program / "__main__.py").write_text(program)
        return self.run("up", "--stack", "one", "--yes", "--skip-preview", *arguments)
