"""A cluster agent with its AWS: moto, a VPC, three instances, and the agent's own process."""

import json
import os
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from sandbox.run.ports import free_port
from sandbox.run.processes import Process, wait_until
from sandbox.run.state import Settings, State, read_json, write_json
from tests import api_server

REGION = "us-west-2"
ACCOUNT = "123456789012"
NAME = "demo"
ISSUER = f"https://oidc.eks.{REGION}.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
KEYS = {"access_key": "AKIAROOT", "secret_key": "secret"}
STARTUP_SECONDS = 120.0
CHECKOUT = Path(__file__).parents[3]


def tools() -> dict[str, str]:
    """The built tools; on a machine without them these tests must fail with a message."""
    folder = os.environ.get("SANDBOX_TOOLS")
    if not folder:
        pytest.fail("SANDBOX_TOOLS is not set: give the folder that holds control-plane and kwok")
    paths = {name: Path(folder) / name for name in ("control-plane", "kwok")}
    missing = [str(path) for path in paths.values() if not path.exists()]
    if missing:
        pytest.fail(f"tools missing: {', '.join(missing)}; build them with `python -m sandbox.tools`")
    return {name: str(path) for name, path in paths.items()}


@dataclass
class Lab:
    """AWS, a cluster's agent, and clients for both."""

    state: State
    endpoint: str
    vpc_id: str
    nodes: list[dict[str, Any]]
    agent: Process

    @property
    def folder(self) -> Path:
        return self.state.cluster(NAME)

    def client(self, service: str) -> Any:
        return aws_client(service, self.endpoint)

    def status(self) -> dict[str, Any]:
        return read_json(self.folder / "status.json") or {}

    def start_agent(self) -> None:
        self.agent.start()

    def await_phase(self, phase: str, timeout: float = STARTUP_SECONDS) -> None:
        reached = wait_until(lambda: self.status().get("phase") == phase or not self.agent.running(), timeout)
        assert reached, (self.status(), self.agent.last_words(20))
        assert self.agent.running(), self.agent.last_words(20)

    def want_nodes(self, nodes: list[dict[str, Any]]) -> None:
        write_json(self.folder / "nodes.json", {"nodes": nodes})

    def kubectl(self, *args: str, stdin: str | None = None, check: bool = True, timeout: float = 60) -> str:
        done = subprocess.run(
            [self.state.settings().tools["control-plane"], "kubectl", "--kubeconfig", self.state.kubeconfig, *args],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout if done.returncode == 0 else done.stderr

    def get(self, *args: str) -> Any:
        return api_server.get(Path(self.state.kubeconfig), *args)

    def items(self, *args: str) -> list[Any]:
        return self.get(*args)["items"]

    def apply(self, *objects: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", stdin="\n---\n".join(json.dumps(o) for o in objects))

    def addresses(self, eni: str) -> set[str]:
        """The secondary addresses of an interface, as AWS has them."""
        found = self.client("ec2").describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]
        return {a["PrivateIpAddress"] for a in found["PrivateIpAddresses"] if not a["Primary"]}


def aws_client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=KEYS["access_key"],
        aws_secret_access_key=KEYS["secret_key"],
    )


def make_instances(endpoint: str, count: int) -> tuple[str, list[dict[str, Any]]]:
    """A VPC with a subnet and instances; returns the VPC's id and the instances as entries of nodes.json."""
    ec2 = aws_client("ec2", endpoint)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20", AvailabilityZone=f"{REGION}a")["Subnet"]["SubnetId"]
    image = ec2.describe_images()["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, MinCount=count, MaxCount=count, InstanceType="m5.large", SubnetId=subnet)[
        "Instances"
    ]
    nodes = [
        {
            "name": f"ip-{i['PrivateIpAddress'].replace('.', '-')}.{REGION}.compute.internal",
            "provider_id": f"aws:///{REGION}a/{i['InstanceId']}",
            "instance_id": i["InstanceId"],
            "address": i["PrivateIpAddress"],
            "zone": f"{REGION}a",
            "subnet_id": subnet,
            "eni_id": i["NetworkInterfaces"][0]["NetworkInterfaceId"],
            "instance_type": "m5.large",
            "nodegroup": "main",
            "labels": {"team": "blue"},
            "taints": [],
        }
        for i in made
    ]
    return vpc, nodes


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Generator[Lab]:
    """One agent, ACTIVE, with two of its three nodes wanted."""
    root = tmp_path_factory.mktemp("lab")
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    moto = Process("moto", [sys.executable, "-m", "moto.server", "-p", str(port)], root / "moto.log")
    moto.ready = lambda: bool(aws_client("ec2", endpoint).describe_vpcs())
    moto.start()
    moto.wait_ready(120)
    vpc, nodes = make_instances(endpoint, 3)
    state = State.at(root / "d")
    settings = Settings(
        region=REGION,
        account=ACCOUNT,
        ports={"aws": port},
        root_keys=KEYS,
        tools=tools(),
        replacements={"controller": str(Path(__file__).with_name("fake_controller.py"))},
    )
    write_json(state.settings_file, settings.to_json())
    write_json(
        state.cluster(NAME) / "cluster.json",
        {
            "name": NAME,
            "arn": f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{NAME}",
            "version": "1.36",
            "region": REGION,
            "account": ACCOUNT,
            "vpc_id": vpc,
            "issuer": ISSUER,
            "aws_endpoint": endpoint,
            "service_cidr": "172.20.0.0/16",
            "deployer_arn": f"arn:aws:iam::{ACCOUNT}:root",
            "bootstrap_admin": True,
        },
    )
    agent = Process(
        "agent",
        [sys.executable, "-m", "sandbox.cluster", "--state-dir", state.root, "--name", NAME],
        state.log(f"{NAME}-agent"),
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
    made = Lab(state, endpoint, vpc, nodes, agent)
    made.want_nodes(nodes[:2])
    try:
        made.start_agent()
        made.await_phase("ACTIVE")
        yield made
    finally:
        agent.stop(10)
        moto.stop(2)
