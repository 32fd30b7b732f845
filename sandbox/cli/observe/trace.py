"""`sandbox trace URL`."""

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from sandbox.cli.options import state_option
from sandbox.network.control_client import ask
from sandbox.run.state import State

_PLACES = {"client": "client", "router": "VPC router", "balancer": "load balancer", "node": "node", "pod": "pod"}


@click.command()
@click.argument("url")
@click.option("-H", "--header", "headers", multiple=True, metavar="NAME: VALUE", help="A header to send. Repeatable.")
@click.option("--seconds", default=5.0, show_default=True, help="The request's timeout in seconds.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@state_option
def trace(url: str, headers: tuple[str, ...], seconds: float, folder: Path, *, as_json: bool) -> None:
    """Send one request from the clients' namespace to URL and print every hop.

    The hops: load balancer node, listener, rule, target; what each node's kernel did (rules, address rewriting,
    connection tracking entries); the pod. If the request does not arrive: what stopped it, and what is missing. What
    the load balancer does on AWS and not here, such as a Lambda function or the end of a login, has a line of its own.

    Exit code 0 if it arrived, 1 if it did not. Needs `sandbox up --traffic`.
    """
    document = ask(State.at(folder), "trace", seconds * 2 + 60, url=url, headers=list(headers), seconds=seconds)
    if as_json:
        click.echo(json.dumps(document, indent=1))
    else:
        show(document, Console(highlight=False))
    sys.exit(0 if document["arrived"] else 1)


def show(document: dict[str, Any], console: Console) -> None:
    """Print a traced request in readable form."""
    for hop in document["hops"]:
        console.print(f"[bold]{_PLACES[hop['kind']]:<14}[/]{hop['name']}", soft_wrap=True)
        if hop["kind"] != "client":
            console.print(f"{'':<14}{hop['flow']}", soft_wrap=True)
        for line in hop["does"]:
            console.print(f"{'':<14}- {line}", soft_wrap=True, markup=False)
    for line in document["unlikeAws"]:
        console.print(f"[bold yellow]unlike AWS[/]    {line}", soft_wrap=True)
    if document["stopped"]:
        console.print(f"[bold red]stopped[/]       {document['stopped']}", soft_wrap=True)
        return
    total = document["totals"]
    console.print(f"[bold]answer[/]        HTTP {document['status']} after {document['seconds'] * 1000:.1f} ms")
    counted = f"{total['hops']} hops, {total['rewritings']} rewritings, {total['rules']} rules looked at"
    entries = f"{total['entries']} conntrack entries ({total['translations']} of them translating)"
    console.print(f"[bold]in all[/]        {counted}, {entries}", soft_wrap=True)
