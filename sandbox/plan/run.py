"""The order of a plan: apply, wait, read; for a change, once with the old manifests and once with the new ones."""

import asyncio
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.cluster.api import ApiError
from sandbox.plan.errors import PlanError
from sandbox.plan.inputs.manifests import Manifest
from sandbox.plan.inputs.references import Reference, find
from sandbox.plan.inputs.selection import (
    CLASS_ANNOTATION,
    NLB_CLASS,
    TYPE_ANNOTATION,
    WORKLOADS,
    Selection,
    is_cluster_wide,
    namespaces,
    prepared,
    select,
)
from sandbox.plan.scratch.assumed import Assumed
from sandbox.plan.scratch.controller import Release
from sandbox.plan.scratch.planner import Planner
from sandbox.plan.scratch.waiting import named, outcomes

Json = dict[str, Any]
_WEBHOOK = re.compile(r'^admission webhook "([^"]+)" denied the request: (.*)$', re.DOTALL)
_ROUTES = ("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute")
_AT_ONCE = 16


@dataclass(frozen=True)
class Problem:
    """Something that was refused: by whom, which object, in whose words."""

    subject: str
    """`Ingress shop/web`."""
    place: str
    """`file:line`."""
    source: str
    """`API server`, `webhook`, `controller`, `IAM`."""
    reason: str
    message: str

    def to_json(self) -> Json:
        """As the document of a plan has it."""
        return {
            "object": self.subject, "place": self.place, "source": self.source,
            "reason": self.reason, "message": self.message,
        }  # fmt: skip


@dataclass
class Made:
    """The result of one set of manifests."""

    selection: Selection = field(default_factory=Selection)
    state: Json = field(default_factory=dict[str, Any])
    problems: list[Problem] = field(default_factory=list[Problem])
    assumed: list[Reference] = field(default_factory=list[Reference])
    silent: list[str] = field(default_factory=list[str])
    """Objects of which the controller said nothing, pods that did not start."""


