"""Where the page is: the same place each time, so that an open page finds its server when that is started again."""

import secrets
import socket
from typing import Any

from sandbox.run.state import State, read_json, write_json

ADDRESS = "127.0.0.1"


def claim(state: State, port: int | None) -> tuple[socket.socket, str]:
    """Listen, and say what the page's address holds as its secret.

    Args:
        state: keeps port and secret, for its owner's eyes only.
        port: the one to listen on; None for the last one, or a free one if that is taken or there was none.

    Raises:
        OSError: the port is taken.
    """
    file = state.root / "view.json"
    kept: dict[str, Any] = read_json(file) or {}
    secret = str(kept.get("secret") or secrets.token_urlsafe(24))
    try:
        door = socket.create_server((ADDRESS, port or int(kept.get("port", 0))))
    except OSError:
        if port:
            raise
        # Another view of this sandbox, most likely: the place stays its own.
        return socket.create_server((ADDRESS, 0)), secret
    write_json(file, {"port": door.getsockname()[1], "secret": secret})
    return door, secret
