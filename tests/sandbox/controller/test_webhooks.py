import base64
import json
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonpatch
import pytest
from botocore.exceptions import ClientError

from sandbox.controller.model.stack import Json
from sandbox.controller.settings import Settings
from sandbox.controller.webhooks.admission import Admission
from sandbox.controller.webhooks.server import WebhookServer
from sandbox.processes import wait_until
from tests.sandbox.controller.fakes import ALB_CLASS, SETTINGS, Cluster, a_service, an_ingress

BINDINGS = "elbv2-k8s-aws-v1beta1-targetgroupbinding"
ARN = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/x/1"


class FakeElb:
    """One target group."""

    @property
    def elb(self) -> "FakeElb":
        return self

    def describe_target_groups(self, **which: Any) -> Json:
        if which not in ({"TargetGroupArns": [ARN]}, {"Names": ["x"]}):
            raise ClientError({"Error": {"Code": "TargetGroupNotFound", "Message": "none"}}, "DescribeTargetGroups")
        group = {"TargetGroupArn": ARN, "TargetType": "ip", "VpcId": SETTINGS.aws_vpc_id, "Protocol": "HTTP"}
        return {"TargetGroups": [group]}


def ask(path: str, obj: Json, *objects: Json, old: Json | None = None, settings: Settings = SETTINGS) -> Json:
    """The response of the webhook at `path`, its patch applied."""
    admission = Admission(Cluster(*objects), FakeElb(), settings, lambda: True)  # pyright: ignore[reportArgumentType]
    request: Json = {"uid": "u", "operation": "UPDATE" if old else "CREATE", "namespace": "shop", "object": obj}
    response = admission.answer(path, request | ({"oldObject": old} if old else {}))
    assert response["uid"] == "u"
    if response.get("patch"):
        patch = json.loads(base64.b64decode(response["patch"]))
        response["object"] = jsonpatch.apply_patch(obj, patch)
    else:
        response["object"] = obj
    return response


def why(response: Json) -> str:
    assert not response["allowed"]
    return response["status"]["message"]


def a_binding(name: str = "b", **spec: Any) -> Json:
    return {
        "kind": "TargetGroupBinding",
        "metadata": {"namespace": "shop", "name": name},
        "spec": {"serviceRef": {"name": "web", "port": 80}, "targetGroupARN": ARN, "targetType": "ip"} | spec,
    }


def a_pod(**labels: str) -> Json:
    return {"kind": "Pod", "metadata": {"labels": labels}, "spec": {"containers": []}}


def test_a_pod_behind_an_ip_binding_gets_its_readiness_gate() -> None:
    response = ask("/mutate-v1-pod", a_pod(app="web"), a_service(), a_binding())
    assert response["object"]["spec"]["readinessGates"] == [{"conditionType": "target-health.elbv2.k8s.aws/b"}]


@pytest.mark.parametrize("obj", [a_binding(targetType="instance"), a_binding(serviceRef={"name": "gone", "port": 80})])
def test_a_pod_behind_no_ip_binding_gets_none(obj: Json) -> None:
    assert "patch" not in ask("/mutate-v1-pod", a_pod(app="web"), a_service(), obj)
    assert "patch" not in ask("/mutate-v1-pod", a_pod(app="other"), a_service(), a_binding())


def test_gates_can_be_turned_off() -> None:
    off = Settings(cluster_name="demo", aws_vpc_id="vpc-1", enable_pod_readiness_gate_inject=False)
    assert "patch" not in ask("/mutate-v1-pod", a_pod(app="web"), a_service(), a_binding(), settings=off)


def test_a_new_load_balancer_service_gets_the_class_and_an_old_one_keeps_what_it_has() -> None:
    new = a_service(type="LoadBalancer")
    assert ask("/mutate-v1-service", new)["object"]["spec"]["loadBalancerClass"] == "service.k8s.aws/nlb"
    assert "patch" not in ask("/mutate-v1-service", a_service(type="LoadBalancer", loadBalancerClass="other"))
    assert "patch" not in ask("/mutate-v1-service", a_service(type="NodePort"))
    assert "patch" not in ask("/mutate-v1-service", new, old=new)
    had = a_service(type="LoadBalancer", loadBalancerClass="service.k8s.aws/nlb")
    assert ask("/mutate-v1-service", new, old=had)["object"]["spec"]["loadBalancerClass"] == "service.k8s.aws/nlb"


