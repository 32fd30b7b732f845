"""The doctor on the running stack: as a user with only the permissions in its manual."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from eks_load_balancing.controller.statements import TAG
from eks_load_balancing.doctor.checks import CHECKS
from eks_load_balancing.doctor.facts import Facts
from eks_load_balancing.doctor.reading.gather import Where, gather
from eks_load_balancing.doctor.reading.permissions import READING, iam_policy
from eks_load_balancing.doctor.registry import COULD_NOT_LOOK, Finding, examine
from tests.conftest import Sandbox

pytestmark = pytest.mark.sandbox

_USER = "doctor"
_ADMIN_VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminViewPolicy"


@dataclass(frozen=True)
class Doctor:
    """Runs the doctor on the stack."""

    stack: Sandbox
    keys: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """The user's environment, without a kubeconfig."""
        return {k: v for k, v in self.stack.environment().items() if k != "KUBECONFIG"} | self.keys

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command."""
        command = [sys.executable, "-m", "eks_load_balancing.doctor", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)

    def facts(self) -> Facts:
        """Its facts, read in this process."""
        with pytest.MonkeyPatch.context() as patch:
            for name in set(os.environ) - set(self.environment):
                patch.delenv(name)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            return gather(Where(self.stack.cluster))

    def finds(self) -> list[Finding]:
        """What it finds."""
        return examine(self.facts(), CHECKS.values())


@pytest.fixture(scope="module")
def doctor(stack: Sandbox) -> Iterator[Doctor]:
    """A user with the manual's IAM policy and access policy."""
    iam, eks = stack.aws("iam"), stack.aws("eks")
    arn = iam.create_user(UserName=_USER)["User"]["Arn"]
    iam.put_user_policy(UserName=_USER, PolicyName=_USER, PolicyDocument=json.dumps(iam_policy()))
    key = iam.create_access_key(UserName=_USER)["AccessKey"]
    entry = {"clusterName": stack.cluster, "principalArn": arn}
    eks.create_access_entry(**entry)
    eks.associate_access_policy(**entry, policyArn=_ADMIN_VIEW, accessScope={"type": "cluster"})
    yield Doctor(stack, {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]})
    eks.delete_access_entry(**entry)
    iam.delete_access_key(UserName=_USER, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=_USER, PolicyName=_USER)
    iam.delete_user(UserName=_USER)


def test_a_healthy_stack_has_no_findings_and_every_path_is_whole(doctor: Doctor) -> None:
    done = doctor.run("--cluster", doctor.stack.cluster, "--json")
    told = json.loads(done.stdout)
    assert told["findings"] == []
    assert [way["title"] for way in told["ways"]] == ["Ingress samples/web-alb", "Service samples/web-nlb"]
    assert all(way["whole"] for way in told["ways"])
    assert done.returncode == 0


def test_the_doctor_only_reads_and_its_policy_is_all_that_it_needs(doctor: Doctor) -> None:
    doctor.facts()
    decided = json.loads(doctor.stack.run("sandbox", "iam", "log", "--as", _USER, "--json"))
    actions = {decision["action"] for decision in decided}
    assert {action for action in actions if not action.split(":")[1].startswith(READING)} == set()
    assert actions - {"sts:GetCallerIdentity"} <= set(iam_policy()["Statement"][0]["Action"])
    assert json.loads(doctor.stack.run("sandbox", "iam", "denied", "--as", _USER, "--json")) == []


def test_nothing_is_unseen_and_only_what_the_stack_does_not_use_is_empty(doctor: Doctor) -> None:
    """A check that cannot see anything finds nothing."""
    facts = doctor.facts()
    empty = {name for name in Facts.__dataclass_fields__ if not getattr(facts, name)}
    assert empty == {"associations", "boundary", "gateways", "network_policies", "secret_keys"}


def test_people_are_shown_the_path_to_each_pod(doctor: Doctor) -> None:
    said = doctor.run("--cluster", doctor.stack.cluster).stdout
    pods = doctor.stack.get("pods", "-n", "samples")["items"]
    assert pods
    for pod in pods:
        assert f"pod samples/{pod['metadata']['name']}" in said
    assert "nothing found" in said


def test_a_kubeconfig_works_too(doctor: Doctor) -> None:
    given = str(doctor.stack.state.cluster(doctor.stack.cluster) / "kubeconfig")
    done = doctor.run("--cluster", doctor.stack.cluster, "--kubeconfig", given)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_such_cluster_is_exit_code_2(doctor: Doctor) -> None:
    done = doctor.run("--cluster", "nobody")
    assert done.returncode == 2
    assert "no cluster 'nobody'" in done.stderr


def test_a_caller_without_an_access_policy_gets_an_error(doctor: Doctor) -> None:
    eks = doctor.stack.aws("eks")
    entry = {"clusterName": doctor.stack.cluster, "principalArn": _arn(doctor)}
    eks.disassociate_access_policy(**entry, policyArn=_ADMIN_VIEW)
    try:
        done = doctor.run("--cluster", doctor.stack.cluster, "--checks", "targets-are-the-ready-pods")
    finally:
        eks.associate_access_policy(**entry, policyArn=_ADMIN_VIEW, accessScope={"type": "cluster"})
    assert done.returncode == 1
    assert "could not look: HTTP 403" in done.stdout


