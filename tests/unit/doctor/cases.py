"""How a healthy world is broken in one way, for each check: what the check must find, and nothing less."""

import copy
import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass

from eks_load_balancing.controller_policy import TAG
from tests.unit.doctor.healthy import (
    CONTROLLER,
    ISSUER,
    NAME,
    NOW,
    VPC,
    World,
    balancer,
    certificates,
    event,
    group,
    group_arn,
    healthy,
    healthy_with_pod_identity,
    tag,
    target_group,
)

_LONG_AGO = (NOW - dt.timedelta(hours=1)).isoformat()
_MINUTE_AGO = (NOW - dt.timedelta(minutes=1)).isoformat()


@dataclass(frozen=True)
class Case:
    """A fault, and words of the finding that it must make."""

    check: str
    fault: Callable[[World], object]
    says: str
    of: Callable[[], World] = healthy


def _condition(world: World) -> dict[str, dict[str, str]]:
    return world["role"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]


def _arguments(world: World) -> list[str]:
    return world["deployments"][0]["spec"]["template"]["spec"]["containers"][0]["args"]


def _without(world: World, *flags: str) -> None:
    _arguments(world)[:] = [a for a in _arguments(world) if not a.startswith(tuple(f"--{flag}=" for flag in flags))]


def _image(world: World, image: str) -> None:
    world["deployments"][0]["spec"]["template"]["spec"]["containers"][0]["image"] = image


def _rename_sub(world: World) -> None:
    _condition(world)["StringEquals"][f"{ISSUER}:sub"] = "system:serviceaccount:default:controller"


def _widen(world: World) -> None:
    condition = _condition(world)
    sub = condition["StringEquals"].pop(f"{ISSUER}:sub")
    condition["StringLike"] = {f"{ISSUER}:sub": sub.replace(CONTROLLER, "*")}


def _equal_a_wildcard(world: World) -> None:
    """A wildcard is none under StringEquals."""
    _condition(world)["StringEquals"][f"{ISSUER}:sub"] = "system:serviceaccount:kube-system:*"


def _share_with_another_cluster(world: World, operator: str) -> None:
    other = json.loads(json.dumps(world["role"]["AssumeRolePolicyDocument"]["Statement"][0]).replace("ABCDEF", "OTHER"))
    other["Condition"] = {operator: other["Condition"]["StringEquals"]}
    world["role"]["AssumeRolePolicyDocument"]["Statement"].append(other)


def _environment(world: World) -> list[dict[str, str]]:
    return world["pods"][0]["spec"]["containers"][0]["env"]


def _trust_another_issuer(world: World) -> None:
    statement = world["role"]["AssumeRolePolicyDocument"]["Statement"][0]
    statement["Principal"]["Federated"] = statement["Principal"]["Federated"].replace("ABCDEF", "OTHER")


def _lose_action(world: World, action: str) -> None:
    for statement in world["role_policies"][0]["Statement"]:
        statement["Action"] = [a for a in statement["Action"] if a != action]


def _stick(thing: World, since: str, finalizer: str) -> None:
    thing["metadata"].update(deletionTimestamp=since, finalizers=[finalizer])


def _second_group(world: World, *tags: dict[str, str]) -> None:
    world["security_groups"].append(group("sg-second", list(tags)))
    world["network_interfaces"][0]["Groups"].append({"GroupId": "sg-second"})


def _tags(world: World, subnet: int) -> list[dict[str, str]]:
    return world["subnets"][subnet]["Tags"]


def _strange(world: World, name: str, tags: dict[str, str], vpc: str = VPC) -> None:
    """One more load balancer with a target group that nothing stands for."""
    world["load_balancers"].append(balancer(name, vpc))
    world["tags"][balancer(name)["LoadBalancerArn"]] = tags


def _strange_group(world: World, name: str, tags: dict[str, str], vpc: str = VPC) -> None:
    world["target_groups"].append(target_group(name, vpc) | {"LoadBalancerArns": []})
    world["tags"][group_arn(name)] = tags
    world["health"][group_arn(name)] = []


