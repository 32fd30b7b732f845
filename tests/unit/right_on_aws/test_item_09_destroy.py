"""Item 9: if AWS would refuse a destroy, it fails before anything is deleted; `make destroy` works for every stack."""

import subprocess

import pulumi
import pytest

from eks_load_balancing import Cluster
from eks_load_balancing.cluster.deletion_guard import DeletionRefusedError, refuse_while_protected
from fixtures.declared import declare
from fixtures.program import ROOT, program
from tests.unit.cluster.test_cluster import ARGS


def test_item_9_a_protected_cluster_is_protected_from_pulumi_too() -> None:
    """The preview of a destroy then fails: pkg/resource/deploy/step.go, `deleteProtectedError`."""
    both = [
        declare(lambda on=on: Cluster("c", {**ARGS, "deletion_protection": on}) and None)  # pyright: ignore[reportUnknownLambdaType]
        for on in (True, False)
    ]

    assert [declared.one("eks:index:Cluster").options.protect for declared in both] == [True, False]


def test_item_9_protection_is_inherited_where_eks_has_none() -> None:
    kept = declare(lambda: Cluster("c", ARGS, pulumi.ResourceOptions(protect=True)) and None)

    assert kept.one("eks:index:Cluster").options.protect is True


def test_item_9_the_guard_is_deleted_before_everything_else() -> None:
    """The engine deletes a resource once all that depend on it are gone; the guard depends on all the others."""
    prod = program("prod")
    guard = prod.one(":Stash", "deletion-guard")
    others = {made.name for made in prod.resources if made.name != "deletion-guard"}
    components = {made.name for made in prod.resources if made.type.startswith("eks-load-balancing:")}

    assert others - components <= guard.waits_for
    assert [made.name for made in prod.resources if "deletion-guard" in made.waits_for] == []


def test_item_9_the_guard_knows_what_the_last_up_protected() -> None:
    kept = [program(stack).one(":Stash", "deletion-guard").inputs["input"] for stack in ("dev", "prod")]

    assert kept[0] == []
    assert [key.partition(":")[2] for key in kept[1]] == [
        "cluster.deletionProtection",
        "samples.nlb.deletionProtection",
        "samples.alb.deletionProtection",
    ]


def test_item_9_the_refusal_names_the_settings_and_the_way_on() -> None:
    refuse_while_protected([])
    with pytest.raises(DeletionRefusedError) as refused:
        refuse_while_protected(["eks-load-balancing:cluster.deletionProtection"])

    line = str(refused.value)
    assert "\n" not in line
    assert "eks-load-balancing:cluster.deletionProtection" in line
    assert "run `pulumi up`, then run this again" in line


@pytest.mark.parametrize(("stack", "before"), [("sandbox", "sandbox exec -- pulumi"), ("dev", "pulumi")])
def test_item_9_make_destroys_every_stack(stack: str, before: str) -> None:
    """With the program while a hook's resource is in the state, without it once all of them are gone."""
    said = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "destroy", f"STACK={stack}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert f"{before} stack export --stack {stack}" in said
    assert f"{before} destroy --stack {stack}" in said
    assert ("sandbox" in said.replace("sandbox exec", "")) is (stack == "sandbox")
