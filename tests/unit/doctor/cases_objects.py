"""Faults of the objects that ask for load balancers, and of webhooks; each names the check that must find it."""

import copy

from tests.unit.doctor.cases import Case
from tests.unit.doctor.healthy import warning
from tests.unit.doctor.healthy_aws import NOW, World, group_arn
from tests.unit.doctor.plant import (
    LONG_AGO,
    MINUTE_AGO,
    add,
    annotate,
    gate,
    health,
    in_group,
    lose_balancer,
    policy,
    stick,
    waiting,
)

_OIDC = '{"issuer": "https://id.example.com", "secretName": "login"}'
_CLASS = {"kind": "IngressClass", "metadata": {"name": "other"}, "spec": {"controller": "ingress.k8s.aws/elb"}}


def _late_gate(world: World, **condition: str) -> None:
    gate(world["pods"][2], "alb", **condition)
    health(world, State="unhealthy", Reason="Target.Timeout")


def _fill(world: World, count: int, *, crossing: bool = True) -> None:
    world["health"][group_arn("nlb")] = [
        {"Target": {"Id": f"10.1.{n // 250}.{n % 250}", "Port": 8080}, "TargetHealth": {"State": "healthy"}}
        for n in range(count)
    ]
    if not crossing:
        for described in world["health"][group_arn("nlb")]:
            described["Target"]["AvailabilityZone"] = "us-west-2a"
        world["attributes"] = {arn: {} for arn in world["attributes"]}


def _unlabel(world: World, value: str | None = None) -> None:
    world["namespaces"][0]["metadata"]["labels"] = {"elbv2.k8s.aws/pod-readiness-gate-inject": value} if value else {}


def _auth(world: World, keys: frozenset[str] | None) -> None:
    annotate(world["ingresses"][0], **{"auth-type": "oidc", "auth-idp-oidc": _OIDC})
    world["secret_keys"] = {("alb", "login"): keys}


def _other_class(world: World, **metadata: str) -> None:
    world["ingress_classes"].append(copy.deepcopy(_CLASS))
    world["ingresses"][0].update(status={}, spec={"ingressClassName": "other"})
    world["ingresses"][0]["metadata"].update(creationTimestamp=LONG_AGO, **metadata)


def _no_controller(world: World) -> None:
    stick(world["services"][1], MINUTE_AGO, "service.k8s.aws/resources")
    world["deployments"][0]["status"].update(readyReplicas=0)


