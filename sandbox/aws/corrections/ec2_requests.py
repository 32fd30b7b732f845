"""What EC2 checks in every request, whatever it is about: ids, filters, tags. How it names what does not exist.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from botocore import xform_name
from moto.core.exceptions import ServiceException
from moto.core.utils import get_service_model
from moto.ec2.responses import EC2Response

from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal

_IDS = {"GroupId": ("sg", "InvalidGroupId.Malformed"), "InstanceId": ("i", "InvalidInstanceID.Malformed")}
"""Parameters, also in the plural: the prefix of their ids, and the code for an id in another form."""
_MISSING = {
    "InvalidGroup.NotFound": "The security group '{}' does not exist",
    "InvalidVpcID.NotFound": "The vpc ID '{}' does not exist",
    "InvalidAllocationID.NotFound": "The allocation ID '{}' does not exist",
}
_SET = re.compile(r"\{('[^']*'(?:, '[^']*')*)\}")
"""moto has Python's sets in its messages."""
_FILTER = re.compile(r"<li> <p> ?<code>([\w.-]+)</code>")
_LONGEST_KEY, _LONGEST_VALUE = 128, 256
Action = Callable[..., Any]


def install() -> None:
    """Check every action of the server. Installed last, so that it runs before every other correction."""
    model: Any = get_service_model("ec2")
    for name in model.operation_names:
        method = xform_name(name)
        if hasattr(EC2Response, method):
            replace(EC2Response, method, checked(name, getattr(EC2Response, method)))


def checked(name: str, method: Action) -> Action:
    """An action that is refused if its request is not valid."""

    @functools.wraps(method)
    def action(self: EC2Response) -> Any:
        params = self._get_params()
        for fault in (*_ids(params), *_filters(name, params), *_tags(name, params)):
            raise Refusal(*fault)
        try:
            return method(self)
        except ServiceException as error:
            if not (found := _SET.search(str(error.message))):
                raise
            missing = found[1].replace("'", "")
            text = _MISSING[error.code].format(missing) if error.code in _MISSING else _SET.sub(missing, error.message)
            raise Refusal(error.code, text) from None

    return action


Faults = Iterator[tuple[str, str]]
"""AWS's code and text."""


def _ids(params: dict[str, Any]) -> Faults:
    for key, (prefix, code) in _IDS.items():
        for value in (params.get(key), *(params.get(f"{key}s") or ())):
            if value and not re.fullmatch(rf"{prefix}-([0-9a-f]{{8}}|[0-9a-f]{{17}})", str(value)):
                yield code, f'Invalid id: "{value}" (expecting "{prefix}-...")'


def _filters(name: str, params: dict[str, Any]) -> Faults:
    known = _known(name) if params.get("Filters") else frozenset[str]()
    for one in params.get("Filters") or []:
        if known and one.get("Name") not in known and not str(one.get("Name")).startswith("tag:"):
            yield "InvalidParameterValue", f"The filter '{one.get('Name')}' is invalid"


@functools.cache
def _known(name: str) -> frozenset[str]:
    """The filters of a call, from the documentation in botocore's model; empty if that does not list them."""
    model: Any = get_service_model("ec2")
    return frozenset(_FILTER.findall(model.operation_model(name).input_shape.members["Filters"].documentation))


def _tags(name: str, params: dict[str, Any]) -> Faults:
    if name == "CreateTags" and not params.get("Tags"):
        yield "MissingParameter", "The request must contain the parameter tagSet"
    given = [params.get("Tags") or []] if name == "CreateTags" else []
    for tags in (*given, *(spec.get("Tags") or [] for spec in params.get("TagSpecifications") or [])):
        for key, count in Counter(tag.get("Key", "") for tag in tags).items():
            if count > 1:
                yield "InvalidParameterValue", f"Duplicate tag key '{key}' specified."
            if key.lower().startswith("aws:"):
                yield "InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use"
            if len(key) > _LONGEST_KEY:
                yield "InvalidParameterValue", f"Tag key exceeds the maximum length of {_LONGEST_KEY} characters"
        if any(len(tag.get("Value") or "") > _LONGEST_VALUE for tag in tags):
            yield "InvalidParameterValue", f"Tag value exceeds the maximum length of {_LONGEST_VALUE} characters"
