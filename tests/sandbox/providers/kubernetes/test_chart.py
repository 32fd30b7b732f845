"""The chart aws-load-balancer-controller, rendered from its values: 3.5.0, and in what 1.12.0 differs."""

import base64
import datetime as dt
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from sandbox.providers.common.server import ProviderError
from sandbox.providers.kubernetes.chart import CHARTS, Release, render
from sandbox.providers.kubernetes.chart.crds import definitions, schema
from sandbox.providers.kubernetes.chart.render import secret_to_keep
from sandbox.providers.kubernetes.chart.values import VALUES, problems

RELEASE = Release("lbc", "kube-system")
TLS = {"caCert": "CA", "cert": "CERT", "key": "KEY"}


def objects(release: Release = RELEASE, **values: Any) -> dict[str, Any]:
    """The objects without CRDs, by kind (the two roles and bindings differ in it)."""
    given = {"clusterName": "c", "webhookTLS": TLS, **values}
    return {item["kind"]: item for item in render(release, given, crds=False)}


def container(**values: Any) -> Any:
    return objects(**values)["Deployment"]["spec"]["template"]["spec"]["containers"][0]


def wrong(**values: Any) -> str:
    return "; ".join(problems({"clusterName": "c", **values}))


def test_a_typical_installation_makes_twelve_objects() -> None:
    assert set(objects(podDisruptionBudget={"maxUnavailable": 1})) == {
        *("ClusterRole", "ClusterRoleBinding", "Deployment", "IngressClass", "IngressClassParams"),
        *("MutatingWebhookConfiguration", "PodDisruptionBudget", "Role", "RoleBinding", "Secret", "Service"),
        *("ServiceAccount", "ValidatingWebhookConfiguration"),
    }


def test_the_controllers_arguments_are_the_values_in_the_charts_order() -> None:
    found = container(
        region="us-west-2",
        vpcId="vpc-1",
        enableShield=False,
        awsMaxRetries=10,
        defaultTargetType="ip",
        defaultTags={"b": "2", "a": True},
        externalManagedTags=["x", "y"],
        controllerConfig={"featureGates": {"Z": True, "A": False}},
    )
    assert found["args"] == [
        "--cluster-name=c",
        "--ingress-class=alb",
        "--aws-region=us-west-2",
        "--aws-vpc-id=vpc-1",
        "--aws-max-retries=10",
        "--enable-shield=false",
        "--external-managed-tags=x,y",
        "--default-tags=a=true,b=2",
        "--feature-gates=A=false,Z=true",
        "--default-target-type=ip",
    ]


def test_the_default_target_type_goes_without_saying() -> None:
    assert container()["args"] == ["--cluster-name=c", "--ingress-class=alb"]


def test_the_pods_are_the_charts_by_default() -> None:
    deployment = objects()["Deployment"]["spec"]
    pod = deployment["template"]["spec"]
    assert deployment["replicas"] == 2
    assert pod["priorityClassName"] == "system-cluster-critical"
    assert pod["terminationGracePeriodSeconds"] == 10
    assert pod["affinity"]["podAntiAffinity"]
    assert pod["volumes"] == [{"name": "cert", "secret": {"defaultMode": 420, "secretName": "aws-load-balancer-tls"}}]
    found = container()
    assert found["image"] == "public.ecr.aws/eks/aws-load-balancer-controller:v3.5.0"
    assert found["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": 61779, "scheme": "HTTP"}
    assert {port["name"]: port["containerPort"] for port in found["ports"]} == {
        "webhook-server": 9443,
        "metrics-server": 8080,
    }


def test_values_are_laid_over_the_defaults_and_null_takes_a_default_away() -> None:
    assert container(image={"repository": "mirror/lbc"})["image"] == "mirror/lbc:v3.5.0"
    probe = container(readinessProbe={"initialDelaySeconds": 1})["readinessProbe"]
    assert (probe["initialDelaySeconds"], probe["httpGet"]["port"]) == (1, 61779)
    assert "readinessProbe" not in container(readinessProbe=None)


