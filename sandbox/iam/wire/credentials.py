"""Who signed a request, and whether the signature is valid: Signature Version 4, recomputed by botocore's own signer.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from sandbox.iam.language.evaluate import Policy, Principal

_ALGORITHM = "AWS4-HMAC-SHA256"
_TIME = "%Y%m%dT%H%M%SZ"
_CLOCKS_APART = timedelta(minutes=5)
_LONGEST_PRESIGNED = timedelta(days=7)
# STS accepts a presigned URL for this long, whatever the URL itself says, and `aws eks get-token` relies on it.
# https://github.com/kubernetes-sigs/aws-iam-authenticator/blob/master/pkg/token/token.go
_PRESIGNED_STS = timedelta(minutes=15)


class CredentialError(Exception):
    """The request's credentials are not valid. `reason` is `missing`, `unknown`, `expired`, `late` or `signature`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Signed:
    """A request as it came over the wire: all headers, names in lower case; the URL is path and query."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Key:
    """An access key, and the permissions of its holder."""

    secret: str
    principal: Principal
    token: str | None = None
    expires: datetime | None = None
    issued: datetime | None = None
    active: bool = True
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """The principal's tags, including the session's."""
    transitive: frozenset[str] = frozenset()
    """The keys, in lower case, of the tags that the session passes on to a role that it assumes."""
    source_identity: str | None = None
    provider: str | None = None
    """For a web identity's session: the ARN of the provider that vouched for it."""
    session: tuple[Policy, ...] | None = None
    """The session policies."""
    user_id: str = ""


@dataclass(frozen=True)
class Claim:
    """A request's claim about its own signature."""

    access_key: str
    scope: tuple[str, str, str]
    """Date, region, service."""
    signed_headers: tuple[str, ...]
    signature: str
    time: str
    token: str | None
    presigned: bool
    lasts: timedelta = _CLOCKS_APART


def claim_of(request: Signed) -> Claim:
    """The claim in a request's header, or in a presigned URL.

    Raises:
        CredentialError: it is missing or malformed.
    """
    given = request.headers.get("authorization", "")
    query = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
    try:
        if given.startswith(_ALGORITHM):
            parts = dict(part.strip().split("=", 1) for part in given.removeprefix(_ALGORITHM).split(","))
            time, token, lasts = request.headers["x-amz-date"], request.headers.get("x-amz-security-token"), None
        elif query.get("X-Amz-Algorithm") == _ALGORITHM:
            parts = {name: query[f"X-Amz-{name}"] for name in ("Credential", "SignedHeaders", "Signature")}
            time, token, lasts = query["X-Amz-Date"], query.get("X-Amz-Security-Token"), int(query["X-Amz-Expires"])
        else:
            raise CredentialError("missing", "Request is missing Authentication Token")
        access_key, date, region, service, _ = parts["Credential"].split("/")
        headers = tuple(parts["SignedHeaders"].split(";"))
        signature = parts["Signature"]
    except (KeyError, ValueError):
        raise CredentialError("signature", "The request's signature is malformed") from None
    presigned = lasts is not None
    length = _CLOCKS_APART
    if lasts is not None:
        length = _PRESIGNED_STS if service == "sts" else min(timedelta(seconds=lasts), _LONGEST_PRESIGNED)
    return Claim(access_key, (date, region, service), headers, signature, time, token, presigned, length)


def verify(request: Signed, claim: Claim, key: Key | None, now: datetime) -> Key:
    """The key, if it signed the request.

    Raises:
        CredentialError: nobody has the key, its session expired or is another's, or the signature does not match.
    """
    invalid = "The security token included in the request is invalid."
    if key is None or not key.active or key.token != claim.token:
        raise CredentialError("unknown", invalid)
    _check_time(claim, now)
    if not hmac.compare_digest(signature(request, claim, key), claim.signature) or not _covers(request, claim):
        raise CredentialError(
            "signature",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details.",
        )
    if key.expires is not None and key.expires <= now:
        raise CredentialError("expired", "The security token included in the request is expired")
    return key


def _check_time(claim: Claim, now: datetime) -> None:
    try:
        made = datetime.fromisoformat(claim.time)
    except ValueError:
        made = None
    if made is None or made.strftime(_TIME) != claim.time:
        raise CredentialError("signature", f"Date {claim.time} is not a time like 20261231T235959Z")
    if claim.time[:8] != claim.scope[0]:
        raise CredentialError("signature", f"Date in Credential scope does not match {claim.time[:8]}")
    if made + claim.lasts < now:
        oldest = (now - claim.lasts).strftime(_TIME)
        raise CredentialError("late", f"Signature expired: {claim.time} is now earlier than {oldest}")
    if made > now + _CLOCKS_APART:
        newest = (now + _CLOCKS_APART).strftime(_TIME)
        raise CredentialError("late", f"Signature not yet current: {claim.time} is still later than {newest}")


def _covers(request: Signed, claim: Claim) -> bool:
    """Whether the signature covers what it must: host, every `x-amz-*` header, and the body as received."""
    needed = {"host", *(name for name in request.headers if name.startswith("x-amz-"))}
    body = request.headers.get("x-amz-content-sha256")
    honest = body in (None, hashlib.sha256(request.body).hexdigest())
    return honest and needed <= set(claim.signed_headers)


def signature(request: Signed, claim: Claim, key: Key) -> str:
    """The signature that the key's holder would have made."""
    _, region, service = claim.scope
    signer = _Signer(Credentials(claim.access_key, key.secret, key.token), service, region)
    signed = [name for name in claim.signed_headers if name in request.headers]
    url = f"http://{request.headers.get('host', '')}{request.url}"
    if claim.presigned:
        path, _, query = url.partition("?")
        url = f"{path}?{'&'.join(part for part in query.split('&') if not part.startswith('X-Amz-Signature='))}"
    headers = {name: request.headers[name] for name in signed}
    rebuilt = AWSRequest(request.method, url, headers=headers, data=request.body)
    rebuilt.context["timestamp"] = claim.time
    return str(signer.signature(signer.string_to_sign(rebuilt, signer.canonical_request(rebuilt)), rebuilt))


class _Signer(SigV4Auth):
    """botocore's signer, for the headers that the request lists as signed."""

    def headers_to_sign(self, request: Any) -> HTTPHeaders:
        """Exactly the given headers."""
        headers = HTTPHeaders()
        for name, value in request.headers.items():
            headers[name.lower()] = value
        return headers
