"""`sandbox`: the group of all commands, and how their known failures are shown."""

from typing import Any

import click

from sandbox.cli.down import down
from sandbox.cli.env import env
from sandbox.cli.exec import execute
from sandbox.cli.logs import logs
from sandbox.cli.observe.compare import compare
from sandbox.cli.observe.iam import iam
from sandbox.cli.observe.rehearse import rehearse
from sandbox.cli.observe.targets import targets
from sandbox.cli.observe.trace import trace
from sandbox.cli.observe.view import view
from sandbox.cli.plan import plan
from sandbox.cli.status import status
from sandbox.cli.traffic import traffic
from sandbox.cli.up import up
from sandbox.lifecycle import LifecycleError
from sandbox.run.state import StateError
from sandbox.tools.build import BuildError

_ERRORS = (LifecycleError, StateError, BuildError)


class Commands(click.Group):
    """Commands whose known failures are one line on stderr and exit code 1."""

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


for _command in (up, down, status, env, execute, logs, targets, iam, plan, rehearse, traffic, trace, compare, view):
    main.add_command(_command)
