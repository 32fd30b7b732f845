"""Ingresses are checked with the IngressClassParams of their class, Gateways with their LoadBalancerConfigurations."""

from copy import deepcopy
from typing import Any

import pytest

from fixtures.policies import TLS_POLICY, resource
from kinds.annotations import ALB
from pack.configuration import problems
from pack.registry import MANDATORY
from pack.reports import ELSEWHERE, REPORTS
from rules import RULES
from tests.policies.harness import Run, World, changed, refusals, seen

_AUTO = "eks.amazonaws.com/alb"
_LOGS, _PROTECTION = "load-balancer-writes-access-logs", "load-balancer-is-protected-from-deletion"
_PODS, _TLS, _HEADERS = (
    "load-balancer-targets-are-pods",
    "load-balancer-tls-is-1-2-or-later",
    "alb-drops-invalid-headers",
)
_INTERNAL = "load-balancer-is-internal-unless-its-namespace-may-be-public"
_ACL, _REDIRECT, _RANGES = "public-alb-has-a-web-acl", "alb-redirects-http-to-https", "source-ranges-are-given"


def _ingress(**annotations: str) -> tuple[str, dict[str, Any]]:
    """An Ingress that leaves everything to its class, except some annotations."""
    spec = {"ingressClassName": "front", "rules": [{"host": "shop.example.com"}]}
    given = {ALB + name.replace("_", "-"): value for name, value in annotations.items()}
    meta = {"name": "shop", "namespace": "shop", "annotations": given}
    return "kubernetes:networking.k8s.io/v1:Ingress", {"metadata": meta, "spec": spec}


def _governed(ingress: tuple[str, dict[str, Any]] | None = None, **spec: Any) -> World:
    """An Ingress with its class and the class's parameters, which satisfy all rules, unless changed."""
    token, props = resource("class-params")
    props = deepcopy(props)
    props["spec"] |= {"certificateArn": ["arn:aws:acm:us-west-2:1:certificate/1"], "sslRedirectPort": "443", **spec}
    props["spec"] = {key: value for key, value in props["spec"].items() if value is not None}
    return {
        "params": (token, props),
        "class": resource("ingress-class"),
        "shop": ingress or _ingress(listen_ports='[{"HTTP": 80}, {"HTTPS": 443}]'),
    }


def _refusing(things: World) -> dict[str, list[str]]:
    found = {name: refusals(rule, things) for name, rule in RULES.items() if rule.prod is MANDATORY or name == _RANGES}
    return {name: said for name, said in found.items() if said}


def _reordered(things: World) -> World:
    return dict(reversed(things.items()))


def test_an_ingress_that_its_class_governs_wholly_is_accepted_in_any_order() -> None:
    assert _refusing(_governed()) == {}
    assert _refusing(_reordered(_governed())) == {}


@pytest.mark.parametrize(
    ("fact", "rule"),
    [
        ({"targetType": None}, _PODS),
        ({"sslPolicy": None}, _TLS),
        ({"sslRedirectPort": None}, _REDIRECT),
        ({"loadBalancerAttributes": None}, _LOGS),
        ({"loadBalancerAttributes": None}, _PROTECTION),
        ({"loadBalancerAttributes": None}, _HEADERS),
        ({"inboundCIDRs": None}, _RANGES),
        ({"scheme": "internet-facing"}, _ACL),
    ],
)
def test_what_neither_the_class_nor_the_ingress_says_is_refused_in_any_order(fact: dict[str, Any], rule: str) -> None:
    for things in (_governed(**fact), _reordered(_governed(**fact))):
        said = _refusing(things)[rule]
        assert any("Ingress" in one for one in said)
        assert not any("IngressClassParams params" in one for one in said)


def test_what_the_class_leaves_out_its_ingress_may_say() -> None:
    own = _ingress(listen_ports='[{"HTTPS": 443}]', ssl_policy=TLS_POLICY, target_type="ip")
    assert _refusing(_governed(own, targetType=None, sslPolicy=None, sslRedirectPort=None)) == {}


def test_the_class_counts_before_the_annotation_and_is_refused_itself() -> None:
    own = _ingress(target_type="instance", scheme="internet-facing", listen_ports='[{"HTTPS": 443}]')
    assert _refusing(_governed(own)) == {}
    said = _refusing(_governed(_ingress(target_type="ip"), targetType="instance", scheme="internet-facing"))
    assert [one.split(" ")[0] for one in said[_PODS]] == ["IngressClassParams"]
    assert [one.split(" ")[0] for one in said[_INTERNAL]] == ["IngressClassParams"]


def test_a_public_class_that_the_profile_allows_takes_its_ingresses_along() -> None:
    things = _governed(scheme="internet-facing")
    assert refusals(RULES[_INTERNAL], things, {"publicOwners": ["alb"]}) == []


