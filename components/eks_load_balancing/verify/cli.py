"""The command line. Exit codes: 0 everything works, 1 something does not, 2 cannot look."""

import shlex
import sys
from pathlib import Path
from typing import Final

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from eks_load_balancing.doctor.checks import CHECKS
from eks_load_balancing.doctor.facts import CannotLookError, Facts, NotSeenError
from eks_load_balancing.doctor.lookups import image_version
from eks_load_balancing.doctor.reading.gather import Where, gather
from eks_load_balancing.doctor.registry import examine
from eks_load_balancing.verify import lines
from eks_load_balancing.verify.asking import CannotVerifyError, answers, decisions, operations
from eks_load_balancing.versions import CONTROLLER_VERSIONS

FAILED: Final = 1
CANNOT_LOOK: Final = 2


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--cluster", required=True, metavar="NAME", help="The cluster, as `aws eks list-clusters` shows it.")
@click.option("--stack", metavar="STACK", help="The stack, for a second preview. Default: no preview.")
@click.option("--region", help="The cluster's region. Default: that of the credentials' profile, or AWS_REGION.")
@click.option("--profile", help="The profile of the AWS credentials. Default: those of the environment.")
@click.option("--pulumi", default="pulumi", show_default=True, help="The command that runs Pulumi.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the report to this file too.")
@click.option("--against", type=click.Path(path_type=Path, exists=True), help="Compare it with this report.")
def verify(
    *,
    cluster: str,
    stack: str | None,
    region: str | None,
    profile: str | None,
    pulumi: str,
    output: Path | None,
    against: Path | None,
) -> None:
    """Say whether a stack that is up works, in a report without names.

    \b
    exit code 0  everything works, and is as in the other report
              1  something does not, or is not
              2  cannot look
    """  # noqa: D301 - click's mark for a paragraph that is not to be wrapped
    try:
        changes = None if stack is None else operations(stack, shlex.split(pulumi))
        facts = gather(Where(cluster, region, profile))
        iam = boto3.Session(region_name=facts.region, profile_name=profile).client("iam")
        report = [*_head(facts), *([] if changes is None else [lines.preview_line(changes)]), *_body(facts, iam)]
    except (CannotLookError, CannotVerifyError, NotSeenError, BotoCoreError, ClientError) as error:
        click.echo(f"cannot look: {error}", err=True)
        sys.exit(CANNOT_LOOK)
    text = "\n".join(report) + "\n"
    click.echo(text, nl=False)
    if output:
        output.write_text(text)
    wrong = [line for line in report if line.startswith(lines.FAILS)]
    different = _compared(report, against) if against else []
    sys.exit(FAILED if wrong or different else 0)


def _head(facts: Facts) -> list[str]:
    controller = image_version(facts.deployments[0]) if facts.deployments else "none"
    return [
        f"{lines.KNOWN} report of form {lines.FORM}",
        f"{lines.KNOWN} Kubernetes {facts.cluster.get('version', 'unknown')}, controller {controller}",
    ]


def _body(facts: Facts, iam: object) -> list[str]:
    version = image_version(facts.deployments[0]) if facts.deployments else ""
    found = [finding.check for finding in examine(facts, list(CHECKS.values()))]
    report = [*lines.doctor_lines(len(CHECKS), found), *lines.target_lines(facts)]
    report += lines.answer_lines(list(answers(facts)))
    if version not in CONTROLLER_VERSIONS:
        return [*report, f"{lines.KNOWN} the controller's role is not asked about: its version is not known"]
    return [*report, *lines.role_lines(decisions(facts, version, iam))]


def _compared(report: list[str], against: Path) -> list[tuple[str | None, str | None]]:
    different = lines.differences(report, against.read_text().splitlines())
    for here, there in different:
        click.echo(f"here:  {here or 'no such line'}\nthere: {there or 'no such line'}", err=True)
    return different


def main() -> None:
    """Run the command."""
    verify()  # pylint: disable=no-value-for-parameter
