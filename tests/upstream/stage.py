"""Where the suites run: this project's stack in a sandbox with traffic, with what the suites want beside it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
import yaml

from sandbox.run.processes import wait_until
from sandbox.tools import build
from sandbox.tools.catalog import Tool
from tests import chart
from tests.conftest import REPOSITORY, Sandbox
from tests.upstream.specs import SUITES

_MODULE = Path(__file__).with_name("suites")
IMAGES = ("hello-multi", "colorteller", "udp-echoserver", "grpc-echoserver", "target-control-agent")
"""The images of the suites' pods that `suites/main.go` stands in for."""
_ECHO = "sigs.k8s.io/gateway-api/conformance/echo-basic"
"""The Gateway API's own server for its suite's pods."""
GATEWAY_CLASS = "conformance"
"""The class of that suite's Gateways."""
_SECURE = "secure.test.com"
"""The host of its HTTPS listeners. The controller looks for their certificate in ACM, not in the Secret they name."""
_GATEWAY_CLASS = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "GatewayClass",
    "metadata": {"name": GATEWAY_CLASS},
    "spec": {"controllerName": "gateway.k8s.aws/alb"},
}
_NLB_LOGS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "delivery.logs.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::upstream/*",
        }
    ],
}
"""Who may write into the bucket: a spec turns on the access logs of a Network Load Balancer."""
_STACK = "sandbox"
_GATES = {"ALBTargetControlAgent": True, "GatewayListenerSet": True}
_DEPLOYMENT = "deployment/aws-load-balancer-controller"
Report = Callable[[str], object]


def built(report: Report) -> Path:
    """The folder with the suites' executables and the servers; built if they are missing."""
    tool = Tool("upstream-suites", "0", ".", folder=_MODULE)
    home = build.folder(tool)
    if (home / "complete").exists():
        return home
    report("building the controller's end-to-end suites; once, some minutes")
    go, environment = build.go("the suites"), build.go_environment()
    home.mkdir(parents=True, exist_ok=True)
    for command in (
        [go, "test", "-c", "-ldflags=-s -w", "-o", f"{home}/", *SUITES.values()],
        [go, "build", "-ldflags=-s -w", "-o", str(home / "servers"), "."],
        [go, "build", "-ldflags=-s -w", "-o", f"{home}/", _ECHO],
    ):
        subprocess.run(command, cwd=_MODULE, env=environment, check=True)
    for image in IMAGES:
        (home / image).unlink(missing_ok=True)
        (home / image).symlink_to("servers")
    (home / "complete").touch()
    return home


def given(home: Path) -> dict[str, str]:
    """The servers of the images, as `sandbox up --with` takes them."""
    return {f"image:{image}": str(home / image) for image in (*IMAGES, _ECHO.rpartition("/")[2])}


@dataclass(frozen=True)
class Stage:
    """The stack, and the flags that tell a suite about it."""

    sandbox: Sandbox
    flags: tuple[str, ...]
    role: str
    """The controller's."""

    def run(self, command: Sequence[str], folder: Path, minutes: int) -> None:
        """Run a suite's process where the clients are, to its end or to its bound, with its output in `folder/log`."""
        shell = ["sh", "-c", 'log=$0; exec "$@" >"$log" 2>&1', str(folder / "log"), *command]
        inside = ["sandbox", "traffic", "exec", "--with-apis", f"--seconds={minutes * 60}", "clients", "--", *shell]
        self.sandbox.run(*inside, check=False, timeout=minutes * 60 + 30, cwd=folder)


