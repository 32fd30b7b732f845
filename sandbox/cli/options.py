"""Shared by commands: options, and how progress is reported."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sandbox.run.state import DEFAULT_FOLDER


def folder_option(default: str, text: str, **more: Any) -> Callable[[Any], Any]:
    """Return the option `--state-dir`, with its default and help text."""
    kind = click.Path(path_type=Path)
    return click.option("--state-dir", "folder", default=default, show_default=True, type=kind, help=text, **more)


state_option = folder_option(DEFAULT_FOLDER, "The sandbox's folder.", envvar="SANDBOX_STATE_DIR")

as_option = click.option(
    "--as",
    "role",
    metavar="ROLE",
    help="A role, by ARN or name, instead of the account's root. It must trust the account.",
)


def with_option(text: str) -> Callable[[Any], Any]:
    """Return the option `--with`, with its help text."""
    return click.option("--with", "given", multiple=True, metavar="NAME=PATH", help=text)


def chart_option(text: str) -> Callable[[Any], Any]:
    """Return the option `--chart`, with its help text."""
    kind = click.Path(exists=True, path_type=Path)
    return click.option("--chart", "charts", multiple=True, metavar="FOLDER|ARCHIVE", type=kind, help=text)


def report(line: str) -> None:
    """Print a line of progress on stderr."""
    click.echo(line, err=True)
