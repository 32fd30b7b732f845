"""What ELBv2 checks first in every call: AWS's model of its parameters and the form of ARNs, with AWS's messages.

The model (botocore's) has the ranges, lengths, patterns and enumerations. One answer names every fault:
`2 validation errors detected: Value '400' at 'healthCheckIntervalSeconds' failed to satisfy constraint: Member must
have value less than or equal to 300; ...`
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/CommonErrors.html
"""

import functools
import re
from collections.abc import Callable
from typing import Any

from botocore import xform_name
from moto.core.utils import get_service_model
from moto.elbv2.responses import ELBV2Response

from sandbox.aws.constraints import message
from sandbox.aws.refusal import Refusal

_MODEL = "elbv2"
_ARNS = {
    "LoadBalancerArn": ("loadbalancer", "load balancer"),
    "TargetGroupArn": ("targetgroup", "target group"),
    "ListenerArn": ("listener", "listener"),
    "RuleArn": ("listener-rule", "listener rule"),
    "TrustStoreArn": ("truststore", "trust store"),
}
"""Parameters, also in the plural, with the resource of their ARN and AWS's word for it."""
_MAY_BE_EMPTY = {"Conditions", "Actions", "DefaultActions", "SecurityGroups"}
"""What is refused later, with words of its own."""
Function = Callable[..., Any]


def install() -> None:
    """Check every action of the server. Installed last, so that it runs before every other correction."""
    model: Any = get_service_model(_MODEL)
    for name in model.operation_names:
        method = xform_name(name)
        if hasattr(ELBV2Response, method):
            shape = model.operation_model(name).input_shape
            setattr(ELBV2Response, method, checked(getattr(ELBV2Response, method), shape))


def checked(method: Function, shape: Any) -> Function:
    """An action that is refused if its parameters do not match AWS's model."""

    @functools.wraps(method)
    def action(self: ELBV2Response) -> Any:
        given = self._get_params()
        backend = self.elbv2_backend
        wrong = (
            message(shape, given) or _empty(shape, given) or _foreign(given, backend.region_name, backend.account_id)
        )
        if wrong:
            raise Refusal("ValidationError", wrong)
        return method(self)

    return action


def _empty(shape: Any, given: dict[str, Any]) -> str:
    """The lists that a call needs and that have nothing in them. The model gives them no least length."""
    lists = (key for key in shape.required_members if shape.members[key].type_name == "list")
    return next((f"{key} must not be empty" for key in lists if not given[key] and key not in _MAY_BE_EMPTY), "")


def _foreign(given: dict[str, Any], region: str, account: str) -> str:
    """An ARN that is not one of the account in the region."""
    for key, (kind, word) in _ARNS.items():
        for arn in [*_listed(given.get(key)), *_listed(given.get(f"{key}s"))]:
            if not re.fullmatch(rf"arn:[a-z-]+:elasticloadbalancing:{region}:{account}:{kind}/.+", arn):
                return f"'{arn}' is not a valid {word} ARN"
    return ""


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []
