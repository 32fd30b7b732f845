"""`python -m sandbox.network.counting.client HOST ...`: sends requests, each on a new connection, and counts answers.

It sends a fixed number (`--count`), or a number per second until stdin ends (`--rate`). Prints one JSON document:
`{"answered", "failed": {reason: n}, "pods": {pod: n}, "nodes": {node: n}, "last": {pod: unix time}}`.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any

_TIMEOUT_SECONDS = 5.0
_PARALLEL = 16
_OK = b"HTTP/1.1 200"


class Tally:
    """The results of requests."""

    def __init__(self) -> None:
        self.answered = 0
        self.failed: Counter[str] = Counter()
        self.pods: Counter[str] = Counter()
        self.nodes: Counter[str] = Counter()
        self.last: dict[str, float] = {}

    def take(self, answer: bytes) -> None:
        """One complete answer."""
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(_OK):
            self.failed[head[:64].partition(b"\r\n")[0].decode(errors="replace") or "closed without an answer"] += 1
            return
        # A body may come in chunks: the document is between the outer braces.
        told = json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])
        self.answered += 1
        self.pods[told["pod"]] += 1
        self.nodes[told["node"]] += 1
        self.last[told["pod"]] = time.time()

    def to_json(self) -> dict[str, Any]:
        """The document."""
        return {
            "answered": self.answered,
            "failed": dict(self.failed),
            "pods": dict(self.pods),
            "nodes": dict(self.nodes),
            "last": self.last,
        }


async def request(host: str, tally: Tally) -> None:
    """One request on a new connection."""
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection(host, 80)
            try:
                writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                answer = await reader.read(-1)
            finally:
                writer.close()
        tally.take(answer)
    except (OSError, TimeoutError, ValueError) as error:
        tally.failed[type(error).__name__] += 1


async def count(host: str, number: int) -> Tally:
    """A fixed number of requests, some in parallel."""
    tally, waiting = Tally(), iter(range(number))

    async def worker() -> None:
        for _ in waiting:
            await request(host, tally)

    await asyncio.gather(*(worker() for _ in range(_PARALLEL)))
    return tally


async def keep(host: str, rate: float, ended: asyncio.Event) -> Tally:
    """A number of requests per second until `ended`, however long each one takes."""
    tally = Tally()
    async with asyncio.TaskGroup() as tasks:
        while not ended.is_set():
            tasks.create_task(request(host, tally))
            await asyncio.sleep(1 / rate)
    return tally


async def run(hosts: list[str], number: int, rate: float) -> dict[str, Any]:
    """All hosts: one after the other with a count, in parallel with a rate."""
    if number:
        return {host: (await count(host, number)).to_json() for host in hosts}
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    tallies = await asyncio.gather(*(keep(host, rate, ended) for host in hosts))
    return {host: tally.to_json() for host, tally in zip(hosts, tallies, strict=True)}


def main() -> None:
    """Send, and print the results."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.network.counting.client", description=__doc__)
    parser.add_argument("hosts", nargs="+", metavar="HOST")
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--rate", type=float, default=10.0, help="requests a second, where they are not counted")
    options = parser.parse_args()
    sys.stdout.write(json.dumps(asyncio.run(run(options.hosts, options.count, options.rate))) + "\n")


if __name__ == "__main__":
    main()
