"""The checklist of issue 3, checked through the AWS API and kubectl, not through the program."""

import json
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.run.processes import wait_until
from sandbox.tools.catalog import by_name
from tests.conftest import REPOSITORY, Sandbox
from tests.leaders import acquired

pytestmark = pytest.mark.sandbox

_CONTROLLER = "app.kubernetes.io/name=aws-load-balancer-controller"
_SECONDS = 2.0

_OF_PULUMI_EKS = r"eks:index:Cluster"


def outputs(stack: Sandbox) -> dict[str, Any]:
    return json.loads(stack.run("pulumi", "stack", "output", "--stack", "sandbox", "--json"))


def tagged(stack: Sandbox) -> list[dict[str, Any]]:
    """The load balancers with the cluster's tag."""
    elb = stack.aws("elbv2")
    found = elb.describe_load_balancers()["LoadBalancers"]
    name = outputs(stack)["clusterName"]
    described = elb.describe_tags(ResourceArns=[b["LoadBalancerArn"] for b in found])["TagDescriptions"]
    own = {d["ResourceArn"] for d in described if {"Key": "elbv2.k8s.aws/cluster", "Value": name} in d["Tags"]}
    return [b for b in found if b["LoadBalancerArn"] in own]


def groups(stack: Sandbox) -> list[dict[str, Any]]:
    """The target groups of the cluster's load balancers."""
    elb = stack.aws("elbv2")
    own = [b["LoadBalancerArn"] for b in tagged(stack)]
    return [g for arn in own for g in elb.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"]]


def registered(stack: Sandbox, group: str) -> set[str]:
    """The addresses in a target group that are not draining."""
    health = stack.aws("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return {h["Target"]["Id"] for h in health if h["TargetHealth"]["State"] != "draining"}


def bindings(stack: Sandbox) -> list[dict[str, Any]]:
    return stack.get("targetgroupbindings", "-A")["items"]


def endpoints(stack: Sandbox, namespace: str, service: str) -> set[str]:
    """The addresses of a Service's ready endpoints."""
    selector = f"kubernetes.io/service-name={service}"
    slices = stack.get("endpointslices", "-n", namespace, "-l", selector)["items"]
    return {
        address
        for part in slices
        for endpoint in part.get("endpoints") or []
        if endpoint.get("conditions", {}).get("ready")
        for address in endpoint["addresses"]
    }


def replicas(stack: Sandbox) -> list[dict[str, Any]]:
    return stack.get("pods", "-n", "kube-system", "-l", _CONTROLLER)["items"]


def ready(pod: dict[str, Any]) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))


def leader(stack: Sandbox) -> str:
    lease = stack.get("lease", "-n", "kube-system", "aws-load-balancer-controller-leader")
    return lease["spec"].get("holderIdentity") or ""


def leading(stack: Sandbox) -> str:
    """The pod that last became the leader."""
    names = [pod["metadata"]["name"] for pod in replicas(stack)]
    return max(names, key=lambda name: acquired(stack.state.log(f"sandbox-pod-{name}")))


def processes(stack: Sandbox) -> dict[str, int]:
    """The controller's processes: pod name -> pid."""
    parts = json.loads(stack.run("sandbox", "status", "--json", check=False))["parts"]
    return {p["name"].rpartition("/")[2]: p["pid"] for p in parts if "aws-load-balancer-controller" in p["name"]}


def test_controller_provider_and_chart_are_the_real_ones(stack: Sandbox) -> None:
    status = json.loads(stack.run("sandbox", "status", "--json"))["parts"]
    parts = {p["name"]: p for p in status}
    assert len(parts) == len(status), "two parts have one name"
    pods = [p for name, p in parts.items() if "aws-load-balancer-controller-" in name]
    built = [*pods, parts["provider kubernetes"], parts["chart aws-load-balancer-controller"]]
    assert {p["kind"] for p in built} == {"real"}
    assert {p["version"] for p in pods} == {by_name("load-balancer-controller").version}
    assert {Path(f"/proc/{p['pid']}/exe").readlink().name for p in pods} == {"load-balancer-controller"}
    assert len(pods) == 2


def test_one_alb_and_one_nlb_carry_the_clusters_tag(stack: Sandbox) -> None:
    assert sorted(b["Type"] for b in tagged(stack)) == ["application", "network"]


