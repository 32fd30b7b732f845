"""Ways to evade a rule, and false alarms for well-meaning users."""

import json
from typing import Any

import pytest

from fixtures.policies import ACCOUNT, ISSUER, LABELS, NLB, resource, trust
from rules import RULES
from tests.policies.cases import alb, nlb
from tests.policies.harness import changed, refusals

Tried = tuple[str, str, dict[str, Any]]
"""Rule, compliant resource, and the changes to it."""

_SUB, _AUD = f"{ISSUER}:sub", f"{ISSUER}:aud"
_ACCOUNT = "system:serviceaccount:kube-system:aws-load-balancer-controller"
_ONE, _STS = {_SUB: _ACCOUNT}, {_AUD: "sts.amazonaws.com"}
_TAG = "aws:ResourceTag/elbv2.k8s.aws/cluster"
_DELETE = "elasticloadbalancing:DeleteLoadBalancer"
_TERMINATE = "ec2:TerminateInstances"
_ARGS = "spec/template/spec/containers/0/args"
_IMAGE = "spec/template/spec/containers/0/image"
_SECURITY = "spec/template/spec/containers/0/securityContext"
_RANGES = "metadata/annotations/service.beta.kubernetes.io~load-balancer-source-ranges"


def _trusted(condition: Any = None, **more: Any) -> dict[str, Any]:
    """A trust policy with another condition or other elements in its statement."""
    document = trust()
    [statement] = document["Statement"]
    if condition is not None:
        statement["Condition"] = condition
    return {"assumeRolePolicy": json.dumps({**document, "Statement": {**statement, **more}})}


def _two_statements() -> dict[str, Any]:
    first, second = trust()["Statement"], trust()["Statement"]
    second[0]["Condition"]["StringEquals"][_SUB] = "system:serviceaccount:shop:one"
    return {"assumeRolePolicy": json.dumps({"Statement": [*first, *second]})}


def _allowed(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"policy": json.dumps({"Statement": {"Effect": "Allow", "Action": action, "Resource": resource, **more}})}


