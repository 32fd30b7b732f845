import pytest
from click.testing import CliRunner

from sandbox.controller.cli import command, read
from sandbox.controller.settings import FLAGS, GATES, Settings, SettingsError, parse_duration, parse_gates, parse_map

NEEDED = {"cluster_name": "demo", "aws_vpc_id": "vpc-1"}


@pytest.mark.parametrize(
    ("text", "seconds"), [("10h0m0s", 36000), ("1m30s", 90), ("250ms", 0.25), ("15s", 15), ("0", 0), ("1.5s", 1.5)]
)
def test_durations_are_read_as_go_writes_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "ten seconds", "5 s"])
def test_a_duration_has_a_unit(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        parse_duration(text)


def test_maps_and_gates_are_lists_of_pairs() -> None:
    assert parse_map("EC2=http://x:1,Elastic Load Balancing v2=http://y") == {
        "EC2": "http://x:1",
        "Elastic Load Balancing v2": "http://y",
    }
    assert parse_gates("NLBSecurityGroup=false") == {"NLBSecurityGroup": False}
    with pytest.raises(ValueError, match="unknown feature: Teleport"):
        parse_gates("Teleport=true")


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"cluster_name": ""}, "--cluster-name"),
        ({"aws_vpc_id": ""}, "--aws-vpc-id"),
        ({"default_target_type": "pod"}, "--default-target-type=pod: give instance or ip"),
        ({"backend_security_group": "mine"}, "security group's id"),
        ({"default_tags": {"elbv2.k8s.aws/cluster": "x"}}, "own tag"),
        ({"default_tags": {"a": "b"}, "external_managed_tags": ("a",)}, "both"),
        (
            {"enable_manage_backend_security_group_rules": True, "enable_backend_security_group": False},
            "--enable-backend-security-group=true",
        ),
    ],
)
def test_flags_that_cannot_work_are_refused_by_name(values: dict[str, object], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        Settings(**(NEEDED | values)).check()  # pyright: ignore[reportArgumentType]


def test_every_flag_that_acts_is_a_setting() -> None:
    assert {flag.field for flag in FLAGS if flag.acts} == set(Settings.__dataclass_fields__)


def test_gates_have_the_real_defaults_until_set() -> None:
    settings = Settings(cluster_name="demo", aws_vpc_id="vpc-1", feature_gates={"NLBSecurityGroup": False})
    assert settings.gate("NLBSecurityGroup") is False
    assert settings.gate("WeightedTargetGroups") is GATES["WeightedTargetGroups"] is True


def test_a_flag_that_changes_nothing_is_warned_of_only_when_it_is_set() -> None:
    values = {flag.field: flag.default for flag in FLAGS} | NEEDED
    _, quiet = read(dict(values), set())
    _, loud = read(dict(values), {"enable_shield"})
    assert quiet == []
    assert loud == ["--enable-shield is taken but changes nothing in this stand-in"]


def test_an_unknown_flag_is_an_error_and_a_wrong_value_one_line() -> None:
    unknown = CliRunner().invoke(command, ["--clustername=x"])
    wrong = CliRunner().invoke(command, ["--cluster-name=x", "--aws-vpc-id=vpc-1", "--sync-period=soon"])
    assert unknown.exit_code == wrong.exit_code == 2
    assert "'soon' is no duration" in wrong.output


def test_it_says_that_it_is_a_stand_in() -> None:
    for flag in ("--version", "--help"):
        assert "stand-in" in CliRunner().invoke(command, [flag]).output
