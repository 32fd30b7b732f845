"""AWS's Service Authorization Reference, for the sandbox's services: ARNs of resources, condition keys of actions.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
"""

import json
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("reference.json")
_PLACES = {"Partition": "partition", "Region": "region", "Account": "account"}
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Place:
    """Where a call goes."""

    partition: str
    region: str
    account: str


@cache
def _content() -> dict[str, Any]:
    return json.loads(PATH.read_text())


def services() -> set[str]:
    """The services' prefixes, `ec2`, ..."""
    return set(_content())


def action_types(service: str, action: str) -> dict[str, frozenset[str]] | None:
    """The condition keys of an action by resource type; "" for no resource. None if the action is unknown."""
    return _action_types(service, action)


@lru_cache(maxsize=2048)
def _action_types(service: str, action: str) -> dict[str, frozenset[str]] | None:
    found = _content().get(service, {}).get("actions", {}).get(action)
    if found is None:
        return None
    return {kind: frozenset(_key(key) for key in keys) for kind, keys in found.items()}


def _key(key: str) -> str:
    """`aws:RequestTag/${TagKey}` stands for a whole family, `aws:requesttag/`; names are compared in lower case."""
    return _VARIABLE.sub("", key).lower()


def arn(service: str, kind: str, place: Place, parts: list[str]) -> str:
    """The ARN of a resource of that type; `parts` fill, in order, the variables that the place does not.

    Raises:
        KeyError: the type is not in the reference.
    """
    given = iter(parts)
    here = vars(place)
    return _VARIABLE.sub(
        lambda found: here[_PLACES[found[1]]] if found[1] in _PLACES else next(given, "*"),
        _content()[service]["resources"][kind],
    )


def type_of(service: str, resource: str) -> str | None:
    """The type of the resource that an ARN names; None if the service has no such type."""
    return next((kind for kind, pattern in _patterns(service) if pattern.fullmatch(resource)), None)


@cache
def _patterns(service: str) -> list[tuple[str, re.Pattern[str]]]:
    """The longest first, because a listener's ARN begins like its load balancer's."""
    known = sorted(_content()[service]["resources"].items(), key=lambda item: -len(item[1]))
    return [(kind, re.compile(_pattern(text))) for kind, text in known]


def _pattern(text: str) -> str:
    """Paths of IAM and names of log groups have slashes."""
    pieces = _VARIABLE.split(text)
    variable = "[^:]*" if text.startswith(("arn:${Partition}:iam:", "arn:${Partition}:logs:")) else "[^:/]*"
    return "".join(variable if at % 2 else re.escape(piece) for at, piece in enumerate(pieces))
