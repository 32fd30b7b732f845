"""The same object in other forms: lists, patches, older API versions, YAML, a custom resource."""

from collections.abc import Iterator
from typing import Any

import pytest

from fixtures.policies import COMPLIANT, GIVEN, resource
from rules import RULES
from tests.policies.cases import CASES, alb, nlb
from tests.policies.harness import changed, content_rules, refusals, remedied, world

ANYTHING = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
KEYS = {"containers": [{"name": "one", "env": [{"name": "AWS_ACCESS_KEY_ID", "value": "A"}]}]}
OLD_TLS = {"sslPolicy": "ELBSecurityPolicy-2016-08"}

_OBJECTS = sorted(
    name
    for name, (token, _) in COMPLIANT.items()
    if token.startswith("kubernetes:") and token != "kubernetes:helm.sh/v3:Release"
)
_BROKEN = [
    pytest.param(name, on, edits, id=f"{name}-{index}-{on}")
    for name, case in CASES.items()
    if not RULES[name].across_stack and not case.world
    for index, (on, edits) in enumerate([(case.on, case.broken), *case.also])
    if on in _OBJECTS
]


def _versioned(token: str) -> tuple[str, str]:
    """A token in a manifest's form: API version and kind."""
    version, kind = token.removeprefix("kubernetes:").rsplit(":", 1)
    return version.removeprefix("core/"), kind


def _manifest(name: str, edits: dict[str, Any]) -> dict[str, Any]:
    token, props = resource(name)
    version, kind = _versioned(token)
    return {"apiVersion": version, "kind": kind, **changed(props, edits)}


@pytest.mark.parametrize(("name", "on", "edits"), _BROKEN)
def test_an_object_in_a_list_is_judged_as_if_it_stood_alone(name: str, on: str, edits: dict[str, Any]) -> None:
    token, _ = resource(on)
    other = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "one"}}
    for kind in (f"{token}List", "kubernetes:core/v1:List"):
        items = [_manifest(on, {})] if kind.startswith(token) else [other, _manifest(on, {})]
        if not refusals(RULES[name], {on: resource(on)}, {}):
            assert refusals(RULES[name], {"list": (kind, {"items": items})}) == []
        assert refusals(RULES[name], {"list": (kind, {"items": [*items, _manifest(on, edits)]})})


def test_across_the_stack_objects_in_a_list_count_too() -> None:
    things = {"list": ("kubernetes:core/v1:List", {"items": [_manifest("controller", {}), _manifest("budget", {})]})}
    assert refusals(RULES["controller-has-a-disruption-budget"], things) == []
    alone = {"list": ("kubernetes:apps/v1:DeploymentList", {"items": [_manifest("controller", {})]})}
    assert refusals(RULES["controller-has-a-disruption-budget"], alone)


@pytest.mark.parametrize("items", [None, "unknown", [], [None], ["odd"], [{}], [{"kind": None}], {}])
def test_an_odd_list_neither_fails_nor_is_refused(items: Any) -> None:
    for rule in RULES.values():
        for kind in ("kubernetes:core/v1:List", "kubernetes:core/v1:ServiceList"):
            assert refusals(rule, {"list": (kind, changed({}, {"items": items}))}) == []


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    else:
        yield path


