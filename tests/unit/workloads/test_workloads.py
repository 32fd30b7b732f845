from collections.abc import Callable
from typing import Any

import pytest

from eks_load_balancing import ApplicationLoadBalancedIngress, InvalidInputError, NetworkLoadBalancedService
from fixtures.declared import Declared, declare

ARGS: dict[str, Any] = {"cluster_name": "dev", "namespace": "samples"}
CERTIFICATE = "arn:aws:acm:us-west-2:123456789012:certificate/a"
WEB_ACL = "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/a/b"
SERVICE = "service.beta.kubernetes.io/aws-load-balancer-"
INGRESS = "alb.ingress.kubernetes.io/"


def nlb(**changes: Any) -> Declared:
    return _declare(NetworkLoadBalancedService, changes)


def alb(**changes: Any) -> Declared:
    return _declare(ApplicationLoadBalancedIngress, changes)


def _declare(component: Callable[..., Any], changes: dict[str, Any]) -> Declared:
    def program() -> dict[str, object]:
        made = component("web", {**ARGS, **changes})
        return {"host": made.host_name, "target_groups": made.target_group_arns}

    return declare(program)


both = pytest.mark.parametrize("workload", [nlb, alb])


@both
def test_pods_are_replaced_one_by_one_and_never_fewer(workload: Callable[..., Declared]) -> None:
    spec = workload(replicas=3).one(":Deployment").inputs["spec"]

    assert spec["replicas"] == 3
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


@both
def test_a_pod_serves_on_until_its_target_is_drained(workload: Callable[..., Declared]) -> None:
    pod = workload(deregistration_delay=20).one(":Deployment").inputs["spec"]["template"]["spec"]
    sleep = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert 20 < sleep < pod["terminationGracePeriodSeconds"]


@both
def test_pods_are_unprivileged(workload: Callable[..., Declared]) -> None:
    pod = workload().one(":Deployment").inputs["spec"]["template"]["spec"]

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


@both
def test_selectors_and_pods_carry_the_same_labels(workload: Callable[..., Declared]) -> None:
    declared = workload()
    spec = declared.one(":Deployment").inputs["spec"]

    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
    assert declared.one(":Service").inputs["spec"]["selector"] == spec["selector"]["matchLabels"]
    budget = declared.one(":PodDisruptionBudget").inputs["spec"]
    assert budget == {"maxUnavailable": 1, "selector": {"matchLabels": spec["selector"]["matchLabels"]}}


@both
def test_load_balancers_are_internal_unless_asked_otherwise(workload: Callable[..., Declared]) -> None:
    def schemes(declared: Declared) -> set[str]:
        annotated = [r.inputs["metadata"].get("annotations", {}) for r in declared.resources if "metadata" in r.inputs]
        return {value for a in annotated for key, value in a.items() if key.endswith("scheme")}

    assert schemes(workload()) == {"internal"}
    assert schemes(workload(scheme="internet-facing")) == {"internet-facing"}


@pytest.mark.parametrize(
    ("workload", "tag", "value"),
    [
        (nlb, "service.k8s.aws/stack", "samples/web"),
        (alb, "ingress.k8s.aws/resource", "samples/web-web:80"),
    ],
)
def test_target_groups_are_found_by_the_clusters_tag_and_the_objects(
    workload: Callable[..., Declared], tag: str, value: str
) -> None:
    declared = workload()
    ((token, args),) = declared.calls
    filters = {one["key"]: one["values"] for one in args["tagFilters"]}

    assert token == "aws:resourcegroupstaggingapi/getResources:getResources"
    assert filters == {"elbv2.k8s.aws/cluster": ["dev"], tag: [value]}
    assert declared.outputs["target_groups"] == ["arn:a", "arn:b"]


def test_an_nlb_service_has_the_controllers_class_and_no_node_ports() -> None:
    spec = nlb(inbound_cidrs=["10.0.0.0/8"]).one(":Service").inputs["spec"]

    assert (spec["type"], spec["loadBalancerClass"]) == ("LoadBalancer", "service.k8s.aws/nlb")
    assert spec["allocateLoadBalancerNodePorts"] is False
    assert spec["loadBalancerSourceRanges"] == ["10.0.0.0/8"]
    assert spec["ports"] == [{"name": "traffic", "protocol": "TCP", "port": 80, "targetPort": 8080}]


def test_an_nlb_with_a_certificate_listens_on_443() -> None:
    service = nlb(certificate_arn=CERTIFICATE).one(":Service").inputs

    assert service["spec"]["ports"][0]["port"] == 443
    assert service["metadata"]["annotations"][f"{SERVICE}ssl-cert"] == CERTIFICATE


def test_an_nlbs_access_logs_go_to_the_bucket() -> None:
    annotations = nlb(access_logs_bucket="logs").one(":Service").inputs["metadata"]["annotations"]

    assert annotations[f"{SERVICE}attributes"].endswith("access_logs.s3.enabled=true,access_logs.s3.bucket=logs")


def test_an_alb_ingress_names_its_class_by_field_and_joins_no_group() -> None:
    ingress = alb().one(":Ingress").inputs

    assert ingress["spec"]["ingressClassName"] == "alb"
    assert "kubernetes.io/ingress.class" not in ingress["metadata"]["annotations"]
    assert f"{INGRESS}group.name" not in ingress["metadata"]["annotations"]
    assert ingress["metadata"]["annotations"][f"{INGRESS}target-type"] == "ip"


def test_an_alb_reaches_pods_through_a_service_that_is_no_load_balancer_itself() -> None:
    declared = alb()
    (rule,) = declared.one(":Ingress").inputs["spec"]["rules"]
    (path,) = rule["http"]["paths"]

    assert declared.one(":Service").inputs["spec"]["type"] == "ClusterIP"
    assert path == {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}


def test_an_alb_takes_ranges_and_a_web_acl() -> None:
    annotations = (
        alb(inbound_cidrs=["10.0.0.0/8", "192.0.2.0/24"], web_acl_arn=WEB_ACL)
        .one(":Ingress")
        .inputs["metadata"]["annotations"]
    )

    assert annotations[f"{INGRESS}inbound-cidrs"] == "10.0.0.0/8,192.0.2.0/24"
    assert annotations[f"{INGRESS}wafv2-acl-arn"] == WEB_ACL


def test_host_names_are_those_of_the_load_balancers() -> None:
    assert nlb().outputs["host"] == "nlb.example"
    assert alb().outputs["host"] == "alb.example"


@both
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"scheme": "public"}, "scheme 'public' is not known: give one of internal, internet-facing"),
        ({"deregistration_delay": -1}, "deregistration_delay: -1 is not between 0 and 3600"),
        ({"container_port": 0}, "container_port: 0 is not between 1 and 65535"),
    ],
)
def test_nothing_is_declared_when_the_arguments_cannot_work(
    workload: Callable[..., Declared], changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidInputError, match=says):
        workload(**changes)


def test_an_ingress_of_another_class_may_share_its_load_balancer() -> None:
    assert alb(ingress_class="shared").one(":Ingress").inputs["spec"]["ingressClassName"] == "shared"
