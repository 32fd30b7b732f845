"""A stack of an earlier version with today's program: nothing is replaced, nothing is deleted.

The earlier stack is its state, which `tests/upgrades.py` saves at each release. The engine and the providers see it
with a cluster that has the same objects; AWS is not asked about anything in the state.
"""

import base64
import gzip
import json
import re
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY, Sandbox
from tests.upgrades import STATES

pytestmark = pytest.mark.sandbox

_PROGRAM = ("Pulumi.yaml", "Pulumi.sandbox.yaml", "__main__.py", "settings.py")
VERSIONS = sorted(path.name.removesuffix(".json.gz") for path in STATES.glob("*.json.gz"))
_SERVER = re.compile(r"https://127\.0\.0\.1:\d+")
_AUTHORITY = re.compile(r"certificate-authority-data[\\\":]+([A-Za-z0-9+/=]+)")
_MANAGER = "__fieldManager"
_TAKES_AWAY = ("delete", "replace", "create-replacement", "delete-replaced", "discard-replaced")


class Earlier:
    """A stack that exists only as a state, in a separate backend."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox, self.program = sandbox, folder / "program"
        self.program.mkdir()
        for name in _PROGRAM:
            shutil.copy(REPOSITORY / name, self.program)
        (self.program / ".venv").symlink_to(sys.prefix)
        (folder / "backend").mkdir()
        self.backend = f"PULUMI_BACKEND_URL=file://{folder}/backend"
        self.pulumi("stack", "init", "sandbox")

    def pulumi(self, *arguments: str) -> str:
        return self.sandbox.run("env", self.backend, "pulumi", *arguments, "--non-interactive", cwd=self.program)

    def operations(self, state: dict[str, Any]) -> "Counter[str]":
        """How many resources a preview on a state would change, by operation."""
        empty = json.loads(self.pulumi("stack", "export", "--stack", "sandbox"))
        own = {**empty["deployment"], "resources": state["deployment"]["resources"]}
        (self.program / "state.json").write_text(json.dumps({**state, "deployment": own}))
        self.pulumi("stack", "import", "--stack", "sandbox", "--file", "state.json")
        seen = json.loads(self.pulumi("preview", "--stack", "sandbox", "--json", "--show-sames"))
        self.steps = {step["urn"].rpartition("::")[2]: step["op"] for step in seen["steps"]}
        return Counter(step["op"] for step in seen["steps"])


def text_of(version: str) -> str:
    return gzip.decompress((STATES / f"{version}.json.gz").read_bytes()).decode()


def state_of(version: str, sandbox: Sandbox) -> dict[str, Any]:
    """A version's state, with the address of the existing cluster."""
    text = text_of(version)
    there = sandbox.run("pulumi", "stack", "output", "kubeconfig", "--stack", "sandbox", "--show-secrets")
    for pattern in (_SERVER, _AUTHORITY):
        (old,) = set(pattern.findall(text))
        (new,) = set(pattern.findall(there))
        text = text.replace(old, new)
    # A certificate that is due is replaced, as intended; this test is not about that.
    state: dict[str, Any] = json.loads(re.sub(r'("validityEndTime":")\d{4}', r"\g<1>9999", text))
    managers = field_managers(json.loads(sandbox.run("pulumi", "stack", "export", "--stack", "sandbox")))
    for resource in state["deployment"]["resources"]:
        if _MANAGER in resource.get("outputs", {}):
            resource["outputs"][_MANAGER] = managers.get(resource["urn"], resource["outputs"][_MANAGER])
    return state


def field_managers(export: dict[str, Any]) -> dict[str, str]:
    """The field manager of each object on the cluster: a name that the provider generates for each resource."""
    resources = export["deployment"]["resources"]
    return {r["urn"]: r["outputs"][_MANAGER] for r in resources if _MANAGER in r.get("outputs", {})}


