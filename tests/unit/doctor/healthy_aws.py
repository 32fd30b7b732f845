"""The part of a healthy cluster that AWS describes, and the names of it all."""

import datetime as dt
import json
from typing import Any

from eks_load_balancing.controller.policy import controller_policy
from eks_load_balancing.controller.statements import TAG
from eks_load_balancing.identity.trust import web_identity_trust

World = dict[str, Any]

NOW = dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC)
ACCOUNT, REGION, NAME, VPC = "111122223333", "us-west-2", "shop", "vpc-1"
ISSUER = "oidc.eks.us-west-2.amazonaws.com/id/ABCDEF"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/controller"
CLUSTER_ARN = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{NAME}"
CONTROLLER, SYSTEM = "aws-load-balancer-controller", "kube-system"
WEBHOOK_HOST = "aws-load-balancer-webhook-service.kube-system.svc"
VERSION = "3.5.0"
MORE = ("quicid", "alb-target-control.namespace", "alb-target-control.object")
_OWNED = f"kubernetes.io/cluster/{NAME}"
_ZONES = ("us-west-2a", "us-west-2b")


def tag(key: str, value: str) -> dict[str, str]:
    """A tag as EC2 has it."""
    return {"Key": key, "Value": value}


def parsed(document: str) -> Any:
    return json.loads(document)


def identity() -> World:
    return {
        "addons": ("vpc-cni",),
        "associations": [],
        "oidc_providers": [{"Arn": PROVIDER, "Url": ISSUER, "ClientIDList": ["sts.amazonaws.com"]}],
        "role": {
            "RoleName": "controller",
            "Arn": ROLE,
            "AssumeRolePolicyDocument": parsed(web_identity_trust(PROVIDER, ISSUER, SYSTEM, CONTROLLER)),
        },
        "role_policies": [
            {
                "Name": "controller",
                "Arn": f"arn:aws:iam::{ACCOUNT}:policy/controller",
                "Document": parsed(
                    controller_policy(VERSION, "aws", NAME, REGION, VPC, disabled_features=("shield", "cognito"))
                ),
            }
        ],
        "boundary": None,
    }


