"""The stage of the recordings: a VPC with two zones, a cluster with two nodes, and the controller.

It is separate from the sample stack. The controller runs as a process with the flags of the recordings (the defaults,
but for the lease) and the cluster admin's Kubernetes rights. In AWS it is a separate user, with the policy that the
components give the controller of one cluster.
"""

import os
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from eks_load_balancing.controller.policy import controller_policy
from sandbox.cluster import images
from sandbox.cluster.images import Surroundings
from sandbox.observe.iam import ask
from sandbox.run.ports import free_port
from sandbox.run.processes import Process, Supervisor, wait_until
from tests import api_server, chart
from tests.conformance.props import Props
from tests.conftest import Sandbox

CASES = Path(__file__).parent / "cases"
NAME = "conformance"
ALONE = "--enable-leader-election=false"
"""A controller that competes with nobody needs no lease. It would lose one on a busy machine, and end."""
_IMAGE = next(image for image in images.IMAGES if image.name == "controller")
_ASSUME = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"%s"},"Action":"sts:AssumeRole"}]}'
)


@dataclass
class Stage:
    """The stage, and functions to play cases on it."""

    sandbox: Sandbox
    vpc: str
    keys: dict[str, str]
    keeper: Supervisor = field(default_factory=Supervisor)
    """Restarts controllers, as a kubelet does."""
    program: str = ""
    """The controller's program; "" for the one that the sandbox builds."""

    def __post_init__(self) -> None:
        """Copy the environment once, because cases run in threads while pytest changes `os.environ`."""
        self._environment = self.sandbox.environment()
        self.props = Props(self.sandbox, self.vpc, self.serving_certificate)

    @property
    def controllers(self) -> list[Process]:
        """The controllers that are kept running."""
        return self.keeper.processes()

    @property
    def kubeconfig(self) -> Path:
        """The cluster admin's."""
        return self.sandbox.state.cluster(NAME) / "kubeconfig"

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        """The output of kubectl."""
        command = ["kubectl", "--kubeconfig", str(self.kubeconfig), *arguments]
        env = self._environment
        done = subprocess.run(command, input=stdin, env=env, capture_output=True, text=True, timeout=300, check=False)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)}: {done.stderr}")
        return done.stdout

    def get(self, *arguments: str) -> Any:
        """What `kubectl get` prints as JSON."""
        return api_server.get(self.kubeconfig, *arguments)

    def apply(self, *objects: dict[str, Any]) -> None:
        """Apply objects."""
        self.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))

    def start_controller(self, *flags: str) -> Process:
        """Start a controller and wait until it is ready."""
        name = f"{NAME}-controller-{len(self.controllers)}"
        environment = self._environment | self.keys | {"POD_NAME": name}
        given = [f"--cluster-name={NAME}", f"--aws-vpc-id={self.vpc}", f"--aws-region={environment['AWS_REGION']}"]
        given += flags
        ports = {port.flag: free_port() for port in _IMAGE.ports}
        state = self.sandbox.state
        around = Surroundings(self.kubeconfig, "kube-system", state.aws_endpoint, ports, self.serving_certificate())
        program = self.program or state.settings().tools["load-balancer-controller"]
        argv = [program, *images.arguments(_IMAGE, given, around)]
        log, health = self.sandbox.state.log(name), ports["health-probe-bind-addr"]
        made = Process(name, argv, log, env=environment, ready=lambda: _answers(health))
        self.keeper.add(made)
        return made

    def stop_controllers(self, grace: float = 10) -> None:
        """Stop every controller: SIGTERM, then SIGKILL after `grace` seconds (0: only SIGKILL)."""
        for process in reversed(self.controllers):
            self.keeper.remove(process, grace)

    @contextmanager
    def controlled(self, *flags: str, replicas: int = 1) -> Generator[list[Process], None, None]:
        """Controllers with other flags; afterwards the previous one runs again."""
        self.stop_controllers()
        try:
            yield [self.start_controller(*flags) for _ in range(replicas)]
        finally:
            self.stop_controllers()
            self.start_controller(ALONE)

    def serving_certificate(self) -> Path:
        """A folder with a certificate for the webhooks, which nobody calls here."""
        folder = self.sandbox.state.root / NAME
        folder.mkdir(exist_ok=True)
        if not (folder / "tls.crt").exists():
            command = [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "1",
                "-subj",
                "/CN=localhost",
            ]
            files = ["-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")]
            subprocess.run([*command, *files], check=True, capture_output=True)
        return folder

    def decided(self, question: str) -> list[dict[str, Any]]:
        """IAM's decisions on the controller's calls: `log` or `denied`."""
        return ask(self.sandbox.state, question, {"as": f"{NAME}-controller"})

    def events(self, namespace: str) -> list[dict[str, Any]]:
        """The Events of a namespace."""
        return self.get("events", "-n", namespace)["items"]


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(64)
    except OSError:
        return False


