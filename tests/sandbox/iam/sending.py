"""Calls as boto3 sends them, without a network."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3

from sandbox.iam.wire.call import Call, kept_headers
from sandbox.iam.wire.credentials import Signed

REGION, ACCOUNT = "us-west-2", "123456789012"
HOST = "127.0.0.1:4566"
ROOT_KEYS = {"access_key": "AKIASANDBOXROOT00000", "secret_key": "root-secret"}


class NotSentError(Exception):
    """The request is complete; nothing is sent."""

    def __init__(self, request: Any) -> None:
        super().__init__()
        self.request = request


def _stop(request: Any, **_: Any) -> None:
    raise NotSentError(request)


@cache
def client(service: str, access_key: str, secret: str, token: str | None = None) -> Any:
    made = boto3.client(
        service, region_name=REGION, endpoint_url=f"http://{HOST}", aws_access_key_id=access_key,
        aws_secret_access_key=secret, aws_session_token=token,
    )  # fmt: skip
    made.meta.events.register("before-send.*", _stop)
    return made


def signed(
    service: str,
    operation: str,
    parameters: Mapping[str, Any] | None = None,
    *keys: str,
) -> Signed:
    """The request for `client.operation(**parameters)`, signed with `keys` (access key, secret, session token)."""
    try:
        getattr(client(service, *(keys or ROOT_KEYS.values())), operation)(**(parameters or {}))
    except NotSentError as ready:
        request = ready.request
    else:
        raise AssertionError(f"{operation} was sent")
    parts = urlsplit(request.url)
    url = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    body = request.body or b""
    return Signed(request.method, url, {**headers, "host": HOST}, body if isinstance(body, bytes) else body.encode())


def call_of(request: Signed) -> Call:
    """The call that the AWS process makes of a request."""
    return Call(request.method, request.url, kept_headers(dict(request.headers)), request.body)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
