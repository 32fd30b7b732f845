"""A planner: a sandbox with an account's network, a cluster of simulated nodes, and the controller.

It takes objects, waits until the controller has done what it can, and reads the result.
"""

import asyncio
import contextlib
import functools
import json
import time
import urllib.request
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError

from sandbox import lifecycle
from sandbox.cluster.api import ApiError, Object
from sandbox.observe.iam import ask
from sandbox.observe.inventory import Inventories
from sandbox.plan.errors import PlanError
from sandbox.plan.inputs import account
from sandbox.plan.inputs.account import Account
from sandbox.plan.result.state import Reading, cluster
from sandbox.plan.scratch import foundation, waiting
from sandbox.plan.scratch.controller import NAMESPACE, RELEASE, USER, Release, rendered, values
from sandbox.plan.scratch.defaults import defaults
from sandbox.plan.scratch.kube import Kube
from sandbox.plan.scratch.network import Names, Network
from sandbox.plan.scratch.template import Template
from sandbox.run.clients import client as aws_client
from sandbox.run.state import ACTIVE, State, read_json, write_json
from sandbox.tools import build, catalog

Report = Callable[[str], None]
Work = Callable[[], Coroutine[Any, Any, None]]
MEMORY: Final = "planner.json"
_LOOK_SECONDS: Final = 0.1
_BUSY_SECONDS: Final = 1.0
"""Between two looks while the controller has work."""
# How many load balancers an account may have is its owner's to ask for, and no property of manifests.
_QUOTAS: Final = {"application-load-balancers": 1000, "network-load-balancers": 1000}
_BOOT_SECONDS: Final = 120.0
_WORKLOADS: Final = (("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"))
_ASKING: Final = (
    ("networking.k8s.io/v1", "Ingress"),
    ("v1", "Service"),
    ("gateway.networking.k8s.io/v1", "Gateway"),
    ("elbv2.k8s.aws/v1beta1", "TargetGroupBinding"),
    ("v1", "Namespace"),
)
_PROBE: Final = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "webhooks-answer", "namespace": "default"},
    "spec": {"ports": [{"port": 80}]},
}
"""The controller's webhooks are asked about every Service."""
# What an API that is still coming up, or an object that just went, answers with.
NOT_NOW: Final = (ApiError, ClientError, BotoCoreError, aiohttp.ClientError, TimeoutError, OSError)