def _network(ec2: Any, region: str) -> tuple[str, list[str]]:
    vpc = ec2.create_vpc(CidrBlock="10.64.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    private: list[str] = []
    for n, zone in enumerate("ab"):
        for kind, role, block in (
            ("public", "elb", f"10.64.{n}.0/24"),
            ("private", "internal-elb", f"10.64.{16 * (n + 1)}.0/20"),
        ):
            made = ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=f"{region}{zone}")["Subnet"][
                "SubnetId"
            ]
            tags = [{"Key": f"kubernetes.io/role/{role}", "Value": "1"}, {"Key": "Name", "Value": f"{kind}-{zone}"}]
            ec2.create_tags(Resources=[made], Tags=tags)
            if kind == "public":
                ec2.associate_route_table(RouteTableId=table, SubnetId=made)
            else:
                private.append(made)
    return vpc, private


def _cluster(sandbox: Sandbox, subnets: list[str]) -> None:
    iam, eks = sandbox.aws("iam"), sandbox.aws("eks")
    roles = {
        kind: iam.create_role(RoleName=f"{NAME}-{kind}", AssumeRolePolicyDocument=_ASSUME % f"{kind}.amazonaws.com")[
            "Role"
        ]["Arn"]
        for kind in ("eks", "ec2")
    }
    access = {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True}
    eks.create_cluster(name=NAME, roleArn=roles["eks"], resourcesVpcConfig={"subnetIds": subnets}, accessConfig=access)
    assert wait_until(lambda: eks.describe_cluster(name=NAME)["cluster"]["status"] == "ACTIVE", 120, 0.5)
    scaling = {"minSize": 2, "maxSize": 2, "desiredSize": 2}
    eks.create_nodegroup(
        clusterName=NAME, nodegroupName="main", subnets=subnets, nodeRole=roles["ec2"], scalingConfig=scaling
    )

    def ready() -> bool:
        group = eks.describe_nodegroup(clusterName=NAME, nodegroupName="main")["nodegroup"]
        return group["status"] == "ACTIVE"

    assert wait_until(ready, 120, 0.5)


def _user(sandbox: Sandbox, vpc: str) -> dict[str, str]:
    """The controller's user, so tests can tell its calls from their own."""
    iam, name, region = sandbox.aws("iam"), f"{NAME}-controller", sandbox.state.settings().region
    iam.create_user(UserName=name)
    document = controller_policy("3.2.2", "aws", NAME, region, vpc)
    made = iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_user_policy(UserName=name, PolicyArn=made)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


@contextmanager
def staged(sandbox: Sandbox) -> Generator[Stage]:
    """The stage in a sandbox, with a running controller; what it has made goes with the sandbox."""
    vpc, subnets = _network(sandbox.aws("ec2"), sandbox.state.settings().region)
    _cluster(sandbox, subnets)
    stage = Stage(sandbox, vpc, _user(sandbox, vpc))
    stage.keeper.watch()
    try:
        # The largest are too large for a plain apply's annotation.
        stage.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(chart.definitions()))
        for file in chart.gateway_api():
            stage.kubectl("apply", "--server-side", "-f", str(file))
        stage.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=180s")
        controller = {"controller": "ingress.k8s.aws/alb"}
        kind = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass"}
        stage.apply({**kind, "metadata": {"name": "alb"}, "spec": controller})
        stage.start_controller(ALONE)
        yield stage
    finally:
        stage.keeper.stop(10)


def steps(case: str) -> list[Path]:
    """The manifests of a case in order."""
    return sorted((CASES / case).glob("[0-9]*.yaml"), key=lambda path: int(path.name.split("-")[0].split(".")[0]))


def unique(case: str) -> str:
    """A namespace for one run of a case."""
    return f"c-{case}-{int(time.time() * 10) % 1_000_000:06d}"


def environment() -> dict[str, str]:
    """How `snapshot.py` finds AWS: it has its own keys, and reads nothing else."""
    return {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
