"""IAM's decisions, from the AWS process."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sandbox.run.state import State, StateError

_PATIENCE_SECONDS = 30


def ask(state: State, question: str, given: Mapping[str, str]) -> Any:
    """The AWS process's answer; `sandbox.iam.questions` has the shapes.

    Raises:
        StateError: the folder has no sandbox, AWS does not run, or it cannot answer.
    """
    address = f"{state.aws_endpoint}/_sandbox/iam/{question}?{urlencode(given)}"
    try:
        with urllib.request.urlopen(address, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310 - our own address
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise StateError(json.load(error)["error"]) from None
    except OSError:
        raise StateError(f"AWS does not answer at {state.aws_endpoint}: restart it with `sandbox up`") from None