def _given(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


_TRUST = "irsa-trust-names-one-service-account"
_NAMES, _WRITES, _BOUND = (
    "policy-names-its-actions",
    "policy-names-what-it-writes-to",
    "controller-policy-is-bound-to-its-cluster",
)
_EVERYBODY = "role-is-not-trusted-to-everybody"
_WORLD, _DOORS = "cluster-endpoint-is-not-open-to-the-world", "node-doors-are-not-open-to-the-world"
_LEGACY, _REGISTRY = "controller-refuses-legacy-annotations", "controller-image-comes-from-an-allowed-registry"
_EFFECT = "source-ranges-take-effect"
_INTERNAL = "load-balancer-is-internal-unless-its-namespace-may-be-public"
_AUTO = {"spec/loadBalancerClass": "eks.amazonaws.com/nlb"}

REFUSED: list[Tried] = [
    # trust: an operator that is true of a token without the key, or of more than one name
    (_TRUST, "role", _trusted({"ForAllValues:StringEquals": _ONE, "StringEquals": _STS})),
    (_TRUST, "role", _trusted({"StringEqualsIfExists": _ONE, "StringEquals": _STS})),
    (_TRUST, "role", _trusted({"StringEqualsIgnoreCase": {**_ONE, **_STS}})),
    (_TRUST, "role", _trusted({"StringEquals": {**_STS, _SUB: []}})),
    (_TRUST, "role", _trusted({"StringEquals": {**_STS, _SUB: "system:serviceaccount:kube-system:"}})),
    (_TRUST, "role", _trusted({"StringNotEquals": {_SUB: "x"}, "StringEquals": _STS})),
    (_TRUST, "role", _trusted({})),
    # trust: the same by another action or another way to write it
    (_TRUST, "role", _trusted({"StringEquals": _STS}, Action="STS:assumerolewithWEBIDENTITY")),
    (_TRUST, "role", _trusted({"StringEquals": _STS}, Action="sts:AssumeRoleWith*")),
    (_TRUST, "role", _trusted({"StringEquals": _STS}, Action=None, NotAction="sts:TagSession")),
    (_TRUST, "role", _two_statements()),
    (
        _TRUST,
        "role",
        {
            "assumeRolePolicy": json.dumps(trust("oidc-eks.us-west-2.api.aws/id/AB")).replace(
                "StringEquals", "StringLike"
            )
        },
    ),
    ("irsa-trust-audience-is-sts", "role", _trusted({"ForAllValues:StringEquals": _STS, "StringEquals": _ONE})),
    ("irsa-trust-audience-is-sts", "role", _trusted({"StringEquals": {**_ONE, _AUD: ["sts.amazonaws.com", "vault"]}})),
    (_EVERYBODY, "role", _trusted(Principal={"AWS": [f"arn:aws:iam::{ACCOUNT}:root", "*"]})),
    (_EVERYBODY, "role", _trusted(Principal=None, NotPrincipal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})),
    (_EVERYBODY, "role", _trusted({"StringLike": {"aws:PrincipalOrgID": "*"}}, Principal="*")),
    # permissions: wildcards in other places, other signs, other cases
    (_NAMES, "policy", _allowed("ec2:*SecurityGroup*")),
    (_NAMES, "policy", _allowed("ec2:?erminateInstances", "arn:aws:ec2:us-west-2:123456789012:instance/i-1")),
    (_NAMES, "policy", _allowed("EC2:*")),
    (_NAMES, "policy", _allowed("*:*")),
    (_NAMES, "native-policy", {"policyDocument": {"Statement": {"Effect": "Allow", "NotAction": [], "Action": "a:*"}}}),
    (_WRITES, "policy", _allowed(_TERMINATE, "arn:aws:ec2:*:*:*")),
    (_WRITES, "policy", _allowed(_TERMINATE, "arn:*")),
    (_WRITES, "policy", _allowed("s3:DeleteBucket", ["arn:aws:s3:::one", "arn:aws:s3:::*"])),
    (_WRITES, "policy", _allowed(_TERMINATE, None, NotResource="arn:aws:ec2:*:*:instance/i-1")),
    (_WRITES, "policy", _allowed(_TERMINATE, **_given("StringNotEquals", "aws:ResourceTag/team", "shop"))),
    (_WRITES, "policy", _allowed(_TERMINATE, **_given("StringEqualsIfExists", "aws:ResourceTag/team", "shop"))),
    (_WRITES, "policy", _allowed(_TERMINATE, **_given("ForAllValues:StringEquals", "aws:ResourceTag/team", "shop"))),
    (_WRITES, "policy", _allowed(_TERMINATE, **_given("StringLike", "aws:ResourceTag/team", "*"))),
    (_WRITES, "policy", _allowed(_TERMINATE, **_given("Null", "aws:ResourceTag/team", "true"))),
    (_BOUND, "policy", _allowed("ELASTICLOADBALANCING:deleteloadbalancer")),
    (_BOUND, "policy", _allowed("elasticloadbalancing:Delete*")),
    (_BOUND, "policy", _allowed("*")),
    (_BOUND, "policy", _allowed(_DELETE, **_given("ForAllValues:StringEquals", _TAG, "main"))),
    (_BOUND, "policy", _allowed(_DELETE, **_given("StringLike", _TAG, "*"))),
    (_BOUND, "policy", _allowed(_DELETE, **_given("StringEquals", "aws:RequestTag/elbv2.k8s.aws/cluster", "main"))),
    # networks: the world in two halves, or by another spelling
    (_WORLD, "cluster", {"vpcConfig/publicAccessCidrs": ["0.0.0.0/1", "128.0.0.0/1"]}),
    (_WORLD, "cluster", {"vpcConfig/publicAccessCidrs": []}),
    (_WORLD, "cluster", {"vpcConfig/publicAccessCidrs": ["203.0.113.0/24", "2000::/3"]}),
    (_DOORS, "security-group", {"ingress/0/cidrBlocks": ["0.0.0.0/1"]}),
    (
        _DOORS,
        "security-group",
        {"ingress/0": {"protocol": "TCP", "fromPort": "22", "toPort": "22", "ipv6CidrBlocks": ["0::/0"]}},
    ),
    (_DOORS, "ingress-rule", {"cidrIpv4": "0.0.0.0/0", "ipProtocol": -1.0}),
    # the controller: what counts is the last of two flags, and the arguments come after the command
    (
        _LEGACY,
        "controller",
        {
            f"{_ARGS}/0": "--disable-ingress-class-annotation=true",
            f"{_ARGS}/4": "--disable-ingress-class-annotation=false",
        },
    ),
    (
        _LEGACY,
        "controller",
        {
            "spec/template/spec/containers/0/command": ["/controller", "--disable-ingress-class-annotation=true"],
            f"{_ARGS}/4": "--disable-ingress-class-annotation=false",
        },
    ),
    (
        _REGISTRY,
        "controller",
        {_IMAGE: "evil.example/a.dkr.ecr.b.amazonaws.com/amazon/aws-load-balancer-controller:v3.5.0"},
    ),
    (
        _REGISTRY,
        "controller",
        {_IMAGE: "666666666666.dkr.ecr.us-west-2.amazonaws.com/amazon/aws-load-balancer-controller:v3.5.0"},
    ),
    (_REGISTRY, "controller", {_IMAGE: "public.ecr.aws/eks/../evil/aws-load-balancer-controller:v3.5.0"}),
    ("controller-security-context-is-hardened", "controller", {f"{_SECURITY}/capabilities": {"add": ["SYS_ADMIN"]}}),
    (
        "controller-security-context-is-hardened",
        "release",
        {"values/securityContext/capabilities": {"add": ["SYS_ADMIN"]}},
    ),
    ("workload-carries-no-static-aws-keys", "webhook-secret", {"data/AWS_SECRET_ACCESS_KEY": "c2VjcmV0"}),
    ("workload-carries-no-static-aws-keys", "webhook-secret", {"stringData": {"AWS_ACCESS_KEY_ID": "unknown"}}),
    # load balancers: Auto Mode's class, a Service over its Ingress, ranges that come to the world, no web ACL
    (_INTERNAL, "service", {**_AUTO, nlb("scheme"): "internet-facing"}),
    ("load-balancer-targets-are-pods", "service", {**_AUTO, nlb("nlb-target-type"): None}),
    (
        "load-balancer-targets-are-pods",
        "service",
        {"spec/type": "NodePort", "spec/loadBalancerClass": None, alb("target-type"): "instance"},
    ),
    (_EFFECT, "service", {"spec/loadBalancerSourceRanges": ["10.0.0.0/8", "0.0.0.0/0"]}),
    (_EFFECT, "service", {"spec/loadBalancerSourceRanges": ["10.0.0.0/8", "::/0"]}),
    (_EFFECT, "service", {"spec/loadBalancerSourceRanges": ["0.0.0.0/1", "128.0.0.0/1"]}),
    (_EFFECT, "service", {"spec/loadBalancerSourceRanges": None, _RANGES: "10.0.0.0/8 , 0.0.0.0/0"}),
    (_EFFECT, "ingress", {alb("inbound-cidrs"): " 10.0.0.0/8,0.0.0.0/0"}),
    ("source-ranges-are-given", "service", {"spec/loadBalancerSourceRanges": []}),
    ("public-alb-has-a-web-acl", "public-ingress", {alb("wafv2-acl-arn"): "none"}),
    ("public-alb-has-a-web-acl", "public-ingress", {alb("wafv2-acl-arn"): ""}),
    ("public-alb-has-a-web-acl", "class-params", {"spec/scheme": "internet-facing"}),
    (
        "gateway-listeners-choose-their-namespaces",
        "gateway",
        {"spec/listeners/0/allowedRoutes/namespaces": {"from": "Selector", "selector": {"matchLabels": {}}}},
    ),
]

