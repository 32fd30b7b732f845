"""The stand-in's answers about inputs and about changes to them."""

import pytest

from sandbox.providers.common.creation import Creations, automatic_name
from sandbox.providers.common.fields import Field, changes, diff_response, keep_meaning, problems, same_set
from sandbox.providers.common.values import UNKNOWN

FIELDS = {
    "cidrBlock": Field(required=True, replaces=True),
    "subnetIds": Field(same=same_set),
    "dns": Field(default=True),
    "config": Field(inside={"min": Field(), "disks": Field(inside={"size": Field(required=True)})}),
}


def reasons(inputs: dict[str, object]) -> list[str]:
    return [failure.reason for failure in problems(inputs, FIELDS, "aws:x:X", lambda name: name == "ipv6CidrBlock")]


def test_known_inputs_are_accepted() -> None:
    assert reasons({"cidrBlock": "10.0.0.0/16", "config": {"disks": [{"size": 1}]}, "__creation": "x"}) == []


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({"cidrBlok": 1}, "aws:x:X has no input `cidrBlok`; did you mean `cidrBlock`?"),
        ({"zzz": 1}, "aws:x:X has no input `zzz`; known are cidrBlock, config, dns, subnetIds"),
        (
            {"ipv6CidrBlock": 1},
            (
                "the sandbox's stand-in does not know the input `ipv6CidrBlock` of aws:x:X; "
                "it knows cidrBlock, config, dns, subnetIds"
            ),
        ),
        ({"config": {"mim": 1}}, "aws:x:X has no input `config.mim`; did you mean `min`?"),
        ({"config": {"disks": [{"size": 1, "x": 1}]}}, "aws:x:X has no input `config.disks[0].x`; known are size"),
        ({"config": {"disks": [{}]}}, "`config.disks[0].size` is missing; give it a value"),
    ],
)
def test_a_wrong_input_is_named_with_its_remedy(extra: dict[str, object], says: str) -> None:
    assert reasons({"cidrBlock": "10.0.0.0/16", **extra}) == [says]


def test_a_required_input_that_is_missing_is_named() -> None:
    assert reasons({}) == ["`cidrBlock` is missing; give it a value"]


def test_a_change_is_one_of_meaning_not_of_spelling() -> None:
    old = {"cidrBlock": "a", "subnetIds": ["1", "2"], "__creation": "x"}
    assert changes(old, {"cidrBlock": "a", "subnetIds": ["2", "1"], "dns": True, "__creation": "y"}, FIELDS) == {}


def test_a_changed_input_that_replaces_is_reported_as_such() -> None:
    found = diff_response(changes({"cidrBlock": "a"}, {"cidrBlock": "b", "dns": False}, FIELDS))
    assert found.changes
    assert found.replaces == ["cidrBlock"]
    assert {name: diff.kind.name for name, diff in found.detailed_diff.items()} == {
        "cidrBlock": "UPDATE_REPLACE",
        "dns": "ADD",
    }


def test_a_value_that_is_not_known_yet_may_change() -> None:
    assert list(changes({"cidrBlock": "a"}, {"cidrBlock": UNKNOWN}, FIELDS)) == ["cidrBlock"]


def test_a_read_keeps_the_programs_spelling_while_the_meaning_is_the_same() -> None:
    assert keep_meaning(["b", "a"], ["a", "b"], FIELDS["subnetIds"]) == ["a", "b"]
    assert keep_meaning(["c"], ["a", "b"], FIELDS["subnetIds"]) == ["c"]


def test_sets_of_objects_compare_whatever_the_order_of_members_and_keys() -> None:
    assert same_set([{"a": 1, "b": 2}, {"a": 3}], [{"a": 3}, {"b": 2, "a": 1}])
    assert not same_set([{"a": 1}], [{"a": 1}, {"a": 1}])


def test_a_creation_that_is_asked_for_again_has_the_same_token() -> None:
    assert Creations().token("urn:x", {}) == Creations().token("urn:x", {})
    assert Creations().token("urn:x", {}) != Creations().token("urn:y", {})


def test_an_update_keeps_the_token_and_each_replacement_has_a_new_one() -> None:
    first = Creations().token("urn:x", {})
    run = Creations()
    assert run.token("urn:x", {"__creation": first}) == first
    second = run.token("urn:x", {})
    assert second != first
    again = Creations()
    again.token("urn:x", {"__creation": first})
    assert again.token("urn:x", {}) == second


def test_an_automatic_name_fits_its_limit() -> None:
    assert automatic_name("controller", "0a1b2c3d4e", 64) == "controller-0a1b2c3"
    assert automatic_name("a-very-long-name", "0a1b2c3d4e", 12) == "a-ve-0a1b2c3"
