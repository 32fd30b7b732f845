"""Property values as plain Python, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime.rpc import UNKNOWN as UNKNOWN_ON_THE_WIRE

from sandbox.providers.common.values import (
    UNKNOWN,
    Secret,
    has_unknown,
    marked,
    plain,
    plain_properties,
    property_value,
    secret_keys,
    to_properties,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_a_plain_value_survives_the_way_to_the_engine_and_back(value: object) -> None:
    wire = property_value(value).marshal()
    assert plain(PropertyValue.unmarshal(wire)) == value


def test_an_unknown_value_travels_as_the_engines_sentinel() -> None:
    wire = property_value(UNKNOWN).marshal()
    assert wire.string_value == UNKNOWN_ON_THE_WIRE
    assert plain(PropertyValue.unmarshal(wire)) is UNKNOWN


def test_a_secret_deep_inside_keeps_its_mark_on_the_way_back() -> None:
    value = property_value({"data": {"tls.key": Secret("k")}})
    assert marked(PropertyValue.unmarshal(value.marshal())) == {"data": {"tls.key": Secret("k")}}
    assert secret_keys({"outer": value, "open": property_value(1)}) == {"outer"}


def test_a_whole_number_is_an_int() -> None:
    result = plain(PropertyValue(3.0))
    assert result == 3
    assert isinstance(result, int)


def test_a_null_property_is_one_that_was_not_given() -> None:
    assert plain_properties({"a": PropertyValue(None), "b": PropertyValue("x")}) == {"b": "x"}


def test_named_properties_become_secrets_once() -> None:
    properties = to_properties({"key": "k", "other": Secret("s"), "open": 1, "none": None}, secret={"key", "other"})
    assert {name: value.is_secret for name, value in properties.items()} == {"key": True, "other": True, "open": False}
    assert plain(properties["other"]) == "s"


@pytest.mark.parametrize("value", [UNKNOWN, [1, UNKNOWN], {"a": {"b": UNKNOWN}}, Secret(UNKNOWN)])
def test_an_unknown_is_found_at_any_depth(value: object) -> None:
    assert has_unknown(value)
    assert not has_unknown({"a": [1, Secret("x")]})
