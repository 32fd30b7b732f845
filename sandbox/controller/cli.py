"""`python -m sandbox.controller`: the real controller's command line."""

import logging
import os
import sys
from typing import Any

import click

from sandbox.controller import BANNER, IMITATES, NAME
from sandbox.controller.settings import (
    FLAGS,
    IDLE_GATES,
    Flag,
    Settings,
    SettingsError,
    parse_duration,
    parse_gates,
    parse_map,
)

log = logging.getLogger(NAME)

_HELP = f"""{BANNER}

It watches Services of class service.k8s.aws/nlb, Ingresses of a class whose controller is ingress.k8s.aws/alb, and
TargetGroupBindings, and provisions the load balancers, listeners, rules, target groups, targets and security groups
that the real controller provisions for them. Flags are the real one's; one that is taken but changes nothing here is
named in a warning at the start, an unknown one is an error.

AWS credentials come from the environment as with every AWS SDK (AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE for a
service account's role). AWS_ENDPOINT_URL or --aws-api-endpoints sends the calls elsewhere than to AWS.

\b
  python -m sandbox.controller --cluster-name=demo --aws-region=us-west-2 --aws-vpc-id=vpc-0123 \\
      --kubeconfig=$KUBECONFIG --webhook-cert-dir=certs
"""


class _Value(click.ParamType):
    """A flag's text as its value."""

    def __init__(self, kind: str) -> None:
        self.name = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read `value`; click reports what cannot be read."""
        if not isinstance(value, str):
            return value
        try:
            match self.name:
                case "duration":
                    return parse_duration(value)
                case "map":
                    return parse_map(value)
                case "gates":
                    return parse_gates(value)
                case _:
                    return tuple(part for part in value.split(",") if part)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _option(flag: Flag) -> click.Option:
    kinds: dict[str, Any] = {"str": str, "int": int, "bool": bool}
    text = flag.help if flag.acts else f"{flag.help} (Taken, changes nothing here.)"
    extra: dict[str, Any] = {"is_flag": False, "flag_value": True} if flag.kind == "bool" else {}
    return click.Option(
        [f"--{flag.name}"],
        type=kinds.get(flag.kind) or _Value(flag.kind),
        default=flag.default,
        show_default=not isinstance(flag.default, dict | tuple) and flag.default != "",
        help=text,
        **extra,
    )


def read(values: dict[str, Any], given: set[str]) -> tuple[Settings, list[str]]:
    """Settings from the flags' values.

    Args:
        values: by field name, defaults filled in.
        given: the fields that were set on the command line.

    Returns:
        The settings, and a warning for each flag that was set but changes nothing.

    Raises:
        SettingsError: see `Settings.check`.
    """
    idle = {flag.field: flag.name for flag in FLAGS if not flag.acts}
    warnings = [f"--{name} is taken but changes nothing in this stand-in" for f, name in idle.items() if f in given]
    warnings += [
        f"feature gate {name}={str(on).lower()} changes nothing in this stand-in"
        for name, on in values["feature_gates"].items()
        if name in IDLE_GATES
    ]
    settings = Settings(**{name: value for name, value in values.items() if name not in idle})
    settings.check()
    return settings, warnings


def _run(**values: Any) -> None:
    context = click.get_current_context()
    given = {name for name in values if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE}
    values["aws_region"] = values["aws_region"] or os.environ.get("AWS_REGION", "")
    try:
        settings, warnings = read(values, given)
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if settings.log_level == "debug" else logging.INFO,
        format="%(asctime)s %(levelname).1s %(threadName)s %(name)s: %(message)s",
    )
    for noisy in ("botocore", "boto3", "urllib3", "kubernetes"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    log.info(BANNER)
    for warning in warnings:
        log.warning(warning)
    from sandbox.controller.manager import run  # noqa: PLC0415 - --help and --version need neither boto3 nor a cluster

    sys.exit(run(settings))


command = click.Command(
    NAME,
    callback=_run,
    help=_HELP,
    params=[_option(flag) for flag in FLAGS],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
click.version_option(IMITATES, prog_name=f"{NAME} (a stand-in for the AWS Load Balancer Controller)")(command)


def main() -> None:
    """The command's entry point."""
    command()