def test_every_target_group_holds_exactly_the_ready_pods_addresses(stack: Sandbox) -> None:
    found = groups(stack)
    bound = {b["spec"]["targetGroupARN"]: b for b in bindings(stack)}
    assert {g["TargetGroupArn"] for g in found} == set(bound)
    for group in found:
        assert group["TargetType"] == "ip"
        binding = bound[group["TargetGroupArn"]]
        wanted = endpoints(stack, binding["metadata"]["namespace"], binding["spec"]["serviceRef"]["name"])
        assert registered(stack, group["TargetGroupArn"]) == wanted
        assert len(wanted) == 2


def test_each_target_is_an_address_of_its_nodes_interface(stack: Sandbox) -> None:
    ec2 = stack.aws("ec2")
    nodes = {n["metadata"]["name"]: n["spec"]["providerID"] for n in stack.get("nodes")["items"]}
    pods = {p["status"].get("podIP"): p["spec"].get("nodeName") for p in stack.get("pods", "-A")["items"]}
    for group in groups(stack):
        for address in registered(stack, group["TargetGroupArn"]):
            named = [{"Name": "addresses.private-ip-address", "Values": [address]}]
            (interface,) = ec2.describe_network_interfaces(Filters=named)["NetworkInterfaces"]
            assert nodes[pods[address]].endswith("/" + interface["Attachment"]["InstanceId"])


def test_two_replicas_are_ready_each_a_live_process_one_of_them_the_leader(stack: Sandbox) -> None:
    pods = replicas(stack)
    assert len(pods) == 2
    assert all(ready(p) for p in pods)
    running = processes(stack)
    names = {p["metadata"]["name"] for p in pods}
    assert names <= set(running)
    for name in names:
        os.kill(running[name], 0)
    assert leader(stack)
    assert leading(stack) in names


def test_the_controllers_role_trusts_exactly_one_subject_and_one_audience(stack: Sandbox) -> None:
    name = outputs(stack)["controllerRoleArn"].rpartition("/")[2]
    document = stack.aws("iam").get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    (statement,) = document["Statement"]
    assert list(statement["Condition"]) == ["StringEquals"]
    claims = {k.rpartition(":")[2]: v for k, v in statement["Condition"]["StringEquals"].items()}
    assert claims == {
        "sub": "system:serviceaccount:kube-system:aws-load-balancer-controller",
        "aud": "sts.amazonaws.com",
    }


def test_the_controller_works_with_a_session_of_its_role(stack: Sandbox) -> None:
    """The AWS process's record of callers: the role's session created the load balancers."""
    role = outputs(stack)["controllerRoleArn"].rpartition("/")[2]
    calls = json.loads(stack.run("curl", "-sf", f"{stack.state.aws_endpoint}/_sandbox/calls"))
    assert f":assumed-role/{role}/" in json.dumps(calls)


def follow(stack: Sandbox, binding: dict[str, Any], deployment: str, count: int) -> float:
    """Scale a Deployment; return the seconds from its endpoints to the binding's targets."""
    namespace, service = binding["metadata"]["namespace"], binding["spec"]["serviceRef"]["name"]
    group = binding["spec"]["targetGroupARN"]
    stack.run("kubectl", "scale", "-n", namespace, f"deployment/{deployment}", f"--replicas={count}")
    assert wait_until(lambda: len(endpoints(stack, namespace, service)) == count, 180)
    begun, wanted = time.monotonic(), endpoints(stack, namespace, service)
    assert wait_until(lambda: registered(stack, group) == wanted, 120)
    return time.monotonic() - begun


@pytest.mark.alone
def test_targets_follow_the_endpoints_up_and_down(stack: Sandbox) -> None:
    for binding in bindings(stack):
        namespace, service = binding["metadata"]["namespace"], binding["spec"]["serviceRef"]["name"]
        selector = stack.get("service", "-n", namespace, service)["spec"]["selector"]
        deployments = stack.get("deployments", "-n", namespace)["items"]
        (name,) = [
            d["metadata"]["name"]
            for d in deployments
            if selector.items() <= d["spec"]["template"]["metadata"]["labels"].items()
        ]
        seconds = [follow(stack, binding, name, count) for count in (6, 1, 2)]
        assert max(seconds) < _SECONDS, seconds


def test_killing_the_leader_loses_nothing_and_the_other_takes_over(stack: Sandbox) -> None:
    before = {g["TargetGroupArn"]: registered(stack, g["TargetGroupArn"]) for g in groups(stack)}
    first = leader(stack)
    os.kill(processes(stack)[leading(stack)], signal.SIGKILL)
    assert wait_until(lambda: leader(stack) not in ("", first), 60, interval=0.2)
    assert {g["TargetGroupArn"]: registered(stack, g["TargetGroupArn"]) for g in groups(stack)} == before
    assert wait_until(lambda: sum(map(ready, replicas(stack))) == 2, 60, interval=0.2)


