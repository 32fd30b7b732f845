"""Whatever a resource contains, no rule crashes, because that would be an outage. Messages are one readable line."""

import os
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.policies import COMPLIANT, resource
from pack.judge import CRASHED
from rules import RULES
from tests.policies.cases import CASES
from tests.policies.harness import UNKNOWN_MARK, Run, refusals, remedied, secret

pytestmark = pytest.mark.soak

_CAMPAIGN = bool(os.environ.get("SOAK"))
# 100,000 generated resources over all kinds.
_EACH = -(-100_000 // len(COMPLIANT)) if _CAMPAIGN else 15


def _fuzzed(examples: int) -> settings:
    quick = [HealthCheck.too_slow]
    return settings(max_examples=examples, deadline=None, suppress_health_check=quick, derandomize=True)


_FUZZED = _fuzzed(400 if _CAMPAIGN else 15)

# What programs, providers and saved states may contain, and words that rules look for.
_WORDS = st.sampled_from(
    [
        *("", "*", "?", ":", "/", "arn:aws:", "true", "FALSE", "None", "none", "0.0.0.0/0", "::/0", "1.2.3.4/99", "22"),
        *(
            "Allow",
            "Deny",
            "Service",
            "Federated",
            "StringEquals",
            "ForAllValues:StringEquals",
            "Null",
            "sts:*",
            "s3:*",
        ),
        *(
            "system:serviceaccount:a:b",
            "oidc.eks.x:sub",
            "v3.5.0",
            "v",
            "a:b@sha256:c",
            "--a=b",
            "-",
            "[",
            "{}",
            "null",
        ),
        *(
            '[{"HTTP": null}]',
            '{"Statement": [[]]}',
            '{"Statement": {"Condition": {"StringEquals": []}}}',
            "a=b,c,=,d=",
        ),
        *("internet-facing", "service.k8s.aws/nlb", "alb", "\n\x00\u202e", UNKNOWN_MARK, "[secret]"),
    ]
)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-1, 70000).map(float)
    | st.floats(allow_nan=False)
    | _WORDS
    | st.text(max_size=5)
)
_KEYS = _WORDS | st.sampled_from(
    [
        "Statement",
        "Effect",
        "Action",
        "Principal",
        "Condition",
        "Resource",
        "metadata",
        "annotations",
        "spec",
        "ebs",
        "name",
    ]
)


def _branches(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3) | inner.map(secret)


_VALUES = st.recursive(_LEAVES, _branches, max_leaves=6)


@st.composite
def _damaged(draw: st.DrawFn, props: dict[str, Any]) -> dict[str, Any]:
    """A compliant resource with arbitrary values in one to three places."""
    props = deepcopy(props)
    for _ in range(draw(st.integers(1, 3))):
        target: Any = props
        while True:
            keys = list(target) if isinstance(target, dict) else list(range(len(target)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if not (isinstance(target[key], dict | list) and target[key]) or draw(st.integers(0, 3)) == 0:
                target[key] = draw(_VALUES)
                break
            target = target[key]
    return props


def _readable(messages: list[str]) -> None:
    for message in messages:
        assert message.isprintable()
        assert len(message) < 700 or "are judged in the update by" in message, message


@pytest.mark.parametrize("name", sorted(COMPLIANT))
def test_no_damage_to_a_resource_makes_a_rule_crash(name: str) -> None:
    token, props = resource(name)

    @_fuzzed(_EACH)
    @given(_damaged(props))
    def tried(damaged: dict[str, Any]) -> None:
        messages = [said.message for said in Run(RULES.values()).run({name: (token, damaged)}, {})]
        _readable(messages)
        assert not [message for message in messages if message.startswith(CRASHED)], damaged

    tried()


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.across_stack])
def test_no_damage_to_a_stack_makes_a_rule_across_it_fail(name: str) -> None:
    case = CASES[name]
    names = sorted({case.on, *case.world})
    things = {one: resource(one) for one in names}

    @_FUZZED
    @given(st.fixed_dictionaries({one: _damaged(props) for one, (_, props) in things.items()}))
    def tried(damaged: dict[str, Any]) -> None:
        _readable(refusals(RULES[name], {one: (things[one][0], damaged[one]) for one in names}))

    tried()


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.remediation])
def test_a_remediation_fixes_or_leaves_alone_whatever_it_meets(name: str) -> None:
    token, props = resource(CASES[name].on)

    @_FUZZED
    @given(_damaged(props))
    def tried(damaged: dict[str, Any]) -> None:
        fixed = remedied(RULES[name], token, damaged)
        if fixed is not None:
            assert refusals(RULES[name], {"one": (token, fixed)}) == [], fixed

    tried()
