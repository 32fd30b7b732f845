"""Clients of the sandbox's AWS, with the account's root keys or a session's."""

import functools
import threading
from collections.abc import Mapping
from typing import Any

from sandbox.run.state import State

_making = threading.Lock()
"""A session must not make two clients at once."""


@functools.cache
def _session() -> Any:
    """One of all clients: what it reads from botocore's files takes longer than a client."""
    # Not at the top: they take a tenth of a second, and `sandbox plan` makes its clients while it applies manifests.
    import boto3.session  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.session import get_session  # noqa: PLC0415

    core = get_session()
    core.set_default_client_config(
        Config(connect_timeout=2, read_timeout=20, retries={"mode": "standard", "max_attempts": 5})
    )
    return boto3.session.Session(botocore_session=core)


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
        )
