"""A service account's token: read, verified against its cluster's keys and IAM's OIDC provider. Pure."""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from sandbox.aws.refusal import Refusal

_BLOCK = re.compile(r"-----BEGIN [A-Z ]+-----.+?-----END [A-Z ]+-----", re.DOTALL)
_ALGORITHMS = ["RS256", "ES256"]


@dataclass(frozen=True)
class WebIdentity:
    """The holder of a verified token."""

    issuer: str
    """Without its scheme, as IAM writes it."""
    subject: str
    audience: str
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """All claims of the token."""


def key_id(pem: str) -> str:
    """The `kid` that kube-apiserver gives a key: the hash of its public half's DER."""
    der = load_pem_public_key(pem.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def verify(
    token: str,
    providers: Mapping[str, Sequence[str]],
    public_keys: Callable[[str], str | None],
    now: float,
) -> WebIdentity:
    """Verify `token` and return the identity that it proves.

    Args:
        token: a JWT.
        providers: the client ids of each IAM OIDC provider, by its URL without scheme.
        public_keys: returns the PEM keys of an issuer (with scheme), None if it cannot be reached.
        now: seconds since 1970.

    Raises:
        Refusal: it is not valid.
    """
    try:
        header = jwt.get_unverified_header(token)
        issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss", ""))
    except jwt.PyJWTError:
        raise Refusal(
            "InvalidIdentityToken",
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        ) from None
    host = issuer.removeprefix("https://")
    if host not in providers:
        raise Refusal("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {issuer}")
    claims = _signed_claims(token, header, public_keys(issuer))
    if float(claims["exp"]) <= now:
        expired, current = (datetime.fromtimestamp(t, UTC).isoformat() for t in (float(claims["exp"]), now))
        raise Refusal(
            "ExpiredTokenException",
            f"Token expired: current date/time {current} must be before the expiration date/time {expired}",
        )
    if float(claims.get("nbf", 0)) > now:
        raise Refusal("InvalidIdentityToken", "Token is not valid yet: its nbf claim lies in the future")
    if "azp" in claims:
        raise Refusal("InvalidIdentityToken", "the sandbox does not know how AWS treats an azp claim")
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    known = [audience for audience in audiences if audience in providers[host]]
    if not known:
        raise Refusal("InvalidIdentityToken", "Incorrect token audience")
    return WebIdentity(host, str(claims["sub"]), known[0], claims)


def _signed_claims(token: str, header: Mapping[str, Any], pem: str | None) -> dict[str, Any]:
    keys = {key_id(block): block for block in _BLOCK.findall(pem or "")}
    if header.get("kid"):
        keys = {kid: block for kid, block in keys.items() if kid == header["kid"]}
    options: Any = {
        "verify_aud": False,
        "verify_exp": False,
        "verify_nbf": False,
        "verify_iat": False,
        "require": ["exp", "iss", "sub", "aud"],
    }
    for block in keys.values():
        try:
            return jwt.decode(token, block, algorithms=_ALGORITHMS, options=options)
        except jwt.MissingRequiredClaimError as error:
            raise Refusal("InvalidIdentityToken", f"The ID Token lacks a claim: {error}") from None
        except jwt.PyJWTError:
            continue
    raise Refusal(
        "InvalidIdentityToken",
        "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity"
        " documentation for requirements",
    )
