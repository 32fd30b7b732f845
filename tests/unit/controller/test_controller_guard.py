import os
import stat
from pathlib import Path
from typing import Any

import pytest

from eks_load_balancing.controller.guard import ControllerInUseError, holders, objects, refuse_while_needed
from fixtures.declared import Declared
from tests.unit.controller.test_load_balancer_controller import controller


def an_object(kind: str, name: str, *finalizers: str, **labels: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "metadata": {"namespace": "shop", "name": name, "finalizers": list(finalizers), "labels": labels},
    }


def binding(name: str, *labels: str) -> dict[str, Any]:
    return an_object("TargetGroupBinding", name, "elbv2.k8s.aws/resources", **dict.fromkeys(labels, "x"))


@pytest.mark.parametrize(
    ("kind", "finalizer"),
    [
        ("Service", "service.k8s.aws/resources"),
        ("Ingress", "ingress.k8s.aws/resources"),
        ("Ingress", "group.ingress.k8s.aws/payments"),
        ("TargetGroupBinding", "elbv2.k8s.aws/resources"),
    ],
)
def test_every_finalizer_of_the_controllers_keeps_it(kind: str, finalizer: str) -> None:
    assert holders([an_object(kind, "web", "foregroundDeletion", finalizer)]) == [f"{kind} shop/web"]


def test_an_object_with_other_finalizers_or_none_does_not_need_the_controller() -> None:
    plain: dict[str, Any] = {"kind": "Service", "metadata": {"namespace": "shop", "name": "plain"}}
    in_tree = an_object("Service", "classic", "service.kubernetes.io/load-balancer-cleanup")

    assert holders([plain, in_tree]) == []
    refuse_while_needed([plain, in_tree], "urn:guard")


def test_a_binding_that_the_controller_made_is_named_only_when_its_owner_is_gone() -> None:
    owner = an_object("Service", "web", "service.k8s.aws/resources")
    made, given = binding("made", "service.k8s.aws/stack-name"), binding("given")

    assert holders([made, owner, given]) == ["Service shop/web", "TargetGroupBinding shop/given"]
    assert holders([made]) == ["TargetGroupBinding shop/made"]


def test_a_refusal_is_one_line_with_the_objects_and_both_ways_on() -> None:
    many = [an_object("Service", f"s{n:02}", "service.k8s.aws/resources") for n in range(12)]

    with pytest.raises(ControllerInUseError) as refused:
        refuse_while_needed(many, "urn:guard")
    said = str(refused.value)
    assert "\n" not in said
    assert "Service shop/s00, " in said
    assert "Service shop/s09 and 2 more" in said
    assert "pulumi state delete 'urn:guard'" in said


def kubectl(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a kubectl on the PATH that is a script of ours."""
    (folder / "kubectl").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "kubectl").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_kubectl_is_asked_with_the_kubeconfig_that_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl(
        tmp_path,
        f'cp "$KUBECONFIG" {tmp_path}/seen; stat -c %a "$KUBECONFIG" > {tmp_path}/mode; echo \'{{"items": []}}\'',
        monkeypatch,
    )

    assert objects("a kubeconfig") == []
    assert (tmp_path / "seen").read_text() == "a kubeconfig"
    assert (tmp_path / "mode").read_text() == "600\n"


def test_a_kind_that_the_cluster_does_not_know_has_no_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl(tmp_path, """echo "error: the server doesn't have a resource type \\"$2\\"" >&2; exit 1""", monkeypatch)

    assert objects("") == []


def test_a_cluster_that_does_not_answer_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl(tmp_path, "echo connection refused >&2; exit 1", monkeypatch)

    with pytest.raises(ControllerInUseError, match=r"cannot be known, `kubectl get services` says: connection refused"):
        objects("")


def test_no_kubectl_is_a_refusal_that_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ControllerInUseError, match="not on the PATH: install it"):
        objects("")


@pytest.fixture(scope="module")
def guarded() -> Declared:
    return controller(kubeconfig="a kubeconfig")


def test_a_controller_with_a_kubeconfig_has_a_guard_and_one_without_has_none(guarded: Declared) -> None:
    assert [kept.name for kept in guarded.of(":Stash")] == ["lbc-version", "lbc-guard"]
    assert [kept.name for kept in controller().of(":Stash")] == ["lbc-version"]


def test_the_kubeconfig_is_a_secret_in_the_state(guarded: Declared) -> None:
    kept = guarded.one(":Stash", "lbc-guard").inputs["input"]

    assert kept["value"] == {"kubeconfig": "a kubeconfig"}
    assert len(kept) == 2  # the value, and the mark that makes it a secret