@dataclass
class Plan:
    """Applies sets of manifests one after the other to one planner."""

    planner: Planner
    applied: dict[str, Json] = field(default_factory=dict[str, Json])
    """What is in the cluster by name, as it was applied."""
    since: int = 0
    """The resource version before the controller was last replaced: the new one must report on every object again."""

    async def make(self, manifests: Iterable[Manifest]) -> Made:
        """Make the cluster hold these manifests and no others, and return the result.

        Raises:
            PlanError: the controller is not done in time.
        """
        made = Made(select(manifests))
        planned = made.selection.planned
        references = find(planned)
        made.assumed, failed = await asyncio.to_thread(self.assumed.make, references)
        for reference, why in failed:
            made.problems.append(Problem(f"{reference.kind} {reference.identity}", "", "emulator", "NotAssumed", why))
        self.planner.report(f"applying {len(planned)} objects")
        reader = asyncio.create_task(
            asyncio.to_thread(getattr, self.planner, "inventories")
        )  # its clients take a while
        expected = await self._apply(planned, made)
        await self._delete({self._key(m) for m in planned} | {f"Namespace {n}" for n in namespaces(planned)})
        made.silent = await self.planner.settle(expected)
        await reader
        made.state = await self.planner.read()
        made.problems += await self._problems(planned)
        return made

    async def start_pods(self, manifests: Iterable[Manifest]) -> None:
        """Apply the workloads, which do not need the controller. `make` tries again what is refused, and reports it."""
        await self._apply([m for m in select(manifests).planned if m.kind in ("Namespace", *WORKLOADS)], Made())

    @functools.cached_property
    def assumed(self) -> Assumed:
        """What makes things that manifests refer to."""
        return Assumed(self.planner.network)

    async def clean(self) -> None:
        """Delete everything that a plan made, so that the planner is as it was when it was booted.

        Raises:
            PlanError: something stays.
        """
        empty = await self.make([])
        left = [*empty.silent, *(b["key"] for b in empty.state["loadBalancers"])]
        if left:
            raise PlanError(f"{', '.join(left[:3])} did not go")
        await asyncio.to_thread(self.assumed.forget_certificates)
        await self.planner.restart()

    async def move(self, release: Release) -> None:
        """Move the controller to another release; what is there has to be looked at anew."""
        self.since = await self.planner.move(release)

    def _key(self, manifest: Manifest) -> str:
        return named(prepared(manifest))

    async def _apply(self, planned: Sequence[Manifest], made: Made) -> dict[str, int]:
        """Apply objects, kind by kind. Return what the controller must report on, and since which version."""
        kube, expected = self.planner.kube, dict[str, int]()
        given = {m.name for m in planned if m.kind == "Namespace"}
        for name in set(namespaces(planned)) - given - {"default", "kube-system"}:
            document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            if named(document) not in self.applied:
                await kube.apply(document)
                self.applied[named(document)] = document
        running = asyncio.Semaphore(_AT_ONCE)

        async def one(manifest: Manifest) -> None:
            document = self.planner.names.into(prepared(manifest))
            key, before = named(document), self.applied.get(named(document))
            if before == document:
                if self.since and asks(live := await kube.api.get(await kube.path(document))):
                    expected[named(live)] = self.since
                return
            try:
                async with running:
                    answer = await kube.apply(document, before)
            except ApiError as error:
                made.problems.append(self._refused(key, manifest.place, error))
                return
            self.applied[key] = document
            if asks(answer) and (before is None or _visible(before) != _visible(document)):
                expected[key] = int(answer["metadata"]["resourceVersion"]) if before else 0

        kinds = list(dict.fromkeys(m.kind for m in planned))
        for kind in kinds:
            await asyncio.gather(*(one(m) for m in planned if m.kind == kind))
        return expected

    def _refused(self, key: str, place: str, error: ApiError) -> Problem:
        message = self.planner.names.out(str(error))
        if match := _WEBHOOK.match(message):
            return Problem(key, place, f"webhook {match[1]}", "Denied", match[2])
        return Problem(key, place, "API server", error.reason or str(error.status), message)

    async def _delete(self, kept: set[str]) -> None:
        """Delete what an earlier set had and this one has not, newest kinds first.

        Classes and namespaces, which the controller needs to delete its load balancers, are deleted last.
        """
        gone = {key: self.applied.pop(key) for key in reversed(list(self.applied)) if key not in kept}
        for late in (False, True):
            documents = [d for d in gone.values() if is_cluster_wide(d["kind"]) == late]
            for document in documents:
                await self.planner.kube.api.delete(await self.planner.kube.path(document), grace=0)
            if documents and not late:
                await self.planner.settle({})

    async def _problems(self, planned: Sequence[Manifest]) -> list[Problem]:
        """What the controller and IAM refused, each object with its place."""
        places = {self._key(m): m.place for m in planned}
        events, asking, routes = await asyncio.gather(
            self.planner.kube.list("v1", "Event"), self.planner.asking(), self._routes()
        )
        there = {named(one): one for one in asking}
        found = list[Problem]()
        for name, outcome in outcomes(events, there.values()).items():
            if not outcome.failed:
                continue
            served = there[name].get("spec", {}).get("serviceRef", {}).get("name")
            namespace = name.partition(" ")[2].partition("/")[0]
            place = places.get(name) or places.get(f"Service {namespace}/{served}", "")
            message = self.planner.names.out(outcome.message)
            found.append(Problem(name, place, "controller", outcome.reason, message))
        found += [p for route in routes for p in _conditions(route, places.get(named(route), ""))]
        found += [
            Problem(
                each["resource"], "", "IAM", each["action"], str(each.get("reason") or each.get("message") or "denied")
            )
            for each in await asyncio.to_thread(self.planner.refusals)
        ]
        return list({(p.subject, p.reason, p.source): p for p in found}.values())

    async def _routes(self) -> list[Json]:
        versions = {key.partition(" ")[0]: d["apiVersion"] for key, d in self.applied.items()}
        kinds = [(versions[k], k) for k in (*_ROUTES, "Gateway") if k in versions]
        return [one for kind in kinds for one in await self.planner.kube.list(*kind)]


def asks(document: Mapping[str, Any]) -> bool:
    """Whether the controller must report on an object, as it is in the cluster."""
    annotations, spec = document["metadata"].get("annotations") or {}, document.get("spec") or {}
    match document["kind"]:
        case "Ingress" | "Gateway" | "TargetGroupBinding":
            return True
        case "Service" if spec.get("type") == "LoadBalancer":
            ours = annotations.get(TYPE_ANNOTATION) in ("external", "nlb-ip")
            return ours or spec.get("loadBalancerClass") == NLB_CLASS
        case _:
            return False


def _visible(document: Mapping[str, Any]) -> Any:
    """The part of an object whose change makes the controller look again."""
    annotations = document["metadata"].get("annotations") or {}
    return document.get("spec"), annotations, annotations.get(CLASS_ANNOTATION)


def _conditions(route: Mapping[str, Any], place: str) -> list[Problem]:
    status: Json = route.get("status") or {}
    held = [*(status.get("conditions") or []), *(c for p in status.get("parents") or [] for c in p["conditions"])]
    return [
        Problem(named(dict(route)), place, "controller", c["reason"], c.get("message") or c["type"])
        for c in held
        if c["status"] == "False"
    ]


__all__ = ["Made", "Plan", "Problem", "asks", "is_cluster_wide"]