OBJECTS = [
    Case(
        "controller-is-ready",
        lambda w: w["deployments"][0]["spec"].update(replicas=0),
        "0 replicas",
        fix="`kubectl scale -n kube-system deployment/aws-load-balancer-controller --replicas=2`",
    ),
    Case(
        "controller-is-ready",
        lambda w: waiting(w["pods"][0], "ImagePullBackOff"),
        "2 of 2 pods are ready, and its rollout does not finish: Pod kube-system/controller-1: ImagePullBackOff",
        fix="correct the image",
    ),
    Case("controller-has-a-role", lambda w: w.update(service_account=None), "does not exist", fix="create service"),
    Case(
        "webhooks-have-endpoints",
        lambda w: (w["endpoint_slices"].pop(), w["services"].pop()),
        "webhook-service does not exist",
        fix="restore it: `pulumi up --refresh --run-program`",
    ),
    Case(
        "webhooks-are-registered",
        lambda w: w["webhooks"].clear(),
        "mpod.elbv2.k8s.aws",
        fix="`pulumi up --refresh --run-program`",
    ),
    Case("webhooks-are-registered", lambda w: w["webhooks"].pop(), "vtargetgroupbinding.elbv2.k8s.aws are in no"),
    Case(
        "readiness-gates-are-met",
        lambda w: _late_gate(w, reason="Target.Timeout", message="Request timed out"),
        "waits for a healthy target: Target.Timeout Request timed out",
        fix="make the target healthy",
    ),
    Case("readiness-gates-are-met", _late_gate, "the controller has not reported", fix="rollout restart"),
    Case("readiness-gates-are-met", lambda w: gate(w["pods"][2], "gone"), "does not exist", fix="kubectl delete pod"),
    Case(
        "namespaces-ask-for-readiness-gates",
        _unlabel,
        "has no label",
        fix="`kubectl label namespace alb --overwrite elbv2.k8s.aws/pod-readiness-gate-inject=enabled`",
    ),
    Case("namespaces-ask-for-readiness-gates", lambda w: _unlabel(w, "true"), "is 'true'"),
    Case("target-groups-have-room", lambda w: _fill(w, 450), "450 targets in all zones", fix="L-B211E961"),
    Case("target-groups-have-room", lambda w: _fill(w, 450, crossing=False), "450 targets in us-west-2a"),
    Case(
        "target-groups-have-room",
        lambda w: (_fill(w, 190), w["limits"].update({"targets-per-network-load-balancer": 200})),
        "190 targets, and the quota targets-per-network-load-balancer is 200",
    ),
    Case("target-groups-have-room", lambda w: _fill(w, 950), "targets-per-target-group is 1000"),
    Case(
        "network-policies-admit-load-balancers",
        lambda w: add(w, "network_policies", policy("alb", [])),
        "it admits nothing from the load balancer's subnets (10.0.10.0/24, 10.0.11.0/24) to port 8080",
        fix='"path": "/spec/ingress"',
    ),
    Case(
        "network-policies-admit-load-balancers",
        lambda w: add(w, "network_policies", policy("alb", [{"from": [{"namespaceSelector": {}}]}])),
        "of web-alb-1, web-alb-2",
        fix='"path": "/spec/ingress/-"',
    ),
    Case(
        "network-policies-admit-load-balancers",
        lambda w: add(w, "network_policies", policy("alb", [{"ports": [{"port": 9090, "protocol": "TCP"}]}])),
        "port 8080",
    ),
    Case(
        "objects-are-not-stuck",
        lambda w: stick(w["services"][1], LONG_AGO, "service.k8s.aws/resources"),
        "held by service.k8s.aws/resources",
    ),
    Case("objects-are-not-stuck", _no_controller, "no controller runs that could remove them", fix="kubectl scale"),
    Case("objects-have-no-warnings", lambda w: add(w, "events", warning("Ingress", "alb", NOW)), "FailedBuildModel"),
    Case(
        "ingresses-have-a-class",
        lambda w: w["ingress_classes"].clear(),
        "alb does not exist",
        fix="restore class alb: `pulumi up --refresh --run-program`",
    ),
    Case(
        "ingresses-have-a-class",
        lambda w: w["ingresses"][0]["spec"].update(ingressClassName="lab"),
        "its class lab does not exist (existing: alb)",
        fix="""-p '{"spec": {"ingressClassName": "alb"}}'`""",
    ),
    Case(
        "ingresses-have-a-class",
        lambda w: w["ingresses"][0].update(spec={}),
        "no class is the default",
        fix="kubectl patch ingress -n alb web",
    ),
    Case(
        "ingresses-have-a-class",
        lambda w: w["ingress_class_params"].clear(),
        "IngressClassParams alb",
        fix="restore them: `pulumi up --refresh --run-program`",
    ),
    Case("ingress-classes-have-a-controller", _other_class, "is for the controller ingress.k8s.aws/elb"),
    Case(
        "ingress-classes-have-a-controller",
        lambda w: (
            lose_balancer(w),
            w["ingress_classes"][0]["spec"].update(controller="example.com/none"),
            annotate(w["ingresses"][0], scheme="internal"),
        ),
        "its class alb is for the controller example.com/none, and no controller serves it",
    ),
    Case(
        "ingress-classes-have-a-controller",
        lambda w: (
            w["ingresses"][0].update(status={}),
            w["ingresses"][0]["metadata"]["annotations"].update({"kubernetes.io/ingress.class": "albb"}),
        ),
        "its annotation kubernetes.io/ingress.class is albb",
        fix="kubernetes.io/ingress.class-`",
    ),
    Case(
        "groups-stay-in-a-namespace",
        lambda w: in_group(w, "payments"),
        "alb, nlb share its load balancer: alb/web, nlb/web",
        fix="alb.ingress.kubernetes.io/group.name=nlb-payments",
    ),
    Case(
        "annotations-are-known",
        lambda w: annotate(w["ingresses"][0], schema="internal"),
        "alb.ingress.kubernetes.io/schema",
        fix="write alb.ingress.kubernetes.io/scheme instead",
    ),
    Case(
        "annotations-are-known",
        lambda w: w["ingresses"][0]["metadata"]["annotations"].update({"alb.ingress.k8s.io/scheme": "internal"}),
        "does not know the annotation alb.ingress.k8s.io/scheme",
    ),
    Case(
        "annotations-are-known",
        lambda w: w["services"][1]["metadata"]["annotations"].update(
            {"service.beta.kubernetes.io/aws-load-balancer-shceme": "internal"}
        ),
        "aws-load-balancer-shceme",
        fix="write service.beta.kubernetes.io/aws-load-balancer-scheme instead",
    ),
    Case(
        "annotations-are-known",
        lambda w: (
            w["deployments"][0]["spec"]["template"]["spec"]["containers"][0].update(image="controller:v2.12.0"),
            annotate(w["ingresses"][0], **{"wafv2-acl-name": "edge"}),
        ),
        "version 2.14.0 introduced it",
        fix="upgrade the controller to 2.14.0",
    ),
    Case("auth-secrets-are-there", lambda w: _auth(w, None), "Secret alb/login does not exist", fix="create secret"),
    Case(
        "auth-secrets-are-there",
        lambda w: _auth(w, frozenset({"clientID"})),
        "Secret alb/login has no clientSecret",
        fix="kubectl apply -f -",
    ),
    Case(
        "bindings-name-a-target-group",
        lambda w: w["bindings"][0]["spec"].update(targetGroupARN="arn:gone"),
        "arn:gone does not exist",
    ),
    Case(
        "targets-are-the-ready-pods",
        lambda w: w["health"][group_arn("alb")].pop(),
        "ready and no target: 10.0.11.6",
        fix=f"`aws elbv2 register-targets --target-group-arn {group_arn('alb')} --targets Id=10.0.11.6,Port=8080`",
    ),
    Case(
        "targets-are-the-ready-pods",
        lambda w: w["endpoint_slices"][0]["endpoints"][0]["conditions"].update(ready=False),
        "target and not ready: 10.0.10.6",
        fix="Id=10.0.10.6,Port=8080",
    ),
]
