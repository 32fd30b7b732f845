"""What IAM needs to know about an account. `sandbox.aws.account` answers from the emulator."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sandbox.iam.language.evaluate import Policies, Policy, Principal
from sandbox.iam.permissions.demands import Look
from sandbox.iam.permissions.reference import Place
from sandbox.iam.wire.credentials import Key


class Account(Protocol):
    """An AWS account: its keys, its principals and their policies."""

    @property
    def place(self) -> Place:
        """Partition, region and account number."""
        ...

    @property
    def root_keys(self) -> Mapping[str, str]:
        """The root's keys: `{"access_key", "secret_key"}`."""
        ...

    @property
    def look(self) -> Look:
        """Facts about resources."""
        ...

    def check_region(self, service: str, region: str) -> None:
        """Refuse a call that is signed for a region other than the account's.

        Raises:
            CannotJudgeError: the sandbox is in another region.
        """

    def key(self, access_key: str) -> Key | None:
        """The holder of an access key; None if nobody holds it."""
        ...

    def holder(self, source: str) -> Key | None:
        """A user or a role's session, by the ARN of the user or role; its secret cannot sign."""
        ...

    def arn_of(self, name: str) -> str | None:
        """The ARN of the role with this name, or else of the user."""
        ...

    def policies(self, key: Key, action: str, resource: str) -> Policies:
        """Every policy that applies to a request by the key's holder."""
        ...

    def identity(self, principal: Principal) -> tuple[Sequence[Policy], Policy | None]:
        """A user's or role's own policies, and its permissions boundary."""
        ...
