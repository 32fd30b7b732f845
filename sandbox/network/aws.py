"""AWS as the world follows it: clients with the root's keys, and a call whenever something may have changed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
import boto3.session
from botocore.config import Config

from sandbox.run.state import State

log = logging.getLogger(__name__)
_WAIT_SECONDS = 30.0
_RETRY_SECONDS = 0.5


def client(state: State, service: str) -> Any:
    """A boto3 client of the sandbox's AWS."""
    settings = state.settings()
    return boto3.session.Session().client(
        service,
        region_name=settings.region,
        endpoint_url=state.aws_endpoint,
        aws_access_key_id=settings.root_keys["access_key"],
        aws_secret_access_key=settings.root_keys["secret_key"],
        config=Config(connect_timeout=2, read_timeout=20, retries={"mode": "standard", "max_attempts": 5}),
    )


async def changes(state: State, services: Sequence[str]) -> AsyncIterator[int]:
    """Yield at once, and again whenever one of `services` (signing names) may have changed since.

    AWS may go and come back: nothing is yielded meanwhile.
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
