"""The picture of the whole: what is broken, and what leads to it."""

from typing import Any

import pytest

from sandbox.network.elb.model import LoadBalancing
from sandbox.observe.view import picture
from sandbox.observe.view.items import Item
from tests.sandbox.observe.view.objects import cluster, named, pod, provisioned, rule, service

HOST = "web.test"


def drawn(found: LoadBalancing, **objects: Any) -> picture.Picture:
    return picture.section(found, cluster(), objects)


def boxes(item: Item) -> list[tuple[str, str]]:
    """Title and mood of a box and of what it leads to."""
    return [(item["title"], item["mood"]), *(box for each in item["items"] for box in boxes(each))]


def test_a_request_goes_from_client_by_load_balancer_and_target_group_to_the_pod() -> None:
    made = drawn(provisioned())
    titles = ("client", "web", "tg-web", "shop/web-1")
    assert boxes(made["root"]) == [(title, "good") for title in titles]
    assert (made["mood"], made["verdict"]) == ("good", "the load balancer reaches its pods")


@pytest.mark.parametrize(("state", "mood"), [("unhealthy", "bad"), ("initial", "wait")])
def test_what_leads_to_a_broken_target_group_is_broken(state: str, mood: str) -> None:
    made = drawn(provisioned(states=(state,)))
    assert {found for _, found in boxes(made["root"])} == {mood}
    assert made["mood"] == mood
    assert "web" in made["verdict"]


def test_a_target_group_without_targets_is_broken() -> None:
    assert drawn(provisioned(states=()))["verdict"] == "1 of 1 broken: web (pods, no target)"


def test_of_many_targets_the_broken_ones_are_shown_and_the_others_counted() -> None:
    many = provisioned(states=(*["healthy"] * 8, "unhealthy"))
    (balancer,) = drawn(many)["root"]["items"]
    shown = balancer["items"][0]["items"]
    assert [shown[0]["mood"], len(shown), shown[-1]["title"]] == ["bad", picture.MOST + 1, "and 5 more"]
    assert balancer["mood"] == "wait"


def test_a_rule_that_answers_with_an_error_is_broken_and_the_default_404_is_not() -> None:
    def fixed(priority: str, code: str) -> dict[str, Any]:
        answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": code}}
        return {"RuleArn": priority, "Priority": priority, "Conditions": [], "Actions": [answer]}

    assert drawn(provisioned(rule("1"), fixed("default", "404")))["mood"] == "good"
    made = drawn(provisioned(rule("1"), fixed("2", "503")))
    assert made["verdict"] == "1 of 1 broken: web (answers HTTP 503 itself)"
    assert boxes(made["root"])[2] == ("rule 2", "bad")


def test_a_service_whose_load_balancer_is_gone_is_broken_and_one_that_has_none_yet_waits() -> None:
    assert drawn(provisioned(), Service=[service(hosts=(HOST,))])["mood"] == "good"
    assert drawn(provisioned(), Service=[service()])["mood"] == "wait"
    gone = drawn(provisioned(), Service=[service(hosts=("gone.test",))])
    assert gone["verdict"] == "1 of 2 broken: shop/web (Service: its load balancer is gone)"
    assert gone["root"]["items"][0]["title"] == "shop/web"


def test_an_ingress_without_a_load_balancer_waits() -> None:
    assert drawn(LoadBalancing(), Ingress=[named("pages", spec={})])["verdict"] == "1 of 1 not ready yet: shop/pages"


def test_without_anything_there_is_nothing_to_judge() -> None:
    assert (drawn(LoadBalancing(), Pod=[pod()])["mood"], drawn(LoadBalancing())["verdict"]) == (
        "",
        "no load balancer yet",
    )
