"""When other objects are ready: volumes, namespaces, CRDs; and what an annotation asks to wait for."""

import re
from collections.abc import Sequence
from typing import Any, Final

from sandbox.providers.kubernetes.kinds import Kind, Selection
from sandbox.providers.kubernetes.readiness.rule import SELF, Objects, Rule, at, condition

_CLASSES: Final = Kind("storage.k8s.io", "v1", "StorageClass")


def claim(objects: Objects) -> Sequence[str]:
    """Bound, or waiting for its first consumer where its class says so."""
    (item,) = objects[SELF]
    phase = at(item, "status", "phase")
    modes = {at(one, "volumeBindingMode") for one in objects.get("class", ())}
    fine = phase == "Bound" or (phase == "Pending" and "WaitForFirstConsumer" in modes)
    return [] if fine else [f"it is {phase or 'not seen yet'}, not Bound"]


def class_of(item: Any) -> dict[str, Selection]:
    """The storage class of a claim."""
    name = at(item, "spec", "storageClassName")
    return {"class": Selection(_CLASSES, name=name)} if name else {}


def phase(*good: str) -> Rule:
    """The rule of an object whose phase says all."""

    def missing(objects: Objects) -> Sequence[str]:
        (item,) = objects[SELF]
        now = at(item, "status", "phase")
        return [] if now in good else [f"it is {now or 'not seen yet'}, not {' or '.join(good)}"]

    return Rule(missing)


def definition(objects: Objects) -> Sequence[str]:
    """A CRD whose names are accepted and whose objects can be made."""
    (item,) = objects[SELF]
    lacking: list[str] = []
    for name in ("NamesAccepted", "Established"):
        found = condition(item, name)
        if found.get("status") != "True":
            lacking.append(f"it is not {name}" + (f": {found['message']}" if found.get("message") else ""))
    return lacking


def quota(objects: Objects) -> Sequence[str]:
    """Its limits are in force."""
    (item,) = objects[SELF]
    return [] if at(item, "spec", "hard") == at(item, "status", "hard") else ["its limits are not in force yet"]


def token(objects: Objects) -> Sequence[str]:
    """A service account token's secret has been filled."""
    (item,) = objects[SELF]
    waits = item.get("type") == "kubernetes.io/service-account-token" and not item.get("data")
    return ["its token has not been made"] if waits else []


def waits_for(conditions: Sequence[str]) -> Rule:
    """The rule of the annotation `pulumi.com/waitFor`: all of these instead of the kind's own."""

    def missing(objects: Objects) -> Sequence[str]:
        (item,) = objects[SELF]
        return [f"{text} does not hold" for text in conditions if not _holds(item, text)]

    return Rule(missing)


def _holds(item: Any, text: str) -> bool:
    how, _, rest = text.partition("=")
    if how == "condition":
        name, _, status = rest.partition("=")
        return condition(item, name).get("status") == (status or "True")
    path, _, wanted = rest.removeprefix("{").partition("}")
    value = item
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(value, list):
            value = value[int(part)] if part.isdigit() and int(part) < len(value) else None
        else:
            value = at(value, part)
    return value is not None and (not wanted or str(value) == wanted.removeprefix("=").strip("'\""))
