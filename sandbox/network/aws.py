"""Follows AWS for the world: notices whenever something may have changed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence

import aiohttp

from sandbox.run.state import State

log = logging.getLogger(__name__)
_WAIT_SECONDS = 30.0
_RETRY_SECONDS = 0.5


async def changes(state: State, services: Sequence[str]) -> AsyncIterator[int]:
    """Yield at once, and again whenever one of `services` (signing names) may have changed.

    AWS may stop and come back; meanwhile nothing is yielded.
    """
    version, address = -1, f"{state.aws_endpoint}/_sandbox/changes"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_WAIT_SECONDS + 10)) as session:
        while True:
            asked = {"services": ",".join(services), "since": str(version), "seconds": str(_WAIT_SECONDS)}
            try:
                async with session.get(address, params=asked) as answer:
                    answer.raise_for_status()
                    found = (await answer.json(content_type=None))["version"]
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                log.info("AWS does not answer: %s", error)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            if found != version:
                version = found
                yield version