def test_a_web_acl_of_the_class_protects_its_ingresses() -> None:
    assert refusals(RULES[_ACL], _governed(scheme="internet-facing", wafv2AclArn="arn:aws:wafv2:1")) == []


def test_a_class_of_the_controller_is_known_under_any_name() -> None:
    things = {"class": resource("ingress-class"), "shop": _ingress()}
    assert "Ingress shop does not set" in refusals(RULES[_LOGS], things)[0]
    assert refusals(RULES[_LOGS], _reordered(things))


def test_a_class_of_another_controller_is_not_the_controllers_though_its_name_sounds_so() -> None:
    token, props = resource("ingress-class")
    other = (token, changed(props, {"spec/controller": "k8s.io/ingress-nginx", "metadata/name": "alb"}))
    shop = (_ingress()[0], changed(_ingress()[1], {"spec/ingressClassName": "alb"}))
    assert refusals(RULES[_LOGS], {"class": other, "shop": shop}) == []
    assert refusals(RULES[_LOGS], {"shop": shop})


def test_an_ingress_without_a_class_is_of_the_default_class() -> None:
    token, props = resource("ingress-class")
    annotation = {"ingressclass.kubernetes.io/is-default-class": "true"}
    default = (token, {**props, "metadata": {**props["metadata"], "annotations": annotation}})
    shop = (_ingress()[0], changed(_ingress()[1], {"spec/ingressClassName": None}))
    assert refusals(RULES[_LOGS], {"class": default, "shop": shop})
    assert refusals(RULES[_LOGS], {"shop": shop}) == []


def _manifest(name: str, **edits: Any) -> dict[str, Any]:
    token, props = resource(name)
    version, _, kind = token.removeprefix("kubernetes:").rpartition(":")
    return {"apiVersion": version, "kind": kind, **changed(props, edits)}


def test_a_class_of_another_stack_counts_if_the_profile_tells_of_it() -> None:
    config = {ELSEWHERE.name: {"manifests": [_manifest("class-params"), _manifest("ingress-class")]}}
    assert list(problems(config, {**RULES, **REPORTS})) == []
    run = Run([RULES[_LOGS], RULES[_PODS], RULES[_INTERNAL]])
    run.configure(config, {})
    assert run.run({"shop": _ingress()}, {}) == []
    run = Run([RULES[_LOGS]])
    run.configure({}, {})
    assert len(run.run({"class": resource("ingress-class"), "shop": _ingress()}, {})) == 1


@pytest.mark.parametrize("given", ["alb", [{}], [{"apiVersion": "v1", "kind": "Service"}], [[]]])
def test_an_invalid_manifest_is_refused(given: Any) -> None:
    assert list(problems({ELSEWHERE.name: {"manifests": given}}, {**RULES, **REPORTS}))


def test_a_resource_that_is_shown_again_replaces_what_was_shown_before() -> None:
    run = Run([RULES[_PODS]])
    things = _governed(targetType=None)
    for name in ("params", "class", "params"):
        token, props = things[name] if name == "class" else _governed()["params"]
        assert list(run.declare(seen(token, props, name))) == []
    assert list(run.declare(seen(*things["shop"], "shop"))) == []
    token, props = things["params"]
    assert list(run.declare(seen(token, props, "params"))) == []
    assert len(list(run.declare(seen(*things["shop"], "shop")))) == 1


def test_parameters_of_eks_auto_mode_decide_too() -> None:
    things = _governed(_ingress(), certificateArn=None, certificateARNs=["arn:aws:acm:us-west-2:1:certificate/1"])
    token = "kubernetes:eks.amazonaws.com/v1:IngressClassParams"
    kind, props = things["class"]
    auto = {"params": (token, things["params"][1]), "class": (kind, changed(props, {"spec/controller": _AUTO}))}
    assert _refusing({**things, **auto}) == {}


def test_parameters_that_nobody_in_the_stack_uses_are_judged_for_what_they_leave_out() -> None:
    token, props = resource("class-params")
    bare = (token, changed(props, {"spec/loadBalancerAttributes": None}))
    for rule in (_LOGS, _PROTECTION):
        assert refusals(RULES[rule], {"params": bare})
        own = "access_logs.s3.enabled=true,deletion_protection.enabled=true"
        used = {"params": bare, "class": resource("ingress-class"), "shop": _ingress(load_balancer_attributes=own)}
        assert refusals(RULES[rule], used) == []


_EDGE = ("kubernetes:elbv2.k8s.aws/v1beta1:IngressClassParams", {"scheme": "internet-facing"})


def _owner(program_name: str, **metadata: str) -> World:
    token, spec = _EDGE
    return {program_name: (token, {"metadata": metadata, "spec": spec})}


def test_an_owner_is_allowed_by_its_real_name_and_not_by_the_programs() -> None:
    allowed = {"publicOwners": ["edge-public"]}
    assert refusals(RULES[_INTERNAL], _owner("anything", name="edge-public"), allowed) == []
    assert refusals(RULES[_INTERNAL], _owner("edge-public", name="mine"), allowed)
    assert refusals(RULES[_INTERNAL], _owner("edge-public"), allowed)


