"""Examples of what others made and what has no argument of its own, read back from AWS and the cluster."""

import json
from pathlib import Path
from typing import Any

import pytest

from eks_load_balancing.identity.trust import web_identity_trust
from sandbox.run.processes import wait_until
from tests import chart
from tests.e2e.existing import Existing, running, sampled

pytestmark = pytest.mark.sandbox

_CONTROLLER = "aws-load-balancer-controller"


def balancer(existing: Existing, host: str) -> dict[str, Any]:
    """The load balancer with a DNS name."""
    (found,) = (lb for lb in existing.elb.describe_load_balancers()["LoadBalancers"] if lb["DNSName"] == host)
    return found


def attributes(answer: dict[str, Any]) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in answer["Attributes"]}


def assert_every_setting(existing: Existing, made: dict[str, Any]) -> None:
    blue, iam = existing.clusters["blue"], existing.sandbox.aws("iam")
    pods = blue.get("deployment", _CONTROLLER, "-n", "kube-system")["spec"]["template"]["spec"]
    (container,) = pods["containers"]
    assert {"--log-level=debug", "--external-managed-tags=cost-centre"} <= set(container["args"])
    assert "--aws-region=us-west-2" in container["args"]
    assert pods["priorityClassName"] == "system-node-critical"
    assert {"key": "platform", "operator": "Exists"} in pods["tolerations"]
    assert container["resources"]["requests"] == {"cpu": "200m", "memory": "200Mi"}
    assert made["roleName"] == "load-balancers-of-blue"
    attached = iam.list_attached_role_policies(RoleName=made["roleName"])["AttachedPolicies"]
    assert made["policyArn"] in [one["PolicyArn"] for one in attached]
    assert made["alarmsPolicyArn"] in [one["PolicyArn"] for one in attached]
    (extra,) = (one["PolicyArn"] for one in attached if "extra" in one["PolicyName"])
    document = iam.get_policy_version(PolicyArn=extra, VersionId="v1")["PolicyVersion"]["Document"]
    assert document["Statement"] == [{"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*"}]


def assert_listeners_rules_and_targets(existing: Existing, made: dict[str, Any]) -> None:
    elb = existing.elb
    feed, pages, canary = (balancer(existing, made[name])["LoadBalancerArn"] for name in ("feed", "pages", "canary"))
    listeners = elb.describe_listeners(LoadBalancerArn=feed)["Listeners"]
    assert sorted((one["Protocol"], one["Port"]) for one in listeners) == [("TCP", 80), ("UDP", 514)]
    shown = attributes(elb.describe_load_balancer_attributes(LoadBalancerArn=feed))
    assert shown["dns_record.client_routing_policy"] == "availability_zone_affinity"
    assert shown["load_balancing.cross_zone.enabled"] == "true"
    for group in elb.describe_target_groups(LoadBalancerArn=feed)["TargetGroups"]:
        arn = group["TargetGroupArn"]
        assert (
            attributes(elb.describe_target_group_attributes(TargetGroupArn=arn))["preserve_client_ip.enabled"] == "true"
        )
        assert existing.serve("blue", arn, "shop", 2)
    (listener,) = elb.describe_listeners(LoadBalancerArn=pages)["Listeners"]
    rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    paths = {value for rule in rules for one in rule["Conditions"] for value in one["PathPatternConfig"]["Values"]}
    assert paths == {"/shop", "/shop/*", "/cart"}
    (listener,) = elb.describe_listeners(LoadBalancerArn=canary)["Listeners"]
    rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    weights = [
        sorted(group["Weight"] for group in action["ForwardConfig"]["TargetGroups"])
        for rule in rules
        for action in rule["Actions"]
        if action["Type"] == "forward"
    ]
    assert weights == [[10, 90]]


def assert_certificate_name_and_logs(existing: Existing, made: dict[str, Any]) -> None:
    aws = existing.sandbox.aws
    alb = balancer(existing, made["loadBalancer"])
    listeners = existing.elb.describe_listeners(LoadBalancerArn=alb["LoadBalancerArn"])["Listeners"]
    (tls,) = (one for one in listeners if one["Port"] == 443)
    assert [one["CertificateArn"] for one in tls["Certificates"]] == [made["certificateArn"]]
    about = aws("acm").describe_certificate(CertificateArn=made["certificateArn"])["Certificate"]
    assert (about["Status"], sorted(about["SubjectAlternativeNames"])) == (
        "ISSUED",
        ["*.example.com", "example.com"],
    )
    shown = attributes(existing.elb.describe_load_balancer_attributes(LoadBalancerArn=alb["LoadBalancerArn"]))
    assert (shown["access_logs.s3.enabled"], shown["access_logs.s3.bucket"]) == ("true", made["bucket"])
    policy = json.loads(aws("s3").get_bucket_policy(Bucket=made["bucket"])["Policy"])
    assert policy["Statement"][0]["Principal"]["AWS"] == "arn:aws:iam::797873946194:root"
    records = aws("route53").list_resource_record_sets(HostedZoneId=made["zoneId"])["ResourceRecordSets"]
    (alias,) = (one["AliasTarget"] for one in records if one["Name"].rstrip(".") == made["host"])
    assert alias["DNSName"].rstrip(".") == made["loadBalancer"]


