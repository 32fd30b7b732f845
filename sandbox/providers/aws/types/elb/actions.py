"""What a listener does with a connection, in the provider's form and in ELB's. No I/O."""

from typing import Any

from sandbox.providers.aws.kind import known, lower_first, pascal
from sandbox.providers.common.fields import Field, Fields, each, inside

ACTION: Fields = {
    "type": Field(required=True),
    **each("order", "targetGroupArn"),
    "forward": Field(
        inside={
            "targetGroups": Field(required=True, inside=inside("weight", arn=Field(required=True))),
            "stickiness": Field(inside=inside("enabled", "duration")),
        }
    ),
    "fixedResponse": Field(inside=inside("contentType", "messageBody", "statusCode")),
    "redirect": Field(inside=inside("host", "path", "port", "protocol", "query", "statusCode")),
}
"""A `defaultActions` block."""


def elb_actions(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Blocks in ELB's form; one without an order follows the previous one."""
    return [
        known(
            Type=action["type"],
            Order=action.get("order") or place,
            TargetGroupArn=action.get("targetGroupArn"),
            ForwardConfig=_forward(action["forward"]) if action.get("forward") else None,
            FixedResponseConfig=pascal(action.get("fixedResponse")),
            RedirectConfig=pascal(action.get("redirect")),
        )
        for place, action in enumerate(actions, 1)
    ]


def _forward(forward: dict[str, Any]) -> dict[str, Any]:
    sticky = forward.get("stickiness")
    return known(
        TargetGroups=[known(TargetGroupArn=one["arn"], Weight=one.get("weight")) for one in forward["targetGroups"]],
        TargetGroupStickinessConfig=known(Enabled=sticky.get("enabled"), DurationSeconds=sticky.get("duration"))
        if sticky
        else None,
    )


def actions_of(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """ELB's actions as blocks. A forward to one group becomes `targetGroupArn`, the usual form."""
    return [_action_of(action) for action in sorted(actions, key=lambda each: each.get("Order") or 0)]


def _action_of(action: dict[str, Any]) -> dict[str, Any]:
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    lone = groups[0]["TargetGroupArn"] if len(groups) == 1 else None
    return known(
        type=action["Type"],
        targetGroupArn=action.get("TargetGroupArn") or lone,
        forward=_forward_of(action["ForwardConfig"]) if len(groups) > 1 else None,
        fixedResponse=lower_first(action.get("FixedResponseConfig")),
        redirect=lower_first(action.get("RedirectConfig")),
    )


def _forward_of(forward: dict[str, Any]) -> dict[str, Any]:
    sticky = forward.get("TargetGroupStickinessConfig") or {}
    on = known(enabled=sticky.get("Enabled"), duration=sticky.get("DurationSeconds"))
    return known(
        targetGroups=[known(arn=one["TargetGroupArn"], weight=one.get("Weight")) for one in forward["TargetGroups"]],
        stickiness=on if on.get("enabled") else None,
    )
