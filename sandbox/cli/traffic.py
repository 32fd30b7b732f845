"""`sandbox traffic exec`: run a command where packets come from, or go to."""

import sys
from pathlib import Path

import click

from sandbox.cli.options import state_option
from sandbox.lifecycle import child_environment
from sandbox.network.control_client import ask
from sandbox.run.state import State


@click.group()
def traffic() -> None:
    """The network of `sandbox up --traffic`: a namespace for each VPC router, node, pod and load balancer node.

    \b
    sandbox traffic exec clients -- curl http://HOST/        as a client
    sandbox traffic exec i-0123 -- iptables-save -t nat      on a node, called by its instance
    sandbox traffic exec --with-apis clients -- ./suite      a test that calls AWS and its load balancers
    """  # noqa: D301 - \b keeps click from refilling these lines


@traffic.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("namespace")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--seconds", default=60.0, show_default=True, help="The timeout in seconds.")
@click.option("--with-apis", is_flag=True, help="Let COMMAND reach AWS and the clusters, as under `sandbox exec`.")
@state_option
def execute(*, namespace: str, command: tuple[str, ...], seconds: float, with_apis: bool, folder: Path) -> None:
    """Run COMMAND in NAMESPACE: vpc-…, i-…, eni-… (a load balancer node), pod-UID, or clients."""
    state = State.at(folder)
    more = {"apis": True, "env": child_environment(state)} if with_apis else {}
    answer = ask(state, "run", seconds + 5, namespace=namespace, argv=list(command), seconds=seconds, **more)
    click.echo(answer["output"], nl=False)
    click.echo(answer["errors"], nl=False, err=True)
    sys.exit(answer["code"])
