"""Sessions for programs that are not ours: their pod's token exchanged for them.

The real controller would dial `sts.REGION.amazonaws.com` for the exchange, whatever endpoints it is told. So the runner
does it in the sandbox's STS and hands the session over in the environment; it renews by starting the program anew.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

_SESSION_SECONDS = 3600
_RENEW_AT = 0.8


@dataclass(frozen=True)
class Session:
    """A role's session, as variables, and the time (seconds since the epoch) at which it should be renewed."""

    variables: dict[str, str]
    renew_at: float


def _sts(endpoint: str, region: str) -> Any:
    return boto3.client("sts", region_name=region, endpoint_url=endpoint, config=Config(signature_version=UNSIGNED))


def exchange(variables: dict[str, str], endpoint: str, now: float) -> Session | None:
    """A session for the role that a container's variables name; None if they name none. Blocking.

    Args:
        variables: with AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, paths being this machine's.
        endpoint: the sandbox's AWS.
        now: seconds since the epoch.

    Raises:
        botocore.exceptions.ClientError: STS refused the token.
        OSError: there is no token.
    """
    role, token_file = variables.get("AWS_ROLE_ARN"), variables.get("AWS_WEB_IDENTITY_TOKEN_FILE")
    if not role or not token_file:
        return None
    answer = _sts(endpoint, variables.get("AWS_REGION", "us-east-1")).assume_role_with_web_identity(
        RoleArn=role,
        RoleSessionName=variables.get("POD_NAME", "sandbox")[:64],
        WebIdentityToken=Path(token_file).read_text(),
        DurationSeconds=_SESSION_SECONDS,
    )["Credentials"]
    expiration: datetime = answer["Expiration"]
    return Session(
        {
            "AWS_ACCESS_KEY_ID": answer["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": answer["SecretAccessKey"],
            "AWS_SESSION_TOKEN": answer["SessionToken"],
        },
        now + _RENEW_AT * (expiration.timestamp() - now),
    )
