"""Remedies: the right one for each of the controller's texts, and no command that does not exist."""

import json
import re
import shlex
from collections.abc import Iterator
from functools import cache

import boto3
import jsonpatch
import pytest
from botocore import xform_name

from eks_load_balancing.controller.policy import bound_policy
from eks_load_balancing.doctor.checks import CHECKS
from eks_load_balancing.doctor.events import SUCCEEDED, is_the_controllers
from eks_load_balancing.doctor.registry import examine
from eks_load_balancing.doctor.remedies import remedy
from tests.unit.doctor.cases import CASES, Case
from tests.unit.doctor.cases_objects import OBJECTS
from tests.unit.doctor.cases_paths import PATHS
from tests.unit.doctor.healthy import VERSION, event, facts, healthy
from tests.unit.doctor.healthy_aws import NOW
from tests.unit.doctor.plant import inline, lose_action, no_targets

_BUILD, _DEPLOY = "FailedBuildModel", "FailedDeployModel"
_TEXTS = [
    (
        _BUILD,
        "couldn't auto-discover subnets: unable to resolve at least one subnet. Evaluated 2 subnets: 0 are tagged",
        "create-tags --resources subnet-private-a subnet-private-b --tags Key=kubernetes.io/role/internal-elb,Value=1",
    ),
    (_BUILD, "couldn't auto-discover subnets: subnets count less than minimal required count: 1 < 2", "create-tags"),
    (_BUILD, "ingress: alb/web: no certificate found for host: a.example.com", "--domain-name a.example.com"),
    (_BUILD, "ingress: alb/web: unable to find port 81 on service alb/web", "name a port of Service alb/web (http 80)"),
    (_BUILD, 'ingress: alb/web: Service "shop" not found', "create Service alb/shop"),
    (_BUILD, "ingress: alb/web: missing clientSecret, secret: alb/login", "kubectl create secret generic -n alb login"),
    (_BUILD, 'ingress: alb/web: Secret "login" not found', "kubectl create secret generic -n alb login"),
    (
        _BUILD,
        "failed to parse bool annotation, alb.ingress.kubernetes.io/use-regex-path-match: yes",
        "kubectl annotate ingress -n alb web --overwrite alb.ingress.kubernetes.io/use-regex-path-match=VALUE",
    ),
    (_BUILD, "conflicting scheme: map[internal:{} internet-facing:{}]", "give scheme one value in all members"),
    (_BUILD, "ingress: alb/web: unknown scheme: public", "correct scheme 'public'"),
    (
        _BUILD,
        "TargetGroup port is empty. When using Instance targets, your service be must of type 'NodePort'",
        "target-type=ip",
    ),
    (_BUILD, "couldn't find all security groups: requested ids [sg-1] but found []", "name security groups"),
    (_BUILD, "deletion_protection is enabled, cannot delete the ingress: web", "deletion_protection.enabled=false"),
    (
        _BUILD,
        "operation error STS: get identity: failed to refresh cached credentials, no EC2 IMDS role found",
        "the controller gets no role: `pulumi up --refresh --run-program`",
    ),
    (
        _DEPLOY,
        "api error AccessDenied: User: x is not authorized to perform: elasticloadbalancing:CreateLoadBalancer",
        "`pulumi up --refresh --run-program`",
    ),
    (
        _DEPLOY,
        "operation error EC2: AuthorizeSecurityGroupIngress, api error UnauthorizedOperation: You are not authorized",
        "give the controller's role its policy again",
    ),
    (_DEPLOY, "api error CertificateNotFound: Certificate 'arn' not found", "name an issued ACM certificate"),
    (_DEPLOY, "api error TooManyTargets: you have too many targets", "request-service-quota-increase"),
    (_DEPLOY, "api error TooManyLoadBalancers: The maximum number has been reached", "request-service-quota-increase"),
    (_DEPLOY, "Unable to synthesize listener rules, there's too many attached.", "request-service-quota-increase"),
    (_DEPLOY, "api error InvalidSubnet: Not enough IP space available in subnet-1", "free addresses"),
    (_DEPLOY, "api error DuplicateLoadBalancerName: A load balancer with the same name", "another name"),
    (_DEPLOY, "api error DependencyViolation: resource sg-1 has a dependent object", "remove what still uses it"),
    (_DEPLOY, "api error RulesPerSecurityGroupLimitExceeded: The maximum number", "--disable-restricted-sg-rules"),
    (_DEPLOY, "api error OperationNotPermitted: deletion protection is enabled", "deletion_protection.enabled=false"),
    (_DEPLOY, "api error SSLPolicyNotFound: SSL policy 'x' not found", "name a TLS policy"),
    (
        _DEPLOY,
        "api error InvalidConfigurationRequest: Access Denied for bucket: logs. Please check S3bucket permission",
        "let Elastic Load Balancing write to the bucket",
    ),
    (_DEPLOY, "api error InvalidConfigurationRequest: The value is not valid", "correct the annotation"),
    (_DEPLOY, "api error Throttling: Rate exceeded", "wait"),
    (_DEPLOY, "api error RequestLimitExceeded: Request limit exceeded.", "wait"),
    (_DEPLOY, 'Post "https://elasticloadbalancing": dial tcp: i/o timeout', "NAT gateway, or VPC endpoints"),
    (
        "FailedNetworkReconcile",
        "expected exactly one securityGroup tagged with kubernetes.io/cluster/x",
        "one security",
    ),
    ("FailedNetworkReconcile", "cannot resolve pod ENI for pods: [alb/web-1]", "VPC CNI"),
    ("FailedReconcile", "api error TargetGroupNotFound: One or more target groups not found", "targetgroupbinding -n"),
    (
        _DEPLOY,
        'targetgroupbindings.elbv2.k8s.aws "k8s-alb-web-1" already exists',
        "`kubectl delete targetgroupbinding -n alb k8s-alb-web-1`",
    ),
    (_DEPLOY, "something that nobody has seen before", "correct what the controller's log names"),
]


