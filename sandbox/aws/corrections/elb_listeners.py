"""Listeners and rules of ELBv2: one a port, repeatable, priorities swapped in one call, a default rule that stays.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetRulePriorities.html
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import moto.elbv2.models
from moto.core.responses import ActionResult
from moto.elbv2.exceptions import DuplicatePriorityError, PriorityInUseError, RuleNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeAction, FakeListener, FakeRule
from moto.elbv2.responses import ELBV2Response
from moto.moto_api._internal import mock_random

from sandbox.aws.corrections.elb_attributes import listener_defaults
from sandbox.aws.corrections.errors import Refusal
from sandbox.aws.patching import replace

_SECURE = {"HTTPS", "TLS"}
_DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"
# Which protocols of a target group each listener's can forward to.
_FORWARDS = {
    "HTTP": {"HTTP", "HTTPS"},
    "HTTPS": {"HTTP", "HTTPS"},
    "TCP": {"TCP", "TCP_UDP"},
    "TLS": {"TCP", "TLS"},
    "UDP": {"UDP", "TCP_UDP"},
    "TCP_UDP": {"TCP_UDP"},
}


def install() -> None:
    """Put it right."""
    init_rule, init_listener = FakeRule.__init__, FakeListener.__init__

    def rule(self: Any, listener_arn: str, *arguments: Any, **more: Any) -> None:
        init_rule(self, listener_arn, *arguments, **more)
        # moto takes the object's address in memory.
        self.arn = f"{listener_arn.replace(':listener/', ':listener-rule/')}/{mock_random.get_random_hex(16)}"

    def listener(self: Any, *arguments: Any, **more: Any) -> None:
        init_listener(self, *arguments, **more)
        self.attributes = listener_defaults(self.protocol)
        if self.protocol not in _SECURE:
            self.ssl_policy = None

    replace(FakeRule, "__init__", rule)
    replace(FakeListener, "__init__", listener)
    replace(FakeListener, "rules", property(rules_by_priority))
    replace(ELBv2Backend, "create_listener", creating(ELBv2Backend.create_listener))
    replace(ELBv2Backend, "modify_listener", modifying(ELBv2Backend.modify_listener))
    replace(ELBV2Response, "modify_listener", modify_listener_response)
    replace(ELBv2Backend, "set_rule_priorities", set_rule_priorities)
    for change in ("delete_rule", "modify_rule"):
        replace(ELBv2Backend, change, sparing_default(getattr(ELBv2Backend, change)))
    for kind in ("host_header", "path_pattern", "http_header"):
        name = f"_validate_{kind}_condition"
        replace(ELBv2Backend, name, knowing_regex(getattr(ELBv2Backend, name)))
    replace(moto.elbv2.models.FakeListener, "register", register)


def rules_by_priority(listener: Any) -> dict[Any, Any]:
    """A listener's rules in the order of their priority, the default last."""
    own = sorted(listener._non_default_rules.items(), key=lambda item: int(item[1].priority))
    default = listener._default_rule[0]
    return {**dict(own), default.arn: default}


def register(listener: Any, arn: str, rule: Any) -> None:
    """Add a rule."""
    listener._non_default_rules[arn] = rule


def check_forwards(self: ELBv2Backend, balancer: Any, protocol: str, actions: list[Any]) -> None:
    """Raise unless what is forwarded to speaks the listener's protocol, in the same VPC, for this balancer only."""
    for action in actions:
        for arn in self._get_target_group_arns_from(action.data):
            group = self.target_groups.get(arn)
            if group is None:
                raise Refusal("TargetGroupNotFound", f"Target group '{arn}' not found")
            if protocol in _FORWARDS and group.target_type != "lambda" and group.protocol not in _FORWARDS[protocol]:
                raise Refusal(
                    "IncompatibleProtocols",
                    f"The listener protocol '{protocol}' is not supported with a target group with the target-type"
                    f" '{group.target_type}' and protocol '{group.protocol}'",
                )
            others = [used for used in group.load_balancer_arns if used != balancer.arn]
            if others:
                raise Refusal(
                    "TargetGroupAssociationLimit",
                    f"The following target groups cannot be associated with more than one load balancer: {arn}",
                )
            if group.vpc_id and group.vpc_id != balancer.vpc_id:
                raise Refusal(
                    "InvalidConfigurationRequest",
                    "The following target groups are not in the same VPC as the load balancer: " + arn,
                )


def parsed(actions: list[dict[str, Any]] | None) -> list[Any]:
    """Actions as moto holds them."""
    return [FakeAction(action) for action in actions or []]


def creating(create: Callable[..., Any]) -> Callable[..., Any]:
    """CreateListener: one a port; the same wish again gives the same listener."""

    def create_listener(self: ELBv2Backend, load_balancer_arn: str, **wanted: Any) -> FakeListener:
        protocol, port, certificate = wanted["protocol"], wanted["port"], wanted["certificate"]
        policy, actions = wanted["ssl_policy"], wanted["actions"]
        balancer = self.load_balancers.get(load_balancer_arn)
        wish = (protocol, str(port), policy if protocol in _SECURE else None, certificate, actions_of(actions))
        for existing in balancer.listeners.values() if balancer else ():
            if str(existing.port) == str(port):
                if getattr(existing, "wish", None) == wish:
                    return existing
                raise Refusal("DuplicateListener", f"A listener already exists on port {port} for this load balancer"
                                                   f" '{load_balancer_arn}'")  # fmt: skip
        if protocol in _SECURE and not certificate:
            raise Refusal("CertificateNotFound", f"A certificate must be specified for {protocol} listeners")
        if balancer:
            check_forwards(self, balancer, protocol, parsed(actions))
        made = create(self, load_balancer_arn, **wanted)
        made.wish = wish
        return made

    return create_listener


