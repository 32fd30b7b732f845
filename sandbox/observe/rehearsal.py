"""`sandbox rehearse`: moves a stack from one version of its controller to another, while its samples scale.

It takes samples of AWS and the clusters; functions of plain values decide what the samples mean. Of the program it
knows only one configuration key.
"""

import copy
import hashlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from kubernetes import client, config

from sandbox import lifecycle
from sandbox.cluster import images
from sandbox.network.elb import reading
from sandbox.network.elb.model import DRAINING
from sandbox.network.elb.parsing import parsed
from sandbox.network.elb.reading import Documents
from sandbox.observe.iam import ask
from sandbox.run.clients import client as aws_client
from sandbox.run.processes import wait_until
from sandbox.run.state import State

PACE_SECONDS: Final = 2.0
_SETTLED_SECONDS: Final = 120

Report = Callable[[str], None]


class RehearsalError(Exception):
    """One line that explains why the rehearsal failed."""


@dataclass(frozen=True)
class Sample:
    """The state at one moment: targets are read first, pods after them."""

    time: float
    balancers: frozenset[str]
    """ARNs."""
    targets: frozenset[tuple[str, str]]
    """ARN of the target group and address, without draining targets."""
    ready: frozenset[tuple[str, str]]
    """Address and name of each pod that is ready and not being deleted."""


@dataclass
class Findings:
    """What went wrong, each thing once, in order."""

    replaced: list[str] = field(default_factory=list[str])
    """ARNs of load balancers that existed at first and later did not."""
    lost: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    """`{"targetGroup", "address", "pod"}` of each target that was removed while its pod stayed ready."""
    denied: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """IAM's refusals after the move began."""

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, replaced or refused."""
        return not (self.replaced or self.lost or self.denied)


def replaced(samples: Sequence[Sample]) -> list[str]:
    """The load balancers of the first sample that are missing in a later one."""
    later = [sample.balancers for sample in samples[1:]]
    return sorted(arn for arn in samples[0].balancers if any(arn not in there for there in later)) if samples else []


def lost(samples: Sequence[Sample]) -> list[dict[str, str]]:
    """Targets of a sample that are missing in the next one, although the pod with that address is ready in both.

    If a pod is removed by scaling, it is already being deleted when its target is missing, because pods are read after
    targets.
    """
    found: dict[tuple[str, str], str] = {}
    for before, after in itertools.pairwise(samples):
        stayed = dict(before.ready & after.ready)
        for group, address in sorted(before.targets - after.targets):
            if address in stayed:
                found.setdefault((group, address), stayed[address])
    return [{"targetGroup": group, "address": address, "pod": pod} for (group, address), pod in found.items()]


def scaled(replicas: int, step: int) -> int:
    """The replicas of a Deployment at one step of the scaling: up by two, and back."""
    return replicas + (0, 1, 2, 1)[step % 4]


def with_setting(settings: Mapping[str, Any], key: str, value: str) -> dict[str, Any]:
    """The content of a stack's settings file with one setting changed.

    `pulumi up --config` writes into the project's own file, and replaces the whole object that holds the setting.
    """
    changed = copy.deepcopy(dict(settings))
    name, *path = key.split(".")
    at = changed.setdefault("config", {})
    for part in (name, *path)[:-1]:
        at = at.setdefault(part, {})
    at[path[-1] if path else name] = value
    return changed


@dataclass(frozen=True)
class Scaled:
    """A Deployment that is scaled during the rehearsal."""

    api: client.ApiClient
    namespace: str
    name: str
    replicas: int
    """Its replicas, before and after."""


@dataclass(frozen=True)
class Rehearsal:
    """One stack in a separate sandbox."""

    state: State
    stack: str
    key: str
    """The configuration key of the controller's version, such as `my-project:controller.version`."""
    report: Report

    def pulumi(self, *arguments: str) -> None:
        """Run pulumi on the project in the current folder; its output goes to stderr.

        Raises:
            RehearsalError: it failed.
        """
        command = ["pulumi", *arguments, "--stack", self.stack, "--non-interactive"]
        environment = lifecycle.child_environment(self.state)
        with subprocess.Popen(command, env=environment, stdout=sys.stderr, start_new_session=True) as engine:
            try:
                code = engine.wait()
            except BaseException:
                # Ctrl-C: no need to stop it gracefully, because everything it creates is removed with the sandbox.
                os.killpg(engine.pid, signal.SIGKILL)
                raise
        if code:
            raise RehearsalError(f"`{' '.join(command)}` ended with {code}: see above")

    def bring(self, version: str) -> None:
        """Move the stack to a version."""
        self.report(f"bringing stack {self.stack} to {self.key} = {version}")
        given = Path(f"Pulumi.{self.stack}.yaml")
        settings = yaml.safe_load(given.read_text()) if given.exists() else None
        changed = self.state.root / given.name
        changed.write_text(yaml.safe_dump(with_setting(settings or {}, self.key, version)))
        self.pulumi("up", "--yes", "--skip-preview", "--config-file", str(changed))

    def sample(self) -> Sample:
        """Take a sample now."""
        elbv2 = aws_client(self.state, "elbv2")
        there = parsed(Documents(reading.balancers(elbv2), groups=reading.groups(elbv2)))
        balancers = frozenset(balancer.arn for balancer in there.balancers)
        registered = ((group.arn, target) for group in there.groups.values() for target in group.targets)
        targets = frozenset((arn, target.id) for arn, target in registered if target.health != DRAINING)
        ready = frozenset(pod for api in self._clusters() for pod in _ready_pods(api))
        return Sample(time.time(), balancers, targets, ready)

    def samples_of_the_program(self) -> list[Scaled]:
        """The Deployments to scale: those in a namespace with TargetGroupBindings."""
        found: list[Scaled] = []
        for api in self._clusters():
            bindings: Any = client.CustomObjectsApi(api).list_cluster_custom_object(
                "elbv2.k8s.aws", "v1beta1", "targetgroupbindings"
            )
            for namespace in sorted({item["metadata"]["namespace"] for item in bindings["items"]}):
                deployments: Any = client.AppsV1Api(api).list_namespaced_deployment(namespace)
                found += [Scaled(api, namespace, d.metadata.name, d.spec.replicas) for d in deployments.items]
        return found

    def findings(self, samples: Sequence[Sample], begun: float) -> Findings:
        """What went wrong in these samples, and what IAM refused after a moment."""
        refused = [each for each in ask(self.state, "denied", {}) if each["time"] >= begun]
        return Findings(replaced(samples), lost(samples), refused)

    def _clusters(self) -> Iterator[client.ApiClient]:
        for name in self.state.active_clusters():
            yield config.new_client_from_config(str(self.state.cluster(name) / "kubeconfig"))


