"""Ways to break a healthy world, and to add to it."""

import copy
import datetime as dt
import json

from eks_load_balancing.controller.statements import TAG
from tests.unit.doctor.certificates import certificates
from tests.unit.doctor.healthy_aws import (
    CONTROLLER,
    ISSUER,
    NAME,
    NOW,
    VPC,
    World,
    balancer,
    group,
    group_arn,
    target_group,
)

LONG_AGO = (NOW - dt.timedelta(hours=1)).isoformat()
MINUTE_AGO = (NOW - dt.timedelta(minutes=1)).isoformat()
GONE = {TAG: NAME, "service.k8s.aws/stack": "nlb/gone"}
GONE_GROUP = {TAG: NAME, "ingress.k8s.aws/stack": "payments"}
INTERFACE = {"NetworkInterfaceId": "eni-left", "Groups": [], "PrivateIpAddresses": []}


def condition(world: World) -> dict[str, dict[str, str]]:
    return world["role"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]


def arguments(world: World) -> list[str]:
    return world["deployments"][0]["spec"]["template"]["spec"]["containers"][0]["args"]


def without(world: World, *flags: str) -> None:
    arguments(world)[:] = [a for a in arguments(world) if not a.startswith(tuple(f"--{flag}=" for flag in flags))]


def second_controller(world: World) -> list[World]:
    world["deployments"].append(copy.deepcopy(world["deployments"][0]))
    return world["deployments"]


def image(world: World, image: str) -> None:
    world["deployments"][0]["spec"]["template"]["spec"]["containers"][0]["image"] = image


def rename_sub(world: World) -> None:
    condition(world)["StringEquals"][f"{ISSUER}:sub"] = "system:serviceaccount:default:controller"


def widen(world: World) -> None:
    sub = condition(world)["StringEquals"].pop(f"{ISSUER}:sub")
    condition(world)["StringLike"] = {f"{ISSUER}:sub": sub.replace(CONTROLLER, "*")}


def equal_a_wildcard(world: World) -> None:
    """A wildcard is none under StringEquals."""
    condition(world)["StringEquals"][f"{ISSUER}:sub"] = "system:serviceaccount:kube-system:*"


def share_with_another_cluster(world: World, operator: str) -> None:
    other = json.loads(json.dumps(world["role"]["AssumeRolePolicyDocument"]["Statement"][0]).replace("ABCDEF", "OTHER"))
    other["Condition"] = {operator: other["Condition"]["StringEquals"]}
    world["role"]["AssumeRolePolicyDocument"]["Statement"].append(other)


def environment(world: World) -> list[dict[str, str]]:
    return world["pods"][0]["spec"]["containers"][0]["env"]


def trust_another_issuer(world: World) -> None:
    statement = world["role"]["AssumeRolePolicyDocument"]["Statement"][0]
    statement["Principal"]["Federated"] = statement["Principal"]["Federated"].replace("ABCDEF", "OTHER")


def lose_action(world: World, action: str) -> None:
    for statement in world["role_policies"][0]["Document"]["Statement"]:
        statement["Action"] = [a for a in statement["Action"] if a != action]


def inline(document: object) -> World:
    """An inline policy of the role."""
    return {"Name": "planted", "Arn": None, "Document": document}


def stick(thing: World, since: str, finalizer: str) -> None:
    thing["metadata"].update(deletionTimestamp=since, finalizers=[finalizer])


def second_group(world: World, *tags: dict[str, str]) -> None:
    world["security_groups"].append(group("sg-second", list(tags)))
    world["network_interfaces"][0]["Groups"].append({"GroupId": "sg-second"})


def tags(world: World, subnet: int) -> list[dict[str, str]]:
    return world["subnets"][subnet]["Tags"]


def strange(world: World, name: str, tags: dict[str, str], vpc: str = VPC) -> None:
    """One more load balancer with a target group that nothing stands for."""
    world["load_balancers"].append(balancer(name, vpc))
    world["tags"][balancer(name)["LoadBalancerArn"]] = tags


