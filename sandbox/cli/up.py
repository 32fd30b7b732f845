"""`sandbox up`."""

import time
from pathlib import Path
from typing import Any

import click

from sandbox import lifecycle
from sandbox.cli.options import chart_option, report, state_option, with_option
from sandbox.run.state import TRAFFIC_MODES, State


@click.command()
@with_option(
    "Run PATH instead of a part: pulumi, kube, kwok, helm, controller, controller@VERSION, pulumi-resource-NAME,"
    " or image:NAME, the pods of an image with --traffic. Repeatable."
)
@click.option(
    "--traffic",
    is_flag=False,
    flag_value=TRAFFIC_MODES[0],
    type=click.Choice(TRAFFIC_MODES),
    help="Carry real packets (Linux): namespaces for VPCs, nodes, pods; kube-proxy in this mode, by default iptables.",
)
@click.option(
    "--latency",
    metavar="realistic|FILE",
    help="Make AWS as slow as it is, or as a YAML file says. By default everything is done at once.",
)
@click.option("--aws-port", type=click.IntRange(1, 65535), help="AWS's port. Default: a free one, which is then kept.")
@chart_option("Offer a Helm chart to programs and helm, whatever repository they name. Repeatable.")
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
    latency: str | None,
    aws_port: int | None,
    charts: tuple[Path, ...],
    controller_version: str | None,
    folder: Path,
) -> None:
    """Start the sandbox. If it is up, nothing changes; a killed one is restored with its data.

    Missing tools are built first, into $XDG_CACHE_HOME/eks-load-balancing: once per version, about 20 minutes on 2
    cores. What you already have is used: Pulumi with its Python language host, kwok and helm on the PATH, the
    Kubernetes provider in ~/.pulumi/plugins, etcd and kube-apiserver in KUBEBUILDER_ASSETS. `sandbox status` shows
    where each part comes from.
    """
    state, begun = State.at(folder), time.monotonic()
    paths = [str(chart.absolute()) for chart in charts]
    delays = _delays(latency) if latency else None
    wish = lifecycle.Wish(lifecycle.replacements(given), aws_port, traffic, delays, paths, controller_version)
    lifecycle.up(state, wish, report)
    click.echo(f"sandbox up in {time.monotonic() - begun:.1f} s: AWS at {state.aws_endpoint}, state in {state.root}")


def _delays(asked: str) -> dict[str, Any]:
    from sandbox.run.latency import load  # noqa: PLC0415 - pydantic costs a tenth of a second that other starts save

    return load(asked).model_dump(mode="json")
