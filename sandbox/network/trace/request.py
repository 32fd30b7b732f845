"""Send one request from the clients' namespace and report its path: `{"url", "arrived", "hops", "totals", ...}`."""

import asyncio
import json
import random
import socket
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from sandbox.network.elb import lookup
from sandbox.network.elb.model import LoadBalancer
from sandbox.network.facts import Facts, Interface
from sandbox.network.network import Network
from sandbox.network.trace import diagnosis, path
from sandbox.network.trace.kernel import Chains, Flow, chains
from sandbox.network.trace.watching import Seen, watched
from sandbox.network.wiring import CLIENT_ADDRESS
from sandbox.network.world import CLIENTS, World, inside
from sandbox.run.clients import client
from sandbox.run.state import State

_PORTS = {"http": 80, "https": 443}
_PROBE_SECONDS = 1.0
_PROBED = 4
"""This many targets are asked why they do not answer."""


@dataclass(frozen=True)
class Response:
    """The result of curl."""

    status: int
    """HTTP's status; 0 without a response."""
    seconds: float
    flow: Flow | None
    body: str
    error: str


def response(code: int, output: str) -> Response:
    """Curl's output: the body, and its measurements, as JSON in the last line."""
    body, _, last = output.rpartition("\n")
    told: dict[str, Any] = json.loads(last) if last.startswith("{") else {}
    connected = told.get("local_port", -1) > 0
    return Response(
        status=told.get("http_code") or told.get("response_code") or 0,
        seconds=told.get("time_total", 0.0),
        flow=Flow(told["local_ip"], told["local_port"], told["remote_ip"], told["remote_port"]) if connected else None,
        body=body,
        error=told.get("errormsg") or (f"curl ended with exit code {code}" if code else ""),
    )


