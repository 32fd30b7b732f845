"""`sandbox env`."""

import shlex
from pathlib import Path

import click

from sandbox import lifecycle
from sandbox.cli.options import as_option, state_option
from sandbox.run.state import State


@click.command()
@as_option
@state_option
def env(role: str | None, folder: Path) -> None:
    """Print shell exports that point aws, kubectl, helm and pulumi at the sandbox: eval "$(sandbox env)"."""
    variables = environment(State.at(folder), role)
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")
    click.echo(f"unset {' '.join(name for name in lifecycle.UNSET if name not in variables)}")


def environment(state: State, role: str | None) -> dict[str, str]:
    """A command's environment; its calls to AWS come from `role`, if one is given."""
    found = lifecycle.environment(state)
    if role:
        from sandbox.lifecycle import roles  # noqa: PLC0415 - boto3, as above

        found |= roles.session(state, role)
    return found
