import json
import sys
import uuid
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.network import control_client, requirements
from sandbox.network.world import CLIENTS
from sandbox.run.processes import Process, wait_until
from sandbox.run.state import read_json, write_json
from tests.sandbox.aws.harness import Aws, make_stage

LACKS = requirements.missing(Path("/somewhere"))
SERVER = Path(__file__).with_name("machine.py")


@dataclass
class Vpc:
    """An AWS whose VPC carries traffic: two machines that answer, load balancers, a client."""

    aws: Aws
    vpc: str
    subnets: list[str]
    instances: list[str]
    addresses: list[str]

    @property
    def elb(self) -> Any:
        return self.aws.client("elbv2")

    def run(self, namespace: str, *argv: str, seconds: float = 30) -> str:
        """The output of a command in a namespace; it must succeed."""
        told = control_client.ask(self.aws.state, "run", namespace=namespace, argv=list(argv), seconds=seconds)
        assert told["code"] == 0, f"{argv}: {told}"
        return told["output"]

    def attempt(self, namespace: str, *argv: str) -> bool:
        """Whether a command in a namespace succeeds."""
        return control_client.ask(self.aws.state, "run", namespace=namespace, argv=list(argv))["code"] == 0

    def curl(self, *argv: str) -> str:
        """The output of curl at a client."""
        told = control_client.ask(
            self.aws.state, "run", namespace=CLIENTS, argv=["curl", "-sS", "--max-time", "15", *argv], seconds=30
        )
        return told["output"] + told["errors"]

    def seen(self, *argv: str) -> dict[str, Any]:
        """What the answering server saw of a request."""
        return json.loads(self.curl(*argv))

    def servers(self, *argv: str, times: int = 1) -> set[str]:
        """Who answered requests: servers' addresses, and other answers unchanged."""
        answers = [self.curl(*argv) for _ in range(times)]
        return {json.loads(a)["server"] if a.startswith("{") else a for a in answers}

    def group(
        self, protocol: str = "HTTP", kind: str = "ip", *, attributes: dict[str, str] | None = None, **more: Any
    ) -> str:
        check = {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 2, "HealthyThresholdCount": 2}
        arn = self.elb.create_target_group(
            Name=f"g-{uuid.uuid4().hex[:8]}", Protocol=protocol, Port=8080, VpcId=self.vpc, TargetType=kind,
            UnhealthyThresholdCount=2, **{**check, **more},
        )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
        if attributes:
            wish = [{"Key": key, "Value": value} for key, value in attributes.items()]
            self.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=wish)
        return arn

    def targets(self, group: str, *names: str, port: int = 8080) -> None:
        self.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": n, "Port": port} for n in names])

    def leave(self, group: str, *names: str, port: int = 8080) -> None:
        self.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": n, "Port": port} for n in names])

    def health(self, group: str) -> dict[str, tuple[str, str | None]]:
        told = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {d["Target"]["Id"]: (d["TargetHealth"]["State"], d["TargetHealth"].get("Reason")) for d in told}

    def healthy(self, group: str, count: int, seconds: float = 20) -> None:
        assert wait_until(
            lambda: sum(state == "healthy" for state, _ in self.health(group).values()) == count, seconds, 0.1
        ), self.health(group)

    def balancer(self, kind: str, group: str, protocol: str, port: int = 80, **more: Any) -> dict[str, Any]:
        """A load balancer with one listener that forwards to a group."""
        made = self.elb.create_load_balancer(
            Name=f"b-{uuid.uuid4().hex[:8]}", Type=kind, Scheme="internal", Subnets=self.subnets
        )["LoadBalancers"][0]
        made["Listener"] = self.elb.create_listener(
            LoadBalancerArn=made["LoadBalancerArn"], Protocol=protocol, Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}], **more,
        )["Listeners"][0]["ListenerArn"]  # fmt: skip
        return made

    def nodes(self, balancer: dict[str, Any]) -> list[str]:
        """The addresses of its nodes."""
        name = "ELB " + balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]
        found = self.aws.client("ec2").describe_network_interfaces(Filters=[{"Name": "description", "Values": [name]}])[
            "NetworkInterfaces"
        ]
        return sorted(i["PrivateIpAddress"] for i in found)

    def answers(self, url: str, *argv: str, seconds: float = 15) -> None:
        """Wait until a URL is answered by a server."""
        assert wait_until(lambda: self.curl(*argv, url).startswith("{"), seconds, 0.1), self.curl("-v", *argv, url)


@pytest.fixture(scope="session")
def vpc(tmp_path_factory: pytest.TempPathFactory) -> Generator[Vpc]:
    """One VPC for all tests of load balancers."""
    if LACKS:
        pytest.skip(LACKS)
    aws = Aws(tmp_path_factory.mktemp("traffic"))
    settings = read_json(aws.state.settings_file)
    write_json(aws.state.settings_file, {**settings, "traffic": "none"})
    aws.start()
    stage = make_stage(aws, "traffic")
    ec2 = aws.client("ec2")
    open_group = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [stage.vpc]}])["SecurityGroups"][0]
    ec2.authorize_security_group_ingress(
        GroupId=open_group["GroupId"],
        IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    )
    machines = [
        ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SubnetId=subnet)["Instances"][0]
        for subnet in stage.subnets
    ]
    keeper = Process(
        "traffic",
        [sys.executable, "-m", "sandbox.network", "--state-dir", aws.root],
        aws.state.log("keeper"),
        ready=(aws.state.traffic / "status.json").exists,
        own_session=True,
    )
    keeper.start()
    try:
        keeper.wait_ready(60)
        made = Vpc(
            aws,
            stage.vpc,
            stage.subnets,
            [m["InstanceId"] for m in machines],
            [m["PrivateIpAddress"] for m in machines],
        )
        for instance in made.instances:
            assert wait_until(lambda name=instance: has(made, name), 120, 0.1), aws.state.log("traffic").read_text()
            made.run(instance, "sh", "-c", f"setsid {sys.executable} {SERVER} >/dev/null 2>&1 &")
        yield made
    finally:
        keeper.stop()
        aws.end()


def has(vpc: Vpc, namespace: str) -> bool:
    """Whether a namespace is there, with its address."""
    try:
        return "10.0." in vpc.run(namespace, "ip", "-4", "-brief", "address", "show", "eth0")
    except Exception:  # noqa: BLE001 - not yet
        return False
