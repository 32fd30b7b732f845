"""Faults for tests: throttled calls, failing calls, answers that are lost after the work was done.

`POST /_sandbox/faults` takes a list of rules, which replaces the earlier ones (an empty list ends all faults):

    {"actions": ["elasticloadbalancing:*"],   which calls, as shell patterns of service:Action; all by default
     "callers": ["*assumed-role*"],           by whom, as patterns of ARNs; all by default
     "kind": "throttle" | "error" | "lost",   lost: the call is executed, then the connection is closed
     "percent": 30,                           the share of them, 100 by default
     "count": 1,                              at most that many; unlimited by default
     "code": "InternalFailure", "status": 500 for "error"}
"""

import random
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from sandbox.iam.wire.call import Call
from sandbox.iam.wire.replies import Denial

# Each service's error for too many calls.
_THROTTLED = {
    "ec2": Denial("RequestLimitExceeded", "Request limit exceeded.", 503),
    "eks": Denial("ThrottlingException", "Rate exceeded", 429),
}
_OTHERS_THROTTLED = Denial("Throttling", "Rate exceeded", 400)


class Rule(BaseModel):
    """One rule; see the module."""

    model_config = ConfigDict(extra="forbid")
    actions: list[str] = ["*"]
    callers: list[str] = ["*"]
    kind: Literal["throttle", "error", "lost"]
    percent: float = 100
    count: int | None = None
    code: str = "InternalFailure"
    status: int = 500

    def matches(self, call: Call, arn: str) -> bool:
        """Whether it applies to this call."""
        name = f"{call.service}:{call.action}"
        return any(fnmatchcase(name, p) for p in self.actions) and any(fnmatchcase(arn, p) for p in self.callers)


_RULES = TypeAdapter(list[Rule])


@dataclass
class Faults:
    """The current rules."""

    rules: list[Rule] = field(default_factory=list[Rule])
    _dice: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - a test's dice, the same each time

    def replace(self, rules: Any) -> None:
        """Replace the rules with `rules` (JSON).

        Raises:
            pydantic.ValidationError: a rule has an unknown field.
        """
        self.rules = _RULES.validate_python(rules)

    def strike(self, call: Call, arn: str) -> Denial | Literal["lost"] | None:
        """The fault of this call: an error, a lost answer, or none."""
        for rule in self.rules:
            if rule.count == 0 or not rule.matches(call, arn) or self._dice.uniform(0, 100) >= rule.percent:
                continue
            if rule.count is not None:
                rule.count -= 1
            if rule.kind == "lost":
                return "lost"
            if rule.kind == "error":
                return Denial(rule.code, "injected by /_sandbox/faults", rule.status)
            return _THROTTLED.get(call.service or "", _OTHERS_THROTTLED)
        return None
