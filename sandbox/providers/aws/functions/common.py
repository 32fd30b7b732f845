"""What lookups have in common."""

from collections.abc import Callable
from typing import Any

from sandbox.providers.aws.errors import found_live
from sandbox.providers.aws.functions import Function
from sandbox.providers.aws.kind import Kind, tag_map
from sandbox.providers.aws.session import HIDDEN_TAGS, Aws
from sandbox.providers.common.fields import Fields
from sandbox.providers.common.server import ProviderError

Answer = Callable[[Aws, dict[str, Any]], dict[str, Any]]


def shown_tags(tags: Any) -> dict[str, str]:
    """Tags that a program can set."""
    return {key: value for key, value in tag_map(tags).items() if not key.startswith(HIDDEN_TAGS)}


def only(found: list[Any], what: str, args: dict[str, Any]) -> Any:
    """The only thing that was found."""
    if len(found) != 1:
        remedy = "narrow the arguments" if found else "check them, or create it first"
        raise ProviderError(f"{len(found)} {what} match {args}, but exactly one must: {remedy}")
    return found[0]


def read(kind: Kind, aws: Aws, resource_id: str, *, absent: str = "") -> dict[str, Any]:
    """The properties of the type with the same name, in the function's form; `absent` is the real provider's error."""
    live = found_live(kind, aws, resource_id, {}) if absent else kind.calls.read(aws, resource_id, {})
    if not live:
        raise ProviderError(absent)
    tags = {"tags": shown_tags(live.pop("tagsAll", {}))}
    return {**live, **tags, "region": aws.region, "id": resource_id}


def function(token: str, answer: Answer, arguments: Fields) -> Function:
    """A function by the short form of its token: `ec2/getVpc`."""
    return Function(f"aws:{token}:{token.rpartition('/')[2]}", answer, arguments)
