"""The command line of the sandbox: `sandbox up`, `down`, `status`, ...; `iam` and `rehearse` are elsewhere."""

import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from sandbox import lifecycle
from sandbox.iam_cli import iam
from sandbox.options import state_option
from sandbox.rehearsal_cli import rehearse
from sandbox.state import TRAFFIC_MODES, State, StateError
from sandbox.tools.build import BuildError
from sandbox.traffic.cli import traffic as traffic_commands
from sandbox.traffic.compare.cli import compare
from sandbox.traffic.trace.cli import trace
from sandbox.view.cli import view

_ERRORS = (lifecycle.LifecycleError, StateError, BuildError)


class Commands(click.Group):
    """Commands whose known failures are one line on stderr and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except _ERRORS as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            click.echo("interrupted; run the same command again to go on", err=True)
            ctx.exit(130)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except OSError as error:
            if error.filename is None:
                raise
            raise click.ClickException(
                f"cannot use {error.filename}: {error.strerror}: name another folder with --state-dir, or make this"
                " path usable"
            ) from error
        except Exception as error:
            error.add_note(
                "This is a bug of the sandbox: report it in the project's issues, with the lines above and what"
                " `sandbox status --json` prints."
            )
            raise


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A laptop-size AWS and EKS on this machine: no account, no network, loopback only.

    \b
    sandbox up                     bring it up (AWS first; EKS clusters as a program creates them)
    eval "$(sandbox env)"          point aws, kubectl, helm and pulumi of this shell at it
    sandbox exec -- kubectl get pods -A
    sandbox targets                every load balancer, with the pods behind it
    sandbox iam denied             what IAM refused, and why
    sandbox view                   all of it on a page, as it happens
    sandbox rehearse --from X --to Y   what another version of the controller would cost
    sandbox down                   end every process, remove the folder
    """  # noqa: D301 - \b keeps click from refilling these lines


@main.command()
@click.option(
    "--with",
    "given",
    multiple=True,
    metavar="NAME=PATH",
    help="Run PATH in the place of a part: pulumi, kube, kwok, helm, controller, controller@VERSION, "
    "pulumi-resource-NAME. Repeatable.",
)
@click.option(
    "--traffic",
    is_flag=False,
    flag_value=TRAFFIC_MODES[0],
    type=click.Choice(TRAFFIC_MODES),
    help="Carry real packets (Linux): namespaces for VPCs, nodes, pods; kube-proxy in this mode, iptables unless told.",
)
@click.option("--aws-port", type=click.IntRange(1, 65535), help="AWS's port. Default: a free one, which is then kept.")
@click.option(
    "--chart",
    "charts",
    multiple=True,
    metavar="FOLDER|ARCHIVE",
    type=click.Path(exists=True, path_type=Path),
    help="Offer a Helm chart to programs and helm, whatever repository they name. Repeatable.",
)
@click.option(
    "--controller-version",
    metavar="VERSION",
    help="Build this release of the AWS Load Balancer Controller, if your Go module proxy serves it.",
)
@state_option
def up(
    *,
    given: tuple[str, ...],
    traffic: str | None,
    aws_port: int | None,
    charts: tuple[Path, ...],
    controller_version: str | None,
    folder: Path,
) -> None:
    """Bring the sandbox up. If it is up, nothing changes; a killed one comes back with its data.

    Missing tools are built first, into $XDG_CACHE_HOME/eks-load-balancing: once per version, about 25 minutes on 2
    cores. What you have already is used: Pulumi with its Python language host, kwok and helm on PATH, the Kubernetes
    provider in ~/.pulumi/plugins, etcd and kube-apiserver in KUBEBUILDER_ASSETS. `sandbox status` shows where each part
    comes from.
    """
    state, begun = State.at(folder), time.monotonic()
    paths = [str(chart.absolute()) for chart in charts]
    wish = lifecycle.Wish(lifecycle.replacements(given), aws_port, traffic, paths, controller_version)
    lifecycle.up(state, wish, _report)
    click.echo(f"sandbox up in {time.monotonic() - begun:.1f} s: AWS at {state.aws_endpoint}, state in {state.root}")


