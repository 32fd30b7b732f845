"""`sandbox iam`: who asked AWS for what, IAM's decision and the reason, and unused permissions."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from sandbox.cli.options import state_option
from sandbox.observe.iam import ask
from sandbox.run.state import State

_LINES = 50
_PIPE_WIDTH = 400

as_option = click.option("--as", "who", metavar="ROLE", help="A role or user: its ARN or its name.")
as_needed = click.option("--as", "who", metavar="ROLE", required=True, help="A role or user: its ARN or its name.")
json_option = click.option("--json", "as_json", is_flag=True, help="For machines.")
lines_option = click.option(
    "-n",
    "--lines",
    type=click.IntRange(min=1),
    help=f"Show at most this many, the latest ones. By default tables have {_LINES} unless told, JSON has all.",
)


@click.group()
def iam() -> None:
    """Show what IAM decided, and why. The AWS process keeps its decisions while it runs."""


def _listing(name: str, about: str, nothing: str) -> click.Command:
    """The command that lists decisions; `nothing` is its answer without any."""

    @click.command(name, help=about)
    @as_option
    @lines_option
    @json_option
    @state_option
    def decisions(who: str | None, lines: int | None, folder: Path, *, as_json: bool) -> None:
        entries = ask(State.at(folder), name, _given(who))
        if as_json:
            _show(entries[-lines:] if lines else entries, "", as_json=True)
            return
        rows = [decision_row(entry) for entry in entries[-(lines or _LINES) :]]
        click.echo(table(("time", "who", "action", "resource", "verdict", "by"), rows, nothing))

    return decisions


iam.add_command(_listing("log", "Show IAM's decisions, oldest first.", "IAM has decided nothing yet"))
iam.add_command(_listing("denied", "Show the refusals, oldest first.", "IAM refused nothing"))


@iam.command("unused")
@as_needed
@json_option
@state_option
def unused(who: str, folder: Path, *, as_json: bool) -> None:
    """Show which permissions of a role or user it has never used."""
    found = ask(State.at(folder), "unused", _given(who))
    rows = [(each["action"], each["sid"] or f"statement {each['index']}", each["policy"]) for each in found]
    _show(
        found,
        table(("action", "statement", "policy"), rows, "everything that is granted has been used"),
        as_json=as_json,
    )


@iam.command("explain")
@click.argument("action")
@click.argument("keys", nargs=-1, metavar="[KEY=VALUE]...")
@as_needed
@click.option("--resource", metavar="ARN", default="*", show_default=True, help="The resource of the action.")
@json_option
@state_option
def explain(action: str, keys: tuple[str, ...], who: str, resource: str, folder: Path, *, as_json: bool) -> None:
    """Show IAM's answer if ROLE asked for ACTION, and which statement decides.

    It uses the resource's current tags. KEY=VALUE adds condition keys of the request, such as aws:RequestTag/team=red.
    """
    given = {**_given(who), "action": action, "resource": resource, **condition_keys(keys)}
    told = ask(State.at(folder), "explain", given)
    lines = [f"{told['verdict']}: {action} on {told['resource']} {told['why']}"]
    lines += [f"  by {_statement(each)}" for each in told["statements"]]
    lines += [f"  {key} = {', '.join(values)}" for key, values in sorted(told["keys"].items())]
    _show(told, "\n".join(lines), as_json=as_json)


def condition_keys(given: Sequence[str]) -> dict[str, str]:
    """`KEY=VALUE`, as a mapping.

    Raises:
        click.ClickException: one of them is not a condition key with a value.
    """
    for each in given:
        key, equals, _ = each.partition("=")
        if not equals or ":" not in key:
            raise click.ClickException(f"{each!r} is not a condition key: give e.g. aws:RequestTag/team=red")
    return {key: value for key, _, value in (each.partition("=") for each in given)}


def decision_row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """A decision in readable form: time, who, action, resource, verdict, and what decided."""
    time = datetime.fromtimestamp(entry["time"], UTC).strftime("%H:%M:%S")
    who = entry["principal"].rpartition(":")[2]
    by = "; ".join(_statement(each) for each in entry["statements"]) if entry["verdict"] == "allowed" else entry["why"]
    return time, who, entry["action"], entry["resource"], entry["verdict"], by or entry["why"]


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], nothing: str) -> str:
    """A table as wide as the terminal or, in a pipe, as wide as its content; `nothing` if it has no rows."""
    if not rows:
        return nothing
    view = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        view.add_row(*row)
    terminal = Console().is_terminal
    out = Console(width=None if terminal else _PIPE_WIDTH, no_color=not terminal, markup=False, highlight=False)
    with out.capture() as captured:
        out.print(view)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _given(who: str | None) -> dict[str, str]:
    return {"as": who} if who else {}


def _statement(each: Mapping[str, Any]) -> str:
    return f"{each['sid'] or 'statement ' + str(each['index'])} of {each['policy']}"


def _show(document: Any, text: str, *, as_json: bool) -> None:
    click.echo(json.dumps(document, indent=1) if as_json else text)
