import base64
from dataclasses import replace
from typing import Any

import pytest
import yaml

from eks_load_balancing.controller.values import (
    READINESS_GATE_LABEL,
    SERVICE_WEBHOOK_LABEL,
    ControllerSettings,
    WebhookCertificate,
    chart_values,
    webhook_names,
)
from eks_load_balancing.versions import CONTROLLER_VERSIONS, ControllerVersion
from tests import chart
from tests.unit.controller.upstream import CHART_VALUES, RELEASES

SETTINGS = ControllerSettings(
    cluster_name="dev",
    region="us-west-2",
    vpc_id="vpc-1",
    service_account="controller",
    image_repository="registry.example/aws-load-balancer-controller",
    image_tag="v3.5.0",
    replicas=2,
    certificate=WebhookCertificate(ca="CA", certificate="LEAF", key="KEY"),
)


def values(**changes: Any) -> dict[str, Any]:
    return chart_values(replace(SETTINGS, **changes))


def test_the_chart_knows_every_value() -> None:
    for key, value in values().items():
        assert key in CHART_VALUES
        inside = CHART_VALUES[key]
        assert inside is None or set(value) <= inside


@pytest.mark.sandbox
def test_the_real_chart_takes_the_values() -> None:
    objects = chart.rendered(values(image_tag="v3.2.2"))

    (deployment,) = (o for o in objects if o["kind"] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "controller"
    assert pod["containers"][0]["image"] == "registry.example/aws-load-balancer-controller:v3.2.2"
    assert {"--cluster-name=dev", "--aws-region=us-west-2", "--aws-vpc-id=vpc-1"} <= set(pod["containers"][0]["args"])
    (secret,) = (o for o in objects if o["kind"] == "Secret")
    assert base64.b64decode(secret["data"]["tls.crt"]) == b"LEAF"


@pytest.mark.sandbox
def test_the_table_agrees_with_the_real_chart() -> None:
    """The chart of 3.2.2 is the one that can be had here; the other rows are checked against recorded facts."""
    version = CONTROLLER_VERSIONS["3.2.2"]
    schemas = {
        crd["metadata"]["name"]: crd["spec"]["versions"][-1]["schema"]["openAPIV3Schema"]["properties"]
        for crd in chart.definitions()
    }
    hooks = {
        hook["name"].removesuffix(".elbv2.k8s.aws")
        for made in chart.rendered({"clusterName": "c"})
        for hook in made.get("webhooks", [])
    }

    assert set(version.crds) == set(schemas)
    for name, fields in version.crds.items():
        assert not fields or fields == set(schemas[name]["spec"]["properties"])
    assert version.webhooks <= hooks
    about = yaml.safe_load((chart.folder() / "Chart.yaml").read_text())
    assert (about["version"], about["appVersion"]) == (version.chart, version.image_tag)


@pytest.mark.parametrize("version", CONTROLLER_VERSIONS.values(), ids=CONTROLLER_VERSIONS)
def test_the_chart_of_every_version_knows_every_value(version: ControllerVersion) -> None:
    given = values(
        image_tag=version.image_tag,
        leaves_services_out=version.leaves_services_out,
        refuses_pods=version.refuses_pods,
    )

    assert set(given) <= set(RELEASES[version.version]["values"])
    assert version.leaves_services_out is RELEASES[version.version]["namespaceSelectors"]
    assert version.refuses_pods is RELEASES[version.version]["podMutatorWebhookConfig"]


def test_region_and_vpc_are_told_so_that_pods_need_no_metadata_service() -> None:
    assert (values()["region"], values()["vpcId"], values()["clusterName"]) == ("us-west-2", "vpc-1", "dev")


def test_the_service_account_is_ours_and_not_the_charts() -> None:
    assert values()["serviceAccount"] == {"create": False, "name": "controller"}


def test_the_certificate_is_given_so_that_the_chart_makes_none() -> None:
    assert values()["webhookTLS"] == {"caCert": "CA", "cert": "LEAF", "key": "KEY"}


def test_a_namespace_can_leave_its_services_to_the_in_tree_way() -> None:
    (selector,) = values()["serviceMutatorWebhookConfig"]["namespaceSelectors"]

    assert selector == {"key": SERVICE_WEBHOOK_LABEL, "operator": "NotIn", "values": ["disabled"]}


def test_a_pod_without_its_readiness_gate_does_not_start_unless_it_says_so() -> None:
    assert values()["podMutatorWebhookConfig"] == {"failurePolicy": "Fail"}
    assert values()["objectSelector"]["matchExpressions"] == [
        {"key": READINESS_GATE_LABEL, "operator": "NotIn", "values": ["disabled"]}
    ]


@pytest.mark.parametrize(
    ("feature", "flag"), [("waf", "enableWaf"), ("wafv2", "enableWafv2"), ("shield", "enableShield")]
)
def test_a_feature_that_is_off_is_off_in_the_chart_too(feature: str, flag: str) -> None:
    assert values()[flag] is True
    assert values(disabled_features=[feature])[flag] is False


def test_class_and_group_annotations_have_no_say_unless_asked_for() -> None:
    for key in ("disableIngressClassAnnotation", "disableIngressGroupNameAnnotation"):
        assert values()[key] is True
        assert values(legacy_annotations=True)[key] is False


def test_replicas_spread_over_zones_and_nodes_and_are_evicted_one_by_one() -> None:
    assert values(replicas=3)["replicaCount"] == 3
    assert values()["podDisruptionBudget"] == {"maxUnavailable": 1}
    assert [c["topologyKey"] for c in values()["topologySpreadConstraints"]] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]


def test_containers_run_unprivileged() -> None:
    context = values()["securityContext"]

    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["readOnlyRootFilesystem"] is True
    assert context["runAsNonRoot"] is True


def test_the_webhooks_answer_to_the_service_names_of_their_namespace() -> None:
    assert webhook_names("kube-system") == [
        "aws-load-balancer-webhook-service.kube-system.svc",
        "aws-load-balancer-webhook-service.kube-system.svc.cluster.local",
    ]