def _ready_pods(api: client.ApiClient) -> Iterator[tuple[str, str]]:
    pods: Any = client.CoreV1Api(api).list_pod_for_all_namespaces()
    for pod in pods.items:
        is_ready = any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions or ())
        if is_ready and pod.status.pod_ip and not pod.metadata.deletion_timestamp:
            yield pod.status.pod_ip, f"{pod.metadata.namespace}/{pod.metadata.name}"


@contextmanager
def watched(rehearsal: Rehearsal, scale: Sequence[Scaled]) -> Generator[list[Sample], None, None]:
    """Scale and take samples during the context; afterwards restore the replicas.

    Raises:
        RehearsalError: scaling or sampling failed.
    """
    samples, over, failures = [rehearsal.sample()], threading.Event(), list[Exception]()

    def set_replicas(step: int) -> None:
        for each in scale:
            body = {"spec": {"replicas": scaled(each.replicas, step)}}
            client.AppsV1Api(each.api).patch_namespaced_deployment_scale(each.name, each.namespace, body)

    def repeatedly(action: Callable[[int], object], pace: float) -> None:
        step = 0
        try:
            while not over.wait(pace):
                step += 1
                action(step)
        except Exception as error:  # noqa: BLE001 - reported where the context ends
            failures.append(error)

    threads = [
        threading.Thread(target=repeatedly, args=(set_replicas, PACE_SECONDS), daemon=True),
        threading.Thread(target=repeatedly, args=(lambda _: samples.append(rehearsal.sample()), 0.1), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield samples
    finally:
        over.set()
        for thread in threads:
            thread.join()
        set_replicas(0)
    if failures:
        raise RehearsalError(f"the rehearsal could not be watched: {failures[0]}")


def settled(sample: Sample, balanced: int) -> bool:
    """Whether the registered addresses are ready pods' addresses, and as many as expected."""
    addresses = {address for address, _ in sample.ready}
    registered = {address for _, address in sample.targets}
    return registered <= addresses and len(registered) >= balanced


def controllers(paths: Sequence[str]) -> dict[str, Any]:
    """The executables in a rehearsal: `{"executables": [...], "oneBinary": whether they are the same program}`."""
    digests = {hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths}
    return {"executables": list(paths), "oneBinary": len(digests) == 1}


def rehearse(rehearsal: Rehearsal, old: str, new: str) -> dict[str, Any]:
    """Create the stack at one version, move it to another, and report what broke.

    Returns:
        `{"from", "to", "clean", "seconds", "samples", "replaced": [...], "lost": [...], "denied": [...],
        "controller": {"executables", "oneBinary"}}`; `seconds` is how long the move took.

    Raises:
        RehearsalError: the stack cannot be moved to one of the versions, or cannot be watched.
    """
    rehearsal.pulumi("stack", "init")
    rehearsal.bring(old)
    scale = rehearsal.samples_of_the_program()
    if not scale:
        raise RehearsalError("no Deployment is behind a TargetGroupBinding: there is nothing to watch")
    wanted = sum(each.replicas for each in scale)
    begun = time.time()
    with watched(rehearsal, scale) as samples:
        rehearsal.bring(new)
        seconds = time.time() - begun
    if not wait_until(lambda: settled(rehearsal.sample(), wanted), _SETTLED_SECONDS, 0.5):
        rehearsal.report(f"after {_SETTLED_SECONDS} s the targets are not yet the ready pods")
    samples.append(rehearsal.sample())
    found = rehearsal.findings(samples, begun)
    settings = rehearsal.state.settings()
    runs = [images.program(images.IMAGES[0], v, settings.tools, {}, settings.replacements).path for v in (old, new)]
    return {
        "from": old,
        "to": new,
        "clean": found.clean,
        "seconds": round(seconds, 1),
        "samples": len(samples),
        "replaced": found.replaced,
        "lost": found.lost,
        "denied": found.denied,
        "controller": controllers(runs),
    }