_MACHINE = "metadataOptions"
ACCEPTED: list[Tried] = [
    (_TRUST, "role", _trusted({"StringEquals": {**_STS, _SUB: [_ACCOUNT]}})),
    (_TRUST, "role", _trusted({"StringEquals": {_SUB.upper(): _ACCOUNT, **_STS}})),
    (_TRUST, "role", {"assumeRolePolicy": trust()}),
    (
        _TRUST,
        "role",
        {
            "assumeRolePolicy": json.dumps(
                {"Statement": [*trust()["Statement"], *trust("oidc.eks.eu-west-1.amazonaws.com/id/B")["Statement"]]}
            )
        },
    ),
    (_EVERYBODY, "role", _trusted({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, Principal={"AWS": "*"})),
    (_NAMES, "policy", _allowed(["ec2:describe*", "EC2:GET*"])),
    (_WRITES, "policy", _allowed(_TERMINATE, "arn:aws:ec2:*:*:instance/*")),
    (_WRITES, "policy", _allowed(_TERMINATE, **_given("StringEquals", "ec2:ResourceTag/team", "shop"))),
    (_WRITES, "policy", _allowed(_TERMINATE, **_given("Null", "AWS:resourcetag/team", "false"))),
    (_BOUND, "policy", _allowed(_DELETE, "arn:aws:elasticloadbalancing:us-west-2:1:loadbalancer/app/mine/1")),
    (
        _BOUND,
        "policy",
        _allowed(_DELETE, **_given("StringEquals", "elasticloadbalancing:ResourceTag/elbv2.k8s.aws/cluster", "main")),
    ),
    ("instance-metadata-needs-a-token", "launch-template", {_MACHINE: {"httpEndpoint": "disabled"}}),
    ("instance-metadata-stays-on-the-node", "launch-template", {_MACHINE: {"httpEndpoint": "disabled"}}),
    (_LEGACY, "controller", {f"{_ARGS}/4": "--disable-ingress-class-annotation"}),
    (_EFFECT, "service", {"spec/loadBalancerSourceRanges": ["0.0.0.0/0", "::/0"]}),
    (_EFFECT, "service", {"spec/loadBalancerSourceRanges": ["10.0.0.0/9", "10.128.0.0/9"]}),
    (_EFFECT, "service", {"spec/loadBalancerSourceRanges": [], _RANGES: "10.0.0.0/8"}),
    (
        "load-balancer-writes-access-logs",
        "ingress",
        {alb("load-balancer-attributes"): " deletion_protection.enabled=true , access_logs.s3.enabled = True"},
    ),
    (
        "load-balancer-is-protected-from-deletion",
        "service",
        {nlb("attributes"): "deletion_protection.enabled=true, access_logs.s3.enabled=true"},
    ),
    ("load-balancer-targets-are-pods", "service", {"spec/type": "ClusterIP", alb("target-type"): "ip"}),
    ("public-alb-has-a-web-acl", "class-params", {"spec/scheme": "internet-facing", "spec/wafv2AclArn": "arn"}),
    (
        "gateway-listeners-choose-their-namespaces",
        "gateway",
        {
            "spec/listeners/0/allowedRoutes/namespaces": {
                "from": "Selector",
                "selector": {"matchLabels": {"team": "shop"}},
            }
        },
    ),
    ("load-balancer-annotations-are-on-the-allow-list", "service", {"metadata/annotations/example.com~mine": "1"}),
]


def _said(tried: Tried) -> list[str]:
    rule, on, edits = tried
    token, props = resource(on)
    return refusals(RULES[rule], {on: (token, changed(props, edits))})


@pytest.mark.parametrize("tried", REFUSED, ids=lambda tried: f"{tried[0]}-{REFUSED.index(tried)}")
def test_a_way_round_a_rule_is_refused_too(tried: Tried) -> None:
    assert _said(tried), tried


@pytest.mark.parametrize("tried", ACCEPTED, ids=lambda tried: f"{tried[0]}-{ACCEPTED.index(tried)}")
def test_what_is_well_meant_and_harmless_is_accepted(tried: Tried) -> None:
    assert _said(tried) == [], tried


_NODE_LBS = "node-role-leaves-load-balancers-alone"


@pytest.mark.parametrize("action", ["elasticloadbalancing:*", "elasticloadbalancing:Create*", "*"])
def test_a_node_role_that_may_manage_load_balancers_by_a_wildcard_is_refused(action: str) -> None:
    token, props = resource("node-role")
    document = json.dumps({"Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}})
    assert refusals(RULES[_NODE_LBS], {"nodes": (token, changed(props, {"inlinePolicies/0/policy": document}))})


@pytest.mark.parametrize(
    "policy", ["aws:policy/AdministratorAccess", "1:policy/team/AWSLoadBalancerControllerIAMPolicy"]
)
def test_a_node_role_that_carries_a_policy_made_elsewhere_is_known_by_its_name(policy: str) -> None:
    link, attached = resource("attachment")
    things = {
        "nodes": resource("node-role"),
        "link": (link, {**attached, "policyArn": f"arn:aws:iam::{policy}"}),
    }
    assert refusals(RULES[_NODE_LBS], things)


_SHARED = "irsa-role-serves-one-service-account"


def _users(**accounts: tuple[str, dict[str, Any]]) -> list[str]:
    return refusals(RULES[_SHARED], {"role": resource("role"), **accounts})


def test_a_service_account_found_in_two_ways_counts_once() -> None:
    token, props = resource("pod-identity")
    account = resource("service-account")
    same = {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/controller", "namespace": "kube-system"}
    assert _users(account=account, link=(token, {**props, **same, "serviceAccount": "one"})) == []
    assert _users(account=account, link=(token, {**props, **same, "serviceAccount": "two"}))


def test_an_add_on_that_takes_a_workloads_role_is_a_second_user() -> None:
    addon = ("aws:eks/addon:Addon", {"serviceAccountRoleArn": f"arn:aws:iam::{ACCOUNT}:role/controller"})
    assert _users(addon=addon) == []
    assert _users(addon=addon, account=resource("service-account"))


@pytest.mark.parametrize(
    ("spec", "covered"),
    [
        ({"maxUnavailable": 1, "selector": {}}, True),
        ({"maxUnavailable": 1}, False),
        ({"maxUnavailable": "100%", "selector": {}}, False),
        ({"minAvailable": 0, "selector": {}}, False),
        (
            {
                "minAvailable": 1,
                "selector": {
                    "matchExpressions": [
                        {
                            "key": "app.kubernetes.io/name",
                            "operator": "In",
                            "values": [LABELS["app.kubernetes.io/name"]],
                        }
                    ]
                },
            },
            True,
        ),
        ({"minAvailable": 1, "selector": {"matchExpressions": [{"key": "other", "operator": "Exists"}]}}, False),
    ],
)
def test_a_budget_counts_if_it_selects_the_pods_and_keeps_one(spec: dict[str, Any], *, covered: bool) -> None:
    token, props = resource("budget")
    things = {"controller": resource("controller"), "budget": (token, {**props, "spec": spec})}
    assert bool(refusals(RULES["controller-has-a-disruption-budget"], things)) is not covered


def test_a_launch_configuration_is_judged_like_an_instance() -> None:
    _, props = resource("instance")
    token = "aws:ec2/launchConfiguration:LaunchConfiguration"
    for rule, edits in (
        ("instance-metadata-needs-a-token", {"metadataOptions": None}),
        ("instance-metadata-stays-on-the-node", {"metadataOptions/httpPutResponseHopLimit": 2}),
        ("node-disks-are-encrypted", {"rootBlockDevice/encrypted": False}),
        ("nodes-get-no-public-address", {"associatePublicIpAddress": True}),
    ):
        assert refusals(RULES[rule], {"one": (token, props)}) == []
        assert refusals(RULES[rule], {"one": (token, changed(props, edits))})


def test_a_message_stays_one_readable_line_whatever_it_quotes() -> None:
    token, props = resource("service")
    key = f"{NLB}odd\nkey\u202e" + "x" * 5000
    [said] = refusals(
        RULES["load-balancer-annotations-are-on-the-allow-list"],
        {"one": (token, changed(props, {"metadata/annotations": {key: "1"}}))},
    )
    assert said.isprintable()
    assert len(said) < 400