class Tracer:
    """Traces requests; answers `POST /trace` on the world's control socket."""

    def __init__(
        self,
        state: State,
        world: World,
        network: Network,
        names: Callable[[], Mapping[str, str]],
        unlike_aws: Callable[[LoadBalancer], list[str]],
    ) -> None:
        """`names` returns the nodes' names by instance, `unlike_aws` what a load balancer does only on AWS."""
        self._state = state
        self._world = world
        self._network = network
        self._names = names
        self._unlike_aws = unlike_aws
        self._lock = asyncio.Lock()

    async def trace(self, question: dict[str, Any]) -> dict[str, Any]:
        """Trace one request: `{"url", "headers", "seconds"}`; one at a time.

        Raises:
            ValueError: the URL cannot be traced.
        """
        url = urlsplit(question["url"])
        if url.scheme not in _PORTS or not url.hostname:
            raise ValueError(f"{question['url']}: give a URL like http://HOST/PATH or https://HOST/PATH")
        async with self._lock:
            return await self._trace(url, question.get("headers") or [], float(question.get("seconds", 5)))

    async def _trace(self, url: SplitResult, headers: list[str], seconds: float) -> dict[str, Any]:
        host, port = url.hostname or "", url.port or _PORTS[url.scheme]
        balancer = await asyncio.to_thread(self._find, host)
        if balancer is None:
            return _stopped(url, [], f"no route: {host} is not the name of a load balancer in this account")
        nodes = [i for i in self._network.facts.interfaces if i.balancer == balancer.key]
        if not nodes:
            return _stopped(url, [], f"no route: {balancer.kind} {balancer.name} has no node in any subnet")
        random.shuffle(nodes)
        vpc = nodes[0].vpc
        instances = [i.instance for i in self._network.facts.interfaces if i.vpc == vpc and i.instance]
        addresses = ",".join(i.address for i in nodes)
        command = ["curl", "-sk", "--max-time", str(seconds), "--resolve", f"{host}:{port}:{addresses}"]
        command += [word for header in headers for word in ("-H", header)]
        async with watched(self._world, [vpc, *instances], instances) as seen:
            code, output, _ = await self._world.attempt(CLIENTS, [*command, "-w", "\n%{json}", url.geturl()])
        got = response(code, output)
        answer = path.Answer.of(_json(got.body))
        scene = path.Scene(
            self._network.facts,
            balancer,
            self._names(),
            seen.passages,
            seen.entries,
            await self._chains(seen, instances),
        )
        flow = got.flow or _asked(seen, nodes, port)
        hops = path.to_balancer(scene, flow, host, url.path or "/", _target(scene, answer)) if flow else []
        told: dict[str, Any] = {"status": got.status, "seconds": got.seconds, "body": got.body}
        told["unlikeAws"] = self._unlike_aws(balancer)
        if answer:
            hops += path.to_pod(scene, answer)
            return {"url": url.geturl(), "arrived": True, "stopped": None, **told, **_listed(hops)}
        reason = diagnosis.closed(balancer, port) or (
            diagnosis.missing_rule(scene.facts, seen.passages, flow) if flow else None
        )
        rule = balancer.rule(port, host, url.path or "/")
        fixed = rule is not None and path.fixed(rule).startswith(str(got.status))
        if reason is None and got.status and (fixed or got.status < 500):  # noqa: PLR2004 - HTTP's server errors
            # The load balancer itself answered (a fixed response of any status, a redirect), or a target that is not
            # our pod.
            return {"url": url.geturl(), "arrived": True, "stopped": None, **told, **_listed(hops)}
        reason = reason or await self._why(balancer, port, nodes, instances) or got.error or f"HTTP {got.status}"
        return {**_stopped(url, hops, reason), **told}

    def _find(self, host: str) -> LoadBalancer | None:
        return lookup.find(client(self._state, "elbv2"), client(self._state, "elb"), host)

    async def _chains(self, seen: Seen, instances: list[str]) -> dict[str, Chains]:
        """The rules of the nodes that packets passed."""
        met = {p.namespace for p in seen.passages} & set(instances)
        return {n: chains(await self._world.run(n, ["nft", "-a", "list", "ruleset", "ip"])) for n in met}

    async def _why(self, balancer: LoadBalancer, port: int, nodes: list[Interface], instances: list[str]) -> str | None:
        """Why no target answers: each target's state, and what stops a connection to it."""
        reason = diagnosis.no_target(balancer, port)
        listener = balancer.listener(port)
        groups = balancer.groups_of(listener) if listener else []
        targets = {(t.id, t.port) for g in groups for t in g.targets if t.port}
        found: list[str] = []
        for identity, target_port in sorted(targets)[:_PROBED]:
            why = await self._probe(nodes[0], _address(self._network.facts, identity), target_port, instances)
            if why and why not in found:
                found.append(why)
        return "; ".join([*([reason] if reason else []), *found]) or None

    async def _probe(self, node: Interface, address: str, port: int, instances: list[str]) -> str | None:
        """Try a connection from a load balancer node to a target; return what stops it."""

        def connect() -> None:
            socket.create_connection((address, port), timeout=_PROBE_SECONDS).close()

        error: OSError | None = None
        async with watched(self._world, [node.vpc, *instances], []) as seen:
            try:
                await asyncio.to_thread(lambda: inside(node.id, connect))
            except OSError as failed:
                error = failed
        if error is None:
            return None
        for passage in seen.passages:
            if (passage.flow.source, passage.flow.destination, passage.flow.port) == (node.address, address, port):
                why = diagnosis.missing_rule(self._network.facts, seen.passages, passage.flow)
                if why:
                    return why
        if isinstance(error, ConnectionRefusedError):
            return f"port closed: nothing listens on {address}:{port}"
        return f"no route: {address}:{port} does not answer {node.address} ({error})"


def _address(facts: Facts, identity: str) -> str:
    """A target's address: its own, or its instance's."""
    return next((i.address for i in facts.interfaces if i.instance == identity), identity)


def _target(scene: path.Scene, answer: path.Answer | None) -> str:
    """The load balancer's choice: an address, or an instance."""
    if answer is None:
        return ""
    entry = next((e for e in scene.entries if e.translates and e.reply == answer.flow.reverse), None)
    return entry.namespace if entry else answer.flow.destination


def _asked(seen: Seen, nodes: list[Interface], port: int) -> Flow | None:
    """The connection that the client tried, as the router saw it."""
    addresses = {n.address for n in nodes}
    flows = [p.flow for p in seen.passages if p.flow.source == CLIENT_ADDRESS and p.flow.port == port]
    return next((flow for flow in flows if flow.destination in addresses), None)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _listed(hops: list[path.Hop]) -> dict[str, Any]:
    return {"hops": [asdict(hop) for hop in hops], "totals": path.totals(hops)}


def _stopped(url: SplitResult, hops: list[path.Hop], reason: str) -> dict[str, Any]:
    told = {"status": 0, "seconds": 0.0, "unlikeAws": list[str]()}
    return {"url": url.geturl(), "arrived": False, "stopped": reason, **told, **_listed(hops)}