def staged(sandbox: Sandbox, folder: Path, report: Report) -> Stage:
    """Bring up the stack with every feature of the controller, and create what the suites refer to."""
    report("pulumi up of the stack")
    program = _program(folder)
    sandbox.run("pulumi", "stack", "init", _STACK, cwd=program)
    up = ("pulumi", "up", "--stack", _STACK, "--yes", "--skip-preview", "--non-interactive")
    sandbox.run(*up, timeout=600, cwd=program)
    outputs: dict[str, Any] = json.loads(
        sandbox.run("pulumi", "stack", "output", "--stack", _STACK, "--json", cwd=program)
    )
    report("the Gateway API's CRDs, and a controller that has seen them")
    for file in chart.gateway_api():
        sandbox.run("kubectl", "apply", "--server-side", "-f", str(file))
    gateway_class = folder / "class.yaml"
    gateway_class.write_text(yaml.safe_dump(_GATEWAY_CLASS))
    sandbox.run("kubectl", "apply", "-f", str(gateway_class))
    sandbox.run("kubectl", "rollout", "restart", "-n", "kube-system", _DEPLOYMENT)
    sandbox.run("kubectl", "rollout", "status", "-n", "kube-system", _DEPLOYMENT, "--timeout=180s")
    eks, name = sandbox.aws("eks"), outputs["clusterName"]
    settings = sandbox.state.settings()
    flags = (
        f"--kubeconfig={sandbox.state.kubeconfig}",
        f"--cluster-name={name}",
        f"--aws-region={settings.region}",
        f"--aws-vpc-id={eks.describe_cluster(name=name)['cluster']['resourcesVpcConfig']['vpcId']}",
        "--enable-gateway-tests",
        "--enable-aga-tests",
        *_certificates(sandbox, folder),
        *_logins(sandbox),
    )
    return Stage(sandbox, flags, outputs["controllerRoleArn"])


def _program(folder: Path) -> Path:
    """A copy of the program whose stack enables the features that the suites test."""
    program = folder / "program"
    program.mkdir()
    for name in ("Pulumi.yaml", "__main__.py", "settings.py"):
        shutil.copy(REPOSITORY / name, program)
    (program / ".venv").symlink_to(sys.prefix)
    stack: dict[str, Any] = yaml.safe_load((REPOSITORY / f"Pulumi.{_STACK}.yaml").read_text())
    controller = stack["config"]["eks-load-balancing:controller"]
    controller |= {"featureGates": _GATES, "globalAccelerator": True}
    controller.pop("disabledFeatures")
    (program / f"Pulumi.{_STACK}.yaml").write_text(yaml.safe_dump(stack))
    return program


def _certificates(sandbox: Sandbox, folder: Path) -> list[str]:
    """Flags for certificates of the load balancers' names, a trust store and its clients."""
    region, authority = sandbox.state.settings().region, trustme.CA()
    acm, elb, s3 = (sandbox.aws(service) for service in ("acm", "elbv2", "s3"))
    s3.create_bucket(Bucket="upstream", CreateBucketConfiguration={"LocationConstraint": region})
    s3.put_object(Bucket="upstream", Key="authority.pem", Body=authority.cert_pem.bytes())
    s3.put_bucket_policy(Bucket="upstream", Policy=json.dumps(_NLB_LOGS))
    arns: list[str] = []
    for name in (f"*.elb.{region}.amazonaws.com", f"*.second.elb.{region}.amazonaws.com", _SECURE):
        issued = authority.issue_cert(name)
        body = {"Certificate": issued.cert_chain_pems[0].bytes(), "PrivateKey": issued.private_key_pem.bytes()}
        arns.append(acm.import_certificate(**body)["CertificateArn"])
    store = elb.create_trust_store(
        Name="upstream", CaCertificatesBundleS3Bucket="upstream", CaCertificatesBundleS3Key="authority.pem"
    )["TrustStores"][0]["TrustStoreArn"]

    def active() -> bool:
        return elb.describe_trust_stores(TrustStoreArns=[store])["TrustStores"][0]["Status"] == "ACTIVE"

    assert wait_until(active, 180, 0.5)
    client = authority.issue_cert("test-client", common_name="test-client")
    certificate, key = folder / "client.pem", folder / "client-key.pem"
    certificate.write_bytes(client.cert_chain_pems[0].bytes())
    key.write_bytes(client.private_key_pem.bytes())
    return [
        f"--certificate-arns={','.join(arns[:2])}",
        f"--trust-store-arn={store}",
        f"--client-cert-path={certificate}",
        f"--client-key-path={key}",
        "--s3-bucket-name=upstream",
    ]


def _logins(sandbox: Sandbox) -> list[str]:
    """Flags for a Cognito user pool."""
    cognito = sandbox.aws("cognito-idp")
    pool = cognito.create_user_pool(PoolName="upstream")["UserPool"]
    client = cognito.create_user_pool_client(UserPoolId=pool["Id"], ClientName="upstream", GenerateSecret=True)
    cognito.create_user_pool_domain(UserPoolId=pool["Id"], Domain="upstream")
    return [
        f"--cognito-user-pool-arn={pool['Arn']}",
        f"--cognito-user-pool-client-id={client['UserPoolClient']['ClientId']}",
        "--cognito-user-pool-domain=upstream",
    ]
