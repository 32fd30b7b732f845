"""Faults on the path from a DNS name to a pod; each names the check that must find it."""

from tests.unit.doctor.cases import Case
from tests.unit.doctor.healthy import warning
from tests.unit.doctor.healthy_aws import NOW, World, balancer_arn, group_arn
from tests.unit.doctor.plant import (
    annotate,
    answer_503,
    backend,
    conditions,
    forward,
    gate,
    health,
    lose_balancer,
    no_targets,
    waiting,
)


def _idle_deployment(world: World) -> None:
    no_targets(world)
    world["pods"] = [pod for pod in world["pods"] if pod["metadata"]["namespace"] != "alb"]
    spec = {"replicas": 0, "template": {"metadata": {"labels": {"app": "web"}}}}
    world["workloads"].append({"kind": "Deployment", "metadata": {"name": "web", "namespace": "alb"}, "spec": spec})


def _no_rules(world: World) -> None:
    world["ingresses"][0]["spec"]["rules"] = [{"http": {"paths": [{"path": "/"}]}}]
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"}}
    world["rules"]["alb-80"] = ({"IsDefault": True, "Actions": [fixed]},)


def _all_initial(world: World) -> None:
    for described in world["health"][group_arn("alb")]:
        described["TargetHealth"] = {"State": "initial"}


def _unready(world: World) -> None:
    no_targets(world)
    for pod in world["pods"][2:4]:
        waiting(pod, "ImagePullBackOff")


def _never_made(world: World) -> None:
    lose_balancer(world)
    world["ingresses"][0]["status"] = {}
    failed = warning("Ingress", "alb", NOW)
    failed["message"] = (
        "Failed build model due to couldn't auto-discover subnets: unable to resolve at least one subnet"
    )
    world["events"].append(failed)


