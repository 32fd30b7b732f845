"""Probes of process pods: a kubelet's probes, sent to the loopback port instead of the container's."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from sandbox.cluster.api import Object
from sandbox.cluster.pods.containers import ContainerConfigError

_IMPATIENT_SECONDS = 0.1
_HEALTHY = range(200, 400)


@dataclass(frozen=True)
class Probe:
    """A probe of a container, HTTP or TCP."""

    kind: str
    """`http`, `https` or `tcp`."""
    port: int
    """The container's port."""
    path: str
    headers: tuple[tuple[str, str], ...]
    initial_delay: float
    period: float
    timeout: float
    failures: int
    """This many consecutive failures count as a failure."""

    @staticmethod
    def of(container: Object, name: str) -> "Probe | None":
        """A container's `readinessProbe`, `livenessProbe` or `startupProbe`; None if it has none.

        Raises:
            ContainerConfigError: the sandbox does not support its type.
        """
        spec: dict[str, Any] | None = container.get(name)
        if not spec:
            return None
        if "httpGet" in spec:
            action = spec["httpGet"]
            kind = action.get("scheme", "HTTP").lower()
        elif "tcpSocket" in spec:
            action = spec["tcpSocket"]
            kind = "tcp"
        else:
            raise ContainerConfigError(f"{name} of container {container['name']}: only httpGet and tcpSocket are known")
        return Probe(
            kind=kind,
            port=container_port(container, action["port"]),
            path=action.get("path") or "/",
            headers=tuple((h["name"], h["value"]) for h in action.get("httpHeaders") or []),
            initial_delay=spec.get("initialDelaySeconds", 0),
            period=spec.get("periodSeconds", 10),
            timeout=spec.get("timeoutSeconds", 1),
            failures=spec.get("failureThreshold", 3),
        )

    async def succeeds(self, session: aiohttp.ClientSession, port: int) -> bool:
        """Probe a loopback port once."""
        try:
            async with asyncio.timeout(self.timeout):
                if self.kind == "tcp":
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    return True
                url = f"{self.kind}://127.0.0.1:{port}{self.path}"
                # Like kubelets, do not check the certificate.
                async with session.get(url, headers=dict(self.headers), ssl=False) as answer:
                    return answer.status in _HEALTHY
        except (OSError, TimeoutError, aiohttp.ClientError):
            return False


def container_port(container: Object, port: int | str) -> int:
    """A port by number, or by its name in the container.

    Raises:
        ContainerConfigError: no port of the container has that name.
    """
    if isinstance(port, int) or port.isdigit():
        return int(port)
    number = next((p["containerPort"] for p in container.get("ports") or [] if p.get("name") == port), None)
    if number is None:
        raise ContainerConfigError(f"container {container['name']} has no port called {port}")
    return int(number)


async def follow(ask: Callable[[], Any], probe: Probe, tell: Callable[[bool], None], *, patient: bool) -> None:
    """Probe for ever; call `tell` with the first result and every change.

    Args:
        ask: probes once (a coroutine function that returns whether it succeeded).
        probe: how often, and how many failures count.
        tell: takes the result.
        patient: for liveness: wait for the initial delay. Readiness does not wait: a sandbox's pods may be ready
            already, so it is probed at short intervals until the first success.
    """
    verdict: bool | None = None
    failed = 0
    if patient:
        await asyncio.sleep(probe.initial_delay)
    while True:
        success = await ask()
        failed = 0 if success else failed + 1
        now = success or (failed < probe.failures and bool(verdict))
        if now != verdict and (success or failed >= probe.failures or not patient):
            verdict = now
            tell(now)
        await asyncio.sleep(probe.period if patient or verdict else min(_IMPATIENT_SECONDS, probe.period))
