"""STS where moto checks nothing: who a key belongs to, and what a web identity must prove."""

from dataclasses import replace as replace_fields
from typing import Any

import moto.core.errors
import moto.sts.models
from moto.core.responses import ActionResult
from moto.iam.models import iam_backends
from moto.sts.models import STSBackend
from moto.sts.responses import TokenResponse

from sandbox.aws import determinism
from sandbox.aws.eks.store import Eks
from sandbox.aws.identities.identity import caller_of
from sandbox.aws.identities.sessions import extras, furnish
from sandbox.aws.identities.web_identity import WebIdentity, verify
from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal
from sandbox.iam.encoded import EncodedMessageError, decode
from sandbox.iam.language.trust import Door, web_identity

_SHORTEST = 900
_LONGEST_CHAINED = 3600
ACTION = "sts:AssumeRoleWithWebIdentity"


def install(eks: Eks, door: Door) -> None:
    """Replace moto's STS answers; `eks` knows the issuers' keys, `door` whom roles trust."""
    moto.core.errors.COMMON_ERROR_CODES.append("AccessDenied")
    replace(moto.sts.models, "random_session_token", determinism.session_token)

    def get_caller_identity(self: STSBackend, access_key_id: str, region: str) -> tuple[str, str, str]:
        caller = caller_of(access_key_id, self.account_id, region)
        return caller.user_id, caller.arn, caller.account

    def assume_role_with_web_identity(self: TokenResponse) -> ActionResult:
        return ActionResult(web_identity_session(eks, door, self))

    def assume_existing_role(self: TokenResponse) -> ActionResult:
        role = role_of(self, self.params["RoleArn"], "sts:AssumeRole")
        caller = self.backend.get_assumed_role_from_access_key(self.get_access_key())
        longest = int(role.max_session_duration or 3600)
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
        duration(self, min(longest, _LONGEST_CHAINED) if caller else longest)
        given = extras(self.params, caller)
        answered = assume_role(self)
        furnish(answered.result["Credentials"], given)
        if given.source_identity:
            answered.result["SourceIdentity"] = given.source_identity
        return answered

    def decode_authorization_message(self: TokenResponse) -> ActionResult:
        try:
            return ActionResult({"DecodedMessage": decode(self.params["EncodedMessage"])})
        except EncodedMessageError as error:
            raise Refusal("InvalidAuthorizationMessageException", str(error)) from None

    TokenResponse.decode_authorization_message = decode_authorization_message  # pyright: ignore[reportAttributeAccessIssue] - moto has none
    replace(STSBackend, "get_caller_identity", get_caller_identity)
    replace(TokenResponse, "assume_role_with_web_identity", assume_role_with_web_identity)
    assume_role = replace(TokenResponse, "assume_role", assume_existing_role)


def web_identity_session(eks: Eks, door: Door, request: TokenResponse) -> dict[str, Any]:
    """AssumeRoleWithWebIdentity.

    Raises:
        Refusal: the token is not valid, or the role does not trust its holder.
    """
    iam = iam_backends[request.current_account][request.partition]
    providers = {p.url: p.client_id_list for p in iam.open_id_providers.values()}
    identity = verify(request.params["WebIdentityToken"], providers, eks.public_keys, determinism.now())
    arn = request.params["RoleArn"]
    role = role_of(request, arn, ACTION)
    provider = next(p.arn for p in iam.open_id_providers.values() if p.url == identity.issuer)
    keys = {
        f"{identity.issuer}:sub": identity.subject,
        f"{identity.issuer}:aud": identity.audience,
        "sts:RoleSessionName": request.params["RoleSessionName"],
    }
    if not door.admits(role.assume_role_policy_document, arn, web_identity(provider), ACTION, keys):
        raise Refusal("AccessDenied", f"Not authorized to perform {ACTION}")
    given = replace_fields(extras(request.params), provider=provider)
    session = request.backend.assume_role(
        region_name=request.region,
        role_session_name=request.params["RoleSessionName"],
        role_arn=arn,
        policy=request.params.get("Policy"),
        duration=duration(request, int(role.max_session_duration or 3600)),
        external_id=None,  # pyright: ignore[reportArgumentType] - moto's annotation is too narrow
    )
    furnish(session, given)
    return answer(session, identity, provider)


def answer(session: Any, identity: WebIdentity, provider: str) -> dict[str, Any]:
    """What AssumeRoleWithWebIdentity returns."""
    return {
        "Credentials": session,
        "SubjectFromWebIdentityToken": identity.subject,
        "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
        "PackedPolicySize": 0,
        "Provider": provider,
        "Audience": identity.audience,
    }


def role_of(request: TokenResponse, arn: str, action: str) -> Any:
    """Moto's role with that ARN.

    Raises:
        Refusal: it does not exist; like AWS, the message does not say so.
    """
    roles = iam_backends[request.current_account][request.partition].roles.values()
    role = next((r for r in roles if r.arn == arn), None)
    if role is None:
        raise Refusal("AccessDenied", f"Not authorized to perform {action}")
    return role


def duration(request: TokenResponse, longest: int) -> int:
    """The session's length in seconds.

    Raises:
        Refusal: shorter than 15 minutes, or longer than the role allows.
    """
    wanted = int(request.params.get("DurationSeconds", 3600))
    if wanted < _SHORTEST or wanted > longest:
        raise Refusal(
            "ValidationError",
            f"The requested DurationSeconds exceeds the MaxSessionDuration set for this role: {wanted} is not between"
            f" {_SHORTEST} and {longest}",
        )
    return wanted
