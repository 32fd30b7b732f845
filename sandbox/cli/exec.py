"""`sandbox exec`."""

import os
import sys
from pathlib import Path

import click

from sandbox import lifecycle
from sandbox.cli.env import environment
from sandbox.cli.options import as_option, state_option
from sandbox.run.state import State


@click.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@as_option
@state_option
def execute(command: tuple[str, ...], role: str | None, folder: Path) -> None:
    """Run one command in the sandbox's environment: sandbox exec -- kubectl get nodes."""
    state = State.at(folder)
    variables = lifecycle.child_environment(state) | environment(state, role)
    sys.stdout.flush()
    try:
        os.execvpe(command[0], command, variables)  # noqa: S606 - no shell is wanted
    except FileNotFoundError:
        raise click.ClickException(f"{command[0]}: not found on the PATH") from None
