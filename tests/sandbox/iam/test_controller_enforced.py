"""A role with the controller's policy creates, changes and removes an ALB; without one statement it is refused."""

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jmespath
import pytest
from botocore.exceptions import ClientError

from eks_load_balancing.controller.policy import controller_policy
from tests.sandbox.aws.harness import REGION
from tests.sandbox.iam.conftest import Enforced

TAG = "elbv2.k8s.aws/cluster"
Step = tuple[str, str, Callable[[], dict[str, Any]], tuple[str, str] | None]
"""Service, call, its parameters at that point; what to keep of the answer: a name, and its path."""


@dataclass
class Stage:
    """A VPC with two subnets and the nodes' security group."""

    enforced: Enforced
    vpc: str
    subnets: list[str]
    nodes: str

    def policy(self) -> list[dict[str, Any]]:
        """The controller's, for cluster `demo` in this VPC."""
        return json.loads(controller_policy("3.5.0", "aws", "demo", REGION, self.vpc))["Statement"]


@pytest.fixture(scope="module")
def stage(enforced: Enforced) -> Stage:
    ec2 = enforced.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    nodes = ec2.create_security_group(GroupName="nodes", Description="d", VpcId=vpc)["GroupId"]
    return Stage(enforced, vpc, subnets, nodes)