def _arn(doctor: Doctor) -> str:
    return doctor.stack.aws("iam").get_user(UserName=_USER)["User"]["Arn"]


# --- faults, added and removed again


Plant = Callable[[Sandbox], Any]


@contextmanager
def second_tagged_group(stack: Sandbox) -> Generator[str, None, None]:
    ec2 = stack.aws("ec2")
    node = stack.get("nodes")["items"][0]["spec"]["providerID"].rpartition("/")[2]
    (interface, *_) = ec2.describe_network_interfaces(Filters=[{"Name": "attachment.instance-id", "Values": [node]}])[
        "NetworkInterfaces"
    ]
    tags = [{"Key": f"kubernetes.io/cluster/{stack.cluster}", "Value": "owned"}]
    group = ec2.create_security_group(
        GroupName="second",
        Description="planted",
        VpcId=interface["VpcId"],
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}],
    )["GroupId"]
    groups = [g["GroupId"] for g in interface["Groups"]]
    own = interface["NetworkInterfaceId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=own, Groups=[*groups, group])
    try:
        yield group
    finally:
        ec2.modify_network_interface_attribute(NetworkInterfaceId=own, Groups=groups)
        ec2.delete_security_group(GroupId=group)


def controllers_role(stack: Sandbox) -> str:
    account = stack.get("serviceaccount", "-n", "kube-system", "aws-load-balancer-controller")
    return account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].rpartition("/")[2]


@contextmanager
def widened_trust(stack: Sandbox) -> Generator[str, None, None]:
    iam, role = stack.aws("iam"), controllers_role(stack)
    document = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    wide = json.dumps(document).replace("StringEquals", "StringLike").replace(":aws-load-balancer-controller", ":*")
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=wide)
    try:
        yield role
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(document))


@contextmanager
def denied_action(stack: Sandbox) -> Generator[str, None, None]:
    iam, role = stack.aws("iam"), controllers_role(stack)
    denial = {"Effect": "Deny", "Action": "ec2:DescribeCoipPools", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [denial]})
    iam.put_role_policy(RoleName=role, PolicyName="planted", PolicyDocument=document)
    try:
        yield "ec2:DescribeCoipPools"
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="planted")


@contextmanager
def untagged_subnet(stack: Sandbox) -> Generator[str, None, None]:
    ec2 = stack.aws("ec2")
    found = ec2.describe_subnets(
        Filters=[{"Name": "vpc-id", "Values": [vpc(stack)]}, {"Name": "tag-key", "Values": [_ROLE]}]
    )["Subnets"]
    tag = {"Key": _ROLE, "Value": "1"}
    ec2.delete_tags(Resources=[found[0]["SubnetId"]], Tags=[tag])
    try:
        yield found[0]["SubnetId"]
    finally:
        ec2.create_tags(Resources=[found[0]["SubnetId"]], Tags=[tag])


_ROLE = "kubernetes.io/role/internal-elb"


def vpc(stack: Sandbox) -> str:
    return stack.aws("eks").describe_cluster(name=stack.cluster)["cluster"]["resourcesVpcConfig"]["vpcId"]


@contextmanager
def orphaned_target_group(stack: Sandbox) -> Generator[str, None, None]:
    elb = stack.aws("elbv2")
    tags = [{"Key": TAG, "Value": stack.cluster}, {"Key": "service.k8s.aws/stack", "Value": "samples/gone"}]
    arn = elb.create_target_group(Name="orphan", Protocol="TCP", Port=80, VpcId=vpc(stack), TargetType="ip", Tags=tags)[
        "TargetGroups"
    ][0]["TargetGroupArn"]
    try:
        yield "orphan"
    finally:
        elb.delete_target_group(TargetGroupArn=arn)


@contextmanager
def closed_webhook_port(stack: Sandbox) -> Generator[str, None, None]:
    """The cluster's security group without its rule for itself."""
    ec2, eks = stack.aws("ec2"), stack.aws("eks")
    own = eks.describe_cluster(name=stack.cluster)["cluster"]["resourcesVpcConfig"]["clusterSecurityGroupId"]
    (group,) = ec2.describe_security_groups(GroupIds=[own])["SecurityGroups"]
    rules = [p for p in group["IpPermissions"] if any(pair["GroupId"] == own for pair in p["UserIdGroupPairs"])]
    ec2.revoke_security_group_ingress(GroupId=own, IpPermissions=rules)
    try:
        yield "TCP 9443"
    finally:
        ec2.authorize_security_group_ingress(GroupId=own, IpPermissions=rules)


@contextmanager
def left_interface(stack: Sandbox) -> Generator[str, None, None]:
    ec2 = stack.aws("ec2")
    subnet = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc(stack)]}])["Subnets"][0]["SubnetId"]
    tags = [{"Key": "cluster.k8s.amazonaws.com/name", "Value": stack.cluster}]
    own = ec2.create_network_interface(
        SubnetId=subnet, TagSpecifications=[{"ResourceType": "network-interface", "Tags": tags}]
    )["NetworkInterface"]["NetworkInterfaceId"]
    try:
        yield own
    finally:
        ec2.delete_network_interface(NetworkInterfaceId=own)


