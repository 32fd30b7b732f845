"""How long AWS takes: `sandbox up --latency realistic`, or a file of delays. Without it everything is done at once.

The same seed gives the same delays. A file, in YAML:

    seed: 1
    answers:                          how long a call takes: shell patterns of service:Action, the first that matches
      "ec2:Describe*": [0.05, 0.4]    seconds, from least to most
    provisioning:                     how long it takes until something is ready for traffic
      application: [90, 180]          load balancers by type; accelerator for Global Accelerator
    hidden:                           how long something new is not known
      "ec2:CreateSecurityGroup": [0, 3]     to EC2
      "tag:GetResources": [0, 10]           a load balancer or target group, to the Resource Groups Tagging API
"""

import random
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, PrivateAttr, ValidationError

from sandbox.run.state import StateError

REALISTIC = "realistic"


def _span(span: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= span[0] <= span[1]:
        raise ValueError("give [least, most] in seconds")
    return span


Span = Annotated[tuple[float, float], AfterValidator(_span)]
Kind = Literal["application", "network", "gateway", "accelerator"]
Blind = Literal["ec2:CreateSecurityGroup", "tag:GetResources"]


class Latency(BaseModel):
    """The delays; see the module."""

    model_config = ConfigDict(extra="forbid")
    seed: int = 0
    answers: dict[str, Span] = {}
    provisioning: dict[Kind, Span] = {}
    hidden: dict[Blind, Span] = {}
    _calls: Counter[str] = PrivateAttr(default_factory=Counter[str])

    def answer(self, name: str) -> float:
        """Seconds that the next call of `service:Action` takes."""
        self._calls[name] += 1
        span = next((span for pattern, span in self.answers.items() if fnmatchcase(name, pattern)), None)
        return self._pick(span, f"{name}/{self._calls[name]}")

    def ready(self, kind: Kind, name: str) -> float:
        """Seconds until a load balancer or an accelerator of that name is ready."""
        return self._pick(self.provisioning.get(kind), f"{kind}/{name}")

    def hides(self, key: Blind, name: str) -> float:
        """Seconds during which something new of that name is not known; `key` is one of `hidden`."""
        return self._pick(self.hidden.get(key), f"{key}/{name}")

    def _pick(self, span: Span | None, what: str) -> float:
        # A die for each subject, so that delays do not depend on the order of calls.
        return random.Random(f"{self.seed}/{what}").uniform(*span) if span else 0.0  # noqa: S311 - no secret


def load(word: str) -> Latency:
    """The delays that `--latency` names: `realistic`, or a file.

    Raises:
        StateError: it cannot be read; the message names the file and the fault.
    """
    path = Path(__file__).with_name("realistic.yaml") if word == REALISTIC else Path(word)
    try:
        return Latency.model_validate(yaml.safe_load(path.read_text()) or {})
    except OSError as error:
        raise StateError(f"--latency {word}: {error.strerror}; give `{REALISTIC}` or a file of delays") from error
    except yaml.YAMLError as error:
        raise StateError(f"--latency {word}: not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StateError(f"--latency {word}: {where}: {first['msg']}") from error