class Controller:
    """What the controller does for an Ingress: each step is an action and its call."""

    def __init__(self, stage: Stage, keys: dict[str, str], name: str) -> None:
        self.stage, self.name = stage, name
        self.ec2, self.elb = stage.enforced.client("ec2", keys), stage.enforced.client("elbv2", keys)
        self.tags = [{"Key": TAG, "Value": "demo"}, {"Key": "ingress.k8s.aws/stack", "Value": name}]
        self.team = [{"Key": "team", "Value": "red"}]
        self.targets = [{"Id": "10.0.0.9", "Port": 8080}]
        self.group = self.target = self.balancer = self.listener = self.rule = ""

    def do(self) -> Iterator[str]:
        """All steps, from the first read to the last removal; yields the action of each successful call."""
        for service, call, parameters, result in (*self._make(), *self._change(), *self._remove()):
            client = self.ec2 if service == "ec2" else self.elb
            answer = getattr(client, call)(**parameters())
            if result:
                setattr(self, result[0], jmespath.search(result[1], answer))
            yield f"{service}:{''.join(part.capitalize() for part in call.split('_'))}"

    def _from(self, group: str) -> list[dict[str, Any]]:
        return [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": group}]}]

    def _make(self) -> Iterator[Step]:
        ec2, elb = "ec2", "elasticloadbalancing"
        stage, tags = self.stage, self.tags
        world = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        yield ec2, "describe_subnets", lambda: {"SubnetIds": stage.subnets}, None
        specification = [{"ResourceType": "security-group", "Tags": tags}]
        named = {"GroupName": self.name, "Description": "d", "VpcId": stage.vpc, "TagSpecifications": specification}
        yield ec2, "create_security_group", lambda: named, ("group", "GroupId")
        yield ec2, "authorize_security_group_ingress", lambda: {"GroupId": self.group, "IpPermissions": world}, None
        pods = lambda: {"GroupId": stage.nodes, "IpPermissions": self._from(self.group)}  # noqa: E731 - a step as the others
        yield ec2, "authorize_security_group_ingress", pods, None
        ip = {"Protocol": "HTTP", "Port": 8080, "VpcId": stage.vpc, "TargetType": "ip"}
        arn = ("target", "TargetGroups[0].TargetGroupArn")
        yield elb, "create_target_group", lambda: {"Name": self.name, **ip, "Tags": tags}, arn
        where = {"Name": self.name, "Subnets": stage.subnets, "Tags": tags}
        arn = ("balancer", "LoadBalancers[0].LoadBalancerArn")
        yield elb, "create_load_balancer", lambda: {**where, "SecurityGroups": [self.group]}, arn
        idle = [{"Key": "idle_timeout.timeout_seconds", "Value": "90"}]
        yield (
            elb,
            "modify_load_balancer_attributes",
            lambda: {"LoadBalancerArn": self.balancer, "Attributes": idle},
            None,
        )
        yield elb, "create_listener", self._listener, ("listener", "Listeners[0].ListenerArn")
        yield elb, "create_rule", self._rule, ("rule", "Rules[0].RuleArn")
        yield elb, "register_targets", lambda: {"TargetGroupArn": self.target, "Targets": self.targets}, None

    def _forward(self) -> list[dict[str, Any]]:
        return [{"Type": "forward", "TargetGroupArn": self.target}]

    def _listener(self) -> dict[str, Any]:
        given = {"LoadBalancerArn": self.balancer, "Protocol": "HTTP", "Port": 80, "Tags": self.tags}
        return {**given, "DefaultActions": self._forward()}

    def _rule(self) -> dict[str, Any]:
        path = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/x"]}}]
        given = {"ListenerArn": self.listener, "Conditions": path, "Priority": 1, "Tags": self.tags}
        return {**given, "Actions": self._forward()}

    def _change(self) -> Iterator[Step]:
        ec2, elb = "ec2", "elasticloadbalancing"
        priorities = lambda: {"RulePriorities": [{"RuleArn": self.rule, "Priority": 2}]}  # noqa: E731 - a step as the others
        yield elb, "set_rule_priorities", priorities, None
        yield elb, "describe_target_health", lambda: {"TargetGroupArn": self.target}, None
        yield elb, "add_tags", lambda: {"ResourceArns": [self.balancer, self.target], "Tags": self.team}, None
        yield elb, "remove_tags", lambda: {"ResourceArns": [self.listener], "TagKeys": ["team"]}, None
        yield ec2, "create_tags", lambda: {"Resources": [self.group], "Tags": self.team}, None

    def _remove(self) -> Iterator[Step]:
        ec2, elb = "ec2", "elasticloadbalancing"
        yield elb, "deregister_targets", lambda: {"TargetGroupArn": self.target, "Targets": self.targets}, None
        yield elb, "delete_rule", lambda: {"RuleArn": self.rule}, None
        yield elb, "delete_listener", lambda: {"ListenerArn": self.listener}, None
        yield elb, "delete_load_balancer", lambda: {"LoadBalancerArn": self.balancer}, None
        yield elb, "delete_target_group", lambda: {"TargetGroupArn": self.target}, None
        pods = lambda: {"GroupId": self.stage.nodes, "IpPermissions": self._from(self.group)}  # noqa: E731 - a step as the others
        yield ec2, "revoke_security_group_ingress", pods, None
        yield ec2, "delete_security_group", lambda: {"GroupId": self.group}, None


def name() -> str:
    return f"t{uuid.uuid4().hex[:8]}"


def test_the_controllers_policy_is_enough_for_a_load_balancer(stage: Stage) -> None:
    role = name()
    keys = stage.enforced.role(role, *stage.policy())
    done = list(Controller(stage, keys, role).do())
    mine = [each for each in stage.enforced.decisions() if f"/{role}/" in each["principal"]]
    assert not [each for each in mine if each["verdict"] == "denied"]
    assert set(done) <= {each["action"] for each in mine}
    asked = {each["action"] for each in mine} - set(done)
    assert asked == {"iam:CreateServiceLinkedRole"}, "what is asked for beside the calls themselves"


def refused(stage: Stage, number: int) -> tuple[str, str]:
    """The controller's error without that statement; nothing if there is none."""
    role = name()
    keys = stage.enforced.role(role, *(s for at, s in enumerate(stage.policy()) if at != number))
    try:
        for _ in Controller(stage, keys, role).do():
            pass
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return "", ""


def test_without_one_of_its_statements_the_error_names_the_missing_action(stage: Stage) -> None:
    idle: list[dict[str, Any]] = []
    for number, left_out in enumerate(stage.policy()):
        code, message = refused(stage, number)
        if not code:
            idle.append(left_out)
            continue
        assert code in {"UnauthorizedOperation", "AccessDenied"}
        assert message.partition("not authorized to perform: ")[2].split()[0] in left_out["Action"], message
    assert idle == []


def test_another_clusters_load_balancer_is_out_of_reach(stage: Stage) -> None:
    role = name()
    elb = stage.enforced.client("elbv2", stage.enforced.role(role, *stage.policy()))
    made = stage.enforced.client("elbv2").create_target_group(
        Name=role, Protocol="HTTP", Port=80, VpcId=stage.vpc, Tags=[{"Key": TAG, "Value": "other"}]
    )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
    for call in (
        lambda: elb.delete_target_group(TargetGroupArn=made),
        lambda: elb.register_targets(TargetGroupArn=made, Targets=[{"Id": "10.0.0.9"}]),
        lambda: elb.add_tags(ResourceArns=[made], Tags=[{"Key": TAG, "Value": "demo"}]),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()