@main.command()
@state_option
def down(folder: Path) -> None:
    """End every process of the sandbox and remove its folder."""
    state = State.at(folder)
    if lifecycle.down(state, _report):
        click.echo(f"sandbox down: {state.root} is gone")
    else:
        click.echo(f"no sandbox in {state.root}")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@state_option
def status(folder: Path, *, as_json: bool) -> None:
    """Say what runs: endpoints, kubeconfigs, versions, pids, and which parts are stand-ins.

    Exit code 0 when it is up, 1 when it is down, 2 when parts of it are missing.
    """
    document = lifecycle.status(State.at(folder))
    if as_json:
        click.echo(json.dumps(document, indent=1))
    else:
        _print_status(document)
    sys.exit({"up": 0, "down": 1, "degraded": 2}[document["state"]])


_as_option = click.option(
    "--as",
    "role",
    metavar="ROLE",
    help="A role, by ARN or name, in place of the account's root. It must trust the account.",
)


@main.command()
@_as_option
@state_option
def env(role: str | None, folder: Path) -> None:
    """Print shell exports that point aws, kubectl, helm and pulumi at the sandbox: eval "$(sandbox env)"."""
    variables = _environment(State.at(folder), role)
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")
    click.echo(f"unset {' '.join(name for name in lifecycle.UNSET if name not in variables)}")


@main.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@_as_option
@state_option
def execute(command: tuple[str, ...], role: str | None, folder: Path) -> None:
    """Run one command in the sandbox's environment: sandbox exec -- kubectl get nodes."""
    own = {k: v for k, v in os.environ.items() if k not in lifecycle.UNSET}
    environment = own | _environment(State.at(folder), role)
    sys.stdout.flush()
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606 - no shell is wanted
    except FileNotFoundError:
        raise click.ClickException(f"{command[0]}: no such command on PATH") from None


@main.command()
@click.argument("part", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on as the log grows.")
@click.option("-n", "--lines", default=50, show_default=True, help="How many of the last lines.")
@state_option
def logs(part: str | None, lines: int, folder: Path, *, follow: bool) -> None:
    """Show the log of a PART; without one, name the logs there are."""
    state = State.at(folder)
    names = sorted(f.stem for f in (state.root / "logs").glob("*.log"))
    if part is None:
        click.echo("\n".join(names))
        return
    if part not in names:
        raise click.ClickException(f"no log of {part!r}: there are {', '.join(names) or 'none'}")
    with subprocess.Popen(["tail", "-n", str(lines), *(["-f"] if follow else []), str(state.log(part))]) as tail:
        tail.wait()


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@state_option
def targets(folder: Path, *, as_json: bool) -> None:
    """What serves what: load balancer, listener, target group, and the pod behind every target."""
    from sandbox import targets as serving  # noqa: PLC0415 - boto3 costs half a second that no other command owes

    rows = serving.rows(State.at(folder))
    click.echo(json.dumps(rows, indent=1) if as_json else serving.tree(rows))


main.add_command(iam)
main.add_command(rehearse)
main.add_command(traffic_commands)
main.add_command(trace)
main.add_command(compare)
main.add_command(view)


def _environment(state: State, role: str | None) -> dict[str, str]:
    """A command's environment; `role`, if one is given, is who its calls to AWS are from."""
    found = lifecycle.environment(state)
    if role:
        from sandbox import roles  # noqa: PLC0415 - boto3, as above

        found |= roles.session(state, role)
    return found


def _report(line: str) -> None:
    click.echo(line, err=True)


def _print_status(document: dict[str, Any]) -> None:
    console = Console()
    console.print(f"[bold]{document['state']}[/]", highlight=False)
    if document["aws"]:
        aws = document["aws"]
        console.print(f"AWS {aws['endpoint']}, region {aws['region']}, account {aws['account']}", highlight=False)
    for cluster in document["clusters"]:
        line = f"cluster {cluster['name']} ({cluster['phase']}) {cluster['endpoint']}, {cluster['kubeconfig']}"
        console.print(line, highlight=False, soft_wrap=True)
    if document["parts"]:
        table = Table("part", "kind", "version", "pid", "from", box=None, pad_edge=False)
        for part in document["parts"]:
            table.add_row(part["name"], part["kind"], part["version"], str(part["pid"] or "-"), part["source"])
        console.print(table)


if __name__ == "__main__":
    main()
