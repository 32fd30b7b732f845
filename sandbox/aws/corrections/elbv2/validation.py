"""What ELBv2 checks first in every call: AWS's model of its parameters, with AWS's messages.

The model (botocore's) has the ranges, lengths, patterns and enumerations. One answer names every fault:
`2 validation errors detected: Value '400' at 'healthCheckIntervalSeconds' failed to satisfy constraint: Member must
have value less than or equal to 300; ...`
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/CommonErrors.html
"""

import functools
from collections.abc import Callable
from typing import Any

from botocore import xform_name
from moto.core.utils import get_service_model
from moto.elbv2.responses import ELBV2Response

from sandbox.aws.constraints import message
from sandbox.aws.refusal import Refusal

_MODEL = "elbv2"
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
        if wrong := message(shape, self._get_params()):
            raise Refusal("ValidationError", wrong)
        return method(self)

    return action
