"""`sandbox down`."""

from pathlib import Path

import click

from sandbox import lifecycle
from sandbox.cli.options import report, state_option
from sandbox.run.state import State


@click.command()
@state_option
def down(folder: Path) -> None:
    """Stop every process of the sandbox and remove its folder."""
    state = State.at(folder)
    if lifecycle.down(state, report):
        click.echo(f"sandbox down: {state.root} is gone")
    else:
        click.echo(f"no sandbox in {state.root}")
