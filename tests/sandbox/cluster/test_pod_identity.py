"""EKS Pod Identity in a cluster: the webhook's changes to pods, and the agent's credentials."""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Generator
from typing import Any

import jsonpatch
import jwt
import pytest
from aiohttp import web

from sandbox.cluster.webhooks import pod_identity
from sandbox.cluster.webhooks.pod_identity import node_of
from sandbox.observe.iam import ask
from sandbox.run.processes import wait_until
from tests.sandbox.cluster.conftest import ACCOUNT, CHECKOUT, REGION, tools
from tests.sandbox.cluster.eks import Eks, running_eks

IMAGE = "public.ecr.aws/eks/aws-load-balancer-controller:v3.5.0"
POD: dict[str, Any] = {
    "metadata": {"name": "p", "namespace": "ns"},
    "spec": {"containers": [{"name": "c", "image": IMAGE}, {"name": "d", "image": IMAGE}]},
}
URI = "http://127.0.0.1:1234/v1/credentials"
SYSTEM = ("-n", "kube-system")


def test_every_container_gets_the_agents_address_and_a_token_for_it() -> None:
    made = jsonpatch.apply_patch(POD, pod_identity.patch(POD, "us-west-2", URI))
    for container in made["spec"]["containers"]:
        env = {v["name"]: v["value"] for v in container["env"]}
        assert env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] == URI
        assert env["AWS_REGION"] == env["AWS_DEFAULT_REGION"] == "us-west-2"
        mount = container["volumeMounts"][-1]["mountPath"]
        assert env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] == f"{mount}/eks-pod-identity-token"
        assert "AWS_ROLE_ARN" not in env
    source = made["spec"]["volumes"][-1]["projected"]["sources"][0]["serviceAccountToken"]
    assert source == {
        "audience": "pods.eks.amazonaws.com",
        "expirationSeconds": 86400,
        "path": "eks-pod-identity-token",
    }
    assert jsonpatch.apply_patch(made, pod_identity.patch(made, "us-west-2", URI)) == made


def test_a_token_says_on_which_node_its_pod_runs() -> None:
    key = "a key that nobody looks at, and long enough"
    assert node_of(jwt.encode({"kubernetes.io": {"node": {"name": "n1"}}}, key)) == "n1"
    for other in (jwt.encode({"kubernetes.io": {}}, key), jwt.encode({}, key), "nonsense", ""):
        with pytest.raises(web.HTTPBadRequest):
            node_of(other)


# With AWS


class Cluster(Eks):
    """A cluster with a node and a service account `lbc` in kube-system that Pod Identity gives the role `lbc`."""

    def ask(self, *args: str) -> str:
        kubectl = [tools()["control-plane"], "kubectl", "--kubeconfig", str(self.state.kubeconfig)]
        done = subprocess.run([*kubectl, *args], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, name: str, account: str) -> list[str]:
        """The output of a process pod: its identity, and its AWS variables."""
        spec = {"serviceAccountName": account, "containers": [{"name": "c", "image": IMAGE}]}
        file = self.state.root / f"{name}.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}))
        self.ask(*SYSTEM, "create", "-f", str(file))
        log = self.state.log(f"demo-pod-{name}")
        assert wait_until(lambda: log.exists() and len(log.read_text().splitlines()) > 1, 180, 0.1), self.ask(
            *SYSTEM, "describe", "pod", name
        )
        return log.read_text().splitlines()

    def credentials(self, token: str) -> tuple[int, str]:
        """The agent's answer."""
        port = json.loads((self.state.cluster("demo") / "ports.json").read_text())["credentials"]
        request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/credentials", headers={"Authorization": token})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - our own loopback
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Generator[Cluster]:
    program = CHECKOUT / "tests/sandbox/cluster/session_printer.py"
    with running_eks(tmp_path_factory.mktemp("pods") / "d", controller=str(program)) as eks:
        made = Cluster(eks.state, eks.endpoint)
        iam, api = made.client("iam"), made.client("eks")
        node = made.role("node", {"Service": "ec2.amazonaws.com"})
        for name in ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly"):
            iam.attach_role_policy(RoleName="node", PolicyArn=f"arn:aws:iam::aws:policy/{name}")
        api.create_nodegroup(
            clusterName="demo",
            nodegroupName="main",
            nodeRole=node,
            subnets=eks.subnets,
            scalingConfig={"minSize": 1, "maxSize": 1, "desiredSize": 1},
        )
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {"StringEquals": {"aws:RequestTag/kubernetes-service-account": "lbc"}},
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName="lbc", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        for account in ("lbc", "foreign", "annotated"):
            made.ask(*SYSTEM, "create", "serviceaccount", account)
        made.ask(*SYSTEM, "annotate", "serviceaccount", "lbc", f"eks.amazonaws.com/role-arn={role}")
        for account in ("lbc", "foreign"):
            api.create_pod_identity_association(
                clusterName="demo", namespace="kube-system", serviceAccount=account, roleArn=role
            )
        api.create_addon(clusterName="demo", addonName=pod_identity.ADDON)
        group = {"clusterName": "demo", "nodegroupName": "main"}
        assert wait_until(lambda: api.describe_nodegroup(**group)["nodegroup"]["status"] == "ACTIVE", 180, 0.2)
        yield made


