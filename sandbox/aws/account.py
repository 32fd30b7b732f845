"""The account as IAM sees it, read from the emulator: who has a key, which policies apply to whom.

Nothing is copied or cached: a call sees what the calls before it created.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from sandbox.aws.accelerators.store import Accelerators
from sandbox.aws.eks.store import Eks
from sandbox.aws.resource_facts import Surroundings, tags_of
from sandbox.iam.language.conditions import CannotJudgeError
from sandbox.iam.language.evaluate import Kind, Policies, Policy, Principal, policy
from sandbox.iam.permissions.demands import Look
from sandbox.iam.permissions.reference import Place
from sandbox.iam.wire.credentials import Key

# Global services: their calls are signed for a region that may not be the sandbox's.
_ONCE = {"globalaccelerator", "iam", "route53", "shield", "sts"}
_EVERYTHING = '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
_NOTHING = '{"Statement": []}'


@dataclass(frozen=True)
class EmulatedAccount:
    """The sandbox's account.

    `root_keys` are the root user's: `{"access_key", "secret_key"}`, as in sandbox.json.
    """

    place: Place
    root_keys: Mapping[str, str]
    eks: Eks
    accelerators: Accelerators

    @property
    def look(self) -> Look:
        """Facts about resources."""
        return Surroundings(self.place, self.eks, self.accelerators).look

    @property
    def root(self) -> Principal:
        """The account's root user."""
        arn = f"arn:{self.place.partition}:iam::{self.place.account}:root"
        return Principal("root", arn, self.place.account, arn)

    @property
    def _iam(self) -> Any:
        return iam_backends[self.place.account][self.place.partition]

    def check_region(self, service: str, region: str) -> None:
        """Refuse a call for another region: it would be executed there, and judged by the state here.

        Raises:
            CannotJudgeError: the sandbox is in another region.
        """
        elsewhere = service in _ONCE and get_partition(region) == self.place.partition
        if region != self.place.region and not elsewhere:
            raise CannotJudgeError(f"the sandbox is in {self.place.region}, not in {region}")

    def key(self, access_key: str) -> Key | None:
        """The holder of an access key; None if nobody holds it."""
        if access_key == self.root_keys["access_key"]:
            return Key(self.root_keys["secret_key"], self.root, user_id=self.place.account)
        sts: Any = sts_backends[self.place.account][self.place.partition]
        session = sts.get_assumed_role_from_access_key(access_key)
        if session:
            return self._session(session)
        user = self._iam.get_user_from_access_key_id(access_key)
        return self._user(user, access_key) if user else None

    def _session(self, session: Any) -> Key | None:
        role, issued = self._role(session.role_arn), session.access_key.create_date
        # A role that was deleted and created again under its name is another role.
        if role is None or role.create_date > issued:
            return None
        # moto stores neither tags nor managed policies of a session; `sandbox.aws.identities.sessions` adds them.
        inline = [("session policy", session.policy)] if session.policy else []
        managed = [(arn, self._document(arn)) for arn in getattr(session, "policy_arns", ())]
        narrowed = tuple(policy(name, text) for name, text in [*inline, *managed])
        return Key(
            session.secret_access_key,
            Principal("session", session.arn, session.account_id, session.role_arn),
            session.session_token,
            session.expiration.replace(tzinfo=UTC),
            issued.replace(tzinfo=UTC),
            tags={**tags_of(role.tags), **getattr(session, "tags", {})},
            transitive=getattr(session, "transitive", frozenset()),
            source_identity=getattr(session, "source_identity", None),
            provider=getattr(session, "provider", None),
            session=narrowed or None,
            user_id=session.user_id,
        )

    def holder(self, source: str) -> Key | None:
        """A user or a role's session, by the ARN of the user or role: for questions only; its secret cannot sign."""
        role = self._role(source)
        if role:
            arn = f"arn:{self.place.partition}:sts::{self.place.account}:assumed-role/{role.name}/question"
            principal = Principal("session", arn, self.place.account, source)
            return Key("", principal, tags=tags_of(role.tags), user_id=f"{role.id}:question")
        user = next((user for user in self._iam.users.values() if user.arn == source), None)
        return Key("", Principal("user", source, self.place.account, source), user_id=user.id) if user else None

    def arn_of(self, name: str) -> str | None:
        """The ARN of the role with this name, or else of the user."""
        holders = (*self._iam.roles.values(), *self._iam.users.values())
        return next((each.arn for each in holders if each.name == name), None)

    def _user(self, user: Any, access_key: str) -> Key:
        key = next(each for each in user.access_keys if each.access_key_id == access_key)
        tags = tags_of(self._iam.tagger.list_tags_for_resource(user.arn)["Tags"])
        principal = Principal("user", user.arn, self.place.account, user.arn)
        return Key(key.secret_access_key, principal, active=key.status == "Active", tags=tags, user_id=user.id)

    def _role(self, arn: str) -> Any:
        return next((role for role in self._iam.roles.values() if role.arn == arn), None)

    def _document(self, arn: str) -> str:
        """The default version of a managed policy; a deleted policy allows nothing."""
        managed = self._iam.managed_policies.get(arn)
        versions = managed.versions if managed else []
        return next((v.document for v in versions if v.version_id == managed.default_version_id), _NOTHING)

    def policies(self, key: Key, action: str, resource: str) -> Policies:
        """Every policy that applies to a request by the key's holder."""
        identity, boundary = self.identity(key.principal)
        own, kind = self.resource_policy(action, resource)
        return Policies(
            identity, boundary, key.session, own, resource_decides=own is not None, resource_kind=kind or Kind.RESOURCE
        )

    def identity(self, principal: Principal) -> tuple[Sequence[Policy], Policy | None]:
        """A user's or role's own policies, and its permissions boundary."""
        if principal.kind in {"root", "service"}:
            return (policy("the account's root", _EVERYTHING),), None
        if principal.kind == "session":
            holder = self._role(principal.source)
            groups: list[Any] = []
        else:
            holder = next((user for user in self._iam.users.values() if user.arn == principal.arn), None)
            groups = [group for group in self._iam.groups.values() if holder in group.users]
        if holder is None:
            return (), None
        boundary = getattr(holder, "permissions_boundary_arn", None)
        limit = policy(boundary, self._document(boundary)) if boundary else None
        return [each for one in (holder, *groups) for each in self._attached(one)], limit

    def _attached(self, holder: Any) -> Iterator[Policy]:
        inline = holder.policies
        listed = (
            inline.items() if isinstance(inline, dict) else [(p["policy_name"], p["policy_document"]) for p in inline]
        )
        yield from (policy(name, text) for name, text in listed)
        yield from (policy(arn, self._document(arn)) for arn in holder.managed_policies)

    def resource_policy(self, action: str, resource: str) -> tuple[Policy | None, Kind | None]:
        """The resource's own policy, if it decides: a role's trust policy, a key's policy."""
        if action in {"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"}:
            role = self._role(resource)
            text = role.assume_role_policy_document if role else _NOTHING
            return policy(f"trust policy of {resource}", text), Kind.TRUST
        if action.startswith("kms:") and ":key/" in resource and not resource.endswith("/*"):
            keys: Any = kms_backends[self.place.account][self.place.region].keys
            key = keys.get(resource.rpartition("/")[2])
            return (policy(f"policy of {resource}", key.policy), Kind.RESOURCE) if key else (None, None)
        return None, None
