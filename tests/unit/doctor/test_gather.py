"""Everything is read once, and there is a fact for everything that a check looks at."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from eks_load_balancing.doctor.checks import CHECKS
from eks_load_balancing.doctor.facts import CannotLookError, Facts, NotSeenError, Object
from eks_load_balancing.doctor.reading import gather as gathering
from eks_load_balancing.doctor.reading import kube
from eks_load_balancing.doctor.reading.gather import Where, gather
from eks_load_balancing.doctor.registry import examine

_TARGET = "10.0.0.5"


class Api:
    """An API server with a binding, and nothing else."""

    def __init__(self, arn: str) -> None:
        self.arn = arn

    def get(self, path: str, **_: str) -> dict[str, str] | None:
        return {} if path == "/version" else None

    def every(self, kind: str, path: str, **_: str) -> tuple[dict[str, object], ...]:
        spec = {"targetGroupARN": self.arn, "targetType": "ip", "serviceRef": {"name": "web", "port": 80}}
        meta = {"name": "web", "namespace": "shop"}
        return ({"kind": kind, "metadata": meta, "spec": spec},) if path.endswith("/targetgroupbindings") else ()


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cluster with an NLB in an account."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    with mock_aws():
        ec2, elb = boto3.client("ec2"), boto3.client("elbv2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        boto3.client("eks").create_cluster(
            name="shop", roleArn="arn:aws:iam::123456789012:role/r", resourcesVpcConfig={"subnetIds": [subnet]}
        )
        balancer = elb.create_load_balancer(Name="n", Type="network", Scheme="internal", Subnets=[subnet])
        group = elb.create_target_group(Name="t", Protocol="TCP", Port=80, VpcId=vpc, TargetType="ip")
        arn = group["TargetGroups"][0]["TargetGroupArn"]
        elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": _TARGET, "Port": 80}])
        elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
            Protocol="TCP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
        )
        monkeypatch.setattr(kube, "Api", lambda _settings, _report: Api(arn))
        real = gathering.aws.described
        monkeypatch.setattr(
            gathering.aws,
            "described",
            lambda asked, name: _with_vpc(real(asked, name), vpc),
        )
        yield


def _with_vpc(cluster: Object, vpc: str) -> Object:
    """Moto's EKS names no VPC and no certificate."""
    config = {"vpcId": vpc, "subnetIds": [], "clusterSecurityGroupId": "sg-1", "securityGroupIds": []}
    return {**cluster, "resourcesVpcConfig": config, "certificateAuthority": {"data": "bm9uZQ=="}}


def test_every_fact_is_read_and_every_check_runs_on_it(account: None) -> None:
    del account
    asked: list[str] = []
    facts = gather(Where("shop", "us-west-2"), asked.append)
    unseen = [name for name in Facts.__dataclass_fields__ if _is_unseen(facts, name)]
    assert unseen == ["addons"]  # moto knows no add-ons
    (balancer,) = facts.load_balancers
    assert facts.attributes[balancer["LoadBalancerArn"]]["load_balancing.cross_zone.enabled"] == "false"
    assert facts.limits["targets-per-network-load-balancer"] > 0
    assert {"elasticloadbalancing:DescribeAccountLimits", "eks:DescribeCluster"} <= set(asked)
    found = {finding.check: finding.what for finding in examine(facts, CHECKS.values())}
    assert "it has no Deployment" in found["controller-is-ready"]
    assert f"target and not ready: {_TARGET}" in found["targets-are-the-ready-pods"]
    assert f"interface of {_TARGET}" in found["load-balancers-reach-the-pods"]


def _is_unseen(facts: Facts, name: str) -> bool:
    try:
        getattr(facts, name)
    except NotSeenError:
        return True
    return False


def test_without_a_name_the_kubeconfig_names_cluster_and_region(account: None, monkeypatch: pytest.MonkeyPatch) -> None:
    del account
    monkeypatch.setattr(kube, "named", lambda _file, _context: ("shop", "us-west-2"))
    monkeypatch.setattr(kube, "by_kubeconfig", lambda _file, _context: None)
    assert gather(Where(context="here")).name == "shop"
    monkeypatch.setattr(kube, "named", lambda _file, _context: ("nobody", "us-west-2"))
    with pytest.raises(CannotLookError, match="no cluster 'nobody' in us-west-2"):
        gather(Where(context="here"))
