"""Waits for a public endpoint at every update, like pulumi-eks (nodejs/eks/cluster/cluster.ts)."""

import asyncio
import ssl
import urllib.request
from typing import Final

import pulumi

TRIES: Final = 60
PAUSE: Final = 5.0
"""Seconds between two attempts: a deployer outside the public ranges waits five minutes."""
TIMEOUT: Final = 1.0
"""The maximum seconds of one attempt."""


def reachable(endpoint: pulumi.Output[str]) -> pulumi.Output[str]:
    """The endpoint, once its `/healthz` answers 200 or after the last attempt; at once in a preview."""
    return endpoint if pulumi.runtime.is_dry_run() else endpoint.apply(_wait)


async def _wait(endpoint: str) -> str:
    for _ in range(TRIES if endpoint else 0):
        if await asyncio.to_thread(_answers, endpoint):
            break
        await _pause(PAUSE)
    return endpoint


_pause = asyncio.sleep


def _answers(endpoint: str) -> bool:
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(f"{endpoint}/healthz", timeout=TIMEOUT, context=anybody) as answer:  # noqa: S310 - https, given by EKS
            return answer.status == 200  # noqa: PLR2004 - the one status that means ready
    except OSError:
        return False
