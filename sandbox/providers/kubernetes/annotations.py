"""The `pulumi.com/` annotations: how a program tells the provider to treat one object differently."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sandbox.providers.common.values import UNKNOWN

PREFIX: Final = "pulumi.com/"
AUTONAMED: Final = f"{PREFIX}autonamed"
SKIP_AWAIT: Final = f"{PREFIX}skipAwait"
TIMEOUT: Final = f"{PREFIX}timeoutSeconds"
WAIT_FOR: Final = f"{PREFIX}waitFor"
FORCE: Final = f"{PREFIX}patchForce"
FIELD_MANAGER: Final = f"{PREFIX}patchFieldManager"
REPLACE_UNREADY: Final = f"{PREFIX}replaceUnready"
PROPAGATION: Final = f"{PREFIX}deletionPropagationPolicy"

Propagation = Literal["Foreground", "Background", "Orphan"]
SECONDS: Final = 600
"""How long an object may take to become ready unless it says otherwise: pulumi-kubernetes' ten minutes."""

# https://github.com/pulumi/pulumi-kubernetes/blob/master/provider/pkg/await/await.go: where skipAwait also skips the
# wait for the end of a deletion.
_SKIPS_ITS_END = frozenset(
    {"Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job"}
)


_CONDITION = re.compile(r"condition=\w+(=\w+)?|jsonpath=\{[\w.\[\]/-]+\}(=.*)?")


@dataclass(frozen=True)
class Wish:
    """What an object's annotations ask for."""

    skip_await: bool
    timeout: float
    wait_for: tuple[str, ...]
    force: bool
    field_manager: str | None
    replace_unready: bool
    propagation: Propagation


def of(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object's annotations; empty where there are none or they are not known yet."""
    found = (item.get("metadata") or {}).get("annotations")
    return found if isinstance(found, Mapping) else {}


def is_true(item: Mapping[str, Any], name: str) -> bool:
    """Whether an annotation is the string `true`."""
    return of(item).get(name) == "true"


def is_hook(item: Mapping[str, Any]) -> bool:
    """Whether Helm would run the object at some moment of an installation."""
    return any(name.startswith("helm.sh/hook") for name in of(item))


def wish(item: Mapping[str, Any], custom_timeout: float = 0) -> Wish:
    """What an object asks for; `custom_timeout` is the resource option's seconds and comes first.

    Only for objects in which `problems` found nothing.
    """
    given = of(item)
    policy = str(given.get(PROPAGATION, "foreground")).lower()
    return Wish(
        skip_await=is_true(item, SKIP_AWAIT),
        timeout=custom_timeout or float(given.get(TIMEOUT, SECONDS)),
        wait_for=_conditions(given.get(WAIT_FOR)),
        force=is_true(item, FORCE),
        field_manager=given.get(FIELD_MANAGER),
        replace_unready=is_true(item, REPLACE_UNREADY),
        propagation="Orphan" if policy == "orphan" else "Background" if policy == "background" else "Foreground",
    )


def skips_its_end(item: Mapping[str, Any]) -> bool:
    """Whether a deletion is done as soon as it is asked for."""
    return is_true(item, SKIP_AWAIT) and item.get("kind") in _SKIPS_ITS_END


def problems(item: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the `pulumi.com/` annotations, by annotation."""
    found: dict[str, str] = {}
    for name, value in of(item).items():
        if not name.startswith(PREFIX) or value is UNKNOWN:
            continue
        check = _CHECKS.get(name)
        if check is None:
            known = ", ".join(sorted(key.removeprefix(PREFIX) for key in _CHECKS if key != AUTONAMED))
            found[name] = f"{name} is not known: after {PREFIX} this stand-in knows {known}"
        elif problem := check(value):
            found[name] = f"{name} is {value!r}: give {problem}"
    return found


def _flag(value: Any) -> str | None:
    return None if value in ("true", "false") else 'the string "true" or "false"'


def _seconds(value: Any) -> str | None:
    return None if isinstance(value, str) and value.isdigit() and int(value) > 0 else "whole seconds, as a string"


def _policy(value: Any) -> str | None:
    known = ("foreground", "background", "orphan")
    return None if isinstance(value, str) and value.lower() in known else "foreground, background or orphan"


def _manager(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "the field manager's name"


def _waits(value: Any) -> str | None:
    conditions = _conditions(value)
    good = conditions and all(_CONDITION.fullmatch(text) for text in conditions)
    return None if good else "condition=TYPE[=STATUS] or jsonpath={.PATH}[=VALUE], or a JSON list of such"


def _conditions(value: Any) -> tuple[str, ...]:
    if not isinstance(value, str) or not value:
        return ()
    try:
        several = json.loads(value)
    except json.JSONDecodeError:
        return (value,)
    return tuple(several) if isinstance(several, list) and all(isinstance(one, str) for one in several) else (value,)


_CHECKS: Final = {
    AUTONAMED: _flag,
    SKIP_AWAIT: _flag,
    FORCE: _flag,
    REPLACE_UNREADY: _flag,
    TIMEOUT: _seconds,
    PROPAGATION: _policy,
    FIELD_MANAGER: _manager,
    WAIT_FOR: _waits,
}