def test_an_autoscaled_deployment_has_no_replicas_of_its_own() -> None:
    found = objects(autoscaling={"enabled": True})
    assert "replicas" not in found["Deployment"]["spec"]
    assert found["HorizontalPodAutoscaler"]["spec"]["maxReplicas"] == 5


@pytest.mark.parametrize(
    ("release", "values", "name"),
    [
        ("lbc", {}, "lbc-aws-load-balancer-controller"),
        ("aws-load-balancer-controller", {}, "aws-load-balancer-controller"),
        ("lbc", {"nameOverride": "x"}, "lbc-x"),
        ("lbc", {"fullnameOverride": "mine"}, "mine"),
        ("r" * 60, {}, "r" * 60 + "-aw"),
    ],
)
def test_objects_are_called_after_release_and_chart(release: str, values: dict[str, Any], name: str) -> None:
    assert objects(Release(release, "n"), **values)["Deployment"]["metadata"]["name"] == name


def test_a_service_account_of_ones_own_is_used_and_not_made() -> None:
    found = objects(serviceAccount={"create": False, "name": "mine"})
    assert "ServiceAccount" not in found
    assert found["Deployment"]["spec"]["template"]["spec"]["serviceAccountName"] == "mine"
    assert found["ClusterRoleBinding"]["subjects"] == [
        {"kind": "ServiceAccount", "name": "mine", "namespace": "kube-system"}
    ]


