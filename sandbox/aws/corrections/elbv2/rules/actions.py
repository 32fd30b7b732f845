"""What listeners and rules do with a request, and the target groups that they forward to.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html
"""

import copy
import re
from typing import Any

from moto.elbv2.exceptions import ActionTargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeAction

from sandbox.aws.corrections.elbv2.limits import QUOTAS, check_room
from sandbox.aws.corrections.elbv2.rules.action_configs import WEIGHTS, faults, order_faults
from sandbox.aws.refusal import Refusal

Actions = list[dict[str, Any]]
# The target group protocols that each listener protocol can forward to.
_FORWARDS = {
    "HTTP": {"HTTP", "HTTPS"},
    "HTTPS": {"HTTP", "HTTPS"},
    "TCP": {"TCP", "TCP_UDP"},
    "TLS": {"TCP", "TLS"},
    "UDP": {"UDP", "TCP_UDP"},
    "TCP_UDP": {"TCP_UDP"},
    "QUIC": {"QUIC", "TCP_QUIC"},
    "TCP_QUIC": {"TCP_QUIC"},
}
_SIGN_IN = {
    "OnUnauthenticatedRequest": "authenticate",
    "Scope": "openid",
    "SessionCookieName": "AWSELBAuthSessionCookie",
    "SessionTimeout": 604800,
}
"""What AWS adds to an authentication configuration."""


def parsed(actions: Actions | None, held: list[Any] | None = None) -> list[Any]:
    """Actions in moto's form, with AWS's defaults; a copy.

    Args:
        actions: AWS's.
        held: the actions that these replace; their client secret may stay.
    """
    return [FakeAction(_complete(copy.deepcopy(action), held or [])) for action in actions or []]


def _complete(action: dict[str, Any], held: list[Any]) -> dict[str, Any]:
    for kind in ("AuthenticateOidcConfig", "AuthenticateCognitoConfig"):
        if kind in action:
            action[kind] = {**_SIGN_IN, **action[kind]}
    oidc = action.get("AuthenticateOidcConfig")
    if oidc:
        secret = oidc.pop("ClientSecret", None)
        if oidc.pop("UseExistingClientSecret", False):
            if secret:
                raise Refusal(
                    "InvalidLoadBalancerAction",
                    "You cannot both specify a client secret and set UseExistingClientSecret to true",
                )
            secret = next((one.client_secret for one in held if getattr(one, "client_secret", None)), None)
        if not secret:
            raise Refusal("InvalidLoadBalancerAction", "A client secret must be specified for 'authenticate-oidc'")
        # No API returns the secret again: it is stored beside the answer of DescribeRules.
        action["client_secret"] = secret
    if "TargetGroupArn" in action and "ForwardConfig" not in action and action.get("Type") == "forward":
        action["ForwardConfig"] = {"TargetGroups": [{"TargetGroupArn": action["TargetGroupArn"]}]}
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    if len(groups) > 1 and any("Weight" not in group for group in groups):
        raise Refusal("ValidationError", WEIGHTS)  # moto would add one
    if len(groups) == 1:
        action.setdefault("TargetGroupArn", groups[0].get("TargetGroupArn"))
    return action


def groups_of(action: Any) -> list[dict[str, Any]]:
    """The weighted target groups of a forward action."""
    return (action.data.get("ForwardConfig") or {}).get("TargetGroups") or []


def check_actions(
    self: ELBv2Backend, balancer: Any, protocol: str | None, port: int | None, actions: list[Any]
) -> None:
    """Raise unless a listener on this port, with this protocol, supports all of the load balancer's actions."""
    if not actions:
        raise Refusal("ValidationError", "An action must be specified")
    for action in actions:
        if balancer.type != "application" and action.type != "forward":
            text = f"The action type '{action.type}' is not valid with {balancer.type} load balancer"
            raise Refusal("InvalidLoadBalancerAction", text)
        for fault in faults(action, protocol, port):
            raise Refusal(*fault)
        if action.type == "authenticate-cognito":
            _check_pool(self.region_name, action.data["AuthenticateCognitoConfig"]["UserPoolArn"])
        _check_groups(self, balancer, protocol, action)
    for problem in order_faults(actions):
        raise Refusal("InvalidLoadBalancerAction", problem)
    used = {arn for action in actions for arn in self._get_target_group_arns_from(action.data)}
    held = {group.arn for group in self.target_groups.values() if balancer.arn in group.load_balancer_arns}
    if balancer.type == "application":
        check_room(
            "TooManyUniqueTargetGroupsPerLoadBalancer", f"unique target groups of load balancer '{balancer.arn}'",
            len(used | held), "target-groups-per-application-load-balancer",
        )  # fmt: skip


