"""Programs with one fault each, as data for `programs/`: compliant resources that refer to each other, and one edit.

The unit tests' faults are used here too, so that the engine sees the same faults.
"""

from copy import deepcopy
from typing import Any

from fixtures.policies import ACCOUNT, ALB, resource
from pack.registry import MANDATORY
from rules import RULES
from tests.policies.cases import CASES, alb, nlb
from tests.policies.harness import changed

Program = dict[str, tuple[str, dict[str, Any]]]

_ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/one"


def _id(name: str) -> dict[str, str]:
    return {"$id": name}


def _with_attribute(attribute: str) -> dict[str, str]:
    """An attribute in addition to those of a compliant Ingress."""
    given = resource("ingress")[1]["metadata"]["annotations"][f"{ALB}load-balancer-attributes"]
    return {alb("load-balancer-attributes"): f"{given},{attribute}"}


_SUBNETS = [_id("subnet"), _id("other-subnet")]
# What providers require in addition to the rules' subjects, and how the resources refer to each other; in the order of
# their declaration.
_MORE: dict[str, dict[str, Any]] = {
    "vpc": {"cidrBlock": "10.0.0.0/16"},
    "subnet": {"id": None, "vpcId": _id("vpc"), "cidrBlock": "10.0.0.0/24"},
    "other-subnet": {"id": None, "vpcId": _id("vpc"), "cidrBlock": "10.0.1.0/24"},
    "security-group": {"vpcId": _id("vpc"), "description": "one"},
    "launch-template": {},
    "role": {"arn": None, "inlinePolicies": None},
    "access-policy": {"clusterName": "main"},
    "http-listener": {"loadBalancerArn": f"arn:aws:elasticloadbalancing:us-west-2:{ACCOUNT}:loadbalancer/app/one/1"},
    "foreign-role": {"arn": None},
    "service": {nlb("name"): "edge"},
    "node-role": {"inlinePolicies": None, "managedPolicyArns": None},
    "pod-identity-role": {"arn": None},
    "policy": {"arn": None},
    "role-policy": {"role": _id("role")},
    "attachment": {"role": _id("node-role")},
    "oidc-provider": {},
    "cluster": {"roleArn": _ROLE_ARN, "vpcConfig/subnetIds": _SUBNETS},
    "node-group": {
        "clusterName": "main",
        "subnetIds": _SUBNETS,
        "nodeRoleArn": _ROLE_ARN,
        "launchTemplate": {"id": _id("launch-template"), "version": "1"},
        "scalingConfig": {"minSize": 1, "desiredSize": 1, "maxSize": 1},
    },
    "node-group-with-ssh": {
        "clusterName": "main",
        "subnetIds": _SUBNETS,
        "nodeRoleArn": _ROLE_ARN,
        "scalingConfig": {"minSize": 1, "desiredSize": 1, "maxSize": 1},
    },
    "service-account": {"metadata/annotations/eks.amazonaws.com~role-arn": _id("role")},
    "pod-identity": {"clusterName": "main", "roleArn": _id("pod-identity-role")},
}
_EXTRA: Program = {"vpc": ("aws:ec2/vpc:Vpc", {})}

# Faults that differ from the unit tests': in another resource, or in a reference to another.
_OTHERWISE: dict[str, tuple[str, dict[str, Any]]] = {
    "irsa-role-serves-one-service-account": ("pod-identity", {"roleArn": _id("role")}),
    "node-role-leaves-load-balancers-alone": ("attachment", {"policyArn": _id("policy")}),
    "alb-does-not-only-monitor-desync": ("ingress", _with_attribute("routing.http.desync_mitigation_mode=monitor")),
    "alb-waf-fails-closed": ("ingress", _with_attribute("waf.fail_open.enabled=true")),
    # a log-in is refused by another rule too, in a namespace like this one
    "ingress-asks-for-what-the-controller-may": ("ingress", {alb("certificate-arn"): None}),
    # named groups are refused by another rule too, in a namespace like this one
    "source-ranges-take-effect": ("service", {nlb("disable-nlb-sg"): "true"}),
}
_WORLDS: dict[str, tuple[str, ...]] = {
    "node-role-leaves-load-balancers-alone": ("policy", "node-role"),
    "load-balancer-name-is-given-once": ("service",),
}
# Resources that must be added so that no other rule refuses it.
_BESIDE: dict[str, tuple[str, ...]] = {"controller": ("budget",), "controller-for-others": ("budget",)}
_LEFT_OUT = frozenset(
    {
        # the stand-in provider does not know these types and inputs
        "no-iam-access-keys",
        "listener-tls-is-1-2-or-later",
        "node-group-ssh-names-its-sources",
        "own-public-alb-has-a-web-acl",
        # to share a group by annotation is refused by another rule
        "ingress-group-order-is-given-once",
        # a public ALB is refused in prod unless its namespace is allowed
        "public-alb-has-a-web-acl",
    }
)


def faults() -> list[str]:
    """Every mandatory rule for which there is a program: the program with its fault has the rule's name."""
    return [name for name, rule in RULES.items() if rule.prod is MANDATORY and name not in _LEFT_OUT]


def program(rule: str, *, faulty: bool) -> Program:
    """The program for a rule, with or without its fault."""
    case = CASES[rule]
    on, edits = _OTHERWISE.get(rule, (case.on, case.broken))
    names = [on, *_WORLDS.get(rule, case.world), case.on]
    names += [other for name in names for other in _BESIDE.get(name, ())]
    wanted = _with_references(names)
    made = {name: _declared(name) for name in [*_MORE, *names] if name in wanted}
    made |= {name: _declared(name) for name in wanted if name not in made}
    if faulty:
        token, props = made[on]
        made[on] = (token, changed(props, edits))
        missing = [name for name in _references(edits) if name not in made]
        made = {**{name: _declared(name) for name in missing}, **made}
    return made


def _declared(name: str) -> tuple[str, dict[str, Any]]:
    token, props = _EXTRA[name] if name in _EXTRA else resource(name)
    return token, changed(deepcopy(props), _MORE.get(name, {}))


def _with_references(names: list[str]) -> set[str]:
    found, new = {"vpc"}, set(names)
    while new:
        found |= new
        new = {other for name in new for other in _references(_declared(name)[1])} - found
    return found


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        if "$id" in value:
            return {value["$id"]}
        return {name for item in value.values() for name in _references(item)}
    return {name for item in value for name in _references(item)} if isinstance(value, list) else set()
