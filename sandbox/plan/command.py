"""What the command line asks for, and how a result is shown; words of options belong in `cli`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from sandbox.plan.errors import PlanError
from sandbox.plan.inputs.manifests import Manifest, preview_objects, read
from sandbox.plan.result import report as words
from sandbox.plan.result.tree import COLOURS, plain, summary, tree
from sandbox.plan.session import Options, Report, Request, Result, plan
from sandbox.tools import build, catalog

__all__ = ["Asked", "Options", "PlanError", "Result", "markdown", "planned", "show"]


@dataclass(frozen=True)
class Asked:
    """What the command line names, and its options."""

    options: Options
    sources: Sequence[str] = ()
    against: Sequence[str] = ()
    preview: str | None = None


def planned(asked: Asked, report: Report) -> Result:
    """Read what is asked for, and plan it.

    Raises:
        PlanError, LifecycleError, BuildError: nothing can be planned.
    """

    def kubectl() -> list[str]:
        return [str(build.ensure(catalog.by_name("control-plane"), report)), "kubectl"]

    manifests: list[Manifest] = read(asked.sources, kubectl).manifests if asked.sources else []
    if asked.preview:
        manifests += _preview(asked.preview)
    against = read(asked.against, kubectl).manifests if asked.against else None
    return plan(Request(asked.options, manifests, against), report)


def _preview(file: str) -> list[Manifest]:
    try:
        text = Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"--pulumi-preview {file} cannot be read: {error}") from error
    return preview_objects(text, file)


def show(result: Result, document: dict[str, Any], echo: Callable[[str], None], *, colour: bool) -> None:
    """Print a result for people."""
    for line, action in tree(result.difference):
        paint = COLOURS.get(action) if colour else None
        echo(click.style(line, fg=paint) if paint else line)
    for line in words.problems(document):
        echo(click.style(f"Error: {line}", fg="red") if colour else f"Error: {line}")
    for line in words.policies(document, "mandatory"):
        echo(click.style(f"Error: {line}", fg="red") if colour else f"Error: {line}")
    for line in (*words.policies(document, "advisory"), *words.notes(document)):
        echo(f"Note: {line}")
    echo(_line(result))


def _line(result: Result) -> str:
    return summary(result.difference, len(result.problems))


def markdown(result: Result, document: dict[str, Any]) -> str:
    """A result for the comment of a pull request."""
    return words.markdown(document, plain(tree(result.difference)).rstrip(), _line(result))
