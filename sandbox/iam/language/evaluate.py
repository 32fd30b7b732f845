"""IAM's policy evaluation: whether a principal's policies allow one action on one resource. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sandbox.iam.language.conditions import CannotJudgeError, Condition, Context, all_hold, conditions
from sandbox.iam.language.patterns import expand, like, resource_matches

VARIABLES_SINCE = "2012-10-17"


@dataclass(frozen=True)
class Principal:
    """The caller. `arn` is what GetCallerIdentity returns, `source` the user, role or provider behind it."""

    kind: str
    """`root`, `user`, `session` (of a role), `service`, `federated`, `anonymous`."""
    arn: str
    account: str = ""
    source: str = ""

    def names(self) -> Iterator[tuple[str, str]]:
        """What a `Principal` element must contain to name exactly this principal: type and value."""
        match self.kind:
            case "service":
                yield "Service", self.arn
            case "federated":
                yield "Federated", self.source
            case "session":
                yield "AWS", self.arn
                yield "AWS", self.source
            case _:
                yield "AWS", self.arn


@dataclass(frozen=True)
class Request:
    """One permission that a call needs; a call may need several."""

    principal: Principal
    action: str
    """`service:Action`."""
    resource: str
    """An ARN. `*` for an action on no resource, and in the ARN of a resource that is about to be created."""
    context: Context


@dataclass(frozen=True)
class Statement:
    """One parsed statement of a policy."""

    policy: str
    index: int
    sid: str
    allows: bool
    actions: tuple[str, ...]
    """Patterns in lower case, because IAM ignores the case of actions."""
    other_actions: bool
    """`NotAction`: every action except those."""
    resources: tuple[str, ...] | None
    """Patterns; None in a trust policy, which applies to its role."""
    other_resources: bool
    principals: Mapping[str, tuple[str, ...]] | None
    """By type; None in an identity's policy, which applies to its identity."""
    other_principals: bool
    conditions: tuple[Condition, ...]
    variables: bool

    def covers(self, action: str) -> bool:
        """Whether it covers the action."""
        return any(like(action.lower(), pattern) for pattern in self.actions) != self.other_actions

    def applies(self, request: Request) -> bool:
        """Whether the statement applies to a request for an action that it covers. It does not check the principal.

        Raises:
            CannotJudgeError: the sandbox does not know.
        """
        return self._at(request) and all_hold(self.conditions, request.context)

    def _at(self, request: Request) -> bool:
        if self.resources is None:
            return True
        patterns = self.resources
        if self.variables:
            known = (expand(pattern, request.context.single) for pattern in patterns)
            patterns = [pattern for pattern in known if pattern is not None]
        return any(resource_matches(request.resource, pattern) for pattern in patterns) != self.other_resources

    def names(self, principal: Principal) -> str | None:
        """How it names the principal: `itself`, its `role`, its `account`, `everyone`; None if it does not."""
        if self.other_principals:
            return self._others(principal)
        return self._named(principal)

    def _others(self, principal: Principal) -> str | None:
        """`NotPrincipal` excludes a principal that is named in full: itself, its role and its account.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
        """
        given = self.principals or {}
        named = [name in given.get(kind, ()) for kind, name in principal.names()]
        if principal.kind in {"session", "user"}:
            named.append(any(_account_of(name) == principal.account for name in given.get("AWS", ())))
        if any(named) and not all(named):
            raise CannotJudgeError(
                f"NotPrincipal names {principal.arn}, but not all of itself, its role and its account"
            )
        return None if all(named) else "everyone"

    def _named(self, principal: Principal) -> str | None:
        given = self.principals or {}
        for kind, name in principal.names():
            if name in given.get(kind, ()):
                return "role" if principal.kind == "session" and name == principal.source else "itself"
        if principal.kind in {"service", "federated"}:
            return None
        if "*" in given.get("AWS", ()):
            return "everyone"
        return "account" if principal.account in map(_account_of, given.get("AWS", ())) else None


def _account_of(name: str) -> str | None:
    """The account that a principal's name refers to as a whole."""
    if name.startswith("arn:") and name.endswith(":root"):
        return name.split(":")[4]
    return name if name.isdigit() else None


@dataclass(frozen=True)
class Policy:
    """A parsed policy document."""

    name: str
    statements: tuple[Statement, ...]
    _covering: dict[str, tuple[Statement, ...]] = field(default_factory=dict[str, tuple[Statement, ...]], repr=False)

    def covering(self, action: str) -> tuple[Statement, ...]:
        """The statements that cover an action. Cached, because most calls use a few dozen actions."""
        if action not in self._covering:
            self._covering[action] = tuple(statement for statement in self.statements if statement.covers(action))
        return self._covering[action]


@lru_cache(maxsize=4096)
def policy(name: str, document: str) -> Policy:
    """A policy from its JSON text; the same text is parsed only once."""
    content = json.loads(document)
    variables = content.get("Version") == VARIABLES_SINCE
    listed = enumerate(as_list(content.get("Statement")))
    return Policy(name, tuple(_statement(name, index, each, variables=variables) for index, each in listed))


