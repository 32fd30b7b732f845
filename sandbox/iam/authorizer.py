"""The entry point: takes one call; returns None or AWS's refusal."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sandbox.iam.account import Account
from sandbox.iam.decisions import Decisions, Entry
from sandbox.iam.encoded import encode
from sandbox.iam.language import trust
from sandbox.iam.language.conditions import CannotJudgeError, Context
from sandbox.iam.language.evaluate import Decision, Kind, Principal, Request, evaluate
from sandbox.iam.permissions.demands import Demand, demands, handed_on
from sandbox.iam.permissions.operations import operation_of
from sandbox.iam.wire.call import Call
from sandbox.iam.wire.credentials import CredentialError, Key, Signed, claim_of, verify
from sandbox.iam.wire.denials import reason, refused, unproven
from sandbox.iam.wire.replies import Denial

# Calls that need no permission. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
_FREE = "sts:GetCallerIdentity"
# The one unsigned call: the token in it proves the caller.
_BY_TOKEN = "AssumeRoleWithWebIdentity"  # noqa: S105 - no secret
# Global services, and the region in which AWS counts their calls.
_GLOBAL = {"globalaccelerator": "us-west-2", "iam": "us-east-1", "route53": "us-east-1", "shield": "us-east-1"}
# Keys that AWS sets for instances' sessions, and the sandbox does not.
_UNKNOWN = frozenset(
    {"aws:ec2instancesourcevpc", "aws:ec2instancesourceprivateipv4", "ec2:roledelivery", "ec2:sourceinstancearn"}
)
_SERVICES = {"i-": "ec2.amazonaws.com", "cloud-controller-manager": "eks.amazonaws.com"}
"""The name prefixes of sessions that a service creates for its instances and control planes."""
_PRINCIPAL_TYPES = {"root": "Account", "user": "User", "session": "AssumedRole", "service": "Service"}


@dataclass
class Authorizer:
    """IAM in front of the emulator."""

    state: Account
    decisions: Decisions = field(default_factory=Decisions)
    now: Callable[[], float] = time.time

    def authorize(self, call: Call, headers: Mapping[str, str]) -> Denial | None:
        """Return None to let `call` through, or AWS's refusal.

        Args:
            call: the call.
            headers: every header as it came, names in lower case: the signature covers more than the call keeps.
        """
        service = call.service or ""
        if service == "sts" and call.access_key is None:
            return self._by_token(call)
        try:
            key = self._caller_of(call, headers)
        except CredentialError as error:
            return unproven(service, error)
        if key.principal.kind == "root" and (service, call.action) != ("sts", "AssumeRole"):
            self._note(key, Demand(f"{service}:{call.action}", "*", Context({})), allowed=True, why="root")
            return None
        try:
            self.state.check_region(service, call.region or "")
            asked = demands(handed_on(operation_of(call), key), self.state.place, self.state.look)
        except CannotJudgeError as error:
            unclear = Demand(f"{service}:{call.action}", "*", Context({}))
            return self._refuse(service, key, unclear, f"because {error}")
        if key.principal.kind == "root":
            key = _for_service(key, call)
        return next((no for demand in asked if (no := self._ask(service, key, demand, headers))), None)

    def _by_token(self, call: Call) -> Denial | None:
        """Let an unsigned call through if its operation needs no signature; the operation verifies the token itself."""
        why = f"the sandbox has no rule for sts:{call.action}"
        try:
            if operation_of(call).name == _BY_TOKEN:
                return None
        except CannotJudgeError as error:
            why = str(error)
        return refused("sts", "anonymous", f"sts:{call.action}", "*", f"because {why}")

    def _caller_of(self, call: Call, headers: Mapping[str, str]) -> Key:
        """The caller, if the signature covers exactly what was parsed as the call."""
        request = Signed(call.method, call.url, headers, call.body)
        claim = claim_of(request)
        if (claim.access_key, *claim.scope[1:]) != (call.access_key, call.region, call.service):
            raise CredentialError("signature", "The request names more than one credential")
        return self.authenticate(request)

    def authenticate(self, request: Signed) -> Key:
        """The key that signed the request.

        Raises:
            CredentialError: no key signed it.
        """
        claim = claim_of(request)
        return verify(request, claim, self.state.key(claim.access_key), datetime.fromtimestamp(self.now(), UTC))

    def admits(
        self, document: str, role_arn: str, principal: Principal, action: str, keys: Mapping[str, str | Sequence[str]]
    ) -> bool:
        """`trust.admits`, with a log entry; refuses what cannot be judged."""
        try:
            decision = trust.admits(document, role_arn, principal, action, keys)
            why = str(decision.kind) if decision.allowed else reason(action, decision)
        except CannotJudgeError as error:
            decision, why = Decision(allowed=False, kind=Kind.TRUST), f"because {error}"
        given = {key: (values,) if isinstance(values, str) else values for key, values in keys.items()}
        self.decisions.add(
            Entry(
                self.now(), principal.arn, principal.source or principal.arn, action, role_arn, given,
                decision.allowed, why, decision.statements,
            )
        )  # fmt: skip
        return decision.allowed

    def decide(self, key: Key, demand: Demand, headers: Mapping[str, str] | None = None) -> Decision:
        """IAM's verdict on one demand, without a log entry.

        Raises:
            CannotJudgeError: the sandbox cannot evaluate a policy that might decide it.
        """
        known = {k: v for k, v in self._caller(key, demand, headers or {}).items() if k not in demand.context.unknown}
        context = Context({**known, **demand.context.values}, demand.context.unknown | _UNKNOWN)
        request = Request(key.principal, demand.action, demand.resource, context)
        return evaluate(request, self.state.policies(key, demand.action, demand.resource))

    def _ask(self, service: str, key: Key, demand: Demand, headers: Mapping[str, str]) -> Denial | None:
        if demand.action == _FREE:
            self._note(key, demand, allowed=True, why="needs no permission")
            return None
        try:
            decision = self.decide(key, demand, headers)
        except CannotJudgeError as error:
            return self._refuse(service, key, demand, f"because {error}")
        if not decision.allowed:
            return self._refuse(service, key, demand, reason(demand.action, decision), decision)
        self._note(key, demand, allowed=True, why=str(decision.kind), decision=decision)
        return None

    def _refuse(self, service: str, key: Key, demand: Demand, why: str, decision: Decision | None = None) -> Denial:
        self._note(key, demand, allowed=False, why=why, decision=decision)
        encoded = encode(key, demand, decision) if service == "ec2" else ""
        return refused(service, key.principal.arn, demand.action, demand.resource, why, encoded=encoded)

    def _note(self, key: Key, demand: Demand, *, allowed: bool, why: str, decision: Decision | None = None) -> None:
        who, statements = key.principal, decision.statements if decision else ()
        self.decisions.add(
            Entry(
                self.now(), who.arn, who.source, demand.action, demand.resource, demand.context.values, allowed, why,
                statements,
            )
        )  # fmt: skip

    def _caller(self, key: Key, demand: Demand, headers: Mapping[str, str]) -> dict[str, Sequence[str]]:
        """The global condition keys.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        """
        who, now = key.principal, self.now()
        keys: dict[str, Sequence[str]] = {
            "aws:currenttime": (datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),),
            "aws:epochtime": (str(int(now)),),
            "aws:principalaccount": (who.account,),
            "aws:principalarn": (who.source,),
            "aws:principalisawsservice": ("false",),
            "aws:principaltype": (_PRINCIPAL_TYPES[who.kind],),
            "aws:requestedregion": (_GLOBAL.get(demand.action.partition(":")[0], self.state.place.region),),
            "aws:resourceaccount": (self.state.place.account,),
            # On AWS every SDK call uses TLS; here nothing leaves the machine.
            "aws:securetransport": ("true",),
            "aws:sourceip": ("127.0.0.1",),
            "aws:userid": (key.user_id,),
            "aws:viaawsservice": ("false",),
            **{f"aws:principaltag/{name.lower()}": (value,) for name, value in key.tags.items()},
        }
        for key_name, header in (("aws:useragent", "user-agent"), ("aws:referer", "referer")):
            if header in headers:
                keys[key_name] = (headers[header],)
        if who.kind == "user":
            keys["aws:username"] = (who.arn.rpartition("/")[2],)
        if key.source_identity:
            keys["aws:sourceidentity"] = (key.source_identity,)
        if key.provider:
            keys["aws:federatedprovider"] = (key.provider,)
        if key.issued:
            keys["aws:tokenissuetime"] = (key.issued.strftime("%Y-%m-%dT%H:%M:%SZ"),)
        if key.token:
            keys["aws:multifactorauthpresent"] = ("false",)
        return keys


def _for_service(root: Key, call: Call) -> Key:
    """EC2 or EKS, if root asks for a session of theirs: the sandbox's nodes and clusters get their sessions so."""
    session = call.parameters.get("RoleSessionName", "")
    service = next((service for prefix, service in _SERVICES.items() if session.startswith(prefix)), None)
    return replace(root, principal=Principal("service", service, root.principal.account)) if service else root
