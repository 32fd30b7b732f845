"""Manifests read, sorted and looked through: no sandbox."""

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from sandbox.plan.errors import PlanError
from sandbox.plan.inputs.account import load, typical
from sandbox.plan.inputs.manifests import Manifest, parse, preview_objects, read
from sandbox.plan.inputs.references import Reference, find, usual
from sandbox.plan.inputs.selection import IMAGE, have_gateways, prepared, select

CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/0a1b2c3d-0000-1111-2222-333344445555"


def no_kubectl() -> list[str]:
    raise AssertionError("no kustomization here")


def manifest(kind: str, version: str = "v1", *, spec: Any = None, name: str = "web", **metadata: Any) -> Manifest:
    document = {"apiVersion": version, "kind": kind, "metadata": {"name": name, **metadata}}
    return Manifest({**document, "spec": spec} if spec is not None else document, "a.yaml", 1)


def ingress(name: str = "web", annotations: dict[str, str] | None = None, **spec: Any) -> Manifest:
    return manifest("Ingress", "networking.k8s.io/v1", spec=spec, name=name, annotations=annotations or {})


def test_every_object_knows_the_line_it_begins_at(tmp_path: Path) -> None:
    text = """\
    # a comment
    apiVersion: v1
    kind: Service
    metadata: {name: one}
    ---
    apiVersion: v1
    kind: List
    items:
    - apiVersion: v1
      kind: Service
      metadata: {name: two}
    - apiVersion: v1
      kind: Service
      metadata: {name: three}
    """
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.yaml").write_text(textwrap.dedent(text))
    found = read([str(tmp_path)], no_kubectl).manifests
    assert [(m.name, m.line) for m in found] == [("one", 2), ("two", 9), ("three", 12)]
    assert found[0].file == str(tmp_path / "below" / "a.yaml")


def test_what_is_no_object_is_counted_and_not_planned() -> None:
    found = parse("replicas: 2\n---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n", "values.yaml")
    assert (len(found.manifests), found.others) == (1, ["values.yaml:1"])


@pytest.mark.parametrize(
    ("text", "words"),
    [("a: [", "a.yaml:2: not YAML"), ("name: {{ .Values.name }}\n", "helm template NAME CHART | sandbox plan -f -")],
)
def test_what_cannot_be_read_names_file_line_and_remedy(text: str, words: str) -> None:
    with pytest.raises(PlanError) as refused:
        parse(text, "a.yaml")
    assert words in str(refused.value) or "a.yaml:1: not YAML" in str(refused.value)


