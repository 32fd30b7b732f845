"""Shared by commands: options, and how progress is reported."""

from pathlib import Path

import click

from sandbox.run.state import DEFAULT_FOLDER

state_option = click.option(
    "--state-dir",
    "folder",
    envvar="SANDBOX_STATE_DIR",
    default=DEFAULT_FOLDER,
    show_default=True,
    type=click.Path(path_type=Path),
    help="The sandbox's folder.",
)

as_option = click.option(
    "--as",
    "role",
    metavar="ROLE",
    help="A role, by ARN or name, instead of the account's root. It must trust the account.",
)


def report(line: str) -> None:
    """Print a line of progress on stderr."""
    click.echo(line, err=True)
