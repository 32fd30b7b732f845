import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.controller.annotations import ALB, NLB, TABLE, AnnotationError, Reader, not_acted_on


def reader(value: str) -> Reader:
    return Reader(ALB, {f"{ALB}/x": value})


@pytest.mark.parametrize(("text", "value"), [("true", True), ("T", True), ("1", True), ("False", False), ("0", False)])
def test_booleans_are_read_as_go_reads_them(text: str, value: bool) -> None:  # noqa: FBT001 - a table's column
    assert reader(text).boolean("x") is value


@pytest.mark.parametrize("text", ["yes", "TrUe", "", "on"])
def test_what_go_does_not_take_for_a_boolean_is_refused_with_key_and_value(text: str) -> None:
    with pytest.raises(AnnotationError, match=f"{ALB}/x: {text}"):
        reader(text).boolean("x")


@pytest.mark.parametrize("text", ["", "ten", "1.5", "1_000", "2147483648", " 1"])
def test_an_integer_is_a_32_bit_one_in_digits(text: str) -> None:
    with pytest.raises(AnnotationError):
        reader(text).integer("x")


def test_a_list_is_trimmed_and_empty_parts_are_left_out() -> None:
    assert reader(" a, ,b,").strings("x") == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("a=1,b=2", {"a": "1", "b": "2"}),
        ("a=1=2", {"a": "1=2"}),
        ("a=x\\,y,b=2", {"a": "x,y", "b": "2"}),
        ("a=1,", {"a": "1,"}),
        ("", {}),
    ],
)
def test_pairs_begin_at_commas_that_are_not_escaped(text: str, pairs: dict[str, str]) -> None:
    assert reader(text).mapping("x") == pairs


@pytest.mark.parametrize("text", ["a", "=1", "a=1,b"])
def test_a_pair_has_a_key_and_an_equals_sign(text: str) -> None:
    with pytest.raises(AnnotationError):
        reader(text).mapping("x")


@given(st.dictionaries(st.text("abcdef.-", min_size=1), st.text("xyz0189/=", max_size=8), max_size=5))
def test_what_is_written_as_pairs_is_read_back(pairs: dict[str, str]) -> None:
    text = ",".join(f"{k}={v}" for k, v in pairs.items())
    assert reader(text).mapping("x") == pairs


def test_the_first_layer_that_has_a_key_wins() -> None:
    service, ingress = {f"{ALB}/x": "service"}, {f"{ALB}/x": "ingress", f"{ALB}/y": "only"}
    both = Reader(ALB, service, ingress)
    assert (both.text("x"), both.text("y"), both.text("z")) == ("service", "only", None)


def test_every_annotation_stands_in_the_table_once() -> None:
    keys = [annotation.key for annotation in TABLE]
    assert len(keys) == len(set(keys))


def test_annotations_that_change_nothing_are_named_with_the_reason() -> None:
    given_ = {
        f"{ALB}/scheme": "internal",
        f"{ALB}/shceme": "internal",
        f"{ALB}/shield-advanced-protection": "true",
        f"{NLB}/aws-load-balancer-scheme": "internal",
        "example.com/other": "x",
    }
    found = dict(not_acted_on("Ingress", given_))
    assert set(found) == {
        f"{ALB}/shceme",
        f"{ALB}/shield-advanced-protection",
        f"{NLB}/aws-load-balancer-scheme",
    }
    assert "no such annotation" in found[f"{ALB}/shceme"]
    assert "Service" in found[f"{NLB}/aws-load-balancer-scheme"]


def test_families_cover_their_members() -> None:
    family = {f"{ALB}/actions.split": "{}", f"{ALB}/listener-attributes.HTTP-80": "a=b"}
    assert not list(not_acted_on("Ingress", family))
