"""Options that all commands of the sandbox have in common."""

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
    help="Where the sandbox keeps everything.",
)
