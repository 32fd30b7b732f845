"""A secret value counts like any other, and no message contains it."""

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from fixtures.policies import resource
from pack.secrets import Vault, without_secrets
from rules import RULES
from tests.policies.cases import CASES, Edits
from tests.policies.harness import UNKNOWN_MARK, changed, refusals, secret, world

_BROKEN = [
    pytest.param(name, on, edits, id=f"{name}-{index}-{on}")
    for name, case in CASES.items()
    for index, (on, edits) in enumerate([(case.on, case.broken), *case.also])
]


def _texts(value: Any) -> Iterator[str]:
    """Every text and number in a value."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif not isinstance(value, bool) and value is not None and value != UNKNOWN_MARK:
        yield str(value)


def _tellings(value: Any) -> set[str]:
    """Texts that would reveal a secret: its texts, and the longer words in them."""
    return {word for text in _texts(value) for word in [text, *re.split(r"[^\w.*-]+", text)] if len(word) > 3}


def _own_words(name: str) -> str:
    """What a rule's messages say whatever they judge."""
    rule = RULES[name]
    return f"{rule.advice} {rule.name} {[setting.default for setting in rule.settings.values()]}"


def _assert_untold(name: str, said: list[str], open_said: list[str], hidden: Any) -> None:
    own = _own_words(name)
    for word in _tellings(hidden):
        if word.strip("-") not in own and any(word in message.partition(". ")[0] for message in open_said):
            assert not any(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", one) for one in said), (word, said)


@pytest.mark.parametrize(("name", "on", "edits"), _BROKEN)
def test_a_fault_in_a_secret_is_refused_without_showing_it(name: str, on: str, edits: Edits) -> None:
    case, token = CASES[name], resource(on)[0]
    in_the_open = world(case, on, edits)
    props = in_the_open[on][1]
    tops = {path.partition("/")[0] for path in edits} or set(props)
    hidden = {key: secret(value) if key in tops else value for key, value in props.items()}
    said = refusals(RULES[name], {**in_the_open, on: (token, hidden)})
    open_said = refusals(RULES[name], in_the_open)
    assert len(said) == len(open_said)
    _assert_untold(name, said, open_said, [props[key] for key in tops if key in props])


@pytest.mark.parametrize(("name", "on", "edits"), _BROKEN)
def test_a_fault_that_is_a_secret_inside_a_larger_value_is_not_shown(name: str, on: str, edits: Edits) -> None:
    marked = {path: value if value in (None, "unknown") else secret(value) for path, value in edits.items()}
    things = world(CASES[name], on, marked)
    said = refusals(RULES[name], things)
    open_said = refusals(RULES[name], world(CASES[name], on, edits))
    assert len(said) == len(open_said)
    _assert_untold(name, said, open_said, list(edits.values()))


def test_pieces_of_a_secret_that_a_rule_joins_are_not_shown() -> None:
    vault = Vault()
    text = vault.hide("alpha,beta=gamma")
    joined = f"it names {' and '.join(text.split(','))} and {text.partition('=')[2]}"
    assert without_secrets(joined, vault.texts) == "it names [secret] and [secret] and [secret]"


def test_a_crash_does_not_show_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "cluster-version-is-supported"

    def fail(cluster: Any, **_: Any) -> list[str]:
        named = [cluster.version, "more"]
        raise ValueError(" and ".join(named))

    monkeypatch.setattr(RULES[name], "check", fail)
    token, props = resource("cluster")
    with pytest.raises(AssertionError) as caught:  # the harness asserts that no rule crashes
        refusals(RULES[name], {"cluster": (token, changed(props, {"version": secret("hunter2")}))})
    assert "[secret] and more" in str(caught.value.args[0][1])
    assert "hunter2" not in str(caught.value.args[0][1])


def test_a_secret_unknown_value_is_unknown() -> None:
    token, props = resource("cluster")
    things = {"cluster": (token, {**deepcopy(props), "version": secret(UNKNOWN_MARK)})}
    assert refusals(RULES["cluster-version-is-supported"], things) == []
