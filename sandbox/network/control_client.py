"""The command line's side of the control socket. It imports nothing heavy, because every command imports it."""

import http.client
import json
import socket
from typing import Any

from sandbox.run.state import State, StateError, read_json


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("sandbox", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def refuse_without_traffic(state: State) -> None:
    """Refuse a command that needs packets if the sandbox does not carry any.

    Raises:
        StateError: it carries none.
    """
    if not state.settings().traffic:
        raise StateError(f"the sandbox in {state.root} carries no traffic: `sandbox down`, `sandbox up --traffic`")


def ask(state: State, question: str, patience: float = 120, **body: Any) -> Any:
    """Ask a sandbox's world from outside.

    Raises:
        StateError: it does not run, does not answer, or cannot answer this.
    """
    refuse_without_traffic(state)
    path = (read_json(state.traffic / "status.json") or {}).get("socket", "")
    connection = _Connection(path, patience)
    try:
        connection.request("POST", f"/{question}", json.dumps(body), {"Content-Type": "application/json"})
        reply = connection.getresponse()
        answer = json.loads(reply.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise StateError(
            f"the world of {state.root} does not answer ({error!r}): restart it with `sandbox up`"
        ) from error
    finally:
        connection.close()
    if reply.status != 200:  # noqa: PLR2004 - HTTP's OK
        raise StateError(answer["error"])
    return answer
