"""`sandbox targets`."""

import json
from pathlib import Path

import click

from sandbox.cli.options import state_option
from sandbox.run.state import State


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@state_option
def targets(folder: Path, *, as_json: bool) -> None:
    """Show every load balancer, its listeners and target groups, and the pod behind each target."""
    from sandbox.observe import targets as serving  # noqa: PLC0415 - boto3 costs half a second that `--help` need not spend

    rows = serving.rows(State.at(folder))
    click.echo(json.dumps(rows, indent=1) if as_json else serving.tree(rows))
