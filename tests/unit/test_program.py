from typing import Any

import pytest

from fixtures.declared import Declared
from fixtures.program import ROOT, program


@pytest.fixture(scope="module")
def sandbox() -> Declared:
    return program("sandbox")


def inputs_by_name(declared: Declared) -> dict[tuple[str, str], dict[str, Any]]:
    return {(r.type, r.name): r.inputs for r in declared.resources}


def test_the_program_is_wiring_and_fits_on_a_page() -> None:
    assert len((ROOT / "__main__.py").read_text().splitlines()) < 100


def test_the_kubernetes_provider_is_told_which_cluster_it_is(sandbox: Declared) -> None:
    provider = sandbox.one("pulumi:providers:kubernetes").inputs

    assert provider["clusterIdentifier"] == "arn:aws:eks:us-west-2:123456789012:cluster/sandbox"
    assert "kubeconfig" in provider


def test_samples_live_in_a_namespace_that_asks_for_readiness_gates(sandbox: Declared) -> None:
    namespace = sandbox.one(":Namespace").inputs["metadata"]

    assert namespace == {"name": "samples", "labels": {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}}
    assert {d.inputs["metadata"]["namespace"] for d in sandbox.of(":Deployment")} == {"samples"}


def test_a_changed_replica_count_changes_one_deployment_and_nothing_else(sandbox: Declared) -> None:
    after = inputs_by_name(program("sandbox", samples={"nlb": {"replicas": 3, "deregistrationDelay": 5}}))
    before = inputs_by_name(sandbox)
    changed = {name for (kind, name), inputs in after.items() if inputs != before[kind, name] and "index" not in kind}

    assert set(before) == set(after)
    assert changed == {"web-nlb-deployment"}


@pytest.mark.parametrize("stack", ["dev", "staging"])
def test_another_stack_of_two_zones_is_the_same_program_with_other_settings(sandbox: Declared, stack: str) -> None:
    other = program(stack)

    assert other.types() == sandbox.types()
    assert other.one("eks:index:Cluster").inputs["name"] == stack


def test_prod_has_a_third_zone_and_a_nat_gateway_in_each(sandbox: Declared) -> None:
    prod = program("prod")

    assert set(prod.types()) == set(sandbox.types())
    assert {nat.name for nat in prod.of(":NatGateway")} == {f"network-nat-us-west-2{zone}" for zone in "abc"}
    assert len(prod.of(":Subnet")) == 6


def test_what_protects_prod_reaches_its_load_balancers() -> None:
    prod = program("prod")
    service = prod.one(":Service", "web-nlb-service").inputs
    ingress = prod.one(":Ingress").inputs
    nlb, alb = service["metadata"]["annotations"], ingress["metadata"]["annotations"]
    logs = "access_logs.s3.enabled=true,access_logs.s3.bucket=prod-load-balancer-logs-444455556666"

    assert logs in nlb["service.beta.kubernetes.io/aws-load-balancer-attributes"]
    assert logs in alb["alb.ingress.kubernetes.io/load-balancer-attributes"]
    assert "regional/webacl/prod/" in alb["alb.ingress.kubernetes.io/wafv2-acl-arn"]
    assert ingress["spec"]["rules"][0]["host"] == "web.example.com"
    assert service["spec"]["ports"][0]["port"] == 443
