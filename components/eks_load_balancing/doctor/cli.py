"""The command line. Exit codes: 0 nothing found, 1 findings, 2 cannot look."""

import json
import sys
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from eks_load_balancing.doctor import report
from eks_load_balancing.doctor.checks import CHECKS
from eks_load_balancing.doctor.facts import CannotLookError, Facts
from eks_load_balancing.doctor.gather import Where, gather
from eks_load_balancing.doctor.registry import Finding, examine
from eks_load_balancing.doctor.ways import Way, drawn

FOUND: Final = 1
CANNOT_LOOK: Final = 2
_INTERRUPTED: Final = 130
_WIDE: Final = 400


def _names(_: click.Context, __: click.Parameter, given: Sequence[str]) -> list[str]:
    names = [name for text in given for name in text.split(",") if name]
    for name in names:
        if name not in CHECKS:
            raise click.BadParameter(f"there is no check {name!r}: --list shows all of them")
    return names


def _list(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click calls it so
    if not wanted:
        return
    table = Table("check", "severity", "what must be so", box=None, pad_edge=False)
    for check in CHECKS.values():
        table.add_row(check.name, check.severity, check.demand)
    _console().print(table)
    context.exit(0)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--cluster", required=True, metavar="NAME", help="The cluster, as `aws eks list-clusters` shows it.")
@click.option("--region", help="Its region. Default: that of the credentials' profile, or AWS_REGION.")
@click.option("--profile", help="The profile of the AWS credentials. Default: those that are around.")
@click.option("--kubeconfig", type=click.Path(), help="Enter the cluster by this file, not by AWS credentials.")
@click.option("--context", help="Enter the cluster by this context of a kubeconfig.")
@click.option("--namespace", "-n", multiple=True, help="Only its objects, and what is in no namespace; repeatable.")
@click.option("--checks", multiple=True, callback=_names, metavar="NAME,...", help="These checks only.")
@click.option("--skip", multiple=True, callback=_names, metavar="NAME,...", help="All checks but these.")
@click.option("--json", "as_json", is_flag=True, help="For machines; docs/doctor.md has the shape.")
@click.option(
    "--list", is_flag=True, is_eager=True, expose_value=False, callback=_list, help="Name all checks, and end."
)
def doctor(
    *,
    cluster: str,
    region: str | None,
    profile: str | None,
    kubeconfig: str | None,
    context: str | None,
    namespace: Sequence[str],
    checks: Sequence[str],
    skip: Collection[str],
    as_json: bool,
) -> None:
    """Look a cluster's load balancing over: subnets, security groups, roles, webhooks, controller, targets, leftovers.

    It reads, and changes nothing. Each finding says what is wrong, where, and how to mend it; then comes the way from
    each DNS name to its pods, with the first broken hop marked.

    \b
    exit code 0  nothing found
              1  findings
              2  cannot look: credentials, no such cluster, no way in
    """  # noqa: D301 - click's mark for a paragraph that is not to be wrapped
    wanted = [name for name in checks or CHECKS if name not in skip]
    try:
        facts = _gathered(Where(cluster, region, profile, kubeconfig, context))
    except CannotLookError as error:
        click.echo(f"cannot look: {error}", err=True)
        sys.exit(CANNOT_LOOK)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    drawings, undrawn = drawn(facts)
    found = [f for f in (*examine(facts, [CHECKS[name] for name in wanted]), *undrawn) if _concerns(f, namespace)]
    seen = [way for way in drawings if _concerns(way, namespace)]
    if as_json:
        click.echo(json.dumps(report.machine(facts, wanted, found, seen), indent=2))
    else:
        console = _console()
        for line in report.people(facts, wanted, found, seen):
            console.print(line, soft_wrap=True)
    sys.exit(FOUND if found else 0)


def _gathered(where: Where) -> Facts:
    """Look, and say what is being asked on a terminal."""
    console = Console(stderr=True)
    with console.status(f"looking at {where.cluster}") if console.is_terminal else nullcontext() as status:
        return gather(where, lambda call: status.update(f"looking at {where.cluster}: {call}") if status else None)


def _concerns(thing: Finding | Way, namespaces: Collection[str]) -> bool:
    return not namespaces or thing.namespace is None or thing.namespace in namespaces


def _console() -> Console:
    """Return where the report goes: coloured and wrapped on a terminal, plain and as wide as it is elsewhere."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDE, no_color=True, highlight=False)


def main() -> None:
    """Run the command."""
    doctor()  # pylint: disable=no-value-for-parameter
