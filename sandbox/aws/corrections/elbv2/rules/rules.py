"""Rules of ELBv2: priorities swapped in one call, transforms, and a default rule that cannot be deleted.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetRulePriorities.html
"""

from collections import Counter
from typing import Any

from moto.core.responses import ActionResult
from moto.elbv2.exceptions import (
    DuplicatePriorityError,
    InvalidModifyRuleArgumentsError,
    PriorityInUseError,
    RuleNotFoundError,
)
from moto.elbv2.models import ELBv2Backend, FakeListener, FakeListenerRule, FakeRule
from moto.elbv2.responses import ELBV2Response
from moto.moto_api._internal import mock_random

from sandbox.aws.corrections.elbv2.limits import check_room, check_tags
from sandbox.aws.corrections.elbv2.rules.actions import check_actions, parsed
from sandbox.aws.corrections.elbv2.rules.conditions import check_conditions, check_transforms
from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal


def install() -> None:
    """Install the corrections."""
    init_rule = FakeRule.__init__

    def rule(self: Any, listener_arn: str, *arguments: Any, **more: Any) -> None:
        init_rule(self, listener_arn, *arguments, **more)
        # moto uses the object's memory address.
        self.arn = rule_arn(listener_arn)

    replace(FakeRule, "__init__", rule)
    replace(FakeListener, "rules", property(rules_by_priority))
    replace(ELBV2Response, "create_rule", create_rule)
    replace(ELBV2Response, "modify_rule", modify_rule)
    replace(ELBv2Backend, "delete_rule", delete_rule)
    replace(ELBv2Backend, "set_rule_priorities", set_rule_priorities)


def rule_arn(listener_arn: str) -> str:
    """A new rule's ARN."""
    return f"{listener_arn.replace(':listener/', ':listener-rule/')}/{mock_random.get_random_hex(16)}"


def rules_by_priority(listener: Any) -> dict[Any, Any]:
    """A listener's rules by priority, the default rule last."""
    own = sorted(listener._non_default_rules.items(), key=lambda item: int(item[1].priority))
    default = listener._default_rule[0]
    return {**dict(own), default.arn: default}


def create_rule(self: ELBV2Response) -> ActionResult:
    """CreateRule."""
    backend, params = self.elbv2_backend, self._get_params()
    listener: Any = backend.describe_listeners(None, [params["ListenerArn"]])[0]
    balancer = backend.load_balancers[listener.load_balancer_arn]
    actions = parsed(params["Actions"])
    conditions, transforms = params["Conditions"], params.get("Transforms") or []
    if not conditions:
        raise Refusal("ValidationError", "A condition must be specified")
    check_conditions(conditions, balancer.type)
    check_transforms(transforms, balancer.type)
    check_tags(params.get("Tags"))
    if str(params["Priority"]) in {str(rule.priority) for rule in listener.rules.values()}:
        raise PriorityInUseError
    check_actions(backend, balancer, listener.protocol, listener.port, actions)
    count = sum(len(other._non_default_rules) for other in balancer.listeners.values()) + 1
    check_room("TooManyRules", f"rules on load balancer '{balancer.arn}'", count, "rules-per-application-load-balancer")
    arn = rule_arn(listener.arn)
    made: Any = FakeListenerRule(listener.arn, arn, conditions, params["Priority"], actions)
    made.transforms = transforms
    listener._non_default_rules[arn] = made
    backend.tagging_service.tag_resource(arn, params.get("Tags"))
    return ActionResult({"Rules": [made]})


def modify_rule(self: ELBV2Response) -> ActionResult:
    """ModifyRule: given settings replace the current ones; an empty list changes nothing."""
    backend, params = self.elbv2_backend, self._get_params()
    rule = rule_of(backend, params["RuleArn"])
    conditions, actions = params.get("Conditions") or [], parsed(params.get("Actions"), rule.actions)
    transforms, reset = params.get("Transforms") or [], params.get("ResetTransforms", False)
    if rule.is_default:
        raise Refusal("OperationNotPermitted", f"Default rule '{rule.arn}' cannot be modified")
    if not (conditions or actions or transforms or reset):
        raise InvalidModifyRuleArgumentsError
    if transforms and reset:
        raise Refusal("ValidationError", "Transforms and ResetTransforms cannot be specified at the same time")
    listener: Any = backend.describe_listeners(None, [rule.listener_arn])[0]
    balancer = backend.load_balancers[listener.load_balancer_arn]
    check_conditions(conditions, balancer.type)
    check_transforms(transforms, balancer.type)
    if actions:
        check_actions(backend, balancer, listener.protocol, listener.port, actions)
    rule.conditions = conditions or rule.conditions
    rule.actions = actions or rule.actions
    rule.transforms = [] if reset else transforms or rule.transforms
    return ActionResult({"Rules": [rule]})


def delete_rule(self: ELBv2Backend, arn: str) -> None:
    """DeleteRule: never the default one."""
    rule = rule_of(self, arn)
    if rule.is_default:
        raise Refusal("OperationNotPermitted", f"Default rule '{arn}' cannot be deleted")
    self.tagging_service.delete_all_tags_for_resource(arn)
    self.describe_listeners(None, [rule.listener_arn])[0].remove_rule(arn)


def set_rule_priorities(self: ELBv2Backend, rule_priorities: list[dict[str, Any]]) -> list[Any]:
    """SetRulePriorities: all at once, so that rules can swap priorities."""
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
    """The rule with this ARN."""
    for balancer in self.load_balancers.values():
        for listener in balancer.listeners.values():
            if arn in listener.rules:
                return listener.rules[arn]
    raise RuleNotFoundError