_REGISTER = f"--target-group-arn {group_arn('alb')} --targets Id=10.0.10.6,Port=8080 Id=10.0.11.6,Port=8080`"
PATHS = [
    Case("names-lead-to-load-balancers", lose_balancer, "the load balancer internal-alb-1", fix="rollout restart"),
    Case("names-lead-to-load-balancers", _never_made, "auto-discover", fix="create-tags --resources subnet-private-a"),
    Case(
        "names-lead-to-load-balancers",
        lambda w: (lose_balancer(w, "nlb"), w["services"][1].update(status={})),
        "Service nlb/web has no load balancer, and the controller has not reported why",
        fix="correct what the controller's log names",
    ),
    Case("names-lead-to-load-balancers", lambda w: w["ingresses"][0].update(status={}), "status of Ingress alb/web"),
    Case(
        "load-balancers-are-active",
        lambda w: w["load_balancers"][0].update(State={"Code": "failed", "Reason": "r"}),
        "alb (ALB, internal): it is failed r",
        fix="delete-load-balancer",
    ),
    Case(
        "load-balancers-are-active",
        lambda w: w["load_balancers"][0].update(State={"Code": "provisioning"}),
        "provisioning",
        fix="wait",
    ),
    Case("load-balancers-are-active", lambda w: w["listeners"].update({balancer_arn("alb"): ()}), "no listener"),
    Case(
        "load-balancers-are-active",
        lambda w: annotate(w["ingresses"][0], **{"listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]'}),
        "it does not listen on port 443",
        fix="rollout restart",
    ),
    Case(
        "load-balancers-are-active",
        lambda w: w["services"][1]["spec"]["ports"].append({"port": 8443}),
        "it does not listen on port 8443",
    ),
    Case(
        "listeners-answer",
        lambda w: w["security_groups"][2]["IpPermissions"].clear(),
        "listener HTTP:80: no rule of sg-alb, sg-backend admits anybody at TCP 80",
        fix="rollout restart",
    ),
    Case("listeners-answer", _no_rules, "it has no rule but the default one, which answers 404", fix="rollout restart"),
    Case(
        "rules-have-backends",
        lambda w: (backend(w, "shop"), answer_503(w, "Backend service does not exist")),
        "answers 503 to every request",
        fix="create Service alb/shop, or correct the backend of Ingress alb/web (Services of alb: web)",
    ),
    Case(
        "rules-have-backends",
        lambda w: (backend(w, "shop", "use-annotation"), answer_503(w, "Backend action does not exist")),
        "Backend action does not exist",
        fix="add the annotation alb.ingress.kubernetes.io/actions.shop to Ingress alb/web",
    ),
    Case("rules-have-backends", lambda w: forward(w, alb=0, nlb=0), "weight 0", fix="weight above 0"),
    Case(
        "target-groups-hold-targets",
        lambda w: (no_targets(w), w["services"][0]["spec"].update(selector={"app": "shop"})),
        "Service alb/web selects no pod: none in alb carries app=shop",
        fix="start its pods, or set its selector to their labels",
    ),
    Case(
        "target-groups-hold-targets",
        _idle_deployment,
        "Deployment alb/web, which has 0 replicas",
        fix="`kubectl scale -n alb deployment/web --replicas=2`",
    ),
    Case(
        "target-groups-hold-targets",
        lambda w: (no_targets(w), w["services"].pop(0)),
        "Service alb/web does not exist",
        fix="create Service alb/web",
    ),
    Case(
        "target-groups-hold-targets", _unready, "none of the 2 pods of Service alb/web serves", fix="correct the image"
    ),
    Case(
        "target-groups-hold-targets",
        lambda w: (
            w["health"][group_arn("alb")].clear(),
            w["services"][0]["spec"]["ports"][0].update(targetPort="web"),
        ),
        "sends port 80 to web, and no container of its pods has that port",
        fix="name a port of the pods in targetPort (http)",
    ),
    Case("target-groups-hold-targets", _all_initial, "being registered or checked", fix="wait"),
    Case(
        "target-groups-hold-targets",
        lambda w: w["health"][group_arn("alb")].clear(),
        "though pods are ready",
        fix=_REGISTER,
    ),
    Case(
        "target-groups-hold-targets",
        lambda w: (no_targets(w), w["bindings"].pop(0)),
        "no TargetGroupBinding names it",
    ),
    Case("target-groups-hold-targets", lambda w: w["target_groups"].pop(0), "it does not exist"),
    Case(
        "targets-are-healthy",
        lambda w: health(w, State="unhealthy", Reason="Target.Timeout", Description="Request timed out"),
        "target 10.0.10.6:8080 unhealthy: Target.Timeout Request timed out",
        fix="listen on port 8080",
    ),
    Case(
        "targets-are-healthy",
        lambda w: health(w, State="unhealthy", Reason="Target.ResponseCodeMismatch"),
        "Target.ResponseCodeMismatch",
        fix="answer the health check HTTP /",
    ),
    Case("targets-are-healthy", lambda w: health(w, State="unused", Reason="Target.NotInUse"), "unused", fix="zone"),
    Case(
        "load-balancers-reach-the-pods",
        lambda w: w["security_groups"][0]["IpPermissions"].pop(),
        "no rule of sg-cluster lets sg-alb or sg-backend",
        fix="--group-id sg-cluster --protocol tcp --port 8080 --source-group sg-backend",
    ),
    Case(
        "load-balancers-reach-the-pods",
        lambda w: w["network_interfaces"][0].update(PrivateIpAddresses=[]),
        "interface of 10.0.10.6: no interface of the VPC has its address",
        fix="Id=10.0.10.6,Port=8080",
    ),
    Case(
        "pods-are-ready",
        lambda w: w["pods"].pop(2),
        "pod at 10.0.10.6: no pod has this address",
        fix="deregister-targets",
    ),
    Case("pods-are-ready", lambda w: conditions(w["pods"][2], Ready="False", ContainersReady="False"), "not ready"),
    Case(
        "pods-are-ready", lambda w: waiting(w["pods"][2], "ErrImagePull"), "image shop/web:1", fix="correct the image"
    ),
    Case("pods-are-ready", lambda w: waiting(w["pods"][2], "CrashLoopBackOff"), "crashes", fix="correct its program"),
    Case("pods-are-ready", lambda w: waiting(w["pods"][2], "CreateContainerConfigError", "no x"), "Error: no x"),
    Case(
        "pods-are-ready",
        lambda w: conditions(w["pods"][2], Ready="False", ContainersReady="False", PodScheduled="False"),
        "not scheduled",
        fix="add nodes",
    ),
    Case(
        "pods-are-ready",
        lambda w: gate(w["pods"][2], "gone"),
        "target-health.elbv2.k8s.aws/gone waits for a TargetGroupBinding that does not exist",
        fix="`kubectl delete pod -n alb web-alb-1`",
    ),
]