@pytest.mark.sandbox
def test_a_process_pod_of_an_associated_service_account_is_its_role(cluster: Cluster) -> None:
    who, variables = cluster.run("mine", "lbc")
    assert who.startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/lbc/eks-demo-mine-")
    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in variables
    assert "AWS_ROLE_ARN" not in variables, "an association comes before an annotation"
    assert "AWS_ACCESS_KEY_ID" not in variables


@pytest.mark.sandbox
def test_the_node_asks_with_its_own_role_as_the_log_shows(cluster: Cluster) -> None:
    log = ask(cluster.state, "log", {"as": "node"})
    asked = [entry for entry in log if entry["action"] == "eks-auth:AssumeRoleForPodIdentity"]
    assert asked
    assert all(entry["principal"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/node/i-") for entry in asked)
    assert asked[0]["resource"] == f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/demo"


@pytest.mark.sandbox
def test_a_service_account_that_the_role_does_not_trust_is_nobody(cluster: Cluster) -> None:
    assert cluster.run("foreign", "foreign")[0].startswith("nobody (")


@pytest.mark.sandbox
def test_a_token_of_no_pod_or_for_somebody_else_gets_nothing(cluster: Cluster) -> None:
    bare = cluster.ask(*SYSTEM, "create", "token", "lbc", "--audience", pod_identity.AUDIENCE).strip()
    assert cluster.credentials(bare) == (400, "the token does not belong to a pod on a node")
    uid = json.loads(cluster.ask(*SYSTEM, "get", "pod", "mine", "-o", "json"))["metadata"]["uid"]
    bound = ("--bound-object-kind", "Pod", "--bound-object-name", "mine", "--bound-object-uid", uid)
    for_sts = cluster.ask(*SYSTEM, "create", "token", "lbc", "--audience", "sts.amazonaws.com", *bound).strip()
    status, text = cluster.credentials(for_sts)
    assert (status, "Incorrect token audience" in text) == (400, True)


@pytest.mark.sandbox
def test_without_the_add_on_nobody_answers(cluster: Cluster) -> None:
    api = cluster.client("eks")
    api.delete_addon(clusterName="demo", addonName=pod_identity.ADDON)
    try:
        assert cluster.run("early", "lbc")[0].startswith("nobody (")
    finally:
        api.create_addon(clusterName="demo", addonName=pod_identity.ADDON)


@pytest.mark.sandbox
def test_a_node_whose_role_may_not_ask_gets_nothing_for_its_pods(cluster: Cluster) -> None:
    iam = cluster.client("iam")
    worker = {"RoleName": "node", "PolicyArn": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"}
    iam.detach_role_policy(**worker)
    try:
        assert cluster.run("barred", "lbc")[0].startswith("nobody (")
    finally:
        iam.attach_role_policy(**worker)
