"""The `pulumi.com/` annotations."""

from typing import Any

import pytest

from sandbox.providers.common.values import UNKNOWN
from sandbox.providers.kubernetes.annotations import problems, skips_its_end, wish


def annotated(**annotations: Any) -> dict[str, Any]:
    return {"metadata": {"annotations": {f"pulumi.com/{name}": value for name, value in annotations.items()}}}


def test_without_annotations_an_object_is_awaited_for_ten_minutes_and_deleted_in_the_foreground() -> None:
    usual = wish({"metadata": {"name": "x"}})
    assert (usual.skip_await, usual.timeout, usual.propagation, usual.force) == (False, 600, "Foreground", False)


def test_each_annotation_means_what_it_means_to_pulumi_kubernetes() -> None:
    item = annotated(
        skipAwait="true",
        timeoutSeconds="30",
        patchForce="true",
        patchFieldManager="me",
        deletionPropagationPolicy="background",
        waitFor='["condition=Ready", "jsonpath={.status.phase}=Running"]',
    )
    found = wish(item)
    assert (found.skip_await, found.timeout, found.force, found.field_manager) == (True, 30, True, "me")
    assert found.propagation == "Background"
    assert found.wait_for == ("condition=Ready", "jsonpath={.status.phase}=Running")
    assert problems(item) == {}


def test_the_resource_option_for_the_timeout_comes_before_the_annotation() -> None:
    assert wish(annotated(timeoutSeconds="30"), 5).timeout == 5


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("skipAwayt", "true", "is not known: after pulumi.com/ this stand-in knows"),
        ("skipAwait", True, "give the string"),
        ("timeoutSeconds", "5m", "give whole seconds"),
        ("timeoutSeconds", "0", "give whole seconds"),
        ("deletionPropagationPolicy", "sometimes", "give foreground, background or orphan"),
        ("patchFieldManager", "", "give the field manager's name"),
        ("waitFor", "ready", "give condition=TYPE"),
        ("waitFor", "jsonpath={.items[?(@.a)]}", "give condition=TYPE"),
        ("waitFor", "[]", "give condition=TYPE"),
    ],
)
def test_an_annotation_that_means_nothing_is_refused_with_what_to_give(name: str, value: Any, says: str) -> None:
    assert says in problems(annotated(**{name: value}))[f"pulumi.com/{name}"]


def test_annotations_of_others_and_those_not_known_yet_are_left_alone() -> None:
    item = {"metadata": {"annotations": {"example.com/x": 1, "pulumi.com/skipAwait": UNKNOWN}}}
    assert problems(item) == {}
    assert problems({"metadata": {"annotations": UNKNOWN}}) == {}


def test_skipping_the_wait_skips_the_end_of_workloads_only() -> None:
    assert skips_its_end({**annotated(skipAwait="true"), "kind": "Deployment"})
    assert not skips_its_end({**annotated(skipAwait="true"), "kind": "Service"})
