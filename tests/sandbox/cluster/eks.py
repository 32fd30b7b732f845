"""The sandbox's AWS and one of its clusters, for tests."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.signers import RequestSigner

from sandbox.run.ports import free_port
from sandbox.run.processes import Process, wait_until
from sandbox.run.state import Settings, State, write_json
from tests.sandbox.cluster.conftest import ACCOUNT, CHECKOUT, KEYS, REGION, tools


def token_of(url: str) -> str:
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


class Eks:
    """A cluster of the sandbox's AWS, and its callers."""

    def __init__(self, state: State, endpoint: str) -> None:
        self.state = state
        self.endpoint = endpoint
        self.subnets: list[str] = []
        self.root = boto3.Session(
            aws_access_key_id=KEYS["access_key"], aws_secret_access_key=KEYS["secret_key"], region_name=REGION
        )

    def client(self, service: str) -> Any:
        return self.root.client(service, endpoint_url=self.endpoint)

    def role(self, name: str, principal: dict[str, str]) -> str:
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]["Arn"]

    def session(self, role: str, name: str) -> boto3.Session:
        made = self.client("sts").assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
        return boto3.Session(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"], region_name=REGION)

    def token(self, session: boto3.Session, cluster: str = "demo") -> str:
        """The output of `aws eks get-token`."""
        sts = session.client("sts", endpoint_url=self.endpoint)
        signer = RequestSigner(
            sts.meta.service_model.service_id, REGION, "sts", "v4", session.get_credentials(), session.events
        )
        request = {
            "method": "GET",
            "url": f"{self.endpoint}/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": cluster},
            "context": {},
        }
        url = signer.generate_presigned_url(request, region_name=REGION, expires_in=60, operation_name="")
        assert url
        return token_of(url)

    def kubectl(self, token: str, *args: str) -> str:
        cluster = self.client("eks").describe_cluster(name="demo")["cluster"]
        ca = self.state.root / "ca.crt"
        ca.write_bytes(base64.b64decode(cluster["certificateAuthority"]["data"]))
        done = subprocess.run(
            [
                *(tools()["control-plane"], "kubectl", "--kubeconfig", "/dev/null"),
                *("--server", cluster["endpoint"], "--certificate-authority", str(ca), "--token", token),
                *args,
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.stdout + done.stderr


@contextmanager
def running_eks(folder: Path, **replacements: str) -> Generator[Eks]:
    """A sandbox's AWS with the cluster `demo`, ACTIVE; `replacements` are `--with` programs."""
    state = State.at(folder)
    port = free_port()
    settings = Settings(REGION, ACCOUNT, {"aws": port}, KEYS, tools(), replacements=replacements)
    write_json(state.settings_file, settings.to_json())
    made = Eks(state, f"http://127.0.0.1:{port}")
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, "-m", "sandbox.aws", "--state-dir", str(state.root)]
    aws = Process("aws", command, state.log("aws"), environment, ready=lambda: bool(made.client("ec2").describe_vpcs()))
    aws.start()
    api = made.client("eks")
    try:
        aws.wait_ready(120)
        ec2 = made.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]
            for n, zone in enumerate("ab")
        ]
        api.create_cluster(
            name="demo",
            roleArn=made.role("cluster", {"Service": "eks.amazonaws.com"}),
            resourcesVpcConfig={"subnetIds": [s["SubnetId"] for s in subnets]},
            accessConfig={"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True},
        )
        assert wait_until(lambda: api.describe_cluster(name="demo")["cluster"]["status"] == "ACTIVE", 120, 0.2)
        made.subnets = [s["SubnetId"] for s in subnets]
        yield made
    finally:
        if aws.running():
            for group in api.list_nodegroups(clusterName="demo")["nodegroups"]:
                api.delete_nodegroup(clusterName="demo", nodegroupName=group)
            wait_until(lambda: not api.list_nodegroups(clusterName="demo")["nodegroups"], 120, 0.2)
            api.delete_cluster(name="demo")
            wait_until(lambda: not state.cluster("demo").exists(), 60)
        aws.stop(10)