@dataclass
class Planner:
    """One planner. `boot` comes first, `kube` is there from then on."""

    state: State
    account: Account
    report: Report
    names: Names = field(default_factory=Names)
    seconds: float = 120.0
    """How long the controller may take for anything."""
    keys: dict[str, str] = field(default_factory=dict[str, str])
    """The controller's, as variables of its environment."""
    gateways: bool = True
    """Whether Gateways can be planned. Their CRDs make the start seconds longer."""

    def __post_init__(self) -> None:
        """Clients are made when they are first asked for."""
        self.client = functools.cache(functools.partial(aws_client, self.state))
        self.network = Network(self.client, self.account, self.names)

    @functools.cached_property
    def kube(self) -> Kube:
        """The cluster's API."""
        return Kube(self.state, self.account.cluster)

    @functools.cached_property
    def inventories(self) -> Inventories:
        """What reads AWS."""
        return Inventories(self.client)

    @functools.cached_property
    def defaults(self) -> dict[str, dict[str, str]]:
        """The attributes that AWS gives by itself."""
        return defaults(self.client, self.network)

    async def boot(self, release: Release, others: Mapping[str, str], meanwhile: Work | None = None) -> None:
        """Bring everything up, with one release of the controller.

        Args:
            release: the controller's.
            others: `--with`.
            meanwhile: what is done while the controller starts; its webhooks are there already.

        Raises:
            PlanError: a part of it does not come up in time.
        """
        wish = lifecycle.Wish(
            dict(others), region=self.account.region, account=self.account.account, quotas=_QUOTAS, engine=False
        )
        template = Template.of(self.account, release.version)
        if held := template.read():
            self._recall(held["memory"])
            restore = functools.partial(template.restore, held)
            await asyncio.to_thread(lifecycle.up, self.state, wish, lambda _: None, restore)
        else:
            await asyncio.to_thread(lifecycle.up, self.state, wish, lambda _: None)
            await self._make(release)
        self.report("AWS is up; starting the cluster")
        charted, definitions = await self._documents(release)
        await self._until(self._silent, "the cluster's API", _BOOT_SECONDS)
        await self._define(definitions)
        await self._until(self._inactive, "the cluster", _BOOT_SECONDS)
        if not held:
            await asyncio.to_thread(foundation.make_nodes, self.network)
            template.save(self.state, self._memory())
        self.report("the cluster is up; starting the controller")
        await self._install(release, charted, meanwhile)

    async def _make(self, release: Release) -> None:
        """Make the network, the controller's user, and a cluster that is not ACTIVE yet."""
        policy = asyncio.create_task(asyncio.to_thread(foundation.policy, self.account, release.version))
        await asyncio.to_thread(self.network.build)
        await asyncio.to_thread(foundation.make_cluster, self.network)
        self.keys = await asyncio.to_thread(foundation.make_user, self.network, await policy)
        await asyncio.to_thread(getattr, self, "defaults")

    async def booted(self, release: Release, others: Mapping[str, str], meanwhile: Work) -> None:
        """`boot`, in a loop that ends with it."""
        try:
            await self.boot(release, others, meanwhile)
        finally:
            await self.close()

    def remember(self, more: Mapping[str, Any]) -> None:
        """Write down what a later process needs to go on with this planner."""
        write_json(self.state.root / MEMORY, {**more, "account": account.document(self.account), **self._memory()})

    def _memory(self) -> dict[str, Any]:
        return {
            "vpc": self.network.vpc,
            "ipv6": self.network.ipv6,
            "table": self.network.public_table,
            "subnets": self.network.subnets,
            "names": [self.names.inside, self.names.shown, sorted(self.names.known)],
            "keys": self.keys,
            "defaults": self.defaults,
        }

    def resume(self) -> dict[str, Any]:
        """Go on with a planner that an earlier process booted; what that one wrote down."""
        held: dict[str, Any] = read_json(self.state.root / MEMORY) or {}
        self._recall(held)
        return held

    def _recall(self, held: Mapping[str, Any]) -> None:
        network = self.network
        network.vpc, network.ipv6, network.public_table = held["vpc"], held["ipv6"], held["table"]
        network.subnets, self.keys = held["subnets"], held["keys"]
        self.names.inside, self.names.shown = held["names"][:2]
        self.names.known = set(held["names"][2])
        self.__dict__["defaults"] = held["defaults"]

    async def restart(self) -> None:
        """Start the controller anew: what it has cached of an earlier plan is forgotten."""
        old = await self._replicas()
        for pod in old:
            await self.kube.api.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}", grace=0)
        gone = frozenset(pod["metadata"]["uid"] for pod in old)
        await self._until(functools.partial(self._unready, gone), "the controller", _BOOT_SECONDS)

    async def _silent(self) -> str:
        status = self._status()
        return "" if status.get("endpoint") else status.get("message") or "its agent has not reported an endpoint"

    async def _inactive(self) -> str:
        status = self._status()
        return "" if status.get("phase") == ACTIVE else status.get("message") or f"it is {status.get('phase')}"

    def _status(self) -> dict[str, Any]:
        """The cluster's, as its agent reports it."""
        return read_json(self.state.cluster(self.account.cluster) / "status.json") or {}

    async def _documents(self, release: Release) -> tuple[list[Object], list[Object]]:
        """The controller's chart as it is installed, and its CRDs."""
        helm = await asyncio.to_thread(build.ensure, catalog.by_name("helm"), self.report)
        given = values(self.account, self.network.vpc, self.keys, release.version)
        return await asyncio.gather(
            asyncio.to_thread(rendered, release.chart, given, str(helm)),
            asyncio.to_thread(release.definitions, gateways=self.gateways),
        )

    async def _define(self, definitions: list[Object]) -> None:
        """Install CRDs, and wait until they are served."""
        await asyncio.gather(*(self.kube.install(d) for d in definitions))
        await self._until(functools.partial(self._unserved, definitions), "the CRDs", self.seconds)
        self.kube.forget()

    async def _install(self, release: Release, charted: list[Object], meanwhile: Work | None = None) -> None:
        """Install the controller, in the place of the one that is there, and wait until it is ready."""
        for document in charted:
            await self.kube.install(document)
        ready = self._until(self._unready, f"controller {release.version}", _BOOT_SECONDS)
        await asyncio.gather(ready, *([meanwhile()] if meanwhile else []))

    async def move(self, release: Release) -> int:
        """Put another release of the controller in the place of the one that is there.

        Returns:
            The cluster's resource version just before the new one is installed. Its reports count from there: it may
            report on an object, which it does once, before it is seen to be ready.

        Raises:
            PlanError: it does not become ready in time, or it has no IAM policy.
        """
        policy = await asyncio.to_thread(foundation.policy, self.account, release.version)
        await asyncio.to_thread(foundation.renew_policy, self.network, policy)
        charted, definitions = await self._documents(release)
        await self._define(definitions)
        before = int((await self.kube.api.get("/api/v1/namespaces"))["metadata"]["resourceVersion"])
        await self._install(release, charted)
        return before

    async def _unserved(self, definitions: Iterable[Object]) -> str:
        wanted = {d["metadata"]["name"] for d in definitions}
        for one in await self.kube.list("apiextensions.k8s.io/v1", "CustomResourceDefinition"):
            conditions = {c["type"]: c["status"] for c in one.get("status", {}).get("conditions") or []}
            if conditions.get("Established") == "True":
                wanted.discard(one["metadata"]["name"])
        return f"{', '.join(sorted(wanted))} not established" if wanted else ""

    async def _replicas(self) -> list[Object]:
        """The controller's pods."""
        pods: list[Object] = (await self.kube.api.get(f"/api/v1/namespaces/{NAMESPACE}/pods"))["items"]
        return [p for p in pods if p["metadata"]["name"].startswith(f"{RELEASE}-")]

    async def _unready(self, gone: frozenset[str] = frozenset()) -> str:
        """The controller: one replica must be there, ready and not in `gone` (by uid), and its webhooks must answer.

        The Deployment and the endpoints of its Service are still reported as ready for a moment after their pod is
        gone. Only a request that passes through the webhooks proves that the API server reaches them.
        """
        deployment = await self.kube.api.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{RELEASE}")
        status = deployment.get("status", {})
        current = status.get("observedGeneration") == deployment["metadata"]["generation"]
        replicas = await self._replicas()
        if len(replicas) != 1 or replicas[0]["metadata"]["uid"] in gone or waiting.unready(replicas):
            return "; ".join(map(waiting.described, replicas)) or "it has no pod"
        if not (current and status.get("updatedReplicas") == 1 and status.get("readyReplicas") == 1):
            return f"its Deployment reports {json.dumps(status)}"
        await self.kube.dry_run(_PROBE)
        return ""

    async def settle(self, expected: Mapping[str, int]) -> list[str]:
        """Wait until the controller is done. Return what it never handled.

        Args:
            expected: object -> the resource version that its outcome has to be later than.

        Raises:
            PlanError: it still works when the time is over.
        """
        watch, begun = waiting.Watch(expected), time.monotonic()
        look = waiting.Look(busy=True, done=0, writes=0)
        told = looked = begun
        while (now := time.monotonic()) - begun < self.seconds:
            with contextlib.suppress(*NOT_NOW):
                busy, done = await self._work()
                # For the API server the metrics are a sixth of a look. A controller with failures may never be idle.
                if not busy or now - looked > _BUSY_SECONDS:
                    look, looked = await self._look(busy=busy, done=done), now
                    if watch.finished(look, now):
                        return [*watch.missing(look), *look.waiting]
            if now - told > 2:  # noqa: PLR2004 - seconds between two reports of progress
                told = now
                left = watch.missing(look)
                self.report(
                    f"{len(expected) - len(left)} of {len(expected)} objects settled, {look.writes} writes to AWS"
                )
            await asyncio.sleep(_LOOK_SECONDS)
        left = [*watch.missing(look), *look.waiting] or ["its own queue"]
        named = ", ".join(left[:3]) + (" and others" if left[3:] else "")
        raise PlanError(f"the controller is not done after {self.seconds:.0f} s with {named}: give more with --timeout")

    async def _work(self) -> tuple[bool, int]:
        """Whether the controller has work, and how many reconciliations succeeded."""
        name = next((pod["metadata"]["name"] for pod in await self._replicas()), "")
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{name}:8080/proxy/metrics"
        return waiting.metrics(await self.kube.api.text(path))

    async def _look(self, *, busy: bool, done: int) -> waiting.Look:
        """What there is now."""
        pods, events, there, *lists = await asyncio.gather(
            self.kube.list("v1", "Pod"), self.kube.list("v1", "Event"), self.asking(),
            *(self.kube.list(*kind) for kind in _WORKLOADS),
        )  # fmt: skip
        own = [p for p in pods if p["metadata"]["namespace"] != NAMESPACE]
        workloads = [w for each in lists for w in each if w["metadata"]["namespace"] != NAMESPACE]
        going = [o for o in there if o["metadata"].get("deletionTimestamp")]
        told = waiting.outcomes(events, there)
        bindings = [o for o in there if o["kind"] == "TargetGroupBinding"]
        bindings = [b for b in bindings if not (o := told.get(waiting.named(b))) or not o.failed]
        left = [*waiting.incomplete(workloads), *waiting.unready(own), *waiting.unobserved(bindings)]
        left += map(waiting.named, going)
        writes = await asyncio.to_thread(self._writes)
        return waiting.Look(busy, done, writes, told, tuple(sorted(left)))

    async def asking(self) -> list[Object]:
        """The objects that ask for load balancers, and the namespaces."""
        lists = await asyncio.gather(*(self.kube.list(*kind) for kind in _ASKING))
        return [one for each in lists for one in each]

    def _writes(self) -> int:
        with urllib.request.urlopen(f"{self.state.aws_endpoint}/_sandbox/calls", timeout=30) as answer:  # noqa: S310 - ours
            callers: dict[str, Any] = json.load(answer)["callers"]
        return sum(counts["writes"] for caller, counts in callers.items() if caller.endswith(USER))

    async def read(self) -> dict[str, Any]:
        """The document of what there is, in the account's names."""
        kinds = [("v1", "Pod"), *_ASKING[:3]]
        pods, ingresses, services, gateways = await asyncio.gather(*(self.kube.list(*kind) for kind in kinds))
        inventory = await asyncio.to_thread(self.inventories.read, self.network.vpc)
        seen = cluster(pods, services, [*ingresses, *services, *gateways])
        return self.names.out(Reading(inventory, seen, self.defaults).document())

    def refusals(self) -> list[dict[str, Any]]:
        """What IAM refused the controller."""
        return self.names.out(ask(self.state, "denied", {"as": USER}))

    async def _until(self, missing: Callable[[], Coroutine[Any, Any, str]], what: str, seconds: float) -> None:
        """Wait until nothing is missing.

        Args:
            missing: says what is; the empty text if nothing is.
            what: what is waited for, in the words of the error.
            seconds: the bound.

        Raises:
            PlanError: something still is when the time is over; it says what.
        """
        deadline, why = time.monotonic() + seconds, ""
        while time.monotonic() < deadline:
            try:
                why = await missing()
            except NOT_NOW as error:
                why = str(error) or type(error).__name__
            if not why:
                return
            await asyncio.sleep(_LOOK_SECONDS)
        raise PlanError(f"{what} is not ready after {seconds:.0f} s: {why}")

    async def close(self) -> None:
        """End the session with the cluster; the planner lives on."""
        if "kube" in self.__dict__:
            await self.kube.api.close()
            del self.__dict__["kube"]

    def down(self) -> None:
        """End everything and remove the folder."""
        lifecycle.down(self.state, lambda _: None)
