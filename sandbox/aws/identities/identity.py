"""Who calls: maps an access key to root, a user or a role's session."""

from dataclasses import dataclass

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition


@dataclass(frozen=True)
class Caller:
    """A principal as GetCallerIdentity names it.

    `principal` is the IAM ARN behind it: a session's role, otherwise the same as `arn`.
    """

    arn: str
    user_id: str
    account: str
    principal: str


def root(account: str, region: str) -> Caller:
    """The account's root."""
    arn = f"arn:{get_partition(region)}:iam::{account}:root"
    return Caller(arn, account, account, arn)


def caller_of(access_key: str | None, account: str, region: str) -> Caller:
    """The principal with this access key.

    A key that belongs to no session and no user counts as root's.
    """
    if access_key is None:
        return Caller("anonymous", "anonymous", account, "anonymous")
    partition = get_partition(region)
    session = sts_backends[account][partition].get_assumed_role_from_access_key(access_key)
    if session:
        return Caller(session.arn, session.user_id, session.account_id, session.role_arn)
    user = iam_backends[account][partition].get_user_from_access_key_id(access_key)
    if user:
        return Caller(user.arn, user.id, user.account_id, user.arn)
    return root(account, region)
