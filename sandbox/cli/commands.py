"""`sandbox`: the group of all commands, and how their known failures are shown."""

import pkgutil
from typing import Any

import click

from sandbox.lifecycle import LifecycleError
from sandbox.run.state import StateError
from sandbox.tools.build import BuildError

_COMMANDS = {
    "up": "sandbox.cli.up:up",
    "down": "sandbox.cli.down:down",
    "status": "sandbox.cli.status:status",
    "env": "sandbox.cli.env:env",
    "exec": "sandbox.cli.exec:execute",
    "logs": "sandbox.cli.logs:logs",
    "targets": "sandbox.cli.observe.targets:targets",
    "iam": "sandbox.cli.observe.iam:iam",
    "plan": "sandbox.cli.plan:plan",
    "rehearse": "sandbox.cli.observe.rehearse:rehearse",
    "traffic": "sandbox.cli.traffic:traffic",
    "trace": "sandbox.cli.observe.trace:trace",
    "compare": "sandbox.cli.observe.compare:compare",
    "view": "sandbox.cli.observe.view:view",
}
"""Only the one that is run is imported: https://click.palletsprojects.com/en/stable/complex/#lazily-loading-subcommands"""
_ERRORS = (LifecycleError, StateError, BuildError)


class Commands(click.Group):
    """Commands whose known failures are one line on stderr and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the order of `--help`."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        return pkgutil.resolve_name(_COMMANDS[cmd_name]) if cmd_name in _COMMANDS else None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except _ERRORS as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            click.echo("interrupted; run the same command again to continue", err=True)
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
    sandbox up                     start it (AWS first; EKS clusters when a program creates them)
    eval "$(sandbox env)"          point this shell's aws, kubectl, helm and pulumi at it
    sandbox exec -- kubectl get pods -A
    sandbox targets                every load balancer, with the pods behind it
    sandbox iam denied             what IAM refused, and why
    sandbox view                   all of it on a page, as it happens
    sandbox plan -f manifests/     what the controller would build of manifests
    sandbox rehearse --from X --to Y   what another version of the controller would cost
    sandbox down                   end every process, remove the folder
    """  # noqa: D301 - \b keeps click from refilling these lines
