"""`sandbox status`."""

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from sandbox.cli.options import state_option
from sandbox.lifecycle import parts
from sandbox.run.state import State


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@state_option
def status(folder: Path, *, as_json: bool) -> None:
    """Show every part: endpoints, kubeconfigs, versions, pids, and which parts are stand-ins.

    Exit code 0 if the sandbox is up, 1 if it is down, 2 if parts of it are missing.
    """
    document = parts.status(State.at(folder))
    if as_json:
        click.echo(json.dumps(document, indent=1))
    else:
        _print_status(document)
    sys.exit({"up": 0, "down": 1, "degraded": 2}[document["state"]])


def _print_status(document: dict[str, Any]) -> None:
    console = Console()
    console.print(f"[bold]{document['state']}[/]", highlight=False)
    if document["aws"]:
        aws = document["aws"]
        console.print(f"AWS {aws['endpoint']}, region {aws['region']}, account {aws['account']}", highlight=False)
    for cluster in document["clusters"]:
        line = f"cluster {cluster['name']} ({cluster['phase']}) {cluster['endpoint']}, {cluster['kubeconfig']}"
        console.print(line, highlight=False, soft_wrap=True)
    if document["parts"]:
        table = Table("part", "kind", "version", "pid", "from", box=None, pad_edge=False)
        for part in document["parts"]:
            table.add_row(part["name"], part["kind"], part["version"], str(part["pid"] or "-"), part["source"])
        console.print(table)
