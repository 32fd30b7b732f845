"""Clients of the sandbox's AWS, with the account's root keys or a session's."""

import functools
import threading
from collections.abc import Mapping
from typing import Any

import boto3.session
from botocore.config import Config

from sandbox.run.state import State

_CONFIG = Config(connect_timeout=2, read_timeout=20, retries={"mode": "standard", "max_attempts": 5})

_making = threading.Lock()
"""A session must not make two clients at once."""


@functools.cache
def _session() -> boto3.session.Session:
    """One of all clients: what it reads from botocore's files takes longer than a client."""
    return boto3.session.Session()


def client(state: State, service: str, session: Mapping[str, str] | None = None) -> Any:
    """A boto3 client of the sandbox's AWS.

    Args:
        state: the sandbox's.
        service: boto3's name, such as `elbv2`.
        session: `Credentials` from STS; without them the client is the account's root.

    Raises:
        StateError: the folder contains no sandbox.
    """
    settings = state.settings()
    with _making:
        return _session().client(
            service,
            region_name=settings.region,
            endpoint_url=state.aws_endpoint,
            aws_access_key_id=session["AccessKeyId"] if session else settings.root_keys["access_key"],
            aws_secret_access_key=session["SecretAccessKey"] if session else settings.root_keys["secret_key"],
            aws_session_token=session["SessionToken"] if session else None,
            config=_CONFIG,
        )
