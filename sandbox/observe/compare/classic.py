"""The Classic ELB of a NodePort, like Kubernetes' in-tree way creates it: a listener, its own group, every node."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

from botocore.exceptions import ClientError

from sandbox.run.clients import client
from sandbox.run.state import State

_NAME = "compare-classic"


@contextmanager
def classic_elb(state: State, instances: list[str], node_port: int) -> Generator[str]:
    """A Classic ELB with an instances' port as target, for the context's lifetime; its host name."""
    ec2, elb = client(state, "ec2"), client(state, "elb")
    found = ec2.describe_instances(InstanceIds=instances)["Reservations"]
    listed: list[dict[str, Any]] = [i for reservation in found for i in reservation["Instances"]]
    vpc, nodes = listed[0]["VpcId"], listed[0]["SecurityGroups"][0]["GroupId"]
    _remove(ec2, elb, vpc, nodes)
    group = ec2.create_security_group(GroupName=_NAME, Description="compare: a Classic ELB", VpcId=vpc)["GroupId"]
    try:
        everybody = [{"CidrIp": "0.0.0.0/0"}]
        ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": everybody}]
        )
        ec2.authorize_security_group_ingress(GroupId=nodes, IpPermissions=[_from_balancer(group, node_port)])
        host = elb.create_load_balancer(
            LoadBalancerName=_NAME,
            Listeners=[
                {"Protocol": "TCP", "LoadBalancerPort": 80, "InstanceProtocol": "TCP", "InstancePort": node_port}
            ],
            Subnets=sorted({i["SubnetId"] for i in listed}),
            SecurityGroups=[group],
            Scheme="internal",
        )["DNSName"]
        elb.configure_health_check(
            LoadBalancerName=_NAME,
            HealthCheck={
                "Target": f"TCP:{node_port}",
                "Interval": 5,
                "Timeout": 3,
                "HealthyThreshold": 2,
                "UnhealthyThreshold": 2,
            },
        )
        elb.register_instances_with_load_balancer(
            LoadBalancerName=_NAME, Instances=[{"InstanceId": i} for i in instances]
        )
        yield host
    finally:
        _remove(ec2, elb, vpc, nodes)


def _from_balancer(group: str, port: int) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [{"GroupId": group}]}


def _remove(ec2: Any, elb: Any, vpc: str, nodes: str) -> None:
    """Remove what this created, now or in a killed run."""
    with suppress(ClientError):
        elb.delete_load_balancer(LoadBalancerName=_NAME)
    own = [{"Name": "group-name", "Values": [_NAME]}, {"Name": "vpc-id", "Values": [vpc]}]
    for group in ec2.describe_security_groups(Filters=own)["SecurityGroups"]:
        rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [nodes]}])
        mine = [
            rule["SecurityGroupRuleId"]
            for rule in rules["SecurityGroupRules"]
            if (rule.get("ReferencedGroupInfo") or {}).get("GroupId") == group["GroupId"]
        ]
        if mine:
            ec2.revoke_security_group_ingress(GroupId=nodes, SecurityGroupRuleIds=mine)
        ec2.delete_security_group(GroupId=group["GroupId"])
