"""Item 3: a change of the administrators or of the certificate announces nothing else."""

from typing import Any

import pulumi
import pytest

from eks_load_balancing import Cluster, ClusterArgs, LoadBalancerController
from fixtures.declared import DEPLOYER, UNKNOWN, Declared, declare
from tests.unit.cluster.test_cluster import ARGS
from tests.unit.controller.test_load_balancer_controller import ARGS as CONTROLLER

OTHER = "arn:aws:iam::123456789012:role/other"


def cluster(made: dict[str, Any] | None = None, *, preview: bool = False, **changes: Any) -> Declared:
    args: ClusterArgs = {**ARGS, **changes}  # pyright: ignore[reportAssignmentType]

    def program() -> None:
        cluster = Cluster("c", args)
        pulumi.CustomResource("test:index:Reader", "reader", {"kubeconfig": cluster.kubeconfig})

    return declare(program, made=made, preview=preview)


def test_item_3_the_kubeconfig_is_known_in_the_preview_that_adds_an_administrator() -> None:
    """An access entry that is yet to be made has no id; with an unknown kubeconfig no chart is rendered."""
    new = {"c-admin-123456789012-role-other-policy": {"id": UNKNOWN, "policyArn": UNKNOWN}}

    declared = cluster(new, preview=True, admin_arns=[DEPLOYER, OTHER])

    assert "server" in declared.one(":Reader").inputs["kubeconfig"]["value"]


def test_item_3_what_is_made_with_the_kubeconfig_waits_for_every_administrator() -> None:
    waits_for = cluster(admin_arns=[DEPLOYER, OTHER]).one(":Reader").waits_for

    assert {f"c-admin-123456789012-role-{who}-policy" for who in ("ops-deployer", "other")} <= waits_for


def entries(declared: Declared) -> dict[str, list[str]]:
    """The administrators' resources by name, with the names that they had before."""
    kinds = (*declared.of(":AccessEntry"), *declared.of(":AccessPolicyAssociation"))
    return {made.name: [alias.spec.name for alias in made.options.aliases] for made in kinds}


def test_item_3_an_administrators_entry_keeps_its_name_however_it_came_to_be_named() -> None:
    unnamed, named = entries(cluster()), entries(cluster(admin_arns=[DEPLOYER]))

    assert unnamed == named
    assert unnamed == {
        "c-admin-123456789012-role-ops-deployer": ["c-admin-deployer"],
        "c-admin-123456789012-role-ops-deployer-policy": ["c-admin-deployer-policy"],
    }


def test_item_3_nobody_elses_entry_takes_over_the_deployers() -> None:
    assert entries(cluster(admin_arns=[OTHER, DEPLOYER]))["c-admin-123456789012-role-other"] == []


@pytest.mark.parametrize("due", ["certificate", "authority"])
def test_item_3_the_chart_is_rendered_in_the_preview_that_renews_a_certificate(due: str) -> None:
    new = {f"lbc-webhook-{due}": {"certPem": UNKNOWN}, "lbc-webhook-certificate": {"certPem": UNKNOWN}}
    before = values(declare(controller))

    renewed = values(declare(controller, made=new, preview=True))

    assert renewed.keys() == before.keys()
    assert renewed["webhookTLS"].keys() == before["webhookTLS"].keys()
    assert renewed["webhookTLS"]["cert"] != before["webhookTLS"]["cert"]
    assert renewed["webhookTLS"]["key"] == before["webhookTLS"]["key"]


def test_item_3_no_other_value_of_the_chart_is_ever_unknown() -> None:
    """The VPC, the image and the tags may be outputs of other resources."""

    def program() -> None:
        unknown = pulumi.CustomResource("test:index:New", "new", {"out": None})
        LoadBalancerController(
            "lbc", {**CONTROLLER, "vpc_id": unknown.id, "image_repository": unknown.id, "tags": {"team": unknown.id}}
        )

    rendered = values(declare(program, made={"new": {}}, preview=True))

    assert None not in (rendered["vpcId"], rendered["image"]["repository"], rendered["defaultTags"]["team"])


def test_item_3_an_update_is_given_what_the_certificate_becomes() -> None:
    assert values(declare(controller))["webhookTLS"]["cert"] == "certificate of lbc-webhook-certificate"


def controller() -> None:
    LoadBalancerController("lbc", CONTROLLER)


def values(declared: Declared) -> dict[str, Any]:
    given = declared.one(":Chart").inputs["values"]
    return given.get("value", given)
