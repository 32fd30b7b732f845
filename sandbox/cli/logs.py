"""`sandbox logs`."""

import subprocess
from pathlib import Path

import click

from sandbox.cli.options import state_option
from sandbox.run.state import State


@click.command()
@click.argument("part", required=False)
@click.option("-f", "--follow", is_flag=True, help="Follow the log as it grows.")
@click.option("-n", "--lines", default=50, show_default=True, help="How many lines from the end.")
@state_option
def logs(part: str | None, lines: int, folder: Path, *, follow: bool) -> None:
    """Show the log of a PART; without one, list the logs."""
    state = State.at(folder)
    names = sorted(f.stem for f in (state.root / "logs").glob("*.log"))
    if part is None:
        click.echo("\n".join(names))
        return
    if part not in names:
        raise click.ClickException(f"no log of {part!r}: there are {', '.join(names) or 'none'}")
    with subprocess.Popen(["tail", "-n", str(lines), *(["-f"] if follow else []), str(state.log(part))]) as tail:
        tail.wait()
