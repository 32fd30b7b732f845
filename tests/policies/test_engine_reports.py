"""With the real engine: no secret is shown, waiting resources are reported, classes decide, waivers exempt."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.policies import resource
from tests.policies.conftest import Engine
from tests.policies.faults import Program, program
from tests.policies.harness import changed

pytestmark = pytest.mark.sandbox

_VERSION = "cluster-version-is-supported"
_INTERNAL = "load-balancer-is-internal-unless-its-namespace-may-be-public"


def test_a_value_that_the_program_marks_secret_is_not_shown(engine: Engine) -> None:
    faulty = program(_VERSION, faulty=True)
    token, props = faulty["cluster"]
    faulty["cluster"] = (token, {**props, "version": {"$secret": "1.29"}})
    said = engine.preview("secret", faulty)
    assert said.refused_by == {_VERSION}, said.output
    assert "Kubernetes [secret] is older" in said.output
    assert "1.29" not in said.output


def test_a_trust_policy_that_the_update_makes_known_is_reported_as_not_judged_yet(engine: Engine) -> None:
    token, props = program("irsa-trust-names-one-service-account", faulty=False)["role"]
    unknown = {**props, "assumeRolePolicy": {"$id": "vpc"}}
    things: Program = {"vpc": ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}), "role": (token, unknown)}
    said = engine.preview("unknown", things)
    assert said.code == 0, said.output
    assert "1 resource has values that are not known yet" in said.output
    assert "irsa-trust-names-one-service-account (1)" in said.output


def _governed(**spec: Any) -> Program:
    """An Ingress that its class controls completely, declared before the class."""
    token, params = resource("class-params")
    params["spec"] |= {"certificateArn": ["arn:aws:acm:us-west-2:1:certificate/1"], "sslRedirectPort": "443", **spec}
    kind, shop = resource("ingress")
    shop["metadata"]["annotations"] = {"alb.ingress.kubernetes.io/listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]'}
    ingress = (kind, changed(shop, {"spec/ingressClassName": "front"}))
    vpc = ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"})
    return {"vpc": vpc, "shop": ingress, "class": resource("ingress-class"), "params": (token, params)}


def test_an_ingress_is_judged_with_the_parameters_of_its_class_on_a_cluster_that_is_not_there_yet(
    engine: Engine,
) -> None:
    said = engine.preview("governed", _governed())
    assert said.code == 0, said.output
    left = engine.preview("governed", _governed(sslRedirectPort=""))
    assert left.refused_by == {"alb-redirects-http-to-https"}, left.output


def test_an_owner_that_only_the_program_calls_as_the_profile_does_is_refused(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({_INTERNAL: {"enforcementLevel": "mandatory", "publicOwners": ["edge-public"]}}))
    config = ("--policy-pack-config", str(file))
    vpc = ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"})
    token, props = resource("class-params")
    public = changed(props, {"spec/scheme": "internet-facing", "spec/wafv2AclArn": "arn:aws:wafv2:1"})
    real = changed(public, {"metadata/name": "edge-public"})
    assert engine.preview("owners", {"vpc": vpc, "edge-public": (token, public)}, *config).refused_by == {_INTERNAL}
    assert engine.preview("owners", {"vpc": vpc, "mine": (token, real)}, *config).code == 0


def test_a_waiver_exempts_a_resource_until_its_date_and_is_listed(engine: Engine, tmp_path: Path) -> None:
    def preview(days: int, **more: Any) -> Any:
        until = (datetime.now(UTC).date() + timedelta(days)).isoformat()
        one = {"rule": _VERSION, "resource": "urn:pulumi:waived::*::cluster", "reason": "SHOP-1", "until": until}
        file.write_text(json.dumps({"waivers": {"waivers": [{**one, **more}]}}))
        return engine.preview("waived", program(_VERSION, faulty=True), "--policy-pack-config", str(file))

    file = tmp_path / "waivers.json"
    waived = preview(30)
    assert waived.code == 0, waived.output
    assert "exempts 1 violation until" in waived.output
    expired = preview(-1)
    assert expired.refused_by == {_VERSION}, expired.output
    assert "expired on" in expired.output
    unreasoned = preview(30, reason="")
    assert unreasoned.code != 0
    assert "waivers[0]: reason is missing" in unreasoned.output