def strange_group(world: World, name: str, tags: dict[str, str], vpc: str = VPC) -> None:
    world["target_groups"].append(target_group(name, vpc) | {"LoadBalancerArns": []})
    world["tags"][group_arn(name)] = tags
    world["health"][group_arn(name)] = []


def add(world: World, fact: str, *things: object) -> None:
    world[fact].extend(things)


def health(world: World, **health: str) -> None:
    world["health"][group_arn("alb")][0]["TargetHealth"] = health


def certificate(world: World, **how: object) -> None:
    _, world["serving_certificate"] = certificates(**how)  # pyright: ignore[reportArgumentType]


def annotate(thing: World, **annotations: str) -> None:
    """Annotate an object with the prefix of Ingresses."""
    thing["metadata"]["annotations"].update({f"alb.ingress.kubernetes.io/{k}": v for k, v in annotations.items()})


def lose_balancer(world: World, name: str = "alb") -> None:
    """Delete a load balancer by hand; its target group stays."""
    arn = balancer(name)["LoadBalancerArn"]
    world["load_balancers"] = [b for b in world["load_balancers"] if b["LoadBalancerArn"] != arn]
    del world["listeners"][arn]


def forward(world: World, **weights: int) -> None:
    """Let the ALB's rule forward to target groups with weights."""
    groups = [{"TargetGroupArn": group_arn(name), "Weight": weight} for name, weight in weights.items()]
    world["rules"]["alb-80"] = (
        {"IsDefault": True, "Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]},
    )


def answer_503(world: World, body: str) -> None:
    """Let the ALB's rule answer 503, as the controller does for a backend that does not exist."""
    fixed = {"StatusCode": "503", "ContentType": "text/plain", "MessageBody": body}
    world["rules"]["alb-80"] = (
        {"IsDefault": True, "Actions": [{"Type": "fixed-response", "FixedResponseConfig": fixed}]},
    )


def backend(world: World, service: str, port: object = 80) -> None:
    """Let the Ingress name a backend; a port of type str is a name."""
    named = {"name": port} if isinstance(port, str) else {"number": port}
    world["ingresses"][0]["spec"]["defaultBackend"] = {"service": {"name": service, "port": named}}


def conditions(pod: World, **statuses: str) -> None:
    """Set conditions of a pod."""
    given = [{"type": kind, "status": status} for kind, status in statuses.items()]
    kept = [c for c in pod["status"]["conditions"] if c["type"] not in statuses]
    pod["status"]["conditions"] = [*kept, *given]


def gate(pod: World, binding: str, **condition: str) -> None:
    """Give a pod whose containers are ready a readiness gate that is not met."""
    kind = f"target-health.elbv2.k8s.aws/{binding}"
    pod["spec"]["readinessGates"] = [{"conditionType": kind}]
    conditions(pod, Ready="False")
    if condition:
        pod["status"]["conditions"].append({"type": kind, "status": "False", **condition})


def waiting(pod: World, reason: str, message: str = "m") -> None:
    """Let a pod's container wait."""
    conditions(pod, Ready="False", ContainersReady="False")
    pod["status"]["containerStatuses"] = [
        {"name": "web", "image": "shop/web:1", "state": {"waiting": {"reason": reason, "message": message}}}
    ]


def no_targets(world: World) -> None:
    """Leave the ALB's target group without targets, and its Service without ready endpoints."""
    world["health"][group_arn("alb")].clear()
    world["endpoint_slices"][0]["endpoints"].clear()


def policy(namespace: str, rules: list[World], name: str = "deny") -> World:
    """A NetworkPolicy for all pods of a namespace."""
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": rules}
    return {"kind": "NetworkPolicy", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def in_group(world: World, name: str) -> None:
    """Let Ingresses of two namespaces share a group."""
    other = copy.deepcopy(world["ingresses"][0])
    other["metadata"]["namespace"] = "nlb"
    world["ingresses"].append(other)
    for ingress in world["ingresses"]:
        annotate(ingress, **{"group.name": name})
    world["tags"][balancer("alb")["LoadBalancerArn"]]["ingress.k8s.aws/stack"] = name
