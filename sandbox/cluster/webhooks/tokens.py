"""`aws eks get-token` tokens: a presigned GetCallerIdentity request that only its signer could create. Pure.

Checked like EKS's authenticator does before it asks STS: a token that could make STS do anything else is refused.
https://github.com/kubernetes-sigs/aws-iam-authenticator/blob/master/pkg/token/token.go
"""

import base64
import binascii
import datetime as dt
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

PREFIX = "k8s-aws-v1."
CLUSTER_HEADER = "x-k8s-aws-id"
_LONGEST = 4096
_VALID_FOR = dt.timedelta(minutes=15)
_SKEW = dt.timedelta(minutes=5)
_PARAMETERS = {
    "action",
    "version",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
    "x-amz-user-agent",
}
_STS_HOST = re.compile(r"sts(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?")
_ASSUMED_ROLE = re.compile(
    r"arn:(?P<partition>[^:]+):sts::(?P<account>\d+):assumed-role/(?P<role>[^/]+)/(?P<session>.+)"
)


class TokenError(Exception):
    """A token is not valid."""


@dataclass(frozen=True)
class Request:
    """The request in a token, to be sent to the sandbox's STS with the signed Host."""

    host: str
    query: str
    access_key_id: str


def parse(token: str, endpoint: str, now: dt.datetime) -> Request:
    """The request in a bearer token.

    Args:
        token: the token.
        endpoint: the sandbox's AWS; its STS is accepted as well as AWS's.
        now: a time with a zone.

    Raises:
        TokenError: what is wrong with it.
    """
    if not token.startswith(PREFIX) or len(token) > _LONGEST:
        raise TokenError(f"a token of EKS starts with {PREFIX} and is shorter than {_LONGEST} bytes")
    encoded = token.removeprefix(PREFIX)
    try:
        url = urlsplit(base64.b64decode(encoded + "=" * (-len(encoded) % 4), b"-_", validate=True).decode())
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise TokenError("what follows the prefix is not base64 of a URL") from error
    if url.netloc != urlsplit(endpoint).netloc and not (url.scheme == "https" and _STS_HOST.fullmatch(url.netloc)):
        raise TokenError(f"{url.netloc} is no host of STS")
    if url.path not in ("", "/"):
        raise TokenError(f"path {url.path} is not /")
    given: dict[str, str] = {}
    for name, value in parse_qsl(url.query, keep_blank_values=True):
        if name.lower() not in _PARAMETERS:
            raise TokenError(f"parameter {name} has no place in a token")
        if name.lower() in given:
            raise TokenError(f"parameter {name} is given twice")
        given[name.lower()] = value
    if given.get("action") != "GetCallerIdentity":
        raise TokenError(f"action {given.get('action')} is not GetCallerIdentity")
    if CLUSTER_HEADER not in given.get("x-amz-signedheaders", "").split(";"):
        raise TokenError(f"header {CLUSTER_HEADER} is not signed")
    _check_date(given.get("x-amz-date", ""), now)
    return Request(url.netloc, url.query, given.get("x-amz-credential", "").partition("/")[0])


def _check_date(text: str, now: dt.datetime) -> None:
    try:
        signed = dt.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    except ValueError as error:
        raise TokenError(f"X-Amz-Date {text!r} is no time") from error
    if not signed - _SKEW <= now <= signed + _VALID_FOR:
        raise TokenError(f"signed at {text}: a token lives for 15 minutes")


@dataclass(frozen=True)
class Caller:
    """The signer, according to STS."""

    arn: str
    account: str
    user_id: str

    @property
    def principal(self) -> str:
        """The ARN for access entries: for a session its role's, without the path."""
        match = _ASSUMED_ROLE.fullmatch(self.arn)
        return f"arn:{match['partition']}:iam::{match['account']}:role/{match['role']}" if match else self.arn

    @property
    def session(self) -> str:
        """The session's name, empty for users and root."""
        match = _ASSUMED_ROLE.fullmatch(self.arn)
        return match["session"] if match else ""


def without_path(arn: str) -> str:
    """A role's ARN without the role's path, because a session's ARN has none."""
    head, separator, rest = arn.partition(":role/")
    return head + separator + rest.rpartition("/")[2] if separator else arn


def user_name(template: str, caller: Caller, nodes: dict[str, str]) -> str:
    """The Kubernetes user name that an access entry gives a caller.

    Args:
        template: the entry's, with `{{SessionName}}` and the like.
        caller: the signer.
        nodes: node name by instance id, for `{{EC2PrivateDNSName}}`.
    """
    values = {
        "{{AccountID}}": caller.account,
        "{{SessionName}}": caller.session.replace("@", "-"),
        "{{SessionNameRaw}}": caller.session,
        "{{EC2PrivateDNSName}}": nodes.get(caller.session, caller.session),
    }
    for name, value in values.items():
        template = template.replace(name, value)
    return template
