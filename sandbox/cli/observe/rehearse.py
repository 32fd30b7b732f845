"""`sandbox rehearse`: the command line of `rehearsal`."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from sandbox import lifecycle
from sandbox.cli.options import chart_option, folder_option, report, with_option
from sandbox.run.state import State
from sandbox.tools import build, catalog, controllers

_PROJECT = Path("Pulumi.yaml")
_FOLDER = ".sandbox-rehearsal"
_PIPE_WIDTH = 400


@click.command("rehearse")
@click.option("--from", "old", required=True, metavar="VERSION", help="The controller's first version.")
@click.option("--to", "new", required=True, metavar="VERSION", help="The version to move to.")
@click.option("--stack", default="sandbox", show_default=True, help="The stack whose settings are used.")
@click.option(
    "--key", default="controller.version", show_default=True, help="The project's configuration key for the version."
)
@with_option("As for `sandbox up`; controller@VERSION needs no build.")
@chart_option("As for `sandbox up`: the chart of a version that --with provides.")
@click.option("--keep", is_flag=True, help="Keep the sandbox afterwards.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@folder_option(_FOLDER, "The folder of the rehearsal's sandbox. It must not exist yet.")
def rehearse(
    *,
    old: str,
    new: str,
    stack: str,
    key: str,
    given: tuple[str, ...],
    charts: tuple[Path, ...],
    folder: Path,
    keep: bool,
    as_json: bool,
) -> None:
    """Move the controller of the project in this folder from one version to another, and report what that would break.

    A separate sandbox starts with the stack at the first version. Then `pulumi up` moves it to the second while
    everything behind a load balancer scales up and down. The report lists the load balancers that were replaced, the
    targets that were lost although their pods stayed ready, and the calls that IAM refused.

    Both controllers are real: each release is built from its Go module, with its chart, or given by
    `--with controller@VERSION=PATH`. `--with controller=PATH` runs one program at both versions; then only chart, CRDs,
    webhooks, IAM policy and order are rehearsed, and the report says so.

    Exit code 0 if nothing was lost, replaced or refused, 1 if something was or the rehearsal failed, 130 after Ctrl-C.
    It takes about two minutes when everything is built.
    """
    from sandbox.observe import rehearsal  # noqa: PLC0415 - boto3 and kubernetes cost a second that `--help` need not spend

    state = State.at(folder)
    if state.exists():
        raise click.ClickException(
            f"there is a sandbox in {state.root}: take it down (`sandbox down --state-dir {folder}`), or give another"
            " --state-dir"
        )
    what = rehearsal.Rehearsal(state, stack, key if ":" in key else f"{_project()}:{key}", report)
    others = lifecycle.replacements(given)
    wanted = [str(chart.absolute()) for chart in charts]
    for version in (old, new):
        built = _controller(version, others)
        if built is not None:
            others[f"controller@{version}"] = str(built)
            wanted.append(str(built.with_name("chart")))
    try:
        lifecycle.up(state, lifecycle.Wish(others, charts=wanted), report)
        found = rehearsal.rehearse(what, old, new)
    except rehearsal.RehearsalError as error:
        raise click.ClickException(str(error)) from None
    finally:
        if not keep:
            lifecycle.down(state, report)
    click.echo(json.dumps(found, indent=1) if as_json else table(found, Console()))
    sys.exit(0 if found["clean"] else 1)


def table(found: dict[str, Any], console: Console) -> str:
    """The findings of a rehearsal, as a table."""
    view = Table("what", "count", "which", box=None, pad_edge=False)
    view.add_row("load balancers replaced", str(len(found["replaced"])), "\n".join(found["replaced"]))
    targets = [f"{one['pod']} {one['address']}" for one in found["lost"]]
    view.add_row("targets lost while their pod was ready", str(len(targets)), "\n".join(targets))
    calls = sorted({f"{one['action']} by {one['principal'].rpartition('/')[2]}" for one in found["denied"]})
    view.add_row("calls denied after the move began", str(len(found["denied"])), "\n".join(calls))
    out = Console(width=None if console.is_terminal else _PIPE_WIDTH, no_color=not console.is_terminal)
    with out.capture() as captured:
        out.print(view)
    ran = found["controller"]
    which = (
        f"one program at both versions, {ran['executables'][0]}: rehearses only chart, CRDs, webhooks, IAM and order"
        if ran["oneBinary"]
        else ", then ".join(ran["executables"])
    )
    head = (
        f"{found['from']} to {found['to']}: `pulumi up` took {found['seconds']} s, {found['samples']} samples\n"
        f"controller: {which}"
    )
    return "\n".join([head, *(line.rstrip() for line in captured.get().splitlines())])


def _controller(version: str, given: dict[str, str]) -> Path | None:
    """The built controller of a release; None if one is given, or if every sandbox has it."""
    own = catalog.by_name(catalog.CONTROLLER).version
    if "controller" in given or f"controller@{version}" in given or catalog.release(own) == version:
        return None
    return build.ensure(controllers.tool(version, report), report)


def _project() -> str:
    found = re.search(r"^name:\s*[\"']?([\w.-]+)", _PROJECT.read_text(), re.MULTILINE) if _PROJECT.exists() else None
    if not found:
        raise click.ClickException("no Pulumi.yaml with a name here: change to a project's folder")
    return found[1]