def actions_of(actions: list[dict[str, Any]]) -> str:
    """Actions as one comparable text; moto fills in their defaults in place."""
    targets = [
        (a.get("Type"), a.get("TargetGroupArn"), [g.get("TargetGroupArn") for g in forwards(a)],
         {k: v for k, v in a.items() if k not in {"ForwardConfig", "TargetGroupArn", "Type"}})
        for a in actions
    ]  # fmt: skip
    return repr(targets)


def forwards(action: dict[str, Any]) -> list[dict[str, Any]]:
    """The weighted target groups of a forward action."""
    return (action.get("ForwardConfig") or {}).get("TargetGroups") or []


def modify_listener_response(self: ELBV2Response) -> ActionResult:
    """ModifyListener, with the ALPN policy that moto passes over."""
    backend, arn = self.elbv2_backend, self._get_param("ListenerArn")
    policy = self._get_param("SslPolicy")
    if policy is not None and policy not in moto_policies():
        raise Refusal("SSLPolicyNotFound", f"SSL policy '{policy}' not found")
    changed = backend.modify_listener(
        arn,
        port=self._get_param("Port"),
        protocol=self._get_param("Protocol"),
        ssl_policy=policy,
        certificates=self._get_param("Certificates", []),
        actions=self._get_param("DefaultActions", []),
    )
    if self._get_param("AlpnPolicy") is not None:
        changed.alpn_policy = self._get_param("AlpnPolicy")
    return ActionResult({"Listeners": [changed]})


def moto_policies() -> Any:
    """The security policies that there are."""
    from moto.elbv2.ssl_policies import SSL_POLICIES  # noqa: PLC0415 - beside its one use

    return SSL_POLICIES


def modifying(modify: Callable[..., Any]) -> Callable[..., Any]:
    """ModifyListener: any protocol that the load balancer has, a port that is free, targets that fit."""

    def modify_listener(self: ELBv2Backend, arn: str, **wanted: Any) -> FakeListener:
        port, protocol, actions = wanted["port"], wanted["protocol"], wanted["actions"]
        listener = self.describe_listeners(None, [arn])[0]
        balancer = self.load_balancers[listener.load_balancer_arn]
        becomes = protocol or listener.protocol
        others = [x for x in balancer.listeners.values() if x is not listener]
        if port is not None and any(str(x.port) == str(port) for x in others):
            raise Refusal("DuplicateListener", f"A listener already exists on port {port} for this load balancer")
        self._validate_port_and_protocol(balancer.type, str(port or listener.port), becomes)
        new = parsed(actions)
        self._validate_actions(new)
        check_forwards(self, balancer, becomes, new or listener.default_actions)
        # moto knows HTTP, HTTPS and TCP only, and checks certificates for HTTPS only.
        secure = becomes in _SECURE
        as_known = "HTTPS" if secure else "HTTP"
        changed = modify(self, arn, **{**wanted, "protocol": as_known})
        changed.protocol = becomes
        if not secure:
            changed.ssl_policy, changed.certificate, changed.certificates = None, None, []
        elif changed.ssl_policy is None:
            changed.ssl_policy = _DEFAULT_POLICY
        changed.wish = None
        return changed

    return modify_listener


def set_rule_priorities(self: ELBv2Backend, rule_priorities: list[dict[str, Any]]) -> list[Any]:
    """SetRulePriorities: all at once, so that rules may take each other's places."""
    wanted = {pair["RuleArn"]: int(pair["Priority"]) for pair in rule_priorities}
    for priority, count in Counter(int(pair["Priority"]) for pair in rule_priorities).items():
        if count > 1:
            raise DuplicatePriorityError(str(priority))
    rules = [rule_of(self, arn) for arn in wanted]
    for rule in rules:
        if rule.is_default:
            raise Refusal("OperationNotPermitted", f"Default rule '{rule.arn}' priority cannot be modified")
        listener = self.describe_listeners(None, [rule.listener_arn])[0]
        kept = {str(r.priority) for r in listener.rules.values() if r.arn not in wanted}
        if str(wanted[rule.arn]) in kept:
            raise PriorityInUseError
    for rule in rules:
        rule.priority = wanted[rule.arn]
    return rules


def rule_of(self: ELBv2Backend, arn: str) -> Any:
    """The rule of that ARN."""
    for balancer in self.load_balancers.values():
        for listener in balancer.listeners.values():
            if arn in listener.rules:
                return listener.rules[arn]
    raise RuleNotFoundError


def sparing_default(change: Callable[..., Any]) -> Callable[..., Any]:
    """A change of a rule that the default rule does not suffer, nor one whose targets do not fit."""

    def changed(self: ELBv2Backend, *arguments: Any, **more: Any) -> Any:
        arn = next(iter((*arguments, *more.values())))
        rule = rule_of(self, arn)
        if rule.is_default:
            raise Refusal("OperationNotPermitted", f"Default rule '{arn}' cannot be deleted or modified")
        actions = parsed(more.get("actions"))
        listener = self.describe_listeners(None, [rule.listener_arn])[0]
        self._validate_actions(actions)
        check_forwards(self, self.load_balancers[listener.load_balancer_arn], listener.protocol, actions)
        if change.__name__ == "delete_rule":
            self.tagging_service.delete_all_tags_for_resource(arn)
        return change(self, *arguments, **more)

    return changed


def knowing_regex(validate: Callable[..., None]) -> Callable[..., None]:
    """Conditions may hold regular expressions in the place of values; moto would ask for values."""

    def validated(self: ELBv2Backend, condition: dict[str, Any]) -> None:
        if not any(isinstance(part, dict) and part.get("RegexValues") for part in condition.values()):
            validate(self, condition)

    return validated
