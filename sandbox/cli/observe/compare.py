"""`sandbox compare`."""

import json
import shutil
import time
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from sandbox.cli.options import state_option
from sandbox.network.control_client import refuse_without_traffic
from sandbox.network.requirements import search_path
from sandbox.run.state import State, StateError, write_text


@click.command()
@click.option(
    "--services", default="10,100,1000", show_default=True, help="Numbers of Services, measured one after the other."
)
@click.option(
    "--seconds",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="How long wrk sends requests over each path, for its latencies.",
)
@click.option(
    "--write",
    type=click.Path(path_type=Path),
    help="Write the tables and plots to this file, in the form of docs/paths.md.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@state_option
def compare(services: str, seconds: int, write: Path | None, folder: Path, *, as_json: bool) -> None:
    """Compare the paths to a pod: Classic ELB, NLB and ALB with node ports as targets, NLB and ALB with pods.

    Needs `sandbox up --traffic`, a cluster with the load balancer controller (`make up TRAFFIC=1`) and wrk; takes some
    minutes. It works in the namespaces compare and compare-crowd, and removes everything afterwards.
    """
    from sandbox.observe.compare import report  # noqa: PLC0415 - boto3 costs half a second that `--help` need not spend
    from sandbox.observe.compare.measure import Comparison  # noqa: PLC0415 - likewise

    try:
        sizes = sorted({int(word) for word in services.split(",")})
    except ValueError:
        raise click.BadParameter(f"{services}: give numbers, as 10,100,1000", param_hint="--services") from None
    if sizes[0] < 1:
        raise click.BadParameter(f"{sizes[0]}: at least 1", param_hint="--services")
    refuse_without_traffic(State.at(folder))
    if shutil.which("wrk", path=search_path()) is None:
        raise StateError("compare needs wrk: apt-get install wrk")
    began = time.monotonic()

    def told(line: str) -> None:
        click.echo(f"{time.monotonic() - began:5.0f} s  {line}", err=True)

    result = Comparison(State.at(folder), told, seconds).run(sizes)
    if write:
        write_text(write, report.document(result))
        write.chmod(0o644)
    if as_json:
        click.echo(json.dumps(asdict(result), indent=1))
        return
    console = Console(width=200)
    for size in result.sizes:
        console.print(report.table(result, size))
        console.print()
