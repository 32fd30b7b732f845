"""Who asks: the bearer token of a connection, given or printed by a command such as `aws eks get-token`."""

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sandbox.providers.common.server import ProviderError
from sandbox.providers.kubernetes.kubeconfig import Connection, Exec

SECONDS_FOR_A_TOKEN: Final = 60
_SPARE_TIME = timedelta(seconds=60)  # a token is renewed before it ends, not when


class Credentials:
    """The bearer token of a connection, renewed when it ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._token: str | None = None
        self._until: datetime | None = None
        self._lock = asyncio.Lock()

    @property
    def renewable(self) -> bool:
        """Whether a new token can be had when the server refuses this one."""
        return self._connection.command is not None

    def forget(self) -> None:
        """Has the next call fetch a new token."""
        self._token = None

    async def token(self) -> str | None:
        """The token; None if the connection has none."""
        command = self._connection.command
        if command is None:
            path = self._connection.token_file
            return path.read_text().strip() if path else self._connection.token
        async with self._lock:
            if self._token is None or (self._until and datetime.now(UTC) > self._until - _SPARE_TIME):
                self._token, self._until = await _run(command, self._connection)
            return self._token


async def _run(command: Exec, connection: Connection) -> tuple[str, datetime | None]:
    """The token that a credential command prints, and when it ends.

    Raises:
        ProviderError: The command is missing, fails, or prints something else.
    """
    info: dict[str, Any] = {"apiVersion": command.api_version, "kind": "ExecCredential", "spec": {"interactive": False}}
    if command.provide_cluster_info:
        info["spec"]["cluster"] = {"server": connection.server}
    environment = {**os.environ, **dict(command.env), "KUBERNETES_EXEC_INFO": json.dumps(info)}
    shown = " ".join(command.argv)
    try:
        process = await asyncio.create_subprocess_exec(
            *command.argv, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
    except OSError as error:
        hint = f": {command.install_hint}" if command.install_hint else ": put it on PATH"
        raise ProviderError(f"the kubeconfig's credentials come from `{shown}`, which cannot be run{hint}") from error
    try:
        out, err = await asyncio.wait_for(process.communicate(), SECONDS_FOR_A_TOKEN)
    except TimeoutError as error:
        process.kill()
        raise ProviderError(f"`{shown}` printed no token within {SECONDS_FOR_A_TOKEN} s") from error
    if process.returncode:
        raise ProviderError(f"`{shown}` exited {process.returncode}: {' '.join(err.decode(errors='replace').split())}")
    try:
        status = json.loads(out)["status"]
        until = status.get("expirationTimestamp")
        return status["token"], datetime.fromisoformat(until) if until else None
    except (ValueError, KeyError, TypeError) as error:
        raise ProviderError(f"`{shown}` printed no ExecCredential with a token") from error