@pytest.fixture
def earlier(stack: Sandbox, tmp_path: Path) -> Earlier:
    return Earlier(stack, tmp_path)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_stack_of_an_earlier_version_loses_nothing(stack: Sandbox, earlier: Earlier, version: str) -> None:
    found = earlier.operations(state_of(version, stack))

    lost = {name: op for name, op in earlier.steps.items() if op in _TAKES_AWAY}
    assert not lost, f"replaced or deleted: {lost}"
    assert found["same"] > 50, found


@pytest.mark.parametrize("version", VERSIONS)
def test_a_kept_state_holds_no_private_key(version: str) -> None:
    text = text_of(version)
    inside = [
        base64.b64decode(word).decode(errors="replace")
        for word in re.findall(r"[A-Za-z0-9+/]{40,}={0,2}", text)
        if len(word) % 4 == 0
    ]

    keys = [
        key for each in (text, *inside) for key in re.findall(r"BEGIN [A-Z ]*PRIVATE KEY-----(.{6})", each, re.DOTALL)
    ]
    assert set(keys) <= {" none "}, "make it with `python -m tests.upgrades`"


@pytest.mark.parametrize(
    ("was", "now", "lost"),
    [
        ("::network-internet", "::network-gateway", {"network-gateway": "delete"}),
        (
            '"namespace": "samples"',
            '"namespace": "others"',
            {"web-nlb-service": "replace", "web-alb-ingress": "replace"},
        ),
    ],
    ids=["another name without an alias", "another namespace"],
)
def test_what_would_be_lost_is_seen(stack: Sandbox, earlier: Earlier, was: str, now: str, lost: dict[str, str]) -> None:
    changed = json.dumps(state_of(VERSIONS[-1], stack)).replace(was, now)

    earlier.operations(json.loads(changed))

    assert lost.items() <= earlier.steps.items()


def exported(stack: Sandbox) -> dict[str, Any]:
    """The state of the stack that is up."""
    return json.loads(stack.run("pulumi", "stack", "export", "--stack", "sandbox"))


def on_kubernetes(state: dict[str, Any], version: str) -> dict[str, Any]:
    """A state whose cluster and nodes run another version of Kubernetes."""
    for resource in state["deployment"]["resources"]:
        if resource["type"] in ("aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup"):
            for values in (resource["inputs"], resource["outputs"]):
                assert re.fullmatch(r"1\.\d+", values["version"])
                values["version"] = version
    return state


def with_certificates_due(state: dict[str, Any], *suffixes: str) -> dict[str, Any]:
    """A state whose webhook certificates, by the ends of their names, are in their renewal period."""
    due = [r for r in state["deployment"]["resources"] if r["urn"].endswith(suffixes)]
    assert len(due) == len(suffixes)
    for resource in due:
        resource["outputs"]["validityEndTime"] = "2026-01-01T00:00:00Z"
    return state


def test_item_2_an_upgrade_of_kubernetes_changes_cluster_and_nodes_in_place(stack: Sandbox, earlier: Earlier) -> None:
    earlier.operations(on_kubernetes(exported(stack), "1.35"))

    changed = {name: op for name, op in earlier.steps.items() if op != "same"}
    assert not {name: op for name, op in changed.items() if op in _TAKES_AWAY}
    assert {"cluster-eks-eksCluster": "update"}.items() <= changed.items()
    assert [op for name, op in changed.items() if "nodes" in name] == ["update"], changed


@pytest.mark.parametrize("due", [("-certificate",), ("-authority", "-certificate")], ids=["leaf", "authority"])
def test_item_3_a_renewed_certificate_replaces_itself_and_nothing_else(
    stack: Sandbox, earlier: Earlier, due: tuple[str, ...]
) -> None:
    earlier.operations(with_certificates_due(exported(stack), *due))

    lost = {name for name, op in earlier.steps.items() if op in _TAKES_AWAY}
    assert lost == {f"controller-webhook{suffix}" for suffix in due}, earlier.steps
    assert earlier.steps["controller-chart:kube-system/aws-load-balancer-tls"] == "update"
