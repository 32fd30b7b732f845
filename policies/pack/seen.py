"""What the SDK tells of a resource."""

from collections.abc import Mapping
from typing import Any, Protocol


class Seen(Protocol):
    """A resource: `ResourceValidationArgs` and `PolicyResource` of the SDK both are."""

    resource_type: str
    props: Mapping[str, Any]
    urn: str
    name: str
    provider: Any