def _only(props: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    """Properties with only one key."""
    value: Any = props
    for key in path:
        value = value[key]
    for key in reversed(path):
        value = {key: value}
    return value


@pytest.mark.parametrize("name", _OBJECTS)
def test_a_patch_is_not_refused_for_what_it_leaves_out(name: str) -> None:
    token, props = resource(name)
    for rule in content_rules(name):
        for path in _leaves(props):
            said = {"metadata": {"name": "one", "namespace": props["metadata"].get("namespace", "shop")}}
            part = {**said, **_only(props, path)} if path[0] != "metadata" else _with_name(said, _only(props, path))
            assert refusals(rule, {name: (f"{token}Patch", part)}) == [], (rule.name, path)


def _with_name(said: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {**said["metadata"], **part["metadata"]}}


_META = {"metadata/name": "one", "metadata/namespace": "shop"}


@pytest.mark.parametrize(
    ("rule", "token", "says"),
    [
        (
            "load-balancer-is-internal-unless-its-namespace-may-be-public",
            "core/v1:Service",
            {nlb("scheme"): "internet-facing"},
        ),
        ("load-balancer-targets-are-pods", "core/v1:Service", {nlb("nlb-target-type"): "instance"}),
        ("service-has-no-external-ips", "core/v1:Service", {"spec/externalIPs": ["203.0.113.7"]}),
        ("guarded-annotations-stay-in-admin-namespaces", "networking.k8s.io/v1:Ingress", {alb("auth-type"): "oidc"}),
        ("ingress-group-is-not-shared-by-annotation", "networking.k8s.io/v1:Ingress", {alb("group.name"): "all"}),
        (
            "ingress-names-its-class-in-its-spec",
            "networking.k8s.io/v1:Ingress",
            {"metadata/annotations/kubernetes.io~ingress.class": "alb"},
        ),
        (
            "load-balancer-tls-is-1-2-or-later",
            "elbv2.k8s.aws/v1beta1:IngressClassParams",
            {"spec/sslPolicy": "ELBSecurityPolicy-2016-08"},
        ),
        ("bindings-stay-in-admin-namespaces", "elbv2.k8s.aws/v1beta1:TargetGroupBinding", {"spec/targetType": "ip"}),
        (
            "workload-carries-no-static-aws-keys",
            "apps/v1:Deployment",
            {"spec/template/spec/containers": [{"name": "a", "env": [{"name": "AWS_ACCESS_KEY_ID", "value": "x"}]}]},
        ),
    ],
)
def test_a_patch_is_refused_for_what_it_says(rule: str, token: str, says: dict[str, Any]) -> None:
    assert refusals(RULES[rule], {"one": (f"kubernetes:{token}Patch", changed({}, {**_META, **says}))})


@pytest.mark.parametrize(
    ("name", "on", "token"),
    [
        ("load-balancer-targets-are-pods", "ingress", "kubernetes:extensions/v1beta1:Ingress"),
        ("load-balancer-targets-are-pods", "ingress", "kubernetes:networking.k8s.io/v1beta1:Ingress"),
        ("gateway-routes-name-their-hosts", "http-route", "kubernetes:gateway.networking.k8s.io/v1beta1:HTTPRoute"),
        ("gateway-routes-name-their-hosts", "http-route", "kubernetes:gateway.networking.k8s.io/v1alpha2:TLSRoute"),
        ("bindings-stay-in-admin-namespaces", "binding", "kubernetes:eks.amazonaws.com/v1:TargetGroupBinding"),
        ("controller-runs-two-replicas", "controller", "kubernetes:apps/v1beta2:Deployment"),
    ],
)
def test_another_api_version_of_an_object_is_the_same_object(name: str, on: str, token: str) -> None:
    _, props = resource(on)
    assert refusals(RULES[name], {on: (token, props)}) == []
    assert refusals(RULES[name], {on: (token, changed(props, CASES[name].broken))})


def test_a_remediation_leaves_lists_and_patches_to_be_refused() -> None:
    rule = "load-balancer-targets-are-pods"
    broken = _manifest("service", {nlb("nlb-target-type"): "instance"})
    for kind, props in (("ServiceList", {"items": [broken]}), ("ServicePatch", broken)):
        assert refusals(RULES[rule], {"one": (f"kubernetes:core/v1:{kind}", props)})
        assert remedied(RULES[rule], f"kubernetes:core/v1:{kind}", props) is None


def _alike(name: str) -> list[str]:
    """The other types of a rule with the same facts in the same places."""
    token, kind = COMPLIANT[CASES[name].on][0], RULES[name].on
    shapes: dict[str, Any] = getattr(kind, "shapes", {})
    if token in shapes:
        return [other for other, shape in shapes.items() if other != token and shape == shapes[token]]
    templates = ("apps/v1:DaemonSet", "apps/v1:StatefulSet", "apps/v1:ReplicaSet", "batch/v1:Job")
    kinds = {(f"kubernetes:{one}", tuple(one.replace("/v1:", " ").split())) for one in templates}
    return sorted(other for other, pair in kinds if pair in kind.kinds) if token.endswith(":Deployment") else []


@pytest.mark.parametrize(("name", "token"), [(name, token) for name in CASES for token in _alike(name)])
def test_a_type_that_keeps_the_same_facts_is_judged_the_same(name: str, token: str) -> None:
    case = CASES[name]
    given = GIVEN.get(name, {}).get(case.on, {})
    for edits, refused in (({}, False), (case.broken, True)):
        things = world(case, case.on, edits)
        things[case.on] = (token, things[case.on][1])
        assert bool(refusals(RULES[name], things, given)) is refused


@pytest.mark.parametrize(
    ("name", "token", "bad"),
    [
        ("policy-names-its-actions", "aws-native:iam:User", {"policies": [{"policyDocument": ANYTHING}]}),
        ("policy-names-its-actions", "aws-native:iam:Group", {"policies": [{"policyDocument": ANYTHING}]}),
        ("no-iam-access-keys", "aws-native:iam:AccessKey", {"userName": "person"}),
        ("no-classic-load-balancer", "aws-native:elasticloadbalancing:LoadBalancer", {}),
        ("workload-carries-no-static-aws-keys", "kubernetes:core/v1:Pod", {"spec": KEYS}),
        ("workload-carries-no-static-aws-keys", "kubernetes:core/v1:ConfigMap", {"data": {"AWS_ACCESS_KEY_ID": "A"}}),
        ("load-balancer-tls-is-1-2-or-later", "kubernetes:eks.amazonaws.com/v1:IngressClassParams", {"spec": OLD_TLS}),
    ],
)
def test_a_type_that_keeps_facts_elsewhere_is_judged_too(name: str, token: str, bad: dict[str, Any]) -> None:
    assert refusals(RULES[name], {"one": (token, bad)})
