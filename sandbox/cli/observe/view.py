"""`sandbox view`."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import click

from sandbox.cli.options import state_option
from sandbox.observe.view.address import claim
from sandbox.run.state import State, StateError


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="The page's port. Default: the last one, or a free one.")
@click.option("--cluster", metavar="NAME", help="The cluster to show. Default: the only one.")
@state_option
def view(port: int | None, cluster: str | None, folder: Path) -> None:
    """Show a cluster's load balancing on a live page on this machine; Ctrl-C stops it.

    It shows what the controller watches, the calls it makes, what it provisions, and the path of a request to a pod.
    With `sandbox up --traffic` the page sends requests and shows what the kernel saw; without, it draws the paths from
    what the APIs report.
    """
    state = State.at(folder)
    state.settings()
    try:
        asyncio.run(_serve(state, port, cluster))
    except OSError as error:
        raise StateError(
            f"the page cannot listen on port {port}: {error.strerror or error}; give another --port"
        ) from error
    except KeyboardInterrupt:
        click.echo("", err=True)


async def _serve(state: State, port: int | None, cluster: str | None) -> None:
    # boto3 and aiohttp cost half a second, which `--help` need not spend.
    from sandbox.network.control_client import ask  # noqa: PLC0415
    from sandbox.observe.view.board import Board  # noqa: PLC0415 - likewise
    from sandbox.observe.view.follow import Follower  # noqa: PLC0415 - likewise
    from sandbox.observe.view.server import served  # noqa: PLC0415 - likewise

    board = Board()
    follower = Follower(state, board, cluster)

    async def trace(identity: str) -> Any:
        path = follower.path(identity)
        if path is None or not path["url"]:
            raise ValueError(f"no request takes this path: {identity!r}")
        try:
            told = await asyncio.to_thread(ask, state, "trace", 70, url=path["url"], headers=path["headers"], seconds=5)
        except StateError as error:
            raise ValueError(str(error)) from error
        follower.traced(identity, told)

    async with contextlib.AsyncExitStack() as undo:
        url = await undo.enter_async_context(served(board, trace, *claim(state, port)))
        click.echo(url)
        await follower.run()