def test_a_binding_is_filled_in_from_aws() -> None:
    bare = a_binding(targetGroupName="x")
    del bare["spec"]["targetGroupARN"], bare["spec"]["targetType"]
    spec = ask(f"/mutate-{BINDINGS}", bare)["object"]["spec"]
    assert (spec["targetGroupARN"], spec["targetType"], spec["ipAddressType"]) == (ARN, "ip", "ipv4")
    assert (spec["vpcID"], spec["targetGroupProtocol"]) == (SETTINGS.aws_vpc_id, "HTTP")


def test_a_binding_to_a_target_group_that_is_not_there_is_refused() -> None:
    assert "TargetGroupNotFound" in why(ask(f"/mutate-{BINDINGS}", a_binding(targetGroupARN="arn:none")))
    nothing = a_binding()
    del nothing["spec"]["targetGroupARN"]
    assert "either TargetGroupARN or TargetGroupName" in why(ask(f"/mutate-{BINDINGS}", nothing))


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"nodeSelector": {"matchLabels": {"a": "b"}}}, "cannot set NodeSelector"),
        ({"ipAddressType": "ipv6"}, "invalid IP address type"),
        ({"vpcID": "vpc-1"}, "failed to satisfy constraint"),
        ({"vpcID": "vpc-00000000"}, "doesn't match"),
        ({"targetGroupProtocol": "TCP"}, "protocol differs"),
        ({"targetType": "instance", "iamRoleArnToAssume": "arn:role"}, "assume role"),
        ({"targetType": None}, "must specify these fields: spec.targetType"),
    ],
)
def test_bindings_that_cannot_be_served_are_refused(spec: Json, reason: str) -> None:
    assert reason in why(ask(f"/validate-{BINDINGS}", a_binding(**spec)))


def test_a_target_group_is_bound_once_unless_all_share_it() -> None:
    other, shared = a_binding("other"), a_binding("other", multiClusterTargetGroup=True)
    assert "already bound" in why(ask(f"/validate-{BINDINGS}", a_binding(), other))
    assert "already bound" in why(ask(f"/validate-{BINDINGS}", a_binding(), shared))
    assert ask(f"/validate-{BINDINGS}", a_binding(multiClusterTargetGroup=True), shared)["allowed"]


@pytest.mark.parametrize(
    "change",
    [{"targetGroupARN": "arn:other"}, {"targetType": "instance"}, {"ipAddressType": "ipv6"}, {"vpcID": "vpc-2"}],
)
def test_what_a_binding_is_bound_to_does_not_change(change: Json) -> None:
    response = ask(f"/validate-{BINDINGS}", a_binding(**change), old=a_binding())
    assert "immutable fields" in why(response)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"inboundCIDRs": ["192.168.0.1"]}, 'did you mean "192.168.0.1/32"'),
        ({"inboundCIDRs": ["10.128.0.0/8"]}, 'did you mean "10.0.0.0/8"'),
        ({"inboundCIDRs": ["example.com"]}, "Could not be parsed as a CIDR"),
        ({"subnets": {}}, "must have either `ids` or `tags`"),
        ({"subnets": {"ids": ["subnet-1"], "tags": {"a": ["b"]}}}, "may not have both"),
        ({"subnets": {"ids": ["subnet-1", "subnet-1"]}}, "ids[1]: Duplicate"),
        ({"subnets": {"tags": {}}}, "at least one tag key"),
        ({"subnets": {"tags": {"a": ["b", "b"]}}}, "tags[a][1]: Duplicate"),
    ],
)
def test_class_params_that_select_nothing_are_refused(spec: Json, reason: str) -> None:
    path = "/validate-elbv2-k8s-aws-v1beta1-ingressclassparams"
    assert reason in why(ask(path, {"metadata": {"name": "p"}, "spec": spec}))
    assert ask(path, {"metadata": {"name": "p"}, "spec": {"inboundCIDRs": ["10.0.0.0/8", "2001:db8::/32"]}})["allowed"]


