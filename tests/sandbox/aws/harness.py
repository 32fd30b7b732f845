"""An AWS process for tests, and a stage for clusters."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.aws.agents import stop_all
from sandbox.run.ports import free_port
from sandbox.run.processes import wait_until
from sandbox.run.state import State, write_json

AGENT = Path(__file__).with_name("fake_agent.py")
REGION, ACCOUNT = "us-west-2", "123456789012"
ROOT = {"access_key": "AKIASANDBOXROOT00000", "secret_key": "root-secret"}


@dataclass
class Aws:
    """An AWS process with its own state folder, and a fake agent for its clusters."""

    root: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None
    _clients: dict[tuple[object, ...], Any] = field(default_factory=dict[tuple[object, ...], Any])

    def __post_init__(self) -> None:
        write_json(
            self.state.settings_file,
            {"version": 1, "region": REGION, "account": ACCOUNT, "ports": {"aws": self.port}, "root_keys": ROOT},
        )

    @property
    def state(self) -> State:
        return State.at(self.root)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = self.spawn()
        process = self.process
        assert wait_until(lambda: process.poll() is not None or self.ready(), 180), self.log()
        assert process.poll() is None, self.log()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def spawn(self) -> "subprocess.Popen[bytes]":
        argv = [sys.executable, "-m", "sandbox.aws", "--state-dir", str(self.root), "--agent", str(AGENT)]
        self.state.log("aws").parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        with self.state.log("aws").open("ab") as log:
            return subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True, env=environment)

    def ready(self) -> bool:
        try:
            return self.get("/_sandbox/ready") == {"ready": True}
        except OSError:
            return False

    def kill(self) -> None:
        assert self.process
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        stop_all(self.state)

    def log(self) -> str:
        return self.state.log("aws").read_text()

    def get(self, path: str, method: str = "GET", data: Any = None) -> Any:
        status, body = self.http(method, path, None if data is None else json.dumps(data).encode())
        assert status == HTTPStatus.OK, body
        return json.loads(body)

    def http(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()

    def client(self, service: str, keys: dict[str, str] | None = None, retries: int = 0) -> Any:
        """A client, the same each time: making one takes longer than most calls."""
        given = keys or {"aws_access_key_id": ROOT["access_key"], "aws_secret_access_key": ROOT["secret_key"]}
        known = (service, retries, *sorted(given.items()))
        if known not in self._clients:
            config = Config(retries={"total_max_attempts": retries + 1, "mode": "standard"})
            self._clients[known] = boto3.client(
                service, endpoint_url=self.url, region_name=REGION, config=config, **given
            )
        return self._clients[known]


@dataclass
class Stage:
    """A VPC with two public subnets in two zones, and EKS's roles; the names are unique to this test."""

    aws: Aws
    name: str
    vpc: str
    subnets: list[str]
    cluster_role: str
    node_role: str

    def create_cluster(self, **more: Any) -> dict[str, Any]:
        given = {"resourcesVpcConfig": {"subnetIds": self.subnets}, "accessConfig": {"authenticationMode": "API"}}
        eks = self.aws.client("eks")
        eks.create_cluster(name=self.name, roleArn=self.cluster_role, **{**given, **more})
        assert wait_until(lambda: eks.describe_cluster(name=self.name)["cluster"]["status"] == "ACTIVE", 10)
        return eks.describe_cluster(name=self.name)["cluster"]

    def create_nodegroup(self, size: int, **more: Any) -> dict[str, Any]:
        eks = self.aws.client("eks")
        scaling = {"minSize": 0, "maxSize": 10, "desiredSize": size}
        eks.create_nodegroup(
            clusterName=self.name, nodegroupName="main", subnets=self.subnets, nodeRole=self.node_role,
            scalingConfig=scaling, **more,
        )  # fmt: skip
        return self.wait_nodegroup()

    def wait_nodegroup(self) -> dict[str, Any]:
        eks = self.aws.client("eks")

        def group() -> dict[str, Any]:
            return eks.describe_nodegroup(clusterName=self.name, nodegroupName="main")["nodegroup"]

        assert wait_until(lambda: group()["status"] == "ACTIVE", 10)
        return group()

    def instances(self) -> list[dict[str, Any]]:
        """The cluster's running instances."""
        filters = [
            {"Name": "tag:eks:cluster-name", "Values": [self.name]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
        found = self.aws.client("ec2").describe_instances(Filters=filters)["Reservations"]
        return [instance for reservation in found for instance in reservation["Instances"]]


def service_role(aws: Aws, name: str, service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]


def make_stage(aws: Aws, name: str) -> Stage:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    roles = [service_role(aws, f"{name}-{kind}", f"{kind}.amazonaws.com") for kind in ("eks", "ec2")]
    return Stage(aws, name, vpc, subnets, *roles)


def refusal(call: Callable[..., Any], *arguments: Any, **parameters: Any) -> tuple[str, str]:
    """The code and the message with which AWS refuses a call."""
    with pytest.raises(ClientError) as error:
        call(*arguments, **parameters)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def code_of(call: Callable[..., Any], **parameters: Any) -> str:
    """The code with which AWS refuses a call."""
    return refusal(call, **parameters)[0]


def everything(aws: Aws) -> dict[str, Any]:
    """Everything that the process returns about its state, in its order."""
    ec2, elb, iam, eks = (aws.client(name) for name in ("ec2", "elbv2", "iam", "eks"))
    told: dict[str, Any] = {
        f"ec2 {what}": getattr(ec2, f"describe_{what}")()
        for what in (
            "vpcs", "subnets", "security_groups", "security_group_rules", "network_interfaces", "instances", "volumes",
            "addresses", "nat_gateways", "internet_gateways", "route_tables", "launch_templates", "network_acls",
        )
    }  # fmt: skip
    balancers = elb.describe_load_balancers()["LoadBalancers"]
    groups = elb.describe_target_groups()["TargetGroups"]
    told |= {"elb balancers": balancers, "elb groups": groups}
    for arn in (b["LoadBalancerArn"] for b in balancers):
        told[f"{arn} attributes"] = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)
        told[f"{arn} tags"] = elb.describe_tags(ResourceArns=[arn])
        told[f"{arn} listeners"] = listeners = elb.describe_listeners(LoadBalancerArn=arn)
        for listener in listeners["Listeners"]:
            told[f"{listener['ListenerArn']} rules"] = elb.describe_rules(ListenerArn=listener["ListenerArn"])
    for arn in (g["TargetGroupArn"] for g in groups):
        told[f"{arn} health"] = elb.describe_target_health(TargetGroupArn=arn)
        told[f"{arn} attributes"] = elb.describe_target_group_attributes(TargetGroupArn=arn)
    told["classic"] = aws.client("elb").describe_load_balancers()
    told["roles"] = iam.list_roles()
    told["policies"] = iam.list_policies(Scope="Local")
    told["providers"] = iam.list_open_id_connect_providers()
    for name in eks.list_clusters()["clusters"]:
        told[f"cluster {name}"] = eks.describe_cluster(name=name)
        told[f"cluster {name} entries"] = eks.list_access_entries(clusterName=name)
        told[f"cluster {name} addons"] = eks.list_addons(clusterName=name)
        for group in eks.list_nodegroups(clusterName=name)["nodegroups"]:
            told[f"group {group}"] = eks.describe_nodegroup(clusterName=name, nodegroupName=group)
    told["keys"] = aws.client("kms").list_keys()
    told["logs"] = aws.client("logs").describe_log_groups()
    for document in told.values():
        if isinstance(document, dict):
            document.pop("ResponseMetadata", None)
    return told
