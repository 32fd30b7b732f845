import json
from typing import Any

import pytest

from eks_load_balancing import InvalidInputError, LoadBalancerController, LoadBalancerControllerArgs
from fixtures.declared import ACCOUNT, ISSUER_URL, Declared, declare
from tests.unit.refusals import declares_nothing

ARGS: LoadBalancerControllerArgs = {
    "cluster_name": "dev",
    "region": "us-west-2",
    "vpc_id": "vpc-1",
    "oidc_provider_arn": "arn:provider",
    "issuer_url": ISSUER_URL,
    "tags": {"team": "web"},
}


def controller(**changes: Any) -> Declared:
    args: LoadBalancerControllerArgs = {**ARGS, **changes}  # pyright: ignore[reportAssignmentType]

    def program() -> dict[str, object]:
        made = LoadBalancerController("lbc", args)
        return {"role": made.role_arn, "account": made.service_account}

    return declare(program)


@pytest.fixture(scope="module")
def declared() -> Declared:
    return controller()


def values(declared: Declared) -> dict[str, Any]:
    """The chart's values; the private key makes the mock show them as one secret."""
    return declared.one(":Chart").inputs["values"]["value"]


def test_the_chart_is_the_official_one_of_the_version(declared: Declared) -> None:
    chart = declared.one(":Chart").inputs

    assert (chart["chart"], chart["version"]) == ("aws-load-balancer-controller", "3.5.0")
    assert chart["repositoryOpts"] == {"repo": "https://aws.github.io/eks-charts"}
    assert (chart["name"], chart["namespace"]) == ("aws-load-balancer-controller", "kube-system")
    assert "skipCrds" not in chart


def test_an_older_version_brings_its_own_chart_image_and_policy() -> None:
    older = controller(version="2.12.0")

    assert older.one(":Chart").inputs["version"] == "1.12.0"
    assert values(older)["image"]["tag"] == "v2.12.0"
    assert "ec2:DescribeRouteTables" not in older.one(":Policy").inputs["policy"]
    assert "serviceMutatorWebhookConfig" not in values(older)


def test_the_version_is_kept_so_that_a_move_can_be_told_from_it(declared: Declared) -> None:
    kept = declared.one(":Stash")

    assert (kept.name, kept.inputs["input"]) == ("lbc-version", "3.5.0")


def test_the_chart_is_done_only_when_two_replicas_answer(declared: Declared) -> None:
    """Its readiness probe says that the webhooks listen: whoever waits for the chart finds them."""
    assert not declared.one(":Chart").inputs.get("skipAwait")
    assert values(declared)["replicaCount"] == 2
    assert "readinessProbe" not in values(declared), "the chart's own asks /readyz"


def test_a_mirrored_chart_and_image_take_their_place() -> None:
    declared = controller(chart="oci://registry.example/chart", image_repository="registry.example/lbc")
    chart = declared.one(":Chart").inputs

    assert chart["chart"] == "oci://registry.example/chart"
    assert "repositoryOpts" not in chart
    assert values(declared)["image"]["repository"] == "registry.example/lbc"


def test_the_service_account_is_the_one_that_the_role_trusts_and_the_chart_uses(declared: Declared) -> None:
    account = declared.one(":ServiceAccount").inputs["metadata"]
    trust = json.loads(declared.one(":Role").inputs["assumeRolePolicy"])["Statement"][0]

    assert account["annotations"] == {"eks.amazonaws.com/role-arn": declared.outputs["role"]}
    assert (
        trust["Condition"]["StringEquals"][f"{ISSUER_URL.removeprefix('https://')}:sub"]
        == f"system:serviceaccount:{account['namespace']}:{account['name']}"
        == "system:serviceaccount:kube-system:aws-load-balancer-controller"
    )
    assert values(declared)["serviceAccount"] == {"create": False, "name": account["name"]}
    assert declared.outputs["account"] == "kube-system/aws-load-balancer-controller"


def test_the_policy_is_this_clusters_and_attached_to_the_role(declared: Declared) -> None:
    policy = declared.one(":Policy").inputs["policy"]

    assert '"aws:ResourceTag/elbv2.k8s.aws/cluster":"dev"' in policy
    assert "vpc/vpc-1" in policy
    assert declared.one(":RolePolicyAttachment").inputs["policyArn"] == f"arn:aws:iam::{ACCOUNT}:policy/lbc-policy"


def test_features_that_are_off_are_neither_granted_nor_tried() -> None:
    declared = controller(disabled_features=["shield", "waf"])

    assert "shield:" not in declared.one(":Policy").inputs["policy"]
    assert values(declared)["enableShield"] is False
    assert values(declared)["enableWafv2"] is True


def test_the_webhooks_serve_a_certificate_that_is_kept_in_state(declared: Declared) -> None:
    leaf = declared.one(":LocallySignedCert").inputs
    authority = declared.one(":SelfSignedCert").inputs

    assert values(declared)["webhookTLS"] == {
        "caCert": "certificate of lbc-webhook-authority",
        "cert": "certificate of lbc-webhook-certificate",
        "key": "key of lbc-webhook-key",
    }
    assert authority["isCaCertificate"] is True
    assert leaf["caCertPem"] == "certificate of lbc-webhook-authority"
    assert declared.one(":CertRequest").inputs["dnsNames"][0] == "aws-load-balancer-webhook-service.kube-system.svc"


