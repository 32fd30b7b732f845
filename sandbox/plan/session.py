"""A plan from beginning to end: its folder, its planner, the manifests before and after; nothing stays behind."""

import asyncio
import functools
import os
import signal
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox import lifecycle
from sandbox.lifecycle import LifecycleError
from sandbox.plan import kept
from sandbox.plan.inputs.account import Account, load, typical
from sandbox.plan.inputs.manifests import Manifest
from sandbox.plan.inputs.references import find, usual
from sandbox.plan.inputs.selection import have_gateways, select
from sandbox.plan.policies import judged
from sandbox.plan.result.changes import Difference, difference
from sandbox.plan.run import Made, Plan, Problem
from sandbox.plan.scratch.controller import Release, release
from sandbox.plan.scratch.planner import Planner
from sandbox.run.processes import Identity
from sandbox.run.state import State, read_json, write_json

Report = Callable[[str], None]
_NAME_KEYS = (
    "alb.ingress.kubernetes.io/load-balancer-name",
    "service.beta.kubernetes.io/aws-load-balancer-name",
)
_OWNER = "owner.json"
_EMPTY: dict[str, Any] = {"loadBalancers": [], "targetGroups": []}


@dataclass(frozen=True)
class Options:
    """How to plan."""

    folder: Path
    """Where planners have their folders."""
    account: str = ""
    """A file that describes it; empty for a typical one."""
    old_version: str = ""
    version: str = ""
    """The controller's releases: before and after, or the one; empty for the sandbox's own."""
    others: dict[str, str] = field(default_factory=dict[str, str])
    """`--with`."""
    seconds: float = 120.0
    keep: bool = False
    profile: str = ""
    """Of the policy pack, a file; empty for no policies."""


@dataclass(frozen=True)
class Request:
    """What to plan, and how."""

    options: Options
    manifests: Sequence[Manifest]
    against: Sequence[Manifest] | None = None

    @property
    def first(self) -> Sequence[Manifest]:
        """What is applied first."""
        return self.manifests if self.against is None else self.against

    @functools.cached_property
    def planned(self) -> list[Manifest]:
        """What is applied, before and after the change."""
        return select([*self.manifests, *(self.against or [])]).planned


@dataclass(frozen=True)
class Result:
    """The result."""

    before: Made | None
    after: Made
    difference: Difference
    account: Account
    versions: tuple[str, str]
    seconds: float
    policies: list[dict[str, Any]]
    """What the policy pack says of what would be made."""

    @property
    def problems(self) -> list[Problem]:
        """What is refused of the new manifests."""
        return self.after.problems

    @property
    def exit_code(self) -> int:
        """As terraform's `-detailed-exitcode`: 0 nothing to do, 1 errors, 2 changes."""
        if self.problems or any(one["level"] == "mandatory" for one in self.policies):
            return 1
        return 0 if self.difference.empty else 2

    def to_json(self) -> dict[str, Any]:
        """The document of `--json`; docs/plan.md has its schema."""
        selection, assumed = self.after.selection, {(r.kind, r.identity): r for r in self.after.assumed}
        if self.before:
            assumed = {(r.kind, r.identity): r for r in self.before.assumed} | assumed
        return {
            "format": 1,
            "summary": self.difference.summary,
            "changes": [change.to_json() for change in self.difference.changes],
            "moved": self.difference.moved,
            "keptNames": list(kept_names(selection.planned, self.after.state)),
            "problems": [problem.to_json() for problem in self.problems],
            "problemsBefore": [problem.to_json() for problem in (self.before.problems if self.before else [])],
            "policies": self.policies,
            "before": self.before.state if self.before else None,
            "after": self.after.state,
            "assumed": [{"kind": r.kind, "id": r.identity} for r in assumed.values()],
            "leftAlone": [
                {"object": f"{m.kind} {m.namespace}/{m.name}", "place": m.place, "reason": why}
                for m, why in selection.left_alone
            ],
            "skipped": dict(sorted(selection.skipped.items())),
            "unknown": [{"object": f"{m.kind} {m.name}", "place": m.place} for m in selection.unknown],
            "silent": self.after.silent,
            "controller": {"before": self.versions[0], "after": self.versions[1]},
            "seconds": round(self.seconds, 1),
        }