@pytest.mark.parametrize(("reason", "text", "fix"), _TEXTS, ids=lambda value: value[:60])
def test_each_text_of_the_controller_has_its_remedy(reason: str, text: str, fix: str) -> None:
    world = healthy()
    warned = event("Ingress", "alb", "web", severity="Warning", reason=reason, at=NOW)
    warned["message"] = f"Failed model due to {text}"
    assert fix in remedy(facts(world), world["ingresses"][0], warned).fix


@pytest.mark.parametrize(
    ("component", "reason", "own"),
    [
        ("ingress", "FailedBuildModel", True),
        ("targetGroupBinding", "BackendNotFound", True),
        ("", SUCCEEDED, True),
        ("ipallocator-repair-controller", "ClusterIPNotAllocated", False),
        ("service-controller", "FailedRemoveFinalizer", False),
        ("", "SyncLoadBalancerFailed", False),
    ],
)
def test_only_events_of_the_controller_are_its_reports(component: str, reason: str, *, own: bool) -> None:
    assert is_the_controllers({"reason": reason, "source": {"component": component}}) is own


@cache
def commands() -> list[str]:
    """Every command of every remedy that the planted faults and the controller's texts lead to."""
    return sorted(set(_commands()))


def commands_of(tool: str) -> list[str]:
    return [command for command in commands() if command.startswith(f"{tool} ")]


def _commands() -> Iterator[str]:
    for case in (*CASES, *PATHS, *OBJECTS):
        yield from _commands_of(case)
    world = healthy()
    for reason, text, _ in _TEXTS:
        warned = event("Ingress", "alb", "web", severity="Warning", reason=reason, at=NOW) | {"message": text}
        answer = remedy(facts(world), world["ingresses"][0], warned)
        yield from (*re.findall(r"`([^`]+)`", answer.fix), *filter(None, [answer.see]))


def _commands_of(case: Case) -> Iterator[str]:
    world = case.of()
    case.fault(world)
    for finding in examine(facts(world), CHECKS.values()):
        assert finding.fix.count("`") % 2 == 0
        yield from re.findall(r"`([^`]+)`", finding.fix)
        yield from filter(None, [finding.see])


_SHORT = {  # arguments that the AWS CLI adds to the API's own
    ("ec2", "authorize-security-group-ingress"): {"--protocol", "--port", "--cidr", "--source-group"},
}


def test_there_are_commands_of_each_tool() -> None:
    assert {shlex.split(command)[0] for command in commands()} == {"aws", "kubectl", "pulumi", "helm"}
    assert len(commands()) > 50


def test_each_command_for_aws_exists_with_its_arguments() -> None:
    for command in commands_of("aws"):
        _, service, operation, *rest = shlex.split(command)
        flags = {word for word in rest if word.startswith("--")} - {"--query"}
        allowed = _arguments(service)[operation] | _SHORT.get((service, operation), set[str]())
        assert flags <= allowed, (command, flags - allowed)


@cache
def _arguments(service: str) -> dict[str, set[str]]:
    """The operations of a service with their arguments, as the AWS CLI names them."""
    model = boto3.Session(region_name="us-west-2").client(service).meta.service_model
    return {
        xform_name(name, "-"): {
            f"--{xform_name(member, '-')}" for member in (getattr(operation.input_shape, "members", None) or {})
        }
        for name in model.operation_names
        for operation in [model.operation_model(name)]
    }


def test_each_command_for_kubectl_names_what_it_changes() -> None:
    verbs = ("annotate", "create", "delete", "describe", "get", "label", "logs", "patch", "rollout", "scale", "set")
    for command in commands_of("kubectl"):
        words = shlex.split(command)
        assert words[1] in verbs, command
        assert "-n" in words or words[1] == "label" or "webhookconfiguration/" in command, command


