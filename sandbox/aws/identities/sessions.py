"""What moto drops of a role's session: its tags, its source identity, and its managed session policies.

`sandbox.aws.account` reads them from the session. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.aws.refusal import Refusal
from sandbox.iam.language.evaluate import policy

_MOST_TAGS = 50
_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)


@dataclass(frozen=True)
class Extras:
    """What a session has besides its role."""

    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    transitive: frozenset[str] = frozenset()
    """The keys, in lower case, of the tags that are passed on when it assumes another role."""
    policy_arns: Sequence[str] = ()
    """Managed session policies: the session may do only what they, and its inline policy, allow."""
    source_identity: str | None = None
    """The session's user; every role that the session assumes keeps it."""
    provider: str | None = None
    """The ARN of the OIDC provider that vouched for it."""


def extras(parameters: Mapping[str, Any], caller: Any = None) -> Extras:
    """The parameters of a call to STS.

    Args:
        parameters: of AssumeRole or AssumeRoleWithWebIdentity, as botocore's model reads them.
        caller: moto's session of the caller, if it is one: its transitive tags are passed on.

    Raises:
        Refusal: a duplicate, inherited or superfluous key, or an invalid name, identity or policy.
    """
    tags = {each["Key"]: each.get("Value") or "" for each in parameters.get("Tags") or []}
    arns = [each["arn"] for each in parameters.get("PolicyArns") or []]
    handed_on = {key.lower() for key in parameters.get("TransitiveTagKeys") or []}
    own = {key.lower() for key in tags}
    if len(own) != len(parameters.get("Tags") or []):
        raise Refusal(
            "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    if not handed_on <= own:
        missing = ", ".join(sorted(handed_on - own))
        raise Refusal("InvalidParameterValue", f"The specified transitive tag key must be a tag: {missing}")
    inherited = {k: v for k, v in getattr(caller, "tags", {}).items() if k.lower() in getattr(caller, "transitive", ())}
    taken = sorted(own & {key.lower() for key in inherited})
    if taken:
        raise Refusal(
            "InvalidParameterValue", f"One of the specified transitive tag keys can't be set: {', '.join(taken)}"
        )
    identity, own_identity = getattr(caller, "source_identity", None), parameters.get("SourceIdentity")
    if identity and own_identity not in {None, identity}:
        raise Refusal("AccessDenied", f"The source identity of a session cannot change: it is {identity}")
    for name, value in (("roleSessionName", parameters.get("RoleSessionName")), ("sourceIdentity", own_identity)):
        if value is not None and not _NAME.fullmatch(value):
            raise Refusal("ValidationError", f"{name} {value!r} must satisfy the pattern {_NAME.pattern}")
    if parameters.get("Policy"):
        _check_policy(parameters["Policy"])
    if len(tags) > _MOST_TAGS:
        raise Refusal("ValidationError", f"A session has at most {_MOST_TAGS} tags, not {len(tags)}")
    handed_on |= {key.lower() for key in inherited}
    return Extras({**inherited, **tags}, frozenset(handed_on), arns, identity or own_identity)


def _check_policy(document: str) -> None:
    try:
        policy("session policy", document)
    except (ValueError, LookupError, TypeError, AttributeError):
        raise Refusal("MalformedPolicyDocument", "The session policy is not a policy document") from None


def furnish(session: Any, given: Extras) -> None:
    """Store the requested settings in moto's session."""
    session.tags = dict(given.tags)
    session.transitive = given.transitive
    session.policy_arns = tuple(given.policy_arns)
    session.source_identity = given.source_identity
    session.provider = given.provider