def test_a_kustomization_stands_for_its_folder(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [a.yaml]\n")
    (tmp_path / "a.yaml").write_text("not: read\n")
    command = ["sh", "-c", "echo 'apiVersion: v1\nkind: Service\nmetadata: {name: built}'", "kubectl"]
    assert [m.name for m in read([str(tmp_path)], lambda: command).manifests] == ["built"]


def test_a_missing_file_is_named() -> None:
    with pytest.raises(PlanError, match="-f nowhere: there is no such file or folder"):
        read(["nowhere"], no_kubectl)


def test_objects_of_other_classes_are_left_alone_with_the_reason() -> None:
    nlb = "service.beta.kubernetes.io/aws-load-balancer-type"
    others = [
        ingress("nginx", ingressClassName="nginx"),
        ingress("old", {"kubernetes.io/ingress.class": "nginx"}),
        ingress("none"),
        manifest("Service", name="metal", spec={"type": "LoadBalancer", "loadBalancerClass": "metallb"}),
        manifest("Service", name="tree", spec={"type": "LoadBalancer"}, annotations={nlb: "nlb"}),
        manifest("Gateway", "gateway.networking.k8s.io/v1", name="gate", spec={"gatewayClassName": "istio"}),
    ]
    ours = [
        ingress("alb", ingressClassName="alb"),
        ingress("annotated", {"kubernetes.io/ingress.class": "alb"}),
        manifest("Service", name="plain", spec={"type": "LoadBalancer"}),
        manifest("Service", name="old", spec={"type": "LoadBalancer"}, annotations={nlb: "external"}),
    ]
    selection = select([*others, *ours])
    assert [m.name for m, _ in selection.left_alone] == [m.name for m in others]
    assert all(reason for _, reason in selection.left_alone)
    assert {m.name for m in selection.planned} == {m.name for m in ours}


@pytest.mark.parametrize(
    ("group", "kind", "needed"),
    [
        ("gateway.networking.k8s.io/v1", "GatewayClass", True),
        ("gateway.k8s.aws/v1beta1", "TargetGroupConfiguration", True),
        ("elbv2.k8s.aws/v1beta1", "TargetGroupBinding", False),
    ],
)
def test_the_crds_of_gateways_are_needed_for_their_kinds_only(group: str, kind: str, needed: bool) -> None:  # noqa: FBT001
    assert have_gateways(select([manifest("Service"), manifest(kind, group)]).planned) == needed


def test_what_has_no_part_in_load_balancing_is_counted_and_custom_resources_are_named() -> None:
    selection = select(
        [
            manifest("Role", "rbac.authorization.k8s.io/v1"),
            manifest("CustomResourceDefinition", "apiextensions.k8s.io/v1"),
            manifest("Rollout", "argoproj.io/v1alpha1"),
            manifest("Secret", name="unrelated"),
            manifest("Secret", name="oidc"),
            ingress(
                "web", {"alb.ingress.kubernetes.io/auth-idp-oidc": '{"secretName":"oidc"}'}, ingressClassName="alb"
            ),
        ]
    )
    assert selection.skipped == {"Role": 1, "CustomResourceDefinition": 1, "Secret": 1}
    assert [m.kind for m in selection.unknown] == ["Rollout"]
    assert {m.name for m in selection.planned} == {"oidc", "web"}


def test_the_manifests_of_the_controller_itself_are_not_applied_over_the_planners_own() -> None:
    labels = {"app.kubernetes.io/name": "aws-load-balancer-controller"}
    deployment = manifest("Deployment", "apps/v1", spec={}, labels=labels, namespace="kube-system")
    assert select([deployment]).skipped == {"Deployment": 1}


def test_no_image_of_a_manifest_is_ever_started() -> None:
    container = {"name": "a", "image": "x/aws-load-balancer-controller:v3", "command": ["sh"], "ports": []}
    spec = {"template": {"spec": {"containers": [container], "nodeSelector": {"a": "b"}, "serviceAccountName": "x"}}}
    made = prepared(manifest("Deployment", "apps/v1", spec=spec))["spec"]["template"]["spec"]
    assert made["containers"] == [{"name": "a", "image": IMAGE, "ports": []}]
    assert not {"nodeSelector", "serviceAccountName"} & made.keys()


def test_references_are_found_by_form_and_by_name() -> None:
    alb = "alb.ingress.kubernetes.io"
    annotations = {
        f"{alb}/certificate-arn": CERTIFICATE,
        f"{alb}/security-groups": "sg-0abc, frontend",
        f"{alb}/subnets": "subnet-0a,subnet-0b, named",
        f"{alb}/wafv2-acl-arn": "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/edge/aa-bb",
        f"{alb}/load-balancer-attributes": "access_logs.s3.enabled=true,access_logs.s3.bucket=my-logs",
        f"{alb}/mutual-authentication": '[{"port":443,"mode":"verify","trustStore":"clients"}]',
        f"{alb}/actions.blue": '{"type":"forward","targetGroupName":"blue"}',
    }
    found = find([ingress("web", annotations, ingressClassName="alb", rules=[{"host": "shop.example.com"}])])
    assert {(r.kind, r.identity) for r in found} == {
        ("certificate", CERTIFICATE),
        ("security group", "sg-0abc"),
        ("security group name", "frontend"),
        ("subnet", "subnet-0a"),
        ("subnet", "subnet-0b"),
        ("subnet name", "named"),
        ("web ACL", annotations[f"{alb}/wafv2-acl-arn"]),
        ("bucket", "my-logs"),
        ("trust store name", "clients"),
        ("target group name", "blue"),
    }
    certificate = next(r for r in found if r.kind == "certificate")
    assert certificate.hosts == ("shop.example.com",)
    assert {r.identity: r.position for r in found if "subnet" in r.kind} == {"subnet-0a": 0, "subnet-0b": 1, "named": 2}
    assert (usual(found, "region"), usual(found, "account")) == ("eu-west-1", "111122223333")


def test_the_typical_account_has_a_public_and_a_private_subnet_in_each_of_three_zones() -> None:
    account = typical("eu-west-1")
    assert {(s.zone, s.public) for s in account.subnets} == {
        (f"eu-west-1{zone}", public) for zone in "abc" for public in (True, False)
    }


def test_a_wrong_account_names_the_key(tmp_path: Path) -> None:
    file = tmp_path / "account.yaml"
    file.write_text("region: eu-west-1\nvpc: {id: vpc-1, cidrs: [10.0.0.0/16]}\nsubnets: [{id: subnet-1}]\n")
    with pytest.raises(PlanError, match=r"subnets\.0\.zone: Field required"):
        load(str(file))


def test_a_preview_gives_its_kubernetes_objects_without_what_is_unknown() -> None:
    inputs = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"},
    }
    urn = "urn:pulumi:dev::p::kubernetes:core/v1:Service::web"
    steps = [
        {"newState": {"type": "kubernetes:core/v1:Service", "urn": urn, "inputs": inputs}},
        {"newState": {"type": "aws:ec2/vpc:Vpc", "inputs": {}}},
        {"oldState": {}},
    ]
    text = str({"steps": steps}).replace("'", '"')
    (found,) = preview_objects(text, "preview.json")
    assert (found.name, found.namespace, found.place) == ("web", "default", "web")


def test_one_reference_is_found_once() -> None:
    found = find([ingress("a", {"x": "sg-1"}), ingress("b", {"x": "sg-1"})])
    assert found == [Reference("security group", "sg-1")]


def test_the_example_for_pipelines_has_the_certificate_and_the_workflow_that_it_needs() -> None:
    folder = Path(__file__).parents[3] / "examples" / "plan-in-ci"
    selection = select(read([str(folder / "manifests")], no_kubectl).manifests)
    assert [m.kind for m in selection.planned] == ["Deployment", "Service", "Ingress"]
    assert load(str(folder / "account.yaml")).certificates[0].domains == ["*.example.com"]
    workflow = folder / ".github" / "workflows" / "plan.yml"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(workflow)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
