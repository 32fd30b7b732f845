"""Every operator, by AWS's page on condition operators."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.iam.language.conditions import OPERATORS, CannotJudgeError, Context, all_hold, conditions
from sandbox.iam.language.patterns import arn_like, expand, like, resource_matches


def holds(operator: str, wanted: str | list[str], *values: str, absent: bool = False) -> bool:
    context = Context({} if absent else {"key": values})
    return all_hold(conditions({operator: {"Key": wanted}}), context)


GROUP = "arn:aws:ec2:us-west-2:123456789012:security-group/sg-1"


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "verdict"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringEqualsIgnoreCase", "Ab", "aB", True),
        ("StringEqualsIgnoreCase", "Ab", "aBc", False),
        ("StringNotEqualsIgnoreCase", "Ab", "aB", False),
        ("StringLike", "a*c", "abbc", True),
        ("StringLike", "a?c", "abc", True),
        ("StringLike", "a?c", "ac", False),
        ("StringLike", "a[bc]", "ab", False),
        ("StringLike", "A*", "ab", False),
        ("StringNotLike", "a*", "ab", False),
        ("StringNotLike", "a*", "b", True),
        ("NumericEquals", "10", "10.0", True),
        ("NumericEquals", "10", "ten", False),
        ("NumericNotEquals", "10", "11", True),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThan", "10", "10", False),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "100", True),
        ("NumericGreaterThan", "10", "10", False),
        ("NumericGreaterThanEquals", "10", "10", True),
        ("DateEquals", "2026-01-01T00:00:00Z", "1767225600", True),
        ("DateNotEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00+00:00", False),
        ("DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", True),
        ("DateLessThanEquals", "2026-01-01", "2026-01-01T00:00:00Z", True),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", False),
        ("DateGreaterThanEquals", "1767225600", "2026-01-01T00:00:00Z", True),
        ("Bool", "true", "True", True),
        ("Bool", "true", "false", False),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
        ("BinaryEquals", "QmluYXJ5", "qmluYXJ5", False),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", "10.0.0.1", "10.0.0.1", True),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", True),
        ("IpAddress", "10.0.0.0/8", "11.0.0.1", False),
        ("NotIpAddress", ["10.0.0.0/8", "11.0.0.0/8"], "11.0.0.1", False),
        ("NotIpAddress", "10.0.0.0/8", "11.0.0.1", True),
        ("ArnEquals", "arn:aws:ec2:*:*:security-group/*", GROUP, True),
        ("ArnLike", "arn:aws:ec2:*:123456789012:security-group/sg-?", GROUP, True),
        ("ArnLike", "arn:aws:ec2:*:security-group/*", GROUP, False),
        ("ArnNotEquals", GROUP, GROUP, False),
        ("ArnNotLike", "arn:aws:ec2:*:*:vpc/*", GROUP, True),
    ],
)
def test_an_operator_compares(operator: str, wanted: str | list[str], value: str, *, verdict: bool) -> None:
    assert holds(operator, wanted, value) is verdict


POSITIVE = [name for name in OPERATORS if "Not" not in name and name != "Null"]
NEGATED = [name for name in OPERATORS if "Not" in name]
SENSE = {"Numeric": "1", "Date": "2026-01-01T00:00:00Z", "Bool": "true", "Ip": "10.0.0.1", "NotIp": "10.0.0.1"}


def sense(operator: str) -> str:
    return next((value for start, value in SENSE.items() if operator.startswith(start)), "arn:a:b:c:d:e")


@pytest.mark.parametrize("operator", POSITIVE)
def test_a_missing_key_fails_a_match(operator: str) -> None:
    assert not holds(operator, sense(operator), absent=True)


@pytest.mark.parametrize("operator", NEGATED)
def test_a_missing_key_fulfils_a_mismatch(operator: str) -> None:
    assert holds(operator, sense(operator), absent=True)


@pytest.mark.parametrize("operator", [*POSITIVE, *NEGATED])
def test_if_exists_accepts_a_missing_key_and_checks_a_present_one(operator: str) -> None:
    assert holds(f"{operator}IfExists", sense(operator), absent=True)
    own = sense(operator)
    assert holds(f"{operator}IfExists", own, own) is holds(operator, own, own)


def test_null_asks_whether_the_key_is_missing() -> None:
    assert holds("Null", "true", absent=True)
    assert not holds("Null", "true", "x")
    assert holds("Null", "false", "x")
    assert not holds("Null", "false", absent=True)
    assert holds("Null", "false", ""), "a tag with an empty value is there"


@pytest.mark.parametrize(
    ("operator", "wanted", "values", "verdict"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAllValues:StringEquals", ["a"], [], True),
        ("ForAllValues:StringEquals", ["a"], [""], True),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
        ("ForAnyValue:StringEquals", ["a"], ["c"], False),
        ("ForAnyValue:StringEquals", ["a"], [], False),
        ("ForAllValues:StringNotEquals", ["a"], ["b", "c"], True),
        ("ForAllValues:StringNotEquals", ["a"], ["b", "a"], False),
        ("ForAnyValue:StringNotEquals", ["a"], ["a", "b"], True),
        ("ForAnyValue:StringNotEquals", ["a"], ["a"], False),
        ("ForAnyValue:StringNotEquals", ["a"], [], False),
        ("ForAllValues:StringLike", ["elbv2.k8s.aws/*"], ["elbv2.k8s.aws/cluster"], True),
        ("ForAnyValue:StringLike", ["elbv2.k8s.aws/*"], ["x", "elbv2.k8s.aws/y"], True),
        ("ForAllValues:StringEqualsIfExists", ["a"], ["b"], False),
        ("ForAnyValue:StringEqualsIfExists", ["a"], ["b"], False),
    ],
)
def test_a_set_operator_asks_all_or_any_of_the_requests_values(
    operator: str, wanted: list[str], values: list[str], *, verdict: bool
) -> None:
    assert holds(operator, wanted, *values) is verdict


def test_a_missing_key_fulfils_for_all_and_fails_for_any() -> None:
    assert holds("ForAllValues:StringEquals", "a", absent=True)
    assert not holds("ForAnyValue:StringEquals", "a", absent=True)
    assert not holds("ForAnyValue:StringEqualsIfExists", "a", absent=True)
    assert holds("ForAllValues:StringEqualsIfExists", "a", absent=True)


def test_every_operator_and_every_key_of_a_condition_must_hold() -> None:
    block = {"StringEquals": {"a": "1", "b": "2"}, "Null": {"c": "true"}}
    assert all_hold(conditions(block), Context({"a": ["1"], "b": ["2"]}))
    assert not all_hold(conditions(block), Context({"a": ["1"]}))
    assert not all_hold(conditions(block), Context({"a": ["1"], "b": ["2"], "c": ["3"]}))


def test_keys_are_one_whatever_their_case() -> None:
    wanted = conditions({"StringEquals": {"AWS:ResourceTag/Team": "x"}})
    assert all_hold(wanted, Context({"aws:resourcetag/team": ["x"]}))


def test_a_json_boolean_is_a_text() -> None:
    assert all_hold(conditions({"Bool": {"aws:SecureTransport": True}}), Context({"aws:securetransport": ["true"]}))


@pytest.mark.parametrize("operator", ["StringMatches", "ForSomeValues:StringEquals", "ForAnyValue:Null"])
def test_an_unknown_operator_cannot_be_judged(operator: str) -> None:
    with pytest.raises(CannotJudgeError, match=operator):
        holds(operator, "a", "a")


@pytest.mark.parametrize(
    ("operator", "wanted"), [("NumericEquals", "ten"), ("DateLessThan", "soon"), ("IpAddress", "here")]
)
def test_a_policys_value_without_meaning_cannot_be_judged(operator: str, wanted: str) -> None:
    with pytest.raises(CannotJudgeError, match=wanted):
        holds(operator, wanted, "1")


def test_a_key_that_the_sandbox_cannot_tell_cannot_be_judged() -> None:
    context = Context({"a": ["1"]}, frozenset({"ec2:owner", "aws:resourcetag/"}))
    for key in ("ec2:Owner", "aws:ResourceTag/x"):
        with pytest.raises(CannotJudgeError, match=key.lower()):
            all_hold(conditions({"StringEquals": {key: "x"}}), context)
    assert not all_hold(conditions({"StringEquals": {"ec2:Owner": "x", "a": "2"}}), context), "another fails: no doubt"


def test_variables_are_the_requests_own_values() -> None:
    context = Context({"aws:principaltag/team": ["red"], "aws:resourcetag/team": ["red"], "many": ["a", "b"]})
    team = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    assert all_hold(conditions(team), context)
    assert not all_hold(conditions(team, variables=False), context)
    assert not all_hold(conditions({"StringEquals": {"aws:ResourceTag/team": "${many}"}}), context)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("a", "a"),
        ("${name}/x", "joe/x"),
        ("${NAME}", "joe"),
        ("${nobody}", None),
        ("${nobody, 'x'}", "x"),
        ("${name, 'x'}", "joe"),
        ("${$}{name}", "${name}"),
    ],
)
def test_a_variable_has_a_value_or_a_default(text: str, expanded: str | None) -> None:
    assert expand(text, {"name": "joe"}.get) == expanded


def test_a_wildcard_from_a_variable_is_a_literal_character() -> None:
    pattern = expand("${name}", {"name": "*"}.get)
    assert pattern is not None
    assert like("*", pattern)
    assert not like("x", pattern)
    star = expand("a${*}", dict[str, str]().get)
    assert star is not None
    assert like("a*", star)
    assert not like("ab", star)


@pytest.mark.parametrize(
    ("pattern", "resource", "verdict"),
    [
        ("*", "anything", True),
        ("arn:aws:ec2:*:*:security-group/*", GROUP, True),
        ("arn:aws:ec2:*:*:vpc/*", GROUP, False),
        ("arn:aws:ec2:*", GROUP, True),
        ("arn:aws:ec2:*:security-group/sg-1", GROUP, True),
        ("arn:aws:ec2", GROUP, True),
        ("arn:aws:ec2:us-west-2", GROUP, True),
        ("arn:aws:ec2:us-west", GROUP, False),
        ("arn:aws:ec2:us-*-2:123456789012:security-group/sg-1", GROUP, True),
        ("arn:aws:ec2:us-*2:security-group/sg-1", GROUP, False),
        ("arn:aws:ec2:us-west-2:123456789012:Security-Group/sg-1", GROUP, False),
        (
            "arn:aws:elasticloadbalancing:*:*:loadbalancer/app/*/*",
            "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/a/*",
            True,
        ),
        (
            "arn:aws:elasticloadbalancing:*:*:loadbalancer/app/*/*",
            "arn:aws:elasticloadbalancing:r:1:loadbalancer/net/a/b",
            False,
        ),
    ],
)
def test_a_resource_is_matched_by_segments(pattern: str, resource: str, *, verdict: bool) -> None:
    assert resource_matches(resource, pattern) is verdict


TEXT = st.text("ab*?", max_size=6)


def oracle(value: str, pattern: str) -> bool:
    """Wildcards by trying every split."""
    if not pattern:
        return not value
    if pattern[0] == "*":
        return any(oracle(value[n:], pattern[1:]) for n in range(len(value) + 1))
    return bool(value) and pattern[0] in ("?", value[0]) and oracle(value[1:], pattern[1:])


@given(TEXT, TEXT)
def test_wildcards_match_as_the_definition_says(value: str, pattern: str) -> None:
    assert like(value, pattern) is oracle(value, pattern)


@given(
    st.lists(st.sampled_from("ab*"), min_size=6, max_size=6), st.lists(st.sampled_from("ab"), min_size=6, max_size=6)
)
def test_arns_match_part_by_part(patterns: list[str], values: list[str]) -> None:
    expected = all(p in ("*", v) for p, v in zip(patterns, values, strict=True))
    assert arn_like(":".join(values), ":".join(patterns)) is expected


VALUES = st.lists(st.sampled_from("abc"), max_size=3)


@given(VALUES, st.lists(st.sampled_from("abc"), min_size=1, max_size=3))
def test_set_operators_are_what_sets_say(values: list[str], wanted: list[str]) -> None:
    assert holds("ForAllValues:StringEquals", wanted, *values) is (set(values) <= set(wanted))
    assert holds("ForAnyValue:StringEquals", wanted, *values) is bool(set(values) & set(wanted))
    assert holds("ForAllValues:StringNotEquals", wanted, *values) is not set(values) & set(wanted)
    assert holds("ForAnyValue:StringNotEquals", wanted, *values) is bool(set(values) - set(wanted))


@given(st.sampled_from("abc"), st.permutations(["a", "b", "c"]), st.integers(1, 3))
def test_the_order_of_a_policys_values_does_not_matter(value: str, wanted: list[str], count: int) -> None:
    verdicts = {holds("StringEquals", list(order), value) for order in itertools.permutations(wanted[:count])}
    assert len(verdicts) == 1