def _statement(name: str, index: int, given: Mapping[str, Any], *, variables: bool) -> Statement:
    principals = given.get("Principal", given.get("NotPrincipal"))
    if principals == "*":
        principals = {"AWS": "*"}
    resources = given.get("Resource", given.get("NotResource"))
    return Statement(
        policy=name,
        index=index,
        sid=given.get("Sid", ""),
        allows=given["Effect"] == "Allow",
        actions=tuple(a.lower() for a in as_list(given.get("Action", given.get("NotAction")))),
        other_actions="NotAction" in given,
        resources=None if resources is None else tuple(as_list(resources)),
        other_resources="NotResource" in given,
        principals=None if principals is None else {k: tuple(as_list(v)) for k, v in principals.items()},
        other_principals="NotPrincipal" in given,
        conditions=conditions(given.get("Condition") or {}, variables=variables),
        variables=variables,
    )


def as_list(value: Any) -> list[Any]:
    """IAM writes a list with one element as that element."""
    return [] if value is None else value if isinstance(value, list) else [value]


class Kind(StrEnum):
    """The kinds of policies, as named in AWS's refusals."""

    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    RESOURCE = "resource-based policy"
    TRUST = "role trust policy"


@dataclass(frozen=True)
class Policies:
    """All policies that apply to one request."""

    identity: Sequence[Policy] = ()
    boundary: Policy | None = None
    session: Sequence[Policy] | None = None
    """Session policies, given when the role was assumed; None if there are none."""
    resource: Policy | None = None
    """The resource's policy: a role's trust policy, a key's policy."""
    resource_decides: bool = False
    """Whether the resource's policy must allow every caller: roles and KMS keys."""
    resource_kind: Kind = Kind.RESOURCE


@dataclass(frozen=True)
class Decision:
    """Whether it is allowed, and by which statements."""

    allowed: bool
    kind: Kind
    """The kind of policy that decided."""
    statements: tuple[Statement, ...] = ()
    """All statements that allowed it, or the one that denied it explicitly; empty if nothing allows it."""

    @property
    def explicit(self) -> bool:
        """Whether a statement denied it."""
        return not self.allowed and bool(self.statements)


def evaluate(request: Request, policies: Policies) -> Decision:
    """IAM's verdict, if principal and resource are in one account.

    An explicit denial anywhere wins. Otherwise the identity's policies must allow it, within the permissions boundary
    and the session's policies, or the resource's policy must name the caller.

    Raises:
        CannotJudgeError: the sandbox cannot evaluate a statement that might decide it.
    """
    return _denied(request, policies) or _allowed(request, policies)


def _denied(request: Request, policies: Policies) -> Decision | None:
    """The first explicit denial."""
    own = [policies.resource] if policies.resource else []
    groups: Iterable[tuple[Kind, Sequence[Policy]]] = (
        (Kind.IDENTITY, policies.identity),
        (Kind.BOUNDARY, [policies.boundary] if policies.boundary else []),
        (Kind.SESSION, policies.session or ()),
        (policies.resource_kind, own),
    )
    for kind, group in groups:
        for statement in _matching(request, group, allows=False):
            if group is not own or statement.names(request.principal):
                return Decision(allowed=False, kind=kind, statements=(statement,))
    return None


def _allowed(request: Request, policies: Policies) -> Decision:
    """The verdict if nothing denies it."""
    by_resource = _granted(request, policies.resource)
    if by_resource.get("itself"):
        # A grant to the session or the user itself is not limited by boundary and session policies; a grant to the role
        # is: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
        return Decision(allowed=True, kind=policies.resource_kind, statements=by_resource["itself"])
    by_identity = tuple(_matching(request, policies.identity, allows=True))
    granted = by_identity or by_resource.get("role", ()) or by_resource.get("everyone", ())
    for kind, passes in (
        (policies.resource_kind, bool(by_resource) or not policies.resource_decides),
        (Kind.IDENTITY, bool(granted)),
        (Kind.BOUNDARY, policies.boundary is None or any(_matching(request, [policies.boundary], allows=True))),
        (Kind.SESSION, policies.session is None or any(_matching(request, policies.session, allows=True))),
    ):
        if not passes:
            return Decision(allowed=False, kind=kind)
    return Decision(allowed=True, kind=Kind.IDENTITY if by_identity else policies.resource_kind, statements=granted)


def _matching(request: Request, policies: Iterable[Policy], *, allows: bool) -> Iterator[Statement]:
    """The statements with one effect that apply to the request."""
    return (s for each in policies for s in each.covering(request.action) if s.allows is allows and s.applies(request))


def _granted(request: Request, own: Policy | None) -> dict[str, tuple[Statement, ...]]:
    """The allowing statements of the resource's policy, by how they name the caller."""
    granted: dict[str, tuple[Statement, ...]] = {}
    for statement in _matching(request, [own] if own else [], allows=True):
        how = statement.names(request.principal)
        if how:
            granted[how] = (*granted.get(how, ()), statement)
    return granted