def network() -> World:
    return {
        "subnets": [
            _subnet(f"subnet-{kind}-{zone[-1]}", zone, f"10.0.{number}.0/24", role)
            for kind, role, base in (("public", "elb", 0), ("private", "internal-elb", 10))
            for number, zone in enumerate(_ZONES, base)
        ],
        "route_tables": [
            {
                "Associations": [{"SubnetId": "subnet-public-a"}, {"SubnetId": "subnet-public-b"}],
                "Routes": [{"GatewayId": "local"}, {"GatewayId": "igw-1"}],
            },
            {"Associations": [{"Main": True}], "Routes": [{"GatewayId": "local"}, {"NatGatewayId": "nat-1"}]},
        ],
        "security_groups": [
            group(
                "sg-cluster",
                [tag(_OWNED, "owned")],
                [
                    {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-cluster"}]},
                    {
                        "IpProtocol": "tcp",
                        "FromPort": 8080,
                        "ToPort": 8080,
                        "UserIdGroupPairs": [{"GroupId": "sg-backend"}],
                    },
                ],
            ),
            group("sg-backend", [tag(TAG, NAME), tag("elbv2.k8s.aws/resource", "backend-sg")]),
            group(
                "sg-alb",
                [tag(TAG, NAME), tag("ingress.k8s.aws/stack", "alb/web")],
                [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
            ),
            group("sg-other", []),
        ],
        "network_interfaces": [
            _interface("a", "10.0.10.4", [f"10.0.10.{n}" for n in (5, 6)], ["10.0.10.7/32"]),
            _interface("b", "10.0.11.4", [f"10.0.11.{n}" for n in (5, 6, 7)], []),
            {
                "NetworkInterfaceId": "eni-alb",
                "Description": "ELB app/alb/1",
                "Status": "in-use",
                "Groups": [{"GroupId": "sg-backend"}],
                "TagSet": [tag(TAG, NAME)],
                "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.10.9"}],
            },
        ],
        "instances": [
            {
                "InstanceId": f"i-{zone[-1]}",
                "SubnetId": f"subnet-private-{zone[-1]}",
                "MetadataOptions": {"HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 1},
            }
            for zone in _ZONES
        ],
    }


def _subnet(identity: str, zone: str, cidr: str, role: str) -> dict[str, Any]:
    return {
        "SubnetId": identity,
        "AvailabilityZone": zone,
        "CidrBlock": cidr,
        "AvailableIpAddressCount": 200,
        "VpcId": VPC,
        "Tags": [tag(f"kubernetes.io/role/{role}", "1")],
    }


def group(identity: str, given: list[dict[str, str]], rules: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A security group."""
    return {"GroupId": identity, "GroupName": identity, "VpcId": VPC, "Tags": given, "IpPermissions": rules or []}


def _interface(letter: str, own: str, more: list[str], prefixes: list[str]) -> dict[str, Any]:
    return {
        "NetworkInterfaceId": f"eni-{letter}",
        "Description": "",
        "Status": "in-use",
        "Attachment": {"InstanceId": f"i-{letter}", "DeviceIndex": 0},
        "Groups": [{"GroupId": "sg-cluster"}],
        "PrivateIpAddresses": [{"PrivateIpAddress": address} for address in (own, *more)],
        "Ipv4Prefixes": [{"Ipv4Prefix": prefix} for prefix in prefixes],
        "TagSet": [tag(_OWNED, "owned")],
    }


def host(name: str) -> str:
    """A load balancer's DNS name."""
    return f"internal-{name}-1.us-west-2.elb.amazonaws.com"


def balancer_arn(name: str) -> str:
    kind = "app" if name == "alb" else "net"
    return f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/{kind}/{name}/1"


def group_arn(name: str) -> str:
    return f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{name}/1"


def balancer(name: str, vpc: str = VPC) -> dict[str, Any]:
    """A load balancer, and `target_group` its group."""
    return {
        "LoadBalancerArn": balancer_arn(name),
        "LoadBalancerName": name,
        "DNSName": host(name),
        "Type": "application" if name == "alb" else "network",
        "Scheme": "internal",
        "State": {"Code": "active"},
        "VpcId": vpc,
        "SecurityGroups": ["sg-alb", "sg-backend"],
        "AvailabilityZones": [{"SubnetId": "subnet-private-a"}, {"SubnetId": "subnet-private-b"}],
    }


def target_group(name: str, vpc: str = VPC) -> dict[str, Any]:
    return {
        "TargetGroupArn": group_arn(name),
        "TargetGroupName": name,
        "TargetType": "ip",
        "VpcId": vpc,
        "LoadBalancerArns": [balancer_arn(name)],
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPath": "/",
        "HealthCheckPort": "traffic-port",
    }


def balancers() -> World:
    addresses = {"alb": ("10.0.10.6", "10.0.11.6"), "nlb": ("10.0.10.7", "10.0.11.7")}
    stack = {"alb": {"ingress.k8s.aws/stack": "alb/web"}, "nlb": {"service.k8s.aws/stack": "nlb/web"}}
    forward = {name: [{"Type": "forward", "TargetGroupArn": group_arn(name)}] for name in addresses}
    return {
        "load_balancers": [balancer(name) for name in addresses],
        "target_groups": [target_group(name) for name in addresses],
        "tags": {arn(name): {TAG: NAME, **stack[name]} for name in addresses for arn in (balancer_arn, group_arn)},
        "limits": {"targets-per-network-load-balancer": 3000},
        "attributes": {balancer_arn("nlb"): {"load_balancing.cross_zone.enabled": "true"}},
        "listeners": {
            balancer_arn(name): (
                {"ListenerArn": f"{name}-80", "Protocol": "HTTP", "Port": 80, "DefaultActions": forward[name]},
            )
            for name in addresses
        },
        "rules": {f"{name}-80": ({"IsDefault": True, "Actions": forward[name]},) for name in addresses},
        "health": {
            group_arn(name): [
                {"Target": {"Id": address, "Port": 8080}, "TargetHealth": {"State": "healthy"}} for address in pair
            ]
            for name, pair in addresses.items()
        },
    }