def assert_addresses(existing: Existing, made: dict[str, Any]) -> None:
    elb, fixed = existing.elb, balancer(existing, made["fixed"])
    found = {a["IpAddress"] for zone in fixed["AvailabilityZones"] for a in zone["LoadBalancerAddresses"]}
    assert (fixed["Scheme"], found) == ("internet-facing", set(made["addresses"]))
    (group,) = elb.describe_target_groups(LoadBalancerArn=fixed["LoadBalancerArn"])["TargetGroups"]
    shown = attributes(elb.describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"]))
    assert shown["proxy_protocol_v2.enabled"] == "true"


def assert_certificates_and_logins(existing: Existing, made: dict[str, Any]) -> None:
    elb, members = existing.elb, balancer(existing, made["members"])
    listeners = elb.describe_listeners(LoadBalancerArn=members["LoadBalancerArn"])["Listeners"]
    (tls,) = (one for one in listeners if one["Port"] == 443)
    assert [one["CertificateArn"] for one in tls["Certificates"]] == [made["certificateArn"]]
    assert tls["MutualAuthentication"]["Mode"] == "passthrough"
    rules = elb.describe_rules(ListenerArn=tls["ListenerArn"])["Rules"]
    (login,) = (a["AuthenticateOidcConfig"] for r in rules for a in r["Actions"] if a["Type"] == "authenticate-oidc")
    assert (login["Issuer"], login["ClientId"]) == ("https://login.example", "members")


def assert_clients_are_verified(existing: Existing, made: dict[str, Any]) -> None:
    elb, orders = existing.elb, balancer(existing, made["orders"])
    listeners = elb.describe_listeners(LoadBalancerArn=orders["LoadBalancerArn"])["Listeners"]
    (tls,) = (one for one in listeners if one["Port"] == 443)
    shown = elb.describe_listener_certificates(ListenerArn=tls["ListenerArn"])["Certificates"]
    assert {one["CertificateArn"] for one in shown} == set(made["certificateArns"])
    assert tls["MutualAuthentication"]["Mode"] == "verify"
    assert tls["MutualAuthentication"]["TrustStoreArn"] == made["trustStoreArn"]
    (store,) = elb.describe_trust_stores(TrustStoreArns=[made["trustStoreArn"]])["TrustStores"]
    assert store["NumberOfCaCertificates"] == 1


def assert_both_kinds_of_addresses(existing: Existing, made: dict[str, Any]) -> None:
    alb = balancer(existing, made["everywhere"])
    assert alb["IpAddressType"] == "dualstack"
    assert {zone["SubnetId"] for zone in alb["AvailabilityZones"]} == set(made["subnetIds"])
    (group,) = existing.elb.describe_target_groups(LoadBalancerArn=alb["LoadBalancerArn"])["TargetGroups"]
    assert existing.serve("blue", group["TargetGroupArn"], "everywhere", 2)


def test_a_controller_works_with_a_role_that_was_made_elsewhere(existing: Existing) -> None:
    iam = existing.sandbox.aws("iam")
    before = {role["RoleName"] for role in iam.list_roles()["Roles"]}
    with running(existing, "own-role") as example:
        made = example.next()
        assert made["controllerRoleArn"] == made["roleArn"]
        assert existing.serve("blue", made["targetGroupArns"][0], "web", 2)
        assert existing.refused(made["roleArn"]) == []
        new = {role["RoleName"] for role in iam.list_roles()["Roles"]} - before
        assert new == {made["roleArn"].rpartition("/")[2]}
        example.unchanged()


def test_a_tuned_controller_serves_workloads_of_others_with_certificate_name_and_logs(existing: Existing) -> None:
    with (
        running(existing, "tuned-controller") as controller,
        running(existing, "own-workloads") as workloads,
        running(existing, "secure-workloads") as secure,
        running(existing, "client-certificates") as certificates,
        running(existing, "dualstack") as dualstack,
        running(existing, "edge") as edge,
    ):
        assert_every_setting(existing, controller.next())
        assert_listeners_rules_and_targets(existing, workloads.next())
        assert_certificates_and_logins(existing, secure.next())
        assert_clients_are_verified(existing, certificates.next())
        assert_both_kinds_of_addresses(existing, dualstack.next())
        dualstack.unchanged()
        outputs = edge.next()
        assert_certificate_name_and_logs(existing, outputs)
        assert_addresses(existing, outputs)
        edge.unchanged()


def test_a_cluster_has_several_node_groups_and_configured_addons(existing: Existing) -> None:
    aws = existing.sandbox.aws
    with running(existing, "node-groups") as example:
        made = example.next()
        _, spot = made["nodeGroupNames"]
        group = aws("eks").describe_nodegroup(clusterName="grouped", nodegroupName=spot)["nodegroup"]
        assert (group["capacityType"], group["amiType"], group["labels"]) == (
            "SPOT",
            "BOTTLEROCKET_ARM_64",
            {"pool": "spot"},
        )
        assert group["taints"] == [{"key": "spot", "value": "yes", "effect": "NO_SCHEDULE"}]
        assert group["nodeRole"].endswith(f"/{made['nodeRoleName']}")
        cni = aws("eks").describe_addon(clusterName="grouped", addonName="vpc-cni")["addon"]
        assert json.loads(cni["configurationValues"])["env"] == {"ENABLE_PREFIX_DELEGATION": "true"}
        assert (
            aws("eks").describe_addon(clusterName="grouped", addonName="metrics-server")["addon"]["status"] == "ACTIVE"
        )
        assert aws("eks").describe_cluster(name="grouped")["cluster"]["endpoint"] == made["endpoint"]
        example.unchanged()


def test_a_controller_of_helm_is_taken_over_and_no_target_is_lost(
    existing: Existing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/adopting.md, step by step."""
    blue, iam, eks = existing.clusters["blue"], existing.sandbox.aws("iam"), existing.sandbox.aws("eks")
    cluster = eks.describe_cluster(name="blue")["cluster"]
    issuer = cluster["identity"]["oidc"]["issuer"]
    account = cluster["arn"].split(":")[4]
    provider = f"arn:aws:iam::{account}:oidc-provider/{issuer.removeprefix('https://')}"
    known = {one["Arn"] for one in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]}
    if provider not in known:
        iam.create_open_id_connect_provider(Url=issuer, ClientIDList=["sts.amazonaws.com"])
    trust = web_identity_trust(provider, issuer, "kube-system", _CONTROLLER)
    role = iam.create_role(RoleName="of-helm", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.attach_role_policy(RoleName="of-helm", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    settings = {
        "clusterName": "blue",
        "region": "us-west-2",
        "vpcId": cluster["resourcesVpcConfig"]["vpcId"],
        "serviceAccount.annotations.eks\\.amazonaws\\.com/role-arn": role,
    }
    given = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    where = ("--namespace", "kube-system")
    blue.run("helm", "install", _CONTROLLER, str(chart.folder()), *where, *given, "--wait")
    blue.run(
        "kubectl", "create", "deployment", "shop", "--image=registry.example/shop:1", "--replicas=2", "--port=8080"
    )
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "shop",
            "namespace": "default",
            "annotations": {"service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "ip"},
        },
        "spec": {
            "type": "LoadBalancer",
            "loadBalancerClass": "service.k8s.aws/nlb",
            "selector": {"app": "shop"},
            "ports": [{"port": 80, "targetPort": 8080}],
        },
    }
    file = tmp_path / "shop.json"
    file.write_text(json.dumps(service))
    blue.run("kubectl", "apply", "-f", str(file))

    def group() -> str:
        tags = [{"Key": "service.k8s.aws/stack", "Values": ["default/shop"]}]
        found = existing.sandbox.aws("resourcegroupstaggingapi").get_resources(
            TagFilters=tags, ResourceTypeFilters=["elasticloadbalancing:targetgroup"]
        )["ResourceTagMappingList"]
        return found[0]["ResourceARN"] if found else ""

    assert wait_until(lambda: bool(group()), 180, 0.5)
    arn = group()
    assert existing.serve("blue", arn, "shop", 2)
    before, targets = existing.balancer(arn), existing.registered(arn)
    with running(existing, "controller-only") as example:
        with sampled(existing, arn) as samples:
            monkeypatch.setenv("PULUMI_K8S_ENABLE_PATCH_FORCE", "true")
            made = example.next()
            monkeypatch.delenv("PULUMI_K8S_ENABLE_PATCH_FORCE")
            blue.run("kubectl", "delete", "secret", *where, "-l", f"owner=helm,name={_CONTROLLER}")
            iam.detach_role_policy(RoleName="of-helm", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
            iam.delete_role(RoleName="of-helm")
            blue.run("kubectl", "scale", "deployment/shop", "--replicas=3")
            assert existing.serve("blue", arn, "shop", 3)
        assert len(samples) > 10
        assert all(targets <= sample for sample in samples)
        assert existing.balancer(arn) == before
        assert existing.refused(made["controllerRoleArn"]) == []
        assert blue.run("helm", "list", *where, "--short").strip() == ""
        example.unchanged()
        blue.run("kubectl", "delete", "-f", str(file))
