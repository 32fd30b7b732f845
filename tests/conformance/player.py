"""Plays a recorded case on the stage and compares every step with the recording."""

import functools
import importlib.util
import json
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import yaml
from botocore.exceptions import BotoCoreError, ClientError
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from sandbox.run.processes import wait_until
from tests.conformance.stage import CASES, Stage, steps, unique

_SETTLE_SECONDS, _QUIET_SECONDS, _LOOK_SECONDS = 180.0, 2.0, 0.8
_OUTSIDE = {"EXTERNAL_TARGET_GROUP": "ip", "EXTERNAL_INSTANCE_GROUP": "instance"}
_ASKING = "ingress,gateway,httproute,grpcroute,tcproute,tlsroute,udproute"
_CONFIGURATIONS = "listenerruleconfiguration,loadbalancerconfiguration,targetgroupconfiguration"
_GONE = ("ingress", "gateway", "targetgroupbinding", "service")
_LEFT = ("loadBalancers", "securityGroups", "targetGroupBindings", "targetGroups")
# A listed object is already gone, or the cluster is not reachable: look again.
_NOT_NOW = (ClientError, BotoCoreError, ApiException, HTTPError, OSError)


class Player:
    """Plays one case in its own namespace."""

    def __init__(self, stage: Stage, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stage, self.case = stage, case
        self.namespace = unique(case)
        self.group = f"grp{self.namespace[2:]}"
        self.own_class = f"cls{self.namespace[2:]}"
        self.outside: dict[str, str] = {}
        self._clusterwide: set[tuple[str, str]] = set()
        self.patience = _SETTLE_SECONDS
        self._module = _snapshot_module()
        keys = stage.sandbox.state.settings().root_keys
        session = boto3.Session()

        def with_root_keys(service: str, **given: Any) -> Any:
            """snapshot.py has its own keys; in this sandbox keys matter."""
            known = {"aws_access_key_id": keys["access_key"], "aws_secret_access_key": keys["secret_key"]}
            return session.client(service, **{**given, **known})  # pyright: ignore[reportCallIssue, reportArgumentType, reportUnknownVariableType]

        monkeypatch.setattr(self._module, "boto3", SimpleNamespace(client=with_root_keys))

    def fill_in(self, text: str) -> str:
        """The manifest with the stage's names."""
        for placeholder, kind in _OUTSIDE.items():
            if placeholder in text:
                text = text.replace(placeholder, self._target_group(kind))
        text = self.stage.props.fill_in(text).replace("VPC_ID", self.stage.vpc)
        return text.replace("GROUP", self.group).replace("CLASS", self.own_class)

    def _target_group(self, kind: str) -> str:
        """The existing target group of a type."""
        if kind not in self.outside:
            name = f"EXT{kind[:2]}{zlib.crc32(self.namespace.encode()):x}"  # cases may start at the same moment
            made = self.stage.sandbox.aws("elbv2").create_target_group(
                Name=name, Protocol="HTTP", Port=80, VpcId=self.stage.vpc, TargetType=kind
            )
            self.outside[kind] = made["TargetGroups"][0]["TargetGroupArn"]
        return self.outside[kind]

    @functools.cached_property
    def _reader(self) -> Any:
        """One for all snapshots: its clients cost more than what they read."""
        state, kubeconfig = self.stage.sandbox.state, str(self.stage.kubeconfig)
        return self._module.Snapshot(
            state.aws_endpoint, state.settings().region, self.namespace, kubeconfig, self.group
        )

    def snapshot(self) -> dict[str, Any]:
        """The document, with the recordings' names."""
        taken = self._reader.collect()
        text = self.stage.props.forgotten(json.dumps(taken))
        for arn in self.outside.values():
            text = text.replace(arn.split("/")[1], "EXT")
        text = text.replace(self.group, "GROUP").replace(self.own_class, "CLASS")
        found = json.loads(text.replace(self.namespace, "NS"))
        for listener in (one for balancer in found["loadBalancers"] for one in balancer["listeners"]):
            listener["certificates"].sort()  # by name, because they were sorted by their random ids
        return found

    def settled(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """The document once it is as expected and stable, or its state at the timeout."""
        deadline, since, last = time.monotonic() + self.patience, None, dict[str, Any]()
        while time.monotonic() < deadline:
            try:
                last = self.snapshot()
            except _NOT_NOW:
                time.sleep(_LOOK_SECONDS)
                continue
            if last != wanted:
                since = None
            elif since is None:
                since = time.monotonic()
            elif time.monotonic() - since > _QUIET_SECONDS:
                break
            time.sleep(_LOOK_SECONDS)
        return last

    def send(self, verb: str, manifest: str) -> None:
        """Send a manifest, and repeat if the cluster is not reachable."""
        # To validate what was valid when it was recorded, kubectl would read the API server's schema each time.
        more = {"apply": ["--validate=false"], "delete": ["--wait=false", "--ignore-not-found"]}[verb]
        refused = ""

        def sent() -> bool:
            nonlocal refused
            try:
                self.stage.kubectl("-n", self.namespace, verb, *more, "-f", "-", stdin=manifest)
            except (AssertionError, TimeoutError) as error:
                refused = str(error)
                return False
            return True

        assert wait_until(sent, _SETTLE_SECONDS, 0.5), refused

    def gone(self) -> bool:
        """Whether all objects that ask for load balancers are gone."""
        try:
            return not any(self.stage.get(kind, "-n", self.namespace)["items"] for kind in _GONE)
        except AssertionError:
            return False

    def _left(self) -> dict[str, int] | None:
        """How many things are left that should be gone; None if unknown."""
        try:
            found = self.snapshot()
        except _NOT_NOW:
            return None
        return {kind: len(found[kind]) for kind in _LEFT}

    def ask(self, manifest: Path) -> None:
        """Send the manifest of one step."""
        text = self.fill_in(manifest.read_text())
        self._clusterwide |= {
            (one["kind"], one["metadata"]["name"])
            for one in yaml.safe_load_all(text)
            if one and one["kind"].startswith(("IngressClass", "GatewayClass"))
        }
        self.send("delete" if "delete" in manifest.name else "apply", text)

    def play(self, during: Callable[[], None] = lambda: None) -> None:
        """Play every step and compare it with its recording; then delete everything and check that nothing is left.

        Args:
            during: called right after each request, before the result is checked.
        """
        self.stage.kubectl("create", "namespace", self.namespace)
        for manifest in steps(self.case):
            self.ask(manifest)
            during()
            wanted = json.loads(manifest.with_suffix(".json").read_text())
            found = self.settled(wanted)
            assert found == wanted, f"{manifest.name}: {json.dumps(found, indent=1)}"
        self.stage.kubectl(
            "-n", self.namespace, "delete", f"{_ASKING},service,targetgroupbinding", "--all", "--wait=false"
        )
        during()
        assert wait_until(self.gone, self.patience, 0.5)
        wanted = json.loads((CASES / self.case / "deleted.json").read_text())
        assert wait_until(lambda: self._left() == wanted, _SETTLE_SECONDS, 0.5), self._left()

    def clean(self) -> None:
        """Clean up, whatever happened to the case."""
        everything = f"{_ASKING},service,targetgroupbinding,deployment,{_CONFIGURATIONS}"
        self.stage.kubectl("-n", self.namespace, "delete", everything, "--all", "--timeout=180s", check=False)
        self.stage.kubectl("delete", "namespace", self.namespace, "--wait=false", check=False)
        for kind, name in self._clusterwide:
            self.stage.kubectl("delete", kind, name, "--wait=false", check=False)
        for arn in self.outside.values():
            self.stage.sandbox.aws("elbv2").delete_target_group(TargetGroupArn=arn)


def _snapshot_module() -> Any:
    """The program that made the recordings, unchanged."""
    spec = importlib.util.spec_from_file_location("recorded_snapshot", CASES / "snapshot.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