def test_a_service_account_made_by_the_chart_carries_its_role() -> None:
    annotations = {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/lbc"}
    account = objects(serviceAccount={"annotations": annotations})["ServiceAccount"]
    assert account["metadata"]["annotations"] == annotations


def allowed(rules: Any, group: str, resource: str) -> set[str]:
    return {
        verb for rule in rules if group in rule["apiGroups"] and resource in rule["resources"] for verb in rule["verbs"]
    }


def test_the_controller_may_do_in_the_cluster_what_it_does() -> None:
    rules = objects()["ClusterRole"]["rules"]
    assert allowed(rules, "elbv2.k8s.aws", "targetgroupbindings") >= {"create", "delete", "patch", "watch"}
    assert allowed(rules, "networking.k8s.io", "ingresses/status") == {"patch", "update"}
    assert allowed(rules, "", "services") == {"get", "list", "patch", "update", "watch"}
    assert allowed(rules, "", "pods/status") == {"patch", "update"}
    assert allowed(rules, "", "secrets") == set()
    assert allowed(objects(clusterSecretsPermissions={"allowAllSecrets": True})["ClusterRole"]["rules"], "", "secrets")


def test_the_leader_election_is_about_one_lock() -> None:
    rules = objects()["Role"]["rules"]
    assert [rule.get("resourceNames") for rule in rules if "leases" in rule["resources"]] == [
        None,
        ["aws-load-balancer-controller-leader"],
    ]


def test_a_given_certificate_is_served_and_trusted() -> None:
    found = objects()
    encoded = {part: base64.b64encode(text.encode()).decode() for part, text in TLS.items()}
    assert found["Secret"]["data"] == {
        "ca.crt": encoded["caCert"],
        "tls.crt": encoded["cert"],
        "tls.key": encoded["key"],
    }
    hooks = [*found["MutatingWebhookConfiguration"]["webhooks"], *found["ValidatingWebhookConfiguration"]["webhooks"]]
    assert {hook["clientConfig"]["caBundle"] for hook in hooks} == {encoded["caCert"]}


def test_without_a_certificate_each_rendering_makes_one_for_the_services_names() -> None:
    first, second = objects(webhookTLS={}), objects(webhookTLS={"caCert": "only"})
    assert first["Secret"]["data"] != second["Secret"]["data"]
    certificate = x509.load_pem_x509_certificate(base64.b64decode(first["Secret"]["data"]["tls.crt"]))
    authority = x509.load_pem_x509_certificate(base64.b64decode(first["Secret"]["data"]["ca.crt"]))
    certificate.verify_directly_issued_by(authority)
    names: Any = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    service = "aws-load-balancer-webhook-service.kube-system"
    assert names.get_values_for_type(x509.DNSName) == [service, f"{service}.svc", f"{service}.svc.cluster.local"]
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == dt.timedelta(days=3650)


def test_a_certificate_that_is_in_the_cluster_is_kept_where_the_values_say_so() -> None:
    kept = {"data": {"ca.crt": "a", "tls.crt": "b", "tls.key": "c"}}
    assert secret_to_keep(RELEASE, {"clusterName": "c", "keepTLSSecret": True}) == "aws-load-balancer-tls"
    assert secret_to_keep(RELEASE, {"clusterName": "c"}) is None
    found = {item["kind"]: item for item in render(RELEASE, {"clusterName": "c"}, crds=False, secret=kept)}
    assert found["Secret"]["data"] == kept["data"]


def test_cert_manager_makes_the_certificate_in_the_secrets_place() -> None:
    found = objects(enableCertManager=True)
    assert "Secret" not in found
    assert found["Certificate"]["spec"]["secretName"] == "aws-load-balancer-tls"
    hook = found["MutatingWebhookConfiguration"]["webhooks"][0]
    assert "caBundle" not in hook["clientConfig"]


def webhooks(**values: Any) -> dict[str, Any]:
    found = objects(**values)
    both = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
    return {hook["name"]: hook for kind in both for hook in found[kind]["webhooks"]}


def test_only_the_readiness_gates_webhook_may_fail_by_default() -> None:
    policies = {name: hook["failurePolicy"] for name, hook in webhooks().items()}
    assert {name for name, policy in policies.items() if policy != "Fail"} == {"mpod.elbv2.k8s.aws"}
    assert webhooks(podMutatorWebhookConfig={"failurePolicy": "Fail"})["mpod.elbv2.k8s.aws"]["failurePolicy"] == "Fail"


def test_no_webhook_stands_in_the_way_of_what_the_chart_makes() -> None:
    label = {"key": "app.kubernetes.io/name", "operator": "NotIn", "values": ["aws-load-balancer-controller"]}
    for name in ("mpod.elbv2.k8s.aws", "mservice.elbv2.k8s.aws", "vingressclassparams.elbv2.k8s.aws"):
        assert label in webhooks()[name]["objectSelector"]["matchExpressions"]
    assert objects()["Service"]["metadata"]["labels"]["app.kubernetes.io/name"] == "aws-load-balancer-controller"


def test_the_service_webhook_can_be_off_or_look_at_some_namespaces_only() -> None:
    assert "mservice.elbv2.k8s.aws" not in webhooks(enableServiceMutatorWebhook=False)
    chosen = [{"key": "lb", "operator": "In", "values": ["nlb"]}]
    hook = webhooks(serviceMutatorWebhookConfig={"namespaceSelectors": chosen})["mservice.elbv2.k8s.aws"]
    assert hook["namespaceSelector"] == {"matchExpressions": chosen}
    assert hook["rules"][0]["operations"] == ["CREATE"]


def test_ingresses_can_go_unvalidated_and_accelerators_are_validated_behind_their_gate() -> None:
    assert "vingress.elbv2.k8s.aws" not in webhooks(webhookConfig={"disableIngressValidation": True})
    gates = {"GlobalAcceleratorController": True}
    assert "vglobalaccelerator.aga.k8s.aws" in webhooks(controllerConfig={"featureGates": gates})
    assert "vglobalaccelerator.aga.k8s.aws" not in webhooks()


def test_the_ingress_class_points_to_parameters_only_if_they_say_something() -> None:
    assert "parameters" not in objects()["IngressClass"]["spec"]
    found = objects(ingressClassParams={"spec": {"scheme": "internal"}}, ingressClassConfig={"default": True})
    assert found["IngressClass"]["spec"]["parameters"]["name"] == found["IngressClassParams"]["metadata"]["name"]
    assert found["IngressClass"]["metadata"]["annotations"] == {"ingressclass.kubernetes.io/is-default-class": "true"}
    assert "IngressClass" not in objects(createIngressClassResource=False)


def test_one_replica_has_no_disruption_budget() -> None:
    assert "PodDisruptionBudget" not in objects(replicaCount=1, podDisruptionBudget={"maxUnavailable": 1})


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"replicas": 2}, "replicas is unknown (replicaCount?)"),
        ({"serviceAccount": {"nmae": "x"}}, "serviceAccount.nmae is unknown (serviceAccount.name?)"),
        ({"serviceAccount": "x"}, "serviceAccount is 'x': give a mapping with annotations, automount"),
        ({"enableShield": "false"}, "enableShield is 'false': give true or false"),
        ({"replicaCount": "two"}, "replicaCount is 'two': give a whole number"),
        ({"replicaCount": True}, "replicaCount is True: give a whole number"),
        ({"replicaCount": 1.5}, "replicaCount is 1.5: give a whole number"),
        ({"defaultTags": {"a": {"b": "c"}}}, "give a mapping of names to strings"),
        ({"tolerations": {}}, "tolerations is {}: give a list"),
        ({"region": "{{ .Values.x }}"}, "which only Helm evaluates"),
        ({"clusterName": ""}, "clusterName is missing"),
        ({"runtimeClassName": "x"}, "chart 3.5.0 fails on it"),
    ],
)
def test_a_value_that_the_chart_does_not_have_is_named_with_its_remedy(values: dict[str, Any], says: str) -> None:
    assert says in wrong(**values)


def test_all_that_is_wrong_with_values_is_said_in_one_line() -> None:
    with pytest.raises(ProviderError, match=r"a is unknown; b is unknown$"):
        render(RELEASE, {"clusterName": "c", "a": 1, "b": 2})


def test_the_crds_come_first_unless_they_are_skipped() -> None:
    names = [item["metadata"]["name"] for item in definitions()]
    assert sorted(names) == [
        "albtargetcontrolconfigs.elbv2.k8s.aws",
        "globalaccelerators.aga.k8s.aws",
        "ingressclassparams.elbv2.k8s.aws",
        "listenerruleconfigurations.gateway.k8s.aws",
        "loadbalancerconfigurations.gateway.k8s.aws",
        "targetgroupbindings.elbv2.k8s.aws",
        "targetgroupconfigurations.gateway.k8s.aws",
    ]
    rendered = render(RELEASE, {"clusterName": "c", "webhookTLS": TLS})
    assert [item["metadata"]["name"] for item in rendered[: len(names)]] == names


def test_one_version_of_each_crd_is_stored() -> None:
    for item in definitions():
        assert [version["storage"] for version in item["spec"]["versions"]].count(True) == 1


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("int64 min=1 max=5 default=3", {
            "type": "integer", "format": "int64", "minimum": 1, "maximum": 5, "default": 3,
        }),
        ("string =a|b", {"type": "string", "enum": ["a", "b"]}),
        ("string shortest=1 ~^a ~b$", {"type": "string", "minLength": 1, "pattern": "^a ~b$"}),
        ("boolean default=false", {"type": "boolean", "default": False}),
        (["string", {"atomic": True, "minItems": 1}], {
            "type": "array", "items": {"type": "string"}, "minItems": 1, "x-kubernetes-list-type": "atomic",
        }),
        ({"*": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}),
        ({"a!": "string", "=": {"rules": {"has(self.a)": "give a"}}}, {
            "type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"],
            "x-kubernetes-validations": [{"rule": "has(self.a)", "message": "give a"}],
        }),
    ],
)  # fmt: skip
def test_the_short_notation_means_a_schema(short: Any, full: dict[str, Any]) -> None:
    assert schema(short) == full


OLDER = Release("lbc", "kube-system", "1.12.0")