def plan(request: Request, report: Report) -> Result:
    """Plan, and leave nothing behind.

    Raises:
        PlanError, LifecycleError, BuildError: nothing can be planned; one line that names the remedy.
    """
    begun, options = time.monotonic(), request.options
    account = load(options.account) if options.account else _typical(request.planned)
    wanted = dict.fromkeys((options.old_version or options.version, options.version))
    releases = [release(version, options.others, report) for version in wanted]
    with _ended_by_signals(), (_kept if options.keep else _once)(request, account, releases, report) as work:
        before, after = asyncio.run(_planned(work, request, releases))
    old = before.state if before else _EMPTY
    versions = (releases[0].version, releases[-1].version)
    said = judged(options.profile, after.state) if options.profile else []
    return Result(before, after, difference(old, after.state), account, versions, time.monotonic() - begun, said)


def _typical(planned: Sequence[Manifest]) -> Account:
    references = find(planned)
    return typical(usual(references, "region"), usual(references, "account"))


@contextmanager
def _once(
    request: Request, account: Account, releases: Sequence[Release], report: Report
) -> Generator[Plan, None, None]:
    """A planner that is booted for one plan and ends with it."""
    with folder(request.options.folder, report) as state:
        gateways = have_gateways(request.planned)
        work = Plan(Planner(state, account, report, seconds=request.options.seconds, gateways=gateways))
        _boot(work, request, releases)
        yield work


@contextmanager
def _kept(
    request: Request, account: Account, releases: Sequence[Release], report: Report
) -> Generator[Plan, None, None]:
    """The planner that is kept, booted if it is not there; cleaned in the background afterwards."""
    state, version = State.at(request.options.folder / kept.NAME), releases[0].version
    with kept.lock(state) as file:
        work = Plan(planner := Planner(state, account, report, seconds=request.options.seconds))
        try:
            if kept.usable(state, account, version):
                planner.resume()
            else:
                lifecycle.down(state, lambda _: None)
                _boot(work, request, releases)
            planner.remember({"version": version, "clean": False, "applied": work.applied})
            yield work
            kept.hand_over(state, file)
        except BaseException:
            lifecycle.down(state, lambda _: None)
            raise


def _boot(work: Plan, request: Request, releases: Sequence[Release]) -> None:
    work.planner.report(f"starting AWS and a cluster in {work.planner.state.root}")
    others = {f"controller@{r.version}": str(r.executable) for r in releases} | request.options.others
    asyncio.run(work.planner.booted(releases[0], others, functools.partial(work.start_pods, request.first)))


async def _planned(work: Plan, request: Request, releases: Sequence[Release]) -> tuple[Made | None, Made]:
    planner, before = work.planner, None
    try:
        if request.against is not None or len(releases) > 1:
            before = await work.make(request.first)
        if len(releases) > 1:
            planner.report(f"moving the controller to {releases[1].version}")
            await work.move(releases[1])
        return before, await work.make(request.manifests)
    finally:
        if request.options.keep:
            planner.remember({"version": releases[-1].version, "clean": False, "applied": work.applied})
        await planner.close()


@contextmanager
def folder(root: Path, report: Report) -> Generator[State, None, None]:
    """A state folder of one plan, below a folder that goes with the last of them. What killed plans left is removed."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    sweep(root)
    state = State.at(root / str(os.getpid()))
    write_json(owner(state), Identity.own().to_json())
    try:
        yield state
    finally:
        report("ending the planner")
        end(state)
        with suppress(OSError):
            root.rmdir()


def owner(state: State) -> Path:
    """The file that says which process a planner belongs to; beside its folder, which has to be empty at first."""
    return state.root.with_name(f"{state.root.name}-{_OWNER}")


def end(state: State) -> None:
    """End a planner and remove what it has."""
    lifecycle.down(state, lambda _: None)
    owner(state).unlink(missing_ok=True)


def sweep(root: Path) -> None:
    """End planners whose process is gone."""
    for file in root.glob(f"*-{_OWNER}"):
        identity = Identity.from_json(read_json(file))
        if identity is None or not identity.alive():
            with suppress(LifecycleError):
                end(State.at(root / file.name.removesuffix(f"-{_OWNER}")))


@contextmanager
def _ended_by_signals() -> Generator[None, None, None]:
    """Make SIGTERM and SIGHUP end a plan as Ctrl-C does: it cleans up."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def kept_names(planned: Iterable[Manifest], state: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Objects that ask for a name which their load balancer has not: the controller never renames one."""
    names = {owner: b["name"] for b in state["loadBalancers"] for owner in b.get("owners", [])}
    for manifest in planned:
        wanted = next((manifest.annotations[key] for key in _NAME_KEYS if key in manifest.annotations), None)
        name = names.get(f"{manifest.kind} {manifest.namespace}/{manifest.name}")
        if wanted and name and wanted != name:
            yield {"object": f"{manifest.kind} {manifest.namespace}/{manifest.name}", "wanted": wanted, "name": name}
