"""AWS's delays: what a file may say, and that a seed repeats them."""

from pathlib import Path

import pytest

from sandbox.run.latency import REALISTIC, Latency, load
from sandbox.run.state import StateError


def test_the_same_seed_gives_the_same_delays_in_whatever_order_calls_come() -> None:
    spans = {"ec2:*": (1.0, 2.0), "*": (5.0, 6.0)}
    one, other = Latency(seed=3, answers=spans), Latency(seed=3, answers=spans)
    first = [one.answer("ec2:DescribeVpcs"), one.answer("iam:GetRole"), one.answer("ec2:DescribeVpcs")]
    second = [other.answer("iam:GetRole"), other.answer("ec2:DescribeVpcs"), other.answer("ec2:DescribeVpcs")]
    assert sorted(first) == sorted(second)
    assert 1 <= first[0] <= 2
    assert 5 <= first[1] <= 6
    assert Latency(seed=4, answers=spans).answer("ec2:DescribeVpcs") != first[0]


def test_without_delays_everything_is_done_at_once() -> None:
    nothing = Latency()
    assert nothing.answer("ec2:DescribeVpcs") == nothing.ready("application", "web") == 0


def test_the_realistic_delays_are_valid_and_survive_the_state_folder() -> None:
    realistic = load(REALISTIC)
    assert 90 <= realistic.ready("application", "web") <= 180
    assert Latency.model_validate(realistic.model_dump(mode="json")) == realistic


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("provisioning: {classic: [1, 2]}", "provisioning.classic"),
        ("answers: {'*': [3, 2]}", "give [least, most] in seconds"),
        ("answers: [", "not YAML"),
        ("speed: 3", "speed"),
        ("hidden: {'ec2:CreateVpc': [0, 1]}", "hidden"),
    ],
)
def test_an_invalid_file_is_one_line_that_names_it_and_the_fault(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "slow.yaml"
    file.write_text(text)
    with pytest.raises(StateError) as refusal:
        load(str(file))
    assert str(refusal.value).startswith(f"--latency {file}: ")
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="give `realistic` or a file of delays"):
        load(str(tmp_path / "none.yaml"))