INGRESSES = "/validate-networking-v1-ingress"


def test_an_ingress_of_a_class_that_is_not_there_is_refused() -> None:
    assert "not found" in why(ask(INGRESSES, an_ingress()))
    assert ask(INGRESSES, an_ingress(), ALB_CLASS)["allowed"]


def test_an_ingress_of_somebody_else_is_let_through() -> None:
    other = {**ALB_CLASS, "spec": {"controller": "k8s.io/ingress-nginx"}}
    broken = an_ingress(conditions__web="[{]")
    assert ask(INGRESSES, broken, other)["allowed"]
    assert "json" in why(ask(INGRESSES, broken, ALB_CLASS))


def test_new_group_names_can_be_forbidden() -> None:
    strict = Settings(cluster_name="demo", aws_vpc_id="vpc-1", disable_ingress_group_name_annotation=True)
    grouped = an_ingress(group__name="g")
    assert "forbidden" in why(ask(INGRESSES, grouped, ALB_CLASS, settings=strict))
    assert ask(INGRESSES, grouped, ALB_CLASS, old=grouped, settings=strict)["allowed"]


def test_nothing_is_decided_before_the_cluster_has_been_listed() -> None:
    admission = Admission(Cluster(), FakeElb(), SETTINGS, lambda: False)  # pyright: ignore[reportArgumentType]
    response = admission.answer("/mutate-v1-pod", {"uid": "u", "operation": "CREATE", "object": a_pod()})
    assert (response["allowed"], response["status"]["code"]) == (False, 500)


def certificate(folder: Path, name: str) -> Path:
    made = folder / "tls.key", folder / "tls.crt"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
    subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*command.split(), "-keyout", made[0], "-out", made[1], *subject], check=True, capture_output=True)
    kept = folder / f"{name}.pem"
    kept.write_bytes((folder / "tls.crt").read_bytes())
    return kept


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WebhookServer]:
    admission = Admission(Cluster(ALB_CLASS), FakeElb(), SETTINGS, lambda: True)  # pyright: ignore[reportArgumentType]
    started = WebhookServer(0, str(tmp_path), "tls.crt", "tls.key", admission)
    started.start()
    yield started
    started.stop()


def post(server: WebhookServer, trusted: Path, path: str, body: bytes) -> Json:
    context = ssl.create_default_context(cafile=str(trusted))
    url = f"https://localhost:{server.port}{path}"
    with urllib.request.urlopen(urllib.request.Request(url, data=body), context=context, timeout=5) as answer:
        return json.load(answer)


def test_reviews_are_answered_over_tls_with_the_newest_certificate(server: WebhookServer, tmp_path: Path) -> None:
    assert not server.listening()
    first = certificate(tmp_path, "first")
    assert wait_until(server.listening, 5)
    request = {"uid": "u", "operation": "CREATE", "namespace": "shop", "object": an_ingress()}
    review = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}).encode()
    answer = post(server, first, INGRESSES, review)
    assert (answer["kind"], answer["response"]["allowed"]) == ("AdmissionReview", True)
    second = certificate(tmp_path, "second")

    def served() -> bool:
        try:
            return bool(post(server, second, INGRESSES, review))
        except urllib.error.URLError:
            return False

    assert wait_until(served, 5)


def test_what_is_no_webhook_or_no_review_is_an_http_error(server: WebhookServer, tmp_path: Path) -> None:
    trusted = certificate(tmp_path, "one")
    assert wait_until(server.listening, 5)
    for path, body, status in (("/nowhere", b"{}", 404), (INGRESSES, b"nonsense", 400)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            post(server, trusted, path, body)
        assert refused.value.code == status
