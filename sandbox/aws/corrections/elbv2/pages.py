"""Pages of ELBv2's answers. moto makes them for two calls, and breaks off at a marker that it does not know.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html
"""

import functools
from collections.abc import Callable
from typing import Any

from botocore import xform_name
from moto.core.responses import ActionResult
from moto.core.utils import get_service_model
from moto.elbv2.responses import ELBV2Response

from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal

_LONGEST = 400
"""Also the default."""
_EVERYTHING = 1_000_000
"""A page of moto's own, so large that there is no second one."""


def install() -> None:
    """Page every answer whose request can have a marker. Installed after the corrections of these answers."""
    model: Any = get_service_model("elbv2")
    for name in model.operation_names:
        operation, method = model.operation_model(name), xform_name(name)
        if operation.input_shape and "Marker" in operation.input_shape.members and hasattr(ELBV2Response, method):
            replace(ELBV2Response, method, paged(getattr(ELBV2Response, method)))


def paged(method: Callable[..., ActionResult]) -> Callable[..., ActionResult]:
    """An action whose answer has at most as many members of its list as the request wants."""

    @functools.wraps(method)
    def action(self: ELBV2Response) -> ActionResult:
        params = self._get_params()
        size, marker = int(params.get("PageSize", _LONGEST)), params.pop("Marker", "0")
        if not marker.isdigit():
            raise Refusal("ValidationError", f"The marker '{marker}' is not valid")
        params["PageSize"] = _EVERYTHING
        whole: Any = method(self).result
        ((key, members),) = ((k, v) for k, v in whole.items() if isinstance(v, list))
        start, end = int(marker), int(marker) + size
        rest = {"NextMarker": str(end)} if len(members) > end else {}
        return ActionResult({key: members[start:end], **rest})

    return action
