"""docs/iam.md: generated from the policy, complete, and up to date."""

import json

from docs.generate import iam as page
from fixtures.iam import asks
from sandbox.iam.permissions import reference
from tests.sandbox.iam.test_removals import OURS


def actions() -> set[str]:
    return {action for statement in json.loads(OURS)["Statement"] for action in statement["Action"]}


def writes() -> set[str]:
    return {action for action in actions() if not page._READING.match(action.partition(":")[2])}


def tried(calls: list[asks.Call]) -> set[str]:
    return {
        each.action for service, name, given in calls for each in asks.asked(service, name, "demo", asks.VPC, given)
    }


def test_the_page_is_the_policys_own() -> None:
    assert page.PAGE.read_text() == page.page(), "run: make docs"


def test_every_action_that_changes_anything_is_tried_on_anothers_or_has_a_reason() -> None:
    conditioned = tried([asks.MAKE_GROUP, *asks.CREATIONS, *asks.PARTS, *asks.TAGGED, *asks.OPEN])
    assert writes() - conditioned == set(asks.BLIND_BECAUSE) - {"iam:CreateServiceLinkedRole"}
    assert tried(asks.BLIND) == set(asks.BLIND_BECAUSE) - {"iam:CreateServiceLinkedRole"}


def test_actions_listed_without_condition_keys_have_none() -> None:
    for action, why in asks.BLIND_BECAUSE.items():
        service, _, name = action.partition(":")
        if why.startswith(asks._NO_KEYS):
            assert not any((reference.action_types(service, name) or {}).values()), action