def _check_pool(region: str, arn: str) -> None:
    """Raise unless a Cognito user pool is in the load balancer's region."""
    if not re.fullmatch(rf"arn:[a-z-]+:cognito-idp:{region}:\d{{12}}:userpool/[\w-]+", arn):
        raise Refusal("ValidationError", f"'{arn}' is not a valid user pool ARN")


def _check_groups(self: ELBv2Backend, balancer: Any, protocol: str | None, action: Any) -> None:
    """Raise unless the target groups' protocol and VPC match, and no other load balancer uses them."""
    arns = self._get_target_group_arns_from(action.data)
    listed = [group.get("TargetGroupArn") for group in groups_of(action)]
    if "TargetGroupArn" in action.data and listed != [action.data["TargetGroupArn"]]:
        raise Refusal(
            "InvalidLoadBalancerAction",
            "You can specify both a target group list and a top-level target group ARN only if the ARNs match",
        )
    _check_stickiness(balancer.type, (action.data.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {})
    _check_count(balancer.type, len(listed))
    found: list[Any] = [self.target_groups.get(arn) for arn in arns]
    for arn, group in zip(arns, found, strict=True):
        if group is None:
            raise ActionTargetGroupNotFoundError(arn)
        _check_group(balancer, protocol, group)
    if len({group.IpAddressType for group in found if group.IpAddressType}) > 1:
        text = "The IP address types of the target groups for a single action must be the same"
        raise Refusal("InvalidConfigurationRequest", text)


def _check_stickiness(kind: str, sticky: dict[str, Any]) -> None:
    """Raise unless a load balancer of that kind can stick to a target group for that long."""
    # A Network Load Balancer's stickiness has no duration:
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupStickinessConfig.html
    if kind == "network" and "DurationSeconds" in sticky:
        text = f"Target group stickiness duration cannot be configured on load balancers of type '{kind}'"
        raise Refusal("ValidationError", text)
    if kind == "application" and sticky.get("Enabled") and "DurationSeconds" not in sticky:
        text = "You must provide a duration when enabling target group stickiness"
        raise Refusal("ValidationError", text)


def _check_count(kind: str, count: int) -> None:
    """Raise if an action has too many target groups."""
    most = 1 if kind == "gateway" else QUOTAS[f"target-groups-per-action-on-{kind}-load-balancer"]
    if count > most:
        raise Refusal("TooManyTargetGroups", f"You cannot specify more than {most} target groups per action")


def _check_group(balancer: Any, protocol: str | None, group: Any) -> None:
    """Raise unless a listener of a load balancer can forward to a target group."""
    fits = _FORWARDS.get(protocol or "", {"GENEVE"})
    if group.target_type == "lambda":
        fits = {None} if protocol in {"HTTP", "HTTPS"} else set[None]()
    if group.protocol not in fits:
        raise Refusal(
            "IncompatibleProtocols",
            f"The listener and the following target groups have incompatible protocols: {group.arn}",
        )
    if any(used != balancer.arn for used in group.load_balancer_arns):
        raise Refusal(
            "TargetGroupAssociationLimit",
            f"The following target groups cannot be associated with more than one load balancer: {group.arn}",
        )
    if group.vpc_id and group.vpc_id != balancer.vpc_id:
        raise Refusal(
            "InvalidConfigurationRequest",
            f"The following target groups are in a different VPC than load balancer '{balancer.arn}': {group.arn}",
        )
    if group.IpAddressType == "ipv6" and balancer.ip_address_type == "ipv4":
        raise Refusal(
            "InvalidConfigurationRequest",
            "You cannot associate an IPv6 target group with a load balancer that has an 'ipv4' IP address type",
        )