def test_certificates_are_renewed_a_year_or_more_before_they_expire(declared: Declared) -> None:
    for kind in (":LocallySignedCert", ":SelfSignedCert"):
        certificate = declared.one(kind).inputs
        assert 365 * 24 <= certificate["earlyRenewalHours"] < certificate["validityPeriodHours"]


def test_a_leaf_never_outlives_its_authority(declared: Declared) -> None:
    leaf, authority = declared.one(":LocallySignedCert").inputs, declared.one(":SelfSignedCert").inputs

    assert leaf["validityPeriodHours"] <= authority["earlyRenewalHours"]


def test_what_the_controller_makes_carries_the_callers_tags(declared: Declared) -> None:
    assert values(declared)["defaultTags"] == {"team": "web"}
    assert declared.one(":Role").inputs["tags"] == {"team": "web"}


@pytest.mark.parametrize(
    ("region", "partition", "registry"),
    [
        ("cn-north-1", "aws-cn", "918309763551.dkr.ecr.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "013241004608.dkr.ecr.us-gov-west-1.amazonaws.com"),
    ],
)
def test_other_partitions_have_their_own_arns_and_registry(region: str, partition: str, registry: str) -> None:
    declared = controller(region=region)

    assert f"arn:{partition}:ec2" in declared.one(":Policy").inputs["policy"]
    assert '"arn:aws:' not in declared.one(":Policy").inputs["policy"]
    assert values(declared)["image"]["repository"].startswith(registry)


def test_by_pod_identity_there_is_no_annotation_but_an_association() -> None:
    declared = controller(identity="pod-identity", cluster_arn="arn:aws:eks:us-west-2:1:cluster/dev")

    assert "annotations" not in declared.one(":ServiceAccount").inputs["metadata"] or (
        declared.one(":ServiceAccount").inputs["metadata"]["annotations"] == {}
    )
    assert declared.one(":PodIdentityAssociation").inputs["serviceAccount"] == "aws-load-balancer-controller"


def test_it_makes_no_user_no_access_key_and_no_rule(declared: Declared) -> None:
    assert declared.types() == [
        "aws:iam/policy:Policy",
        "aws:iam/role:Role",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "kubernetes:core/v1:ServiceAccount",
        "kubernetes:helm.sh/v4:Chart",
        "pulumi:index:Stash",
        "tls:index/certRequest:CertRequest",
        "tls:index/locallySignedCert:LocallySignedCert",
        "tls:index/privateKey:PrivateKey",
        "tls:index/selfSignedCert:SelfSignedCert",
    ]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"version": "1.0.0"}, "controller version '1.0.0' is not in this package's table"),
        (
            {"version": "2.12.0", "global_accelerator": True},
            "version 2.12.0 does not know Global Accelerators: give a later",
        ),
        ({"version": "2.12.0", "region": "eusc-de-east-1", "image_repository": "mine"}, "no IAM policy for partition"),
        ({"kubernetes_version": "1.20"}, "needs Kubernetes 1.22 or later"),
        ({"replicas": 1}, "controller replicas 1 .* give 2 or more"),
        ({"namespace": "*"}, "namespace"),
        ({"service_account": "Not One"}, "is not a service account's name"),
        ({"disabled_features": ["quantum"]}, "feature 'quantum' is not known"),
        ({"cluster_name": "c" * 101}, "is not one that EKS takes"),
        ({"region": "us-iso-east-1"}, "give an image repository of yours"),
    ],
)
def test_nothing_is_declared_when_the_arguments_cannot_work(changes: dict[str, Any], says: str) -> None:
    declares_nothing(lambda: LoadBalancerController("lbc", {**ARGS, **changes}), says)  # pyright: ignore[reportArgumentType]


def test_global_accelerators_take_a_policy_of_their_own_and_a_feature_gate(declared: Declared) -> None:
    assert "globalaccelerator" not in json.dumps([p.inputs for p in declared.of(":Policy")])
    assert "controllerConfig" not in values(declared)

    more = controller(global_accelerator=True)
    (policy,) = (p for p in more.of(":Policy") if "globalaccelerator:" in p.inputs["policy"])
    attached = [a.inputs["policyArn"] for a in more.of(":RolePolicyAttachment")]

    assert f"arn:aws:iam::{ACCOUNT}:policy/{policy.name}" in attached
    assert values(more)["controllerConfig"] == {"featureGates": {"GlobalAcceleratorController": True}}


def test_global_accelerators_are_refused_where_there_are_none() -> None:
    with pytest.raises(InvalidInputError, match="partition aws-us-gov has no Global Accelerator"):
        controller(global_accelerator=True, region="us-gov-west-1")


def test_pods_are_replaced_on_the_way_to_pod_identity_and_not_once_they_are_there() -> None:
    arn = {"cluster_arn": "arn:aws:eks:us-west-2:1:cluster/dev"}
    irsa, both, pod_identity = (
        values(controller(identity=identity, **arn)).get("podAnnotations")
        for identity in ("irsa", "both", "pod-identity")
    )

    assert irsa != both == pod_identity


def test_a_controller_of_bound_target_groups_gets_the_policy_for_these() -> None:
    declared = controller(bound_target_group_arns=["arn:group"])

    assert '"Resource":["arn:group"]' in declared.one(":Policy").inputs["policy"]
    assert "CreateLoadBalancer" not in declared.one(":Policy").inputs["policy"]