@pytest.mark.parametrize(
    "command",
    [
        ("aws", "elbv2", "describe-load-balancers"),
        ("aws", "eks", "list-clusters"),
        ("helm", "list", "-A"),
        ("kubectl", "get", "nodes"),
    ],
)
def test_the_ordinary_clients_work(stack: Sandbox, command: tuple[str, ...]) -> None:
    assert stack.run(*command).strip()


def test_a_watch_sees_what_happens(stack: Sandbox) -> None:
    command = ["kubectl", "get", "configmaps", "-n", "default", "--watch", "-o", "name"]
    with subprocess.Popen(command, env=stack.environment(), stdout=subprocess.PIPE, text=True) as watch:
        deadline = threading.Timer(30, watch.terminate)
        deadline.start()
        try:
            assert watch.stdout is not None
            assert watch.stdout.readline() == "configmap/kube-root-ca.crt\n"
            stack.run("kubectl", "create", "configmap", "-n", "default", "seen")
            assert watch.stdout.readline() == "configmap/seen\n"
        finally:
            deadline.cancel()
            watch.terminate()
            stack.run("kubectl", "delete", "configmap", "-n", "default", "seen")


def changes(stack: Sandbox, *arguments: str) -> dict[str, int]:
    """What a pulumi command changed, by kind, without unchanged resources."""
    stack.run("pulumi", *arguments, "--stack", "sandbox", "--yes", "--skip-preview", "--non-interactive", timeout=300)
    history = json.loads(stack.run("pulumi", "stack", "history", "--stack", "sandbox", "--json", "--page-size", "1"))
    return {k: v for k, v in history[0]["resourceChanges"].items() if k != "same"}


def test_a_second_up_changes_nothing(stack: Sandbox) -> None:
    assert changes(stack, "up") == {}


def test_no_command_writes_into_the_users_home_or_into_tmp(
    stack: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = {"HOME": tmp_path / "home", "TMPDIR": tmp_path / "tmp"}
    for variable, place in places.items():
        place.mkdir()
        monkeypatch.setenv(variable, str(place))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    changes(stack, "up")
    stack.run("kubectl", "get", "pods", "--all-namespaces")
    stack.run("helm", "show", "chart", "aws-load-balancer-controller", "--repo", "https://aws.github.io/eks-charts")
    stack.run("aws", "sts", "get-caller-identity")
    assert sorted(tmp_path.rglob("*")) == sorted(places.values())


def test_a_refresh_changes_nothing(stack: Sandbox) -> None:
    assert changes(stack, "refresh") == {}


def test_a_changed_replica_count_is_one_update(stack: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack's settings file belongs to the checkout, so change a copy.

    Another test scaled the Deployment with kubectl, which manages the number since then: Pulumi has to take it back.
    """
    settings = yaml.safe_load((REPOSITORY / "Pulumi.sandbox.yaml").read_text())
    settings["config"]["eks-load-balancing:samples"]["nlb"]["replicas"] = 3
    changed = tmp_path / "Pulumi.sandbox.yaml"
    changed.write_text(yaml.safe_dump(settings))
    monkeypatch.setenv("PULUMI_K8S_ENABLE_PATCH_FORCE", "true")
    assert changes(stack, "up", "--config-file", str(changed)) == {"update": 1}
    assert changes(stack, "up") == {"update": 1}


def test_kubeconfig_and_keys_are_secret_in_the_state(stack: Sandbox) -> None:
    state = stack.run("pulumi", "stack", "export", "--stack", "sandbox")
    assert "PRIVATE KEY" not in state
    # pulumi-eks does not mark its kubeconfig: it names a command that gets a token, and holds none.
    resources = [r for r in json.loads(state)["deployment"]["resources"] if not re.search(_OF_PULUMI_EKS, r["urn"])]
    assert "certificate-authority-data" not in json.dumps(resources)
    assert "[secret]" in stack.run("pulumi", "stack", "output", "--stack", "sandbox")


def test_no_file_of_the_sandbox_is_readable_by_others(stack: Sandbox) -> None:
    assert stack.state.root.stat().st_mode & 0o077 == 0


def test_no_call_of_the_controller_was_denied(stack: Sandbox) -> None:
    role = outputs(stack)["controllerRoleArn"]
    assert json.loads(stack.run("sandbox", "iam", "log", "--as", role, "--json"))
    assert json.loads(stack.run("sandbox", "iam", "denied", "--as", role, "--json")) == []
