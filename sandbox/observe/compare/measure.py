"""The whole comparison, step by step: set up, wait, count, roll, remove."""

import json
import os
import platform
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from sandbox import lifecycle
from sandbox.network.control_client import ask
from sandbox.network.world import CLIENTS
from sandbox.observe.compare import application
from sandbox.observe.compare.application import APP, CROWD, NAMESPACE, REPLICAS, WAYS
from sandbox.observe.compare.classic import classic_elb
from sandbox.observe.compare.report import Figures, Result, Rolled, latencies
from sandbox.run.processes import wait_until
from sandbox.run.state import State, StateError, read_json

CONNECTIONS = 1000
_FEW = 10 * REPLICAS
"""Connections that show whether every pod answers."""
_RATE = 15.0
_READY_SECONDS = 180.0
_LONGEST_PATH = 4
"""Hops over a node's port to a pod on another node: load balancer, two nodes, pod."""
_TRACES = 8
"""The maximum number of attempts to find the longest path: a node chooses its own pods half of the time."""

Report = Callable[[str], None]


class Comparison:
    """One run on one sandbox."""

    def __init__(self, state: State, report: Report, seconds: int) -> None:
        """Find the cluster.

        Args:
            state: the sandbox.
            report: shows a line of progress.
            seconds: how long wrk sends requests over each path.

        Raises:
            StateError: no cluster is there, or more than one.
        """
        settings = state.settings()
        active = state.active_clusters()
        if len(active) != 1:
            raise StateError(
                f"compare needs exactly one cluster, there are {len(active)}: `make up TRAFFIC=1` makes one"
            )
        self._state, self._report, self._mode = state, report, settings.traffic
        self._seconds = seconds
        self._folder = state.cluster(active[0])
        nodes: list[dict[str, Any]] = (read_json(self._folder / "nodes.json") or {}).get("nodes", [])
        self._instances = [node["instance_id"] for node in nodes]
        self._environment = {
            **lifecycle.child_environment(state),
            "KUBECONFIG": str(self._folder / "kubeconfig"),
        }

    def run(self, sizes: list[int]) -> Result:
        """Measure everything, and remove everything afterwards."""
        result = Result(self._mode, f"{os.cpu_count()} cores, Linux {platform.release()}")
        with self._application() as hosts:
            self._crowd(sizes[0])
            for careful in (True, False):
                result.rolled += self._roll(hosts, careful=careful)
            self._apply(application.objects(careful=True))
            self._until_answering(hosts)
            for size in sizes:
                self._crowd(size)
                result.figures += [self._measure(way.name, hosts[way.name], size) for way in WAYS]
        return result

    @contextmanager
    def _application(self) -> Generator[dict[str, str]]:
        """Create the application and its load balancers, and wait until each answers; path -> host name."""
        self._report("creating one application behind five load balancers")
        try:
            self._apply(application.objects(careful=True))
            service = json.loads(self._kubectl("get", "service", "classic", "-n", NAMESPACE, "-o", "json"))
            with classic_elb(self._state, self._instances, service["spec"]["ports"][0]["nodePort"]) as classic:
                hosts = {
                    "classic": classic,
                    **{w.name: self._host(w.name, w.kind) for w in WAYS if w.kind != "classic"},
                }
                self._until_answering(hosts)
                yield hosts
        finally:
            self._report("taking it away")
            # Load balancers first: their finalizers wait for the controller, which needs the namespace.
            self._kubectl("delete", "ingress,service", "--all", "-n", NAMESPACE, "--ignore-not-found", check=False)
            self._kubectl("delete", "namespace", NAMESPACE, CROWD, "--ignore-not-found", check=False)

    def _host(self, name: str, kind: str) -> str:
        what = "service" if kind == "nlb" else "ingress"
        path = "{.status.loadBalancer.ingress[0].hostname}"
        found: list[str] = []

        def told() -> bool:
            found[:] = [self._kubectl("get", what, name, "-n", NAMESPACE, "-o", f"jsonpath={path}").strip()]
            return bool(found[0])

        if not wait_until(told, _READY_SECONDS, 0.5):
            events = ["get", "events", "-n", NAMESPACE, f"--field-selector=involvedObject.name={name}"]
            why = self._kubectl(*events, "-o", "jsonpath={.items[-1:].message}", check=False)
            raise StateError(f"{what} {NAMESPACE}/{name} got no load balancer in {_READY_SECONDS:.0f} s: {why}")
        return found[0]

    def _until_answering(self, hosts: dict[str, str]) -> None:
        """Wait until the Deployment has rolled and every pod answers on every path."""
        self._kubectl("rollout", "status", f"deployment/{APP}", "-n", NAMESPACE, f"--timeout={_READY_SECONDS:.0f}s")
        for name, host in hosts.items():
            told: dict[str, Any] = {}

            def answered(host: str = host, told: dict[str, Any] = told) -> bool:
                told.update(ask(self._state, "count", host=host, connections=_FEW))
                return len(told["pods"]) == REPLICAS

            if not wait_until(answered, _READY_SECONDS, 0.5):
                traced = ask(self._state, "trace", url=f"http://{host}/")
                raise StateError(
                    f"{name} ({host}) is answered by {len(told['pods'])} of {REPLICAS} pods after "
                    f"{_READY_SECONDS:.0f} s: {traced['stopped'] or told['failed']}"
                )

    def _crowd(self, size: int) -> None:
        """Create the crowd's Services up to `size`, and wait until every node has their rules."""
        self._report(f"{size} Services")
        listed = self._kubectl("get", "service", "-n", CROWD, "-o", "name", "--ignore-not-found", check=False)
        have = len(listed.split())
        if not have:
            self._apply(application.crowd(0))
            self._kubectl("rollout", "status", "deployment/idle", "-n", CROWD, f"--timeout={_READY_SECONDS:.0f}s")
        if size > have:
            self._create(application.crowd_services(range(have, size)))
        if self._mode == "none":
            return
        last = f"{CROWD}/crowd-{size - 1}"
        argv = (
            ["iptables-save", "-t", "nat"] if self._mode == "iptables" else ["nft", "list", "table", "ip", "kube-proxy"]
        )
        for node in self._instances:

            def there(node: str = node) -> bool:
                return last in ask(self._state, "run", namespace=node, argv=argv)["output"]

            if not wait_until(there, _READY_SECONDS, 0.5):
                raise StateError(f"kube-proxy of {node} has no rule for {last} after {_READY_SECONDS:.0f} s")

    def _measure(self, way: str, host: str, services: int) -> Figures:
        url = f"http://{host}/"
        traced = self._longest(way, url)
        counted = ask(self._state, "count", host=host, connections=CONNECTIONS)
        command = ["wrk", "-t1", "-c8", f"-d{self._seconds}s", "--latency", "-H", "Connection: close", url]
        p50, p99, rate = latencies(ask(self._state, "run", namespace=CLIENTS, argv=command)["output"])
        self._report(f"  {way}: {traced['rules']} rules, {counted['entries']} entries, p50 {p50:.1f} ms")
        return Figures(
            way=way,
            services=services,
            hops=traced["hops"],
            rewritings=traced["rewritings"],
            rules=traced["rules"],
            entries=counted["entries"],
            translations=counted["translations"],
            crossings=counted["crossings"] / CONNECTIONS,
            p50=p50,
            p99=p99,
            rate=rate,
            answered=counted["answered"],
            pods=len(counted["pods"]),
        )

    def _longest(self, way: str, url: str) -> dict[str, int]:
        """The figures of the longest path: a node may forward to another node's pod, so this is the worst case."""
        found = self._trace(url)
        for _ in range(_TRACES - 1):
            if found["hops"] >= _LONGEST_PATH or "ip" in way.split("-"):
                break
            found = max(found, self._trace(url), key=lambda t: (t["hops"], t["rules"]))
        return found

    def _trace(self, url: str) -> dict[str, int]:
        told = ask(self._state, "trace", url=url)
        if not told["arrived"]:
            raise StateError(f"{url} did not arrive: {told['stopped']}")
        return told["totals"]

    def _roll(self, hosts: dict[str, str], *, careful: bool) -> list[Rolled]:
        """Roll the application under requests on every path; return failures, and deleted pods' last answers."""
        self._report(f"rolling the application {'with' if careful else 'without'} care")
        if not careful:
            self._kubectl("label", "namespace", NAMESPACE, "elbv2.k8s.aws/pod-readiness-gate-inject-")
            self._apply([application.deployment(careful=False)])
            self._until_answering(hosts)
        with self._deletions() as deleted:
            ask(self._state, "keep", hosts=list(hosts.values()), rate=_RATE)
            self._kubectl("rollout", "restart", f"deployment/{APP}", "-n", NAMESPACE)
            self._kubectl("rollout", "status", f"deployment/{APP}", "-n", NAMESPACE, f"--timeout={_READY_SECONDS:.0f}s")
            wait_until(lambda: len(deleted) >= REPLICAS and self._settled(), _READY_SECONDS, 0.5)
            told = ask(self._state, "stop")
        return [
            Rolled(
                way=name,
                careful=careful,
                answered=told[host]["answered"],
                failed=sum(told[host]["failed"].values()),
                last=max(
                    (
                        told[host]["last"][pod] - at
                        for pod, at in deleted.items()
                        if told[host]["last"].get(pod, 0) > at
                    ),
                    default=None,
                ),
            )
            for name, host in hosts.items()
        ]

    def _settled(self) -> bool:
        """Whether no pod of the application is still being deleted."""
        return len(self._kubectl("get", "pods", "-n", NAMESPACE, "-l", f"app={APP}", "-o", "name").split()) == REPLICAS

    @contextmanager
    def _deletions(self) -> Generator[dict[str, float]]:
        """The deletion times of the application's pods (unix time), filled in as they happen."""
        deleted: dict[str, float] = {}
        words = "jsonpath={.metadata.name} {.metadata.deletionTimestamp}{'\\n'}"
        command = ["kubectl", "get", "pods", "-n", NAMESPACE, "-l", f"app={APP}", "--watch", "-o", words]
        with subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True) as watching:

            def follow() -> None:
                for line in watching.stdout or ():
                    name, _, gone = line.strip().partition(" ")
                    if gone:
                        deleted.setdefault(name, time.time())

            threading.Thread(target=follow, daemon=True).start()
            try:
                yield deleted
            finally:
                watching.terminate()

    def _apply(self, objects: list[application.Object]) -> None:
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        self._kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", given=document)

    def _create(self, objects: list[application.Object]) -> None:
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        self._kubectl("create", "-f", "-", given=document)

    def _kubectl(self, *arguments: str, given: str | None = None, check: bool = True) -> str:
        done = subprocess.run(
            ["kubectl", *arguments],
            env=self._environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=_READY_SECONDS * 2,
            check=False,
        )
        if check and done.returncode:
            raise StateError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()[-300:]}")
        return done.stdout
