"""The command line. Exit codes: 0 nothing found, 1 findings, 2 cannot look."""

import json
import sys
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from eks_load_balancing.doctor import report
from eks_load_balancing.doctor.checks import CHECKS
from eks_load_balancing.doctor.checks.paths import CHECK_OF
from eks_load_balancing.doctor.facts import CannotLookError, Facts, NotSeenError
from eks_load_balancing.doctor.paths.hops import Way, leaving_out
from eks_load_balancing.doctor.paths.ways import ways
from eks_load_balancing.doctor.reading.export import export
from eks_load_balancing.doctor.reading.gather import Where, gather
from eks_load_balancing.doctor.registry import Finding, examine

FOUND: Final = 1
CANNOT_LOOK: Final = 2
_INTERRUPTED: Final = 130
_WIDE: Final = 400


def _names(_: click.Context, __: click.Parameter, given: Sequence[str]) -> list[str]:
    names = [name for text in given for name in text.split(",") if name]
    for name in names:
        if name not in CHECKS:
            raise click.BadParameter(f"unknown check {name!r}: --list shows all checks")
    return names


def _list(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's signature
    if not wanted:
        return
    table = Table("check", "severity", "demand", box=None, pad_edge=False)
    for check in CHECKS.values():
        table.add_row(check.name, check.severity, check.demand)
    _console().print(table)
    context.exit(0)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--cluster", metavar="NAME", help="The cluster's name in EKS. Default: that of the kubeconfig's context.")
@click.option(
    "--region", help="Its region. Default: that of the kubeconfig, of the credentials' profile, or AWS_REGION."
)
@click.option("--profile", help="The profile of the AWS credentials. Default: those of the environment.")
@click.option(
    "--kubeconfig", type=click.Path(), help="Connect to the cluster with this file, not with AWS credentials."
)
@click.option("--context", help="Connect to the cluster with this context of a kubeconfig.")
@click.option("--namespace", "-n", multiple=True, help="Only this namespace, and what is in none; repeatable.")
@click.option("--checks", multiple=True, callback=_names, metavar="NAME,...", help="Only these checks.")
@click.option("--skip", multiple=True, callback=_names, metavar="NAME,...", help="All checks except these.")
@click.option("--json", "as_json", is_flag=True, help="For machines; docs/doctor.md describes the shape.")
@click.option("--markdown", "as_markdown", is_flag=True, help="For a ticket.")
@click.option(
    "--export",
    "file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Examine nothing; write the account's network, groups and certificates for `sandbox plan --account`.",
)
@click.option("--watch", is_flag=True, help="Look again and again until nothing is found; print what has changed.")
@click.option("--interval", default=15, show_default=True, type=click.IntRange(1), help="Seconds between two looks.")
@click.option(
    "--list", is_flag=True, is_eager=True, expose_value=False, callback=_list, help="Show all checks, and exit."
)
def doctor(
    *,
    cluster: str | None,
    region: str | None,
    profile: str | None,
    kubeconfig: str | None,
    context: str | None,
    namespace: Sequence[str],
    checks: Sequence[str],
    skip: Collection[str],
    as_json: bool,
    as_markdown: bool,
    file: str | None,
    watch: bool,
    interval: int,
) -> None:
    """Examine a cluster's load balancing: subnets, security groups, roles, webhooks, controller, targets, leftovers.

    It only reads. Each finding says what is wrong, where, and how to fix it; commands are in backticks. Then comes the
    path from each DNS name to its pods, with the first broken hop marked.

    \b
    exit code 0  nothing found
              1  findings
              2  cannot look: no credentials, no such cluster, no access
    """  # noqa: D301 - click's mark for a paragraph that is not to be wrapped
    if as_json + as_markdown + watch > 1:
        raise click.UsageError("--json, --markdown and --watch exclude each other: give one of them")
    where = Where(cluster, region, profile, kubeconfig, context)
    if file:
        _export(where, file)
        return
    wanted = [name for name in checks or CHECKS if name not in skip]
    try:
        _examine(
            lambda: examined(_gathered(where), wanted, namespace),
            lambda seen: _print(seen, as_json=as_json, as_markdown=as_markdown),
            interval if watch else None,
        )
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


def _examine(look: Callable[[], report.Report], show: Callable[[report.Report], None], interval: int | None) -> None:
    """Look once, or every `interval` seconds until nothing is found, and exit."""
    shown = ""
    while True:
        try:
            seen = look()
        except CannotLookError as error:
            click.echo(f"cannot look: {error}", err=True)
            if not shown:
                sys.exit(CANNOT_LOOK)
        else:
            if shown != (shown := "\n".join(line.plain for line in report.people(seen))):
                show(seen)
            if not seen.found:
                sys.exit(0)
            if interval is None:
                sys.exit(FOUND)
        time.sleep(interval or 0)


def _export(where: Where, file: str) -> None:
    try:
        text = json.dumps(export(where), indent=2) + "\n"
    except CannotLookError as error:
        click.echo(f"cannot look: {error}", err=True)
        sys.exit(CANNOT_LOOK)
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"--export {file} cannot be written: {error.strerror}") from error


def examined(facts: Facts, wanted: Sequence[str], namespaces: Collection[str] = ()) -> report.Report:
    """Run checks on facts, and draw the paths: a hop is marked as broken only if its check has run.

    Args:
        facts: what was read.
        wanted: the names of the checks.
        namespaces: show only these namespaces; all if empty.
    """
    found = examine(facts, [CHECKS[name] for name in wanted])
    kinds = {kind for kind, name in CHECK_OF.items() if name not in wanted}
    drawings, undrawn = list[Way](), None
    try:
        drawings = [replace(way, start=leaving_out(way.start, kinds)) for way in ways(facts)]
    except NotSeenError as error:
        undrawn = error.unseen
    return report.Report(
        facts,
        wanted,
        [finding for finding in found if _concerns(finding, namespaces)],
        [way for way in drawings if _concerns(way, namespaces)],
        undrawn,
    )


def _gathered(where: Where) -> Facts:
    """Read the facts, and show each request on a terminal."""
    console = Console(stderr=True)
    with console.status("looking") if console.is_terminal else nullcontext() as status:
        return gather(where, lambda call: status.update(f"looking: {call}") if status else None)


def _concerns(thing: Finding | Way, namespaces: Collection[str]) -> bool:
    return not namespaces or thing.namespace is None or thing.namespace in namespaces


def _print(seen: report.Report, *, as_json: bool, as_markdown: bool) -> None:
    if as_json:
        click.echo(json.dumps(report.machine(seen), indent=2))
        return
    lines: Iterable[object] = report.markdown(seen) if as_markdown else report.people(seen)
    console = _console()
    for line in lines:
        if as_markdown:
            click.echo(line)
        else:
            console.print(line, soft_wrap=True)


def _console() -> Console:
    """Return where the report goes: a terminal with colours, or plain text of any width."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDE, no_color=True, highlight=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def kubectl() -> None:
    """Load balancing on EKS."""


kubectl.add_command(doctor)