def _add(world: World, fact: str, *things: object) -> None:
    world[fact].extend(things)


def warning(kind: str, namespace: str, at: dt.datetime) -> World:
    return event(kind, namespace, "web", severity="Warning", reason="FailedBuildModel", at=at)


def _health(world: World, **health: str) -> None:
    world["health"][group_arn("alb")][0]["TargetHealth"] = health


def _certificate(world: World, **how: object) -> None:
    _, world["serving_certificate"] = certificates(**how)  # pyright: ignore[reportArgumentType]


_GONE = {TAG: NAME, "service.k8s.aws/stack": "nlb/gone"}
_GONE_GROUP = {TAG: NAME, "ingress.k8s.aws/stack": "payments"}
_INTERFACE = {"NetworkInterfaceId": "eni-left", "Groups": [], "PrivateIpAddresses": []}

CASES = [
    Case("controller-is-ready", lambda w: w.update(deployments=[], service_account=None), "no Deployment carries"),
    Case("controller-is-ready", lambda w: w["deployments"][0]["status"].update(readyReplicas=1), "1 of 2 pods"),
    Case("controller-is-ready", lambda w: w["deployments"].append(w["deployments"][0]), "two controllers"),
    Case("controller-version-is-known", lambda w: _image(w, "registry:5000/controller:v2.4.0"), "version 2.4.0"),
    Case("controller-version-is-known", lambda w: _image(w, "registry:5000/controller@sha256:0"), "none in its tag"),
    Case("controller-is-told-its-cluster", lambda w: _without(w, "cluster-name"), "--cluster-name is not given"),
    Case(
        "controller-is-told-its-cluster",
        lambda w: (_without(w, "aws-vpc-id"), _arguments(w).append("--aws-vpc-id=vpc-2")),
        "--aws-vpc-id is vpc-2",
    ),
    Case("controller-finds-region-and-vpc", lambda w: _without(w, "aws-region", "aws-vpc-id"), "hop limit 1"),
    Case("crds-are-as-new-as-the-controller", lambda w: w["crds"].pop(), "is not there"),
    Case(
        "crds-are-as-new-as-the-controller",
        lambda w: [v["schema"].clear() for crd in w["crds"] for v in crd["spec"]["versions"]],
        "multiClusterTargetGroup",
    ),
    Case("webhooks-have-endpoints", lambda w: w["endpoint_slices"].pop(), "no ready endpoint"),
    Case("webhook-certificate-is-believed", lambda w: w.update(serving_certificate=None), "not there"),
    Case("webhook-certificate-is-believed", lambda w: _certificate(w, days=700, host="x.y.svc"), "is for x.y.svc"),
    Case("webhook-certificate-is-believed", lambda w: _certificate(w, days=-1), "expired on 2026-11-24"),
    Case("webhook-certificate-is-believed", lambda w: _certificate(w, days=3), "expires on 2026-11-28"),
    Case(
        "webhook-certificate-is-believed",
        lambda w: w["webhooks"][0]["webhooks"][1]["clientConfig"].update(caBundle=""),
        "caBundle of mservice.elbv2.k8s.aws",
    ),
    Case("controller-has-a-role", lambda w: w["service_account"]["metadata"]["annotations"].clear(), "no annotation"),
    Case("controller-has-a-role", lambda w: w.update(role=None), "is not there"),
    Case(
        "controller-has-a-role",
        lambda w: w["service_account"]["metadata"]["annotations"].update(
            {"eks.amazonaws.com/role-arn": "arn:aws-cn:iam::999999999999:role/controller"}
        ),
        "account 999999999999 in aws-cn",
    ),
    Case("controller-pods-carry-the-role", lambda w: _environment(w).clear(), "AWS_ROLE_ARN is not set"),
    Case("controller-pods-carry-the-role", lambda w: _environment(w)[0].update(value="arn:old"), "is arn:old"),
    Case(
        "controller-pods-carry-the-role",
        lambda w: _environment(w).clear(),
        "no AWS_CONTAINER_CREDENTIALS_FULL_URI",
        healthy_with_pod_identity,
    ),
    Case("issuer-has-an-oidc-provider", lambda w: w["oidc_providers"].clear(), f"https://{ISSUER}"),
    Case("oidc-provider-takes-tokens-for-sts", lambda w: w["oidc_providers"][0].update(ClientIDList=["x"]), "are x"),
    Case("role-trusts-the-service-account", _trust_another_issuer, "id/OTHER"),
    Case("role-trusts-the-service-account", _rename_sub, "default:controller"),
    Case("role-trusts-the-service-account", _equal_a_wildcard, "kube-system:*"),
    Case("role-trusts-nobody-else", _widen, "sub is compared by StringLike"),
    Case("role-trusts-nobody-else", lambda w: _condition(w)["StringEquals"].pop(f"{ISSUER}:aud"), "aud is compared by"),
    Case(
        "role-trusts-nobody-else",
        lambda w: w["role"]["AssumeRolePolicyDocument"]["Statement"].append(
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        ),
        "everybody",
    ),
    Case("role-trusts-nobody-else", lambda w: _share_with_another_cluster(w, "StringLike"), "sub is compared by"),
    Case("pod-identity-has-its-agent", lambda w: w.update(addons=()), "no eks-pod-identity", healthy_with_pod_identity),
    Case(
        "role-trusts-pod-identity",
        lambda w: w["role"]["AssumeRolePolicyDocument"]["Statement"][0].update(Action="sts:AssumeRole"),
        "sts:TagSession",
        healthy_with_pod_identity,
    ),
    Case(
        "role-may-do-what-the-controller-does",
        lambda w: _lose_action(w, "ec2:DescribeRouteTables"),
        "3.5.0 needs ec2:DescribeRouteTables,",
    ),
    Case(
        "role-may-do-what-the-controller-does",
        lambda w: w.update(boundary={"Statement": {"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}}),
        "ec2:CreateSecurityGroup",
    ),
    Case(
        "role-may-do-what-the-controller-does",
        lambda w: w["role_policies"].append(
            {"Statement": [{"Effect": "Deny", "Action": "ec2:*Tags", "Resource": "*"}]}
        ),
        "ec2:CreateTags, ec2:DeleteTags, ec2:DescribeTags,",
    ),
    Case("role-may-do-what-the-controller-does", lambda w: _lose_action(w, "acm:ListCertificates"), "acm:ListCert"),
    Case(
        "role-is-narrowed-to-this-cluster",
        lambda w: w.update(role_policies=json.loads(json.dumps(w["role_policies"]).replace(f'"{NAME}"', '"old"'))),
        f"{TAG}=old, and the cluster is {NAME}",
    ),
    Case("subnets-are-tagged-for-load-balancers", lambda w: _tags(w, 3).clear(), "role/internal-elb"),
    Case("subnets-are-tagged-for-load-balancers", lambda w: _tags(w, 0).clear(), "internet-facing load balancers"),
    Case(
        "subnets-are-not-another-clusters",
        lambda w: _tags(w, 2).append(tag("kubernetes.io/cluster/other", "shared")),
        "kubernetes.io/cluster/other",
    ),
    Case("subnets-match-their-routes", lambda w: w["route_tables"].pop(0), "no internet gateway"),
    Case("subnets-match-their-routes", lambda w: w["load_balancers"][0].update(Scheme="internet-facing"), "lies in"),
    Case("subnets-have-room", lambda w: w["subnets"][2].update(AvailableIpAddressCount=7), "7 addresses are free"),
    Case("subnets-have-room", lambda w: w["subnets"][2].update(CidrBlock="10.0.10.0/28"), "smaller than /27"),
    Case(
        "interfaces-have-one-tagged-security-group",
        lambda w: _second_group(w, tag(f"kubernetes.io/cluster/{NAME}", "owned")),
        "sg-cluster and sg-second",
    ),
    Case(
        "interfaces-have-one-tagged-security-group",
        lambda w: (_second_group(w), w["security_groups"][0]["Tags"].clear()),
        "none",
    ),
    Case(
        "webhook-port-is-open-to-the-control-plane",
        lambda w: w["security_groups"][0]["IpPermissions"].pop(0),
        "TCP 9443",
    ),
    Case("load-balancers-reach-the-pods", lambda w: w["security_groups"][0]["IpPermissions"].pop(), "TCP 8080"),
    Case(
        "objects-are-not-stuck",
        lambda w: _stick(w["services"][1], _LONG_AGO, "service.k8s.aws/resources"),
        "held by service.k8s.aws/resources",
    ),
    Case(
        "objects-have-no-warnings",
        lambda w: _add(w, "events", warning("Ingress", "alb", NOW)),
        "FailedBuildModel",
    ),
    Case("ingresses-have-a-class", lambda w: w["ingress_classes"].clear(), "alb is not there"),
    Case("ingresses-have-a-class", lambda w: w["ingresses"][0].update(spec={}), "no class is the default"),
    Case("ingresses-have-a-class", lambda w: w["ingress_class_params"].clear(), "IngressClassParams alb"),
    Case(
        "bindings-name-a-target-group",
        lambda w: w["bindings"][0]["spec"].update(targetGroupARN="arn:gone"),
        "arn:gone is not there",
    ),
    Case("targets-are-the-ready-pods", lambda w: w["health"][group_arn("alb")].pop(), "ready and no target: 10.0.11.6"),
    Case(
        "targets-are-the-ready-pods",
        lambda w: w["endpoint_slices"][0]["endpoints"][0]["conditions"].update(ready=False),
        "target and not ready: 10.0.10.6",
    ),
    Case(
        "targets-are-healthy",
        lambda w: _health(w, State="unhealthy", Reason="Target.Timeout", Description="Request timed out"),
        "10.0.10.6:8080 (alb/web-alb-1) unhealthy: Target.Timeout Request timed out",
    ),
    Case("no-load-balancer-is-left-over", lambda w: _strange(w, "left", _GONE), "made for nlb/gone"),
    Case("no-target-group-is-left-over", lambda w: _strange_group(w, "left", _GONE_GROUP), "made for payments"),
    Case(
        "no-security-group-is-left-over",
        lambda w: _add(w, "security_groups", group("sg-left", [tag(k, v) for k, v in _GONE.items()])),
        "nlb/gone",
    ),
    Case(
        "no-interface-is-left-over",
        lambda w: _add(
            w,
            "network_interfaces",
            _INTERFACE | {"Status": "available", "TagSet": [tag("cluster.k8s.amazonaws.com/name", NAME)]},
        ),
        "attached to nothing",
    ),
    Case(
        "no-interface-is-left-over",
        lambda w: _add(
            w,
            "network_interfaces",
            _INTERFACE | {"Status": "in-use", "Description": "ELB net/gone/1", "TagSet": [tag(TAG, NAME)]},
        ),
        "net/gone/1",
    ),
    Case("cluster-name-is-unique", lambda w: _strange(w, "twin", {TAG: NAME}, "vpc-2"), "load balancer twin"),
    Case(
        "cluster-name-is-unique",
        lambda w: _add(w, "security_groups", group("sg-twin", [tag(TAG, NAME)]) | {"VpcId": "vpc-2"}),
        "security group sg-twin",
    ),
    Case("cluster-name-is-unique", lambda w: _strange_group(w, "twin", {TAG: NAME}, "vpc-2"), "target group twin"),
]


FINE: list[tuple[str, Callable[[World], object]]] = [
    ("pods in the node's network ask the metadata service themselves", lambda w: (
        _without(w, "aws-region", "aws-vpc-id"),
        w["deployments"][0]["spec"]["template"]["spec"].update(hostNetwork=True),
    )),
    ("a hop limit of 2 lets pods ask", lambda w: (
        _without(w, "aws-region", "aws-vpc-id"),
        [i["MetadataOptions"].update(HttpPutResponseHopLimit=2) for i in w["instances"]],
    )),
    ("what is being deleted since a minute is not stuck", lambda w: _stick(
        w["services"][1], _MINUTE_AGO, "service.k8s.aws/resources"
    )),
    ("somebody else's finalizer is not ours to judge", lambda w: _stick(w["services"][0], _LONG_AGO, "x.io/y")),
    ("a warning that was followed by success is over", lambda w: w["events"].insert(
        0, warning("Service", "nlb", NOW - dt.timedelta(minutes=5))
    )),
    ("an old warning is over", lambda w: _add(
        w, "events", warning("Ingress", "alb", NOW - dt.timedelta(hours=2))
    )),
    ("an Ingress in a group stands for the group's things", lambda w: (
        w["ingresses"][0]["metadata"]["annotations"].update({"alb.ingress.kubernetes.io/group.name": "payments"}),
        _strange_group(w, "shared", _GONE_GROUP),
    )),
    ("a group named by the class stands for the group's things", lambda w: (
        w["ingress_class_params"][0]["spec"].update(group={"name": "payments"}),
        _strange_group(w, "shared", _GONE_GROUP),
    )),
    ("a draining target is on its way out", lambda w: w["health"][group_arn("alb")].append(
        {"Target": {"Id": "10.0.10.99", "Port": 8080}, "TargetHealth": {"State": "draining"}}
    )),
    ("another cluster's targets in a shared group are its own business", lambda w: (
        w["bindings"][0]["spec"].update(multiClusterTargetGroup=True),
        w["health"][group_arn("alb")].append(
            {"Target": {"Id": "10.9.9.9", "Port": 8080}, "TargetHealth": {"State": "healthy"}}
        ),
    )),
    ("another cluster's load balancer in another VPC is not ours", lambda w: _strange(
        w, "theirs", {TAG: "other", "service.k8s.aws/stack": "a/b"}, "vpc-2"
    )),
    ("a second group without the tag does no harm", _second_group),
    ("an action pattern allows what it matches", lambda w: w.update(
        role_policies=[{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}]
    )),
    ("a load balancer without security groups is let in by its subnets' range", lambda w: (
        [b.update(SecurityGroups=[]) for b in w["load_balancers"]],
        w["security_groups"][0]["IpPermissions"].append(
            {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
        ),
    )),
    ("subnets tagged for this cluster and another are shared", lambda w: _tags(w, 2).extend(
        [tag("kubernetes.io/cluster/other", "shared"), tag(f"kubernetes.io/cluster/{NAME}", "shared")]
    )),
    ("webhooks of others are theirs", lambda w: w["webhooks"][0]["webhooks"].append(
        {"name": "x.example.com", "clientConfig": {"url": "https://x", "caBundle": ""}}
    )),
    ("another cluster may share the role as tightly", lambda w: _share_with_another_cluster(w, "StringEquals")),
    ("EKS Auto Mode has a controller of its own", lambda w: w.update(
        deployments=[], service_account=None, role=None, webhooks=[],
        cluster={**w["cluster"], "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": True}}},
    )),
    ("two controllers of two classes keep apart", lambda w: (
        w["deployments"].append(copy.deepcopy(w["deployments"][0])),
        w["deployments"][1]["spec"]["template"]["spec"]["containers"][0]["args"].append("--ingress-class=other"),
    )),
    ("UDP is let in by a rule for UDP", lambda w: (
        w["target_groups"][0].update(Protocol="UDP"),
        w["security_groups"][0]["IpPermissions"].append(
            {"IpProtocol": "udp", "FromPort": 0, "ToPort": 65535, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ),
    )),
    ("a subnet of IPv6 alone has no count of addresses", lambda w: (
        w["subnets"][2].pop("CidrBlock"), w["subnets"][2].update(AvailableIpAddressCount=0),
    )),
    ("a pod that waits for its gate is a target and not ready yet", lambda w: (
        w["endpoint_slices"][0]["endpoints"][0]["conditions"].update(ready=False), _health(w, State="initial"),
    )),
    ("the controller was told by which further tag to choose", lambda w: (
        _second_group(w, tag(f"kubernetes.io/cluster/{NAME}", "owned"), tag("team", "shop")),
        _arguments(w).append("--service-target-eni-security-group-tags=team=shop"),
    )),
]  # fmt: skip
"""What looks like a fault and is none: nothing may be found."""
