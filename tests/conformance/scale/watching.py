"""A look at a run again and again: host names, registered targets, and the CPU time of every process."""

import json
import os
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from kubernetes import client, config

from fixtures.sampling import Sampler
from sandbox.aws.serving.journal import Entry, from_line
from sandbox.lifecycle import parts
from tests.conformance.place import Place, Usage, usage
from tests.conformance.scale.figures import Sample
from tests.conformance.stage import NAME, Stage

CONTROLLER, MEASURING, AWS = "controller", "this measurement", "AWS emulator"
_SECONDS = 1.0


def processes(stage: Stage) -> dict[str, int]:
    """The pid of every part that runs, of the controller, and of this process."""
    running = {p["name"]: p["pid"] for p in parts.status(stage.sandbox.state)["parts"] if p["pid"]}
    found = {name.removeprefix(f"{NAME}/"): pid for name, pid in running.items()}
    (controller,) = stage.controllers
    assert controller.identity
    return {AWS: found.pop("aws"), CONTROLLER: controller.identity.pid, **found, MEASURING: os.getpid()}


def machine_busy() -> float:
    """CPU seconds of everything on the machine since it started."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


class Registered:
    """The targets in AWS's journal of writing calls, which costs AWS nothing to read."""

    def __init__(self, journal: Path) -> None:
        """Count from the journal's end."""
        self._journal, self._position = journal, journal.stat().st_size
        self.targets = set[tuple[str, ...]]()
        self.last = 0.0
        """When the last new target was registered, in seconds since 1970."""

    def look(self) -> None:
        """Read what is new."""
        with self._journal.open("rb") as file:
            file.seek(self._position)
            lines = file.read()
        whole = lines[: lines.rfind(b"\n") + 1]
        self._position += len(whole)
        self.take(Entry.from_json(document) for document in map(from_line, whole.splitlines()) if document)

    def take(self, entries: Iterable[Entry]) -> None:
        """Count the targets of entries."""
        for entry in entries:
            if entry.call.action == "RegisterTargets":
                before = len(self.targets)
                self.targets.update(_targets(entry.call.parameters))
                if len(self.targets) > before:
                    self.last = entry.time


def _targets(parameters: dict[str, str]) -> Iterable[tuple[str, ...]]:
    group = parameters["TargetGroupArn"]
    for name, value in parameters.items():
        if name.startswith("Targets.member.") and name.endswith(".Id"):
            yield group, value, parameters.get(f"{name.removesuffix('.Id')}.Port", "")


class Watch(Sampler):
    """Samples of a run while the block runs."""

    def __init__(self, place: Place, hosts: int, targets: int) -> None:
        """Of a run that is over when so many host names and targets are there."""
        super().__init__(_SECONDS)
        stage = place.stage
        self._wanted = (hosts, targets)
        self._pids = processes(stage)
        for name, pid in self._pids.items():
            if name != MEASURING:  # its peak is not asked for
                Path(f"/proc/{pid}/clear_refs").write_text("5")  # forget the peak of memory before the run
        api = client.NetworkingV1Api(config.new_client_from_config(str(stage.kubeconfig)))
        self._ingresses: Callable[[], Any] = partial(api.list_namespaced_ingress, place.name, _preload_content=False)
        self._registered = Registered(stage.sandbox.state.aws / "journal")
        self._before = {name: usage(pid)["cpu"] for name, pid in self._pids.items()}
        self._busy, self._begun, self.hosts_after = machine_busy(), time.time(), 0.0
        self.samples = [Sample(0.0, 0, 0, dict.fromkeys(self._pids, 0.0))]

    def look(self) -> None:
        """Take one sample."""
        hosts = self._hosts() if self._wanted[0] else 0
        at = time.time() - self._begun
        self._registered.look()
        cpu = {name: usage(pid)["cpu"] - self._before[name] for name, pid in self._pids.items()}
        if hosts != self.samples[-1].hosts:
            self.hosts_after = at
        self.samples.append(Sample(at, hosts, len(self._registered.targets), cpu))

    def _hosts(self) -> int:
        listed: list[dict[str, Any]] = json.loads(self._ingresses().data)["items"]
        return sum(bool((i["status"].get("loadBalancer") or {}).get("ingress")) for i in listed)

    def over(self) -> bool:
        """Whether everything is there."""
        last = self.samples[-1]
        return (last.hosts, last.targets) == self._wanted

    @property
    def since(self) -> float:
        """Seconds since the begin."""
        return time.time() - self._begun

    @property
    def targets_after(self) -> float:
        """Seconds until the last target."""
        return self._registered.last - self._begun

    def machine_busy(self) -> float:
        """CPU seconds of the machine since the begin."""
        return machine_busy() - self._busy

    def parts(self) -> dict[str, Usage]:
        """What every process has used."""
        last = self.samples[-1].cpu
        return {name: {**usage(pid), "cpu": last[name]} for name, pid in self._pids.items()}