def test_an_older_chart_has_its_own_crds_image_and_labels() -> None:
    made = render(OLDER, {"clusterName": "c", "webhookTLS": TLS})
    crds = {one["metadata"]["name"]: one["spec"] for one in made if one["kind"] == "CustomResourceDefinition"}
    (deployment,) = (one for one in made if one["kind"] == "Deployment")

    assert set(crds) == {"ingressclassparams.elbv2.k8s.aws", "targetgroupbindings.elbv2.k8s.aws"}
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":v2.12.0")
    assert deployment["metadata"]["labels"]["helm.sh/chart"] == "aws-load-balancer-controller-1.12.0"
    assert deployment["metadata"]["labels"]["app.kubernetes.io/version"] == "v2.12.0"


def test_an_older_crd_is_todays_without_what_it_did_not_know() -> None:
    today, older = (
        {crd["metadata"]["name"]: crd["spec"]["versions"][-1]["schema"]["openAPIV3Schema"] for crd in definitions(v)}
        for v in ("3.5.0", "1.12.0")
    )
    bindings = [of["targetgroupbindings.elbv2.k8s.aws"]["properties"]["spec"] for of in (today, older)]
    params = [of["ingressclassparams.elbv2.k8s.aws"]["properties"]["spec"] for of in (today, older)]

    assert set(bindings[0]["properties"]) - set(bindings[1]["properties"]) == {"targetGroupProtocol"}
    assert set(params[0]["properties"]) - set(params[1]["properties"]) == {
        *("PrefixListsIDs", "loadBalancerName", "prefixListsIDs", "sslRedirectPort", "targetType"),
        *("wafv2AclArn", "wafv2AclName"),
    }
    assert "x-kubernetes-validations" not in params[1]


def test_an_older_chart_asks_for_older_reviews_and_injects_nothing_but_gates() -> None:
    hooks = {hook["name"]: hook for hook in objects(OLDER)["MutatingWebhookConfiguration"]["webhooks"]}

    assert set(hooks) == {"mpod.elbv2.k8s.aws", "mservice.elbv2.k8s.aws", "mtargetgroupbinding.elbv2.k8s.aws"}
    assert {tuple(hook["admissionReviewVersions"]) for hook in hooks.values()} == {("v1beta1",)}


def test_an_older_controller_may_not_watch_gateways() -> None:
    rules = objects(OLDER)["ClusterRole"]["rules"]

    assert not [rule for rule in rules if "gateway.networking.k8s.io" in rule["apiGroups"]]
    assert allowed(rules, "", "pods/status") == {"patch", "update"}


def test_an_older_chart_lets_cert_manager_sign_by_itself() -> None:
    made = render(OLDER, {"clusterName": "c", "enableCertManager": True}, crds=False)

    assert [one["metadata"]["name"] for one in made if one["kind"] == "Issuer"] == [
        "aws-load-balancer-selfsigned-issuer"
    ]


def test_a_value_of_one_version_is_unknown_to_a_version_without_it() -> None:
    given = {
        "clusterName": "c",
        "maxTargetsPerTargetGroup": 3,
        "webhookConfig": {"ingressValdationFailurePolicy": "Fail"},
    }

    assert list(problems(given)) == []
    assert "; ".join(problems(given, "1.12.0")).count(" is unknown") == 2


def test_what_a_default_of_an_older_chart_was_it_still_is() -> None:
    assert secret_to_keep(OLDER, {"clusterName": "c"}) == "aws-load-balancer-tls"
    assert secret_to_keep(RELEASE, {"clusterName": "c"}) is None


def test_every_value_that_an_older_chart_lacks_is_one_that_the_newest_has() -> None:
    def paths(known: Any, prefix: str = "") -> set[str]:
        below = [paths(key, f"{prefix}{name}.") for name, key in known.items() if isinstance(key, dict)]
        return {f"{prefix}{name}" for name in known}.union(*below)

    for chart in CHARTS.values():
        assert {*chart.lacks, *chart.defaults} <= paths(VALUES)
