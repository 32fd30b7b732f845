"""`sandbox plan`: what the controller would build of manifests."""

import gc
import json
import sys
from pathlib import Path

import click

from sandbox import lifecycle
from sandbox.cli.options import folder_option, report, with_option
from sandbox.plan import standby

_FOLDER = ".sandbox-plan"


@click.command("plan")
@click.option(
    "-f",
    "--filename",
    "sources",
    multiple=True,
    metavar="FILE|FOLDER|-",
    help="Manifests: a file, a folder with all below it, a kustomization, or - for standard input. Repeatable.",
)
@click.option(
    "--against",
    multiple=True,
    metavar="FILE|FOLDER",
    help="The manifests as they are now: the plan is what changes. Repeatable.",
)
@click.option("--pulumi-preview", metavar="FILE", help="Plan the Kubernetes objects of `pulumi preview --json`.")
@click.option("--account", default="", metavar="FILE", help="The account to plan against. Default: a typical VPC.")
@click.option("--controller-version", default="", metavar="VERSION", help="The controller's release.")
@click.option("--from-version", default="", metavar="VERSION", help="With --to-version: what a new release would do.")
@click.option("--to-version", default="", metavar="VERSION", help="See --from-version.")
@with_option("As for `sandbox up`.")
@click.option("--timeout", default=120.0, show_default=True, metavar="SECONDS", help="For the controller to be done.")
@click.option("--keep", is_flag=True, help="Keep the planner running: the next plan with --keep takes seconds.")
@click.option(
    "--policies",
    "profile",
    default="",
    metavar="PROFILE",
    help="Ask the policy pack about what would be made, by a profile such as policies/profiles/prod.json.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines: docs/plan.md has the schema.")
@click.option("--markdown", "as_markdown", is_flag=True, help="For the comment of a pull request.")
@click.option("--detailed-exitcode", is_flag=True, help="As terraform's: 0 no changes, 1 errors, 2 changes.")
@folder_option(_FOLDER, "Where planners have their folders.")
def plan(
    *,
    sources: tuple[str, ...],
    against: tuple[str, ...],
    pulumi_preview: str | None,
    account: str,
    controller_version: str,
    from_version: str,
    to_version: str,
    given: tuple[str, ...],
    timeout: float,
    keep: bool,
    profile: str,
    folder: Path,
    as_json: bool,
    as_markdown: bool,
    detailed_exitcode: bool,
) -> None:
    """Say what the AWS Load Balancer Controller would build of manifests, before it does.

    \b
    sandbox plan -f manifests/                       what these would create
    sandbox plan -f new/ --against old/              what the change would do
    helm template web ./chart | sandbox plan -f -    anything that prints manifests
    sandbox plan -f manifests/ --from-version 3.2.2 --to-version 3.5.0

    The real controller and a real API server run for it on this machine, against an AWS that answers like AWS. What
    manifests refer to (certificates, security groups, subnets, ...) is assumed to exist, and listed. Nothing of a
    cluster or an account of yours is read or changed.

    A kept planner ends with `sandbox down --state-dir .sandbox-plan/kept`.

    Marks: + is made, ~ changes in place, -/+ is replaced, - goes. Exit code 0, or 1 if something is refused, also
    by a mandatory policy.
    """  # noqa: D301 - \b keeps click from refilling these lines
    if keep and (code := standby.delegate(folder, sys.argv[1:])) is not None:
        sys.exit(code)
    # A plan makes many objects in a few seconds, and hardly any garbage.
    gc.set_threshold(100_000)
    from sandbox.plan import command  # noqa: PLC0415 - half a second that `delegate` saves

    if bool(from_version) != bool(to_version) or (from_version and controller_version):
        raise click.UsageError("give --from-version and --to-version together, and without --controller-version")
    if not sources and not pulumi_preview:
        raise click.UsageError("name manifests with -f, or a preview with --pulumi-preview")
    if sources.count("-") + against.count("-") > 1:
        raise click.UsageError("standard input can be read once")
    options = command.Options(
        folder=folder.absolute(),
        account=account,
        old_version=from_version,
        version=to_version or controller_version,
        others=lifecycle.replacements(given),
        seconds=timeout,
        keep=keep,
        profile=profile,
    )
    try:
        result = command.planned(command.Asked(options, sources, against, pulumi_preview), report)
    except command.PlanError as error:
        raise click.ClickException(str(error)) from None
    document = result.to_json()
    if as_json:
        click.echo(json.dumps(document, indent=1))
    elif as_markdown:
        click.echo(command.markdown(result, document), nl=False)
    else:
        command.show(result, document, click.echo, colour=sys.stdout.isatty())
    sys.exit(result.exit_code if detailed_exitcode else int(result.exit_code == 1))