@contextmanager
def twin(stack: Sandbox) -> Generator[str, None, None]:
    """A resource of a cluster with the same name in another VPC."""
    ec2 = stack.aws("ec2")
    other = ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(
        GroupName="twin",
        Description="planted",
        VpcId=other,
        TagSpecifications=[
            {"ResourceType": "security-group", "Tags": [{"Key": TAG, "Value": stack.cluster}]},
        ],
    )["GroupId"]
    try:
        yield other
    finally:
        ec2.delete_security_group(GroupId=group)
        ec2.delete_vpc(VpcId=other)


@contextmanager
def lost_target(stack: Sandbox) -> Generator[str, None, None]:
    """A target that the controller did not register: an address without a pod."""
    elb = stack.aws("elbv2")
    binding = stack.get("targetgroupbindings", "-n", "samples")["items"][0]["spec"]
    address = "10.0.0.250"
    target = {"Id": address, "Port": 8080}
    elb.register_targets(TargetGroupArn=binding["targetGroupARN"], Targets=[target])
    try:
        yield address
    finally:
        elb.deregister_targets(TargetGroupArn=binding["targetGroupARN"], Targets=[target])


@contextmanager
def warned(stack: Sandbox) -> Generator[str, None, None]:
    about = {"kind": "Service", "namespace": "samples", "name": "web-nlb", "apiVersion": "v1"}
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "planted", "namespace": "samples"},
        "involvedObject": about,
        "type": "Warning",
        "reason": "FailedBuildModel",
        "message": "planted",
        "source": {"component": "service"},
        "lastTimestamp": "2099-01-01T00:00:00Z",
    }
    apply(stack, event)
    try:
        yield "FailedBuildModel: planted"
    finally:
        stack.run("kubectl", "delete", "event", "-n", "samples", "planted")


@contextmanager
def stuck_service(stack: Sandbox) -> Generator[str, None, None]:
    named = ("-n", "samples", "service/stuck")
    apply(
        stack,
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "stuck", "namespace": "samples", "finalizers": ["service.k8s.aws/planted"]},
            "spec": {"ports": [{"port": 80}]},
        },
    )
    stack.run("kubectl", "delete", *named, "--wait=false")
    try:
        yield "service.k8s.aws/planted"
    finally:
        stack.run("kubectl", "patch", *named, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')


def apply(stack: Sandbox, thing: dict[str, Any]) -> None:
    command = ["kubectl", "apply", "-f", "-"]
    subprocess.run(command, input=json.dumps(thing), env=stack.environment(), text=True, timeout=60, check=True)


_FAULTS: list[tuple[str, Plant]] = [
    ("interfaces-have-one-tagged-security-group", second_tagged_group),
    ("role-trusts-nobody-else", widened_trust),
    ("role-may-do-what-the-controller-does", denied_action),
    ("subnets-are-tagged-for-load-balancers", untagged_subnet),
    ("webhook-port-is-open-to-the-control-plane", closed_webhook_port),
    ("no-target-group-is-left-over", orphaned_target_group),
    ("no-interface-is-left-over", left_interface),
    ("cluster-name-is-unique", twin),
    ("targets-are-the-ready-pods", lost_target),
    ("objects-have-no-warnings", warned),
]


@pytest.mark.parametrize(("check", "plant"), _FAULTS)
def test_a_planted_fault_is_found_and_gone_when_it_is_removed(doctor: Doctor, check: str, plant: Plant) -> None:
    with plant(doctor.stack) as planted:
        found = doctor.finds()
    assert check in {finding.check for finding in found}
    assert any(planted in f"{f.where} {f.what} {f.fix}" for f in found if f.check == check), found
    assert check not in {finding.check for finding in doctor.finds()}


def test_a_finalizer_is_stuck_after_minutes_and_not_before(doctor: Doctor) -> None:
    with stuck_service(doctor.stack) as finalizer:
        facts = doctor.facts()
    check = [CHECKS["objects-are-not-stuck"]]
    assert examine(facts, check) == []
    (finding,) = examine(replace(facts, now=facts.now + timedelta(minutes=6)), check)
    assert finding.where == "Service samples/stuck"
    assert finalizer in finding.what


def test_a_call_that_is_refused_is_a_finding_and_the_rest_is_looked_at(doctor: Doctor) -> None:
    iam = doctor.stack.aws("iam")
    denial = {"Effect": "Deny", "Action": "ec2:DescribeSubnets", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [denial]})
    iam.put_user_policy(UserName=_USER, PolicyName="planted", PolicyDocument=document)
    try:
        found = doctor.finds()
    finally:
        iam.delete_user_policy(UserName=_USER, PolicyName="planted")
    assert {(f.check, f.where) for f in found} == {(COULD_NOT_LOOK, "ec2:DescribeSubnets")}