def test_a_configuration_of_a_namespace_is_allowed_with_its_namespace() -> None:
    token, props = resource("gateway-configuration")
    edits = {"spec/scheme": "internet-facing", "metadata/name": "edge", "metadata/namespace": "platform"}
    things = {"edge": (token, changed(props, edits))}
    assert refusals(RULES[_INTERNAL], things, {"publicOwners": ["platform/edge"]}) == []
    for other in ("edge", "shop/edge", "platform/other"):
        assert refusals(RULES[_INTERNAL], things, {"publicOwners": [other]})


def test_a_load_balancer_of_the_programs_own_is_allowed_by_its_name_in_aws() -> None:
    token, props = resource("own-load-balancer")
    things = {"edge": (token, {**props, "internal": False, "name": "front"})}
    assert refusals(RULES[_INTERNAL], things, {"publicOwners": ["front"]}) == []
    assert refusals(RULES[_INTERNAL], things, {"publicOwners": ["edge"]})


def test_the_message_recommends_the_setting_that_works_for_the_kind() -> None:
    [owner] = refusals(RULES[_INTERNAL], _owner("params", name="edge"))
    assert owner.endswith('or add "edge" to publicOwners')
    assert "publicNamespaces" not in owner
    token, props = resource("service")
    edits = {"metadata/annotations/service.beta.kubernetes.io~aws-load-balancer-scheme": "internet-facing"}
    [service] = refusals(RULES[_INTERNAL], {"web": (token, changed(props, edits))})
    assert service.endswith('or add "shop" to publicNamespaces')


def _gateway(**edits: Any) -> World:
    names = ("gateway-class", "gateway-configuration", "redirecting-route", "served-gateway")
    things = {name: resource(name) for name in names}
    for path, value in edits.items():
        name, _, rest = path.partition("__")
        name = name.replace("_", "-")
        things[name] = (things[name][0], changed(things[name][1], {rest.replace("__", "/"): value}))
    return things


def test_a_gateway_is_accepted_with_its_configuration_in_any_order() -> None:
    assert _refusing(_gateway()) == {}
    assert _refusing(_reordered(_gateway())) == {}


def test_a_gateway_without_a_configuration_is_refused_for_what_the_controller_then_does() -> None:
    things = {"gateway-class": resource("gateway-class"), "redirecting-route": resource("redirecting-route")}
    token, props = resource("served-gateway")
    things["served-gateway"] = (token, changed(props, {"spec/infrastructure": None}))
    assert set(_refusing(things)) == {_LOGS, _PROTECTION, _HEADERS, _TLS, _RANGES}
    assert set(_refusing(_reordered(things))) == {_LOGS, _PROTECTION, _HEADERS, _TLS, _RANGES}


def test_a_configuration_of_the_gateways_class_counts_too() -> None:
    reference = {"group": "gateway.k8s.aws", "kind": "LoadBalancerConfiguration", "name": "one", "namespace": "shop"}
    things = _gateway(gateway_class__spec__parametersRef=reference, served_gateway__spec__infrastructure=None)
    assert _refusing(things) == {}


def test_a_configuration_that_another_stack_has_is_left_to_that_stack() -> None:
    things = _gateway()
    del things["gateway-configuration"]
    assert _refusing(things) == {}


def test_a_gateway_of_another_controller_is_not_judged_as_a_load_balancer() -> None:
    things = _gateway(
        gateway_class__spec__controllerName="example.com/gateway", served_gateway__spec__infrastructure=None
    )
    assert _refusing(things) == {}


def test_a_tls_listener_that_the_configuration_forgets_has_the_default_policy() -> None:
    listeners = [
        {"name": "http", "protocol": "HTTP", "port": 80},
        {"name": "https", "protocol": "HTTPS", "port": 443},
        {"name": "more", "protocol": "HTTPS", "port": 8443},
    ]
    said = _refusing(_gateway(served_gateway__spec__listeners=listeners))
    assert len(said[_TLS]) == 1
    assert "leaves the TLS policy at" in said[_TLS][0]


def test_a_public_gateway_needs_a_web_acl() -> None:
    public = _gateway(gateway_configuration__spec__scheme="internet-facing")
    assert "Gateway" in _refusing(public)[_ACL][0]
    protected = _gateway(
        gateway_configuration__spec__scheme="internet-facing", gateway_configuration__spec__wafV2={"webACL": "arn"}
    )
    assert _ACL not in _refusing(protected)


def test_what_is_not_declared_yet_is_judged_in_the_preview_all_the_same() -> None:
    """An Ingress declared before its class waits for the class, and not for the update."""
    things = _reordered(_governed(targetType=None))
    [said] = refusals(RULES[_PODS], things)
    assert said.startswith("Ingress shop leaves the target type at instance")