@pytest.mark.parametrize("case", [*CASES, *PATHS, *OBJECTS], ids=lambda case: f"{case.check}: {case.says}")
def test_a_fix_changes_something_and_see_only_shows_more(case: Case) -> None:
    world = case.of()
    case.fault(world)
    looks = re.compile(r"^(kubectl (describe|get|logs) |aws \S+ (describe|get|list|lookup)-)")
    for finding in examine(facts(world), CHECKS.values()):
        assert not [c for c in re.findall(r"`([^`]+)`", finding.fix) if looks.match(c)], finding.fix
        assert not finding.see or looks.match(finding.see), finding.see


def test_pulumi_looks_at_what_exists_before_it_updates() -> None:
    """A plain `up` reports what was deleted by hand as unchanged."""
    assert commands_of("pulumi") == ["pulumi up --refresh --run-program"]


def test_an_object_that_pulumi_made_is_restored_by_pulumi() -> None:
    world = healthy()
    no_targets(world)
    world["services"][0]["spec"]["selector"] = {"app": "shop"}
    (by_hand,) = examine(facts(world), [CHECKS["target-groups-hold-targets"]])
    world["services"][0]["metadata"]["managedFields"] = [
        {"manager": "kubectl-patch"},
        {"manager": "pulumi-kubernetes-1"},
    ]
    (by_pulumi,) = examine(facts(world), [CHECKS["target-groups-hold-targets"]])
    assert "pulumi" not in by_hand.fix
    assert by_pulumi.fix.endswith("`pulumi up --refresh --run-program` restores it")
    assert by_pulumi.see == "kubectl get pods -n alb --show-labels"


def test_a_denial_names_the_policy_to_remove() -> None:
    world = healthy()
    world["role_policies"].append(
        {"Name": "lockdown", "Arn": None, "Document": {"Statement": [DENIAL]}},
    )
    (added,) = examine(facts(world), [CHECKS["role-may-do-what-the-controller-does"]])
    world["role_policies"][-1]["Arn"] = "arn:aws:iam::111122223333:policy/lockdown"
    (attached,) = examine(facts(world), [CHECKS["role-may-do-what-the-controller-does"]])
    world["role_policies"].pop()
    world["boundary"] = {"Statement": [DENIAL]}
    (bounded,) = examine(facts(world), [CHECKS["role-may-do-what-the-controller-does"]])
    assert "`aws iam delete-role-policy --role-name controller --policy-name lockdown`" in added.fix
    assert "detach-role-policy --role-name controller --policy-arn arn:aws:iam::111122223333:policy/lockdown`" in (
        attached.fix
    )
    assert "`aws iam delete-role-permissions-boundary --role-name controller`" in bounded.fix


DENIAL = {"Effect": "Deny", "Action": "ec2:CreateTags", "Resource": "*"}


@pytest.mark.parametrize("case", [c for c in CASES if c.check.startswith("role-trusts")], ids=lambda case: case.says)
def test_the_trust_policy_in_a_remedy_removes_the_fault(case: Case) -> None:
    world = case.of()
    case.fault(world)
    (finding,) = examine(facts(world), [CHECKS[case.check]])
    command = shlex.split(re.findall(r"`(aws iam update-assume-role-policy [^`]+)`", finding.fix)[0])
    world["role"]["AssumeRolePolicyDocument"] = json.loads(command[command.index("--policy-document") + 1])
    trusts = [check for name, check in CHECKS.items() if name.startswith("role-trusts")]
    assert examine(facts(world), trusts) == []


@pytest.mark.parametrize("case", [c for c in OBJECTS if c.check.startswith("network-policies")], ids=lambda c: c.fix)
def test_the_patch_of_a_network_policy_removes_the_fault(case: Case) -> None:
    world = case.of()
    case.fault(world)
    (finding,) = examine(facts(world), [CHECKS[case.check]])
    command = shlex.split(re.findall(r"`(kubectl patch [^`]+)`", finding.fix)[0])
    world["network_policies"][0] = jsonpatch.apply_patch(
        world["network_policies"][0], json.loads(command[command.index("-p") + 1])
    )
    assert examine(facts(world), [CHECKS[case.check]]) == []


def test_a_controller_of_bindings_alone_needs_no_more_than_they_do() -> None:
    world = healthy()
    policy = json.loads(bound_policy(VERSION, "aws", "us-west-2", "vpc-1", ["arn:aws:elasticloadbalancing:*"]))
    world["role_policies"] = [inline(policy)]
    check = CHECKS["role-may-do-what-the-controller-does"]
    assert examine(facts(world), [check])

    world |= {"ingresses": [], "services": [], "gateways": []}
    for tags in world["tags"].values():
        tags.pop("elbv2.k8s.aws/cluster", None)  # the load balancers are somebody else's, and behind the bindings
    assert examine(facts(world), [check]) == []

    lose_action(world, "elasticloadbalancing:RegisterTargets")
    (found,) = examine(facts(world), [check])
    assert "needs elasticloadbalancing:RegisterTargets, which" in str(found)
