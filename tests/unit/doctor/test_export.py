"""The account that the doctor exports for `sandbox plan`."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from eks_load_balancing.doctor import cli
from eks_load_balancing.doctor.facts import CannotLookError
from eks_load_balancing.doctor.reading.export import description
from sandbox.plan.inputs.account import load

CLUSTER = {"arn": "arn:aws:eks:eu-west-1:111122223333:cluster/shop", "name": "shop"}
VPC = {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "CidrBlockAssociationSet": [{"CidrBlock": "10.0.0.0/16"}]}


def subnet(identity: str, zone: str, cidr: str) -> dict[str, Any]:
    tags = [{"Key": "kubernetes.io/role/elb", "Value": "1"}]
    return {"SubnetId": identity, "AvailabilityZone": zone, "CidrBlock": cidr, "Tags": tags}


def found() -> dict[str, Any]:
    tables = [
        {"Routes": [{"GatewayId": "local"}], "Associations": [{"Main": True}]},
        {"Routes": [{"GatewayId": "igw-1"}], "Associations": [{"SubnetId": "subnet-1"}]},
    ]
    arn = "arn:aws:acm:eu-west-1:111122223333:certificate/1"
    summary = {"CertificateArn": arn, "DomainName": "a.example", "SubjectAlternativeNameSummaries": ["a.example", "b"]}
    subnets = [subnet("subnet-1", "eu-west-1a", "10.0.0.0/24"), subnet("subnet-2", "eu-west-1b", "10.0.1.0/24")]
    groups = [{"GroupId": "sg-1", "GroupName": "front"}, {"GroupId": "sg-0", "GroupName": "default"}]
    return description(CLUSTER, vpc=VPC, subnets=subnets, tables=tables, groups=groups, certificates=[summary])


def test_what_is_exported_can_be_planned_against(tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text(json.dumps(found()))
    account = load(str(file))
    assert (account.region, account.account, account.cluster) == ("eu-west-1", "111122223333", "shop")
    assert [(s.id, s.public) for s in account.subnets] == [("subnet-1", True), ("subnet-2", False)]
    assert [g.id for g in account.security_groups] == ["sg-1"]
    assert account.certificates[0].domains == ["a.example", "b"]


def test_the_option_writes_the_file_and_examines_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cli, "export", lambda _: found())
    file = tmp_path / "account.json"
    done = CliRunner().invoke(cli.doctor, ["--cluster", "shop", "--export", str(file)])
    assert (done.exit_code, json.loads(file.read_text())) == (0, found())


def test_what_cannot_be_read_is_exit_code_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(_: object) -> None:
        raise CannotLookError("no cluster 'shop'")

    monkeypatch.setattr(cli, "export", refused)
    done = CliRunner().invoke(cli.doctor, ["--cluster", "shop", "--export", str(tmp_path / "a")])
    assert done.exit_code == 2
    assert "cannot look: no cluster 'shop'" in done.output
