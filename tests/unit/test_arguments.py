"""What every component refuses before it declares anything: keys, outputs for plain values, types."""

import typing
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi import Output

from eks_load_balancing import InvalidInputError, NetworkLoadBalancedServiceArgs, components
from eks_load_balancing.arguments import check
from fixtures.declared import declare
from tests.unit.cluster.test_cluster import ARGS as CLUSTER

COMPONENTS: dict[str, Callable[..., Any]] = {
    name: made
    for name, made in vars(components).items()
    if isinstance(made, type) and issubclass(made, pulumi.ComponentResource)
}
_SAMPLES: dict[str, Any] = {
    "namespace": "samples",
    "service_account": "web",
    "service_name": "web",
    "service_port": 80,
    "cidr": "10.0.0.0/16",
    "host": "shop.example.com",
    "zone_id": "Z1",
    "load_balancer_type": "network",
    "load_balancer_host": "nlb.example",
    "zones": ["us-west-2a", "us-west-2b"],
    "issuer_url": "https://issuer.example",
    "target_group_arn": "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/a/b",
    **CLUSTER,
}


def fields(component: str) -> dict[str, Any]:
    return getattr(components, f"{component}Args").__annotations__


def least(component: str) -> dict[str, Any]:
    """The arguments that a component must have."""
    return {key: _SAMPLES[key] for key in getattr(components, f"{component}Args").__required_keys__}


def refused(component: str, args: dict[str, Any]) -> str:
    """Return what a component says, and see that nothing is declared."""
    said: list[str] = []

    def program() -> None:
        with pytest.raises(InvalidInputError) as error:
            COMPONENTS[component]("web", args)
        said.append(str(error.value))

    assert declare(program).resources == []
    assert "\n" not in said[0]
    return said[0]


def plain(component: str) -> list[str]:
    """The keys that do not take outputs."""
    kinds = {
        key: typing.get_args(kind)[0] if "NotRequired" in str(kind) else kind for key, kind in fields(component).items()
    }
    return sorted(key for key, kind in kinds.items() if typing.get_origin(kind) is not typing.Union)


@pytest.mark.parametrize("component", COMPONENTS)
def test_an_unknown_argument_is_refused_with_the_nearest_known_one(component: str) -> None:
    known = max(fields(component))
    line = refused(component, {**least(component), f"{known}x": 1})

    assert line == f"{component} 'web': {known}x is not an argument: did you mean {known}?"


@pytest.mark.parametrize("component", COMPONENTS)
def test_an_argument_that_is_like_none_is_refused_with_all_of_them(component: str) -> None:
    line = refused(component, {**least(component), "zzzzzz": 1})

    assert line == f"{component} 'web': zzzzzz is not an argument: known are {', '.join(sorted(fields(component)))}"


@pytest.mark.parametrize(("component", "key"), [(c, key) for c in COMPONENTS for key in sorted(least(c))])
def test_a_missing_argument_is_named(component: str, key: str) -> None:
    given = least(component)
    given.pop(key)

    assert refused(component, given) == f"{component} 'web': {key} is missing: give it"
    assert refused(component, {**given, key: None}) == f"{component} 'web': {key} is missing: give it"


@pytest.mark.parametrize(("component", "key"), [(c, key) for c in COMPONENTS for key in plain(c)])
def test_an_output_for_a_plain_argument_is_refused_by_name(component: str, key: str) -> None:
    line = refused(component, {**least(component), key: Output.from_input("x")})

    assert line.startswith(f"{component} 'web': {key} is an output, and must be a plain value")
    assert line.endswith("declare the component where the value is known")


@pytest.mark.parametrize(
    ("component", "changes", "says"),
    [
        ("ApplicationLoadBalancedIngress", {"inbound_cidr": ["10.0.0.0/8"]}, "inbound_cidr is not an argument"),
        ("ApplicationLoadBalancedIngress", {"replicas": True}, "replicas True is not a whole number"),
        ("ApplicationLoadBalancedIngress", {"replicas": "3"}, "replicas '3' is not a whole number"),
        ("ApplicationLoadBalancedIngress", {"inbound_cidrs": "10.0.0.0/8"}, "inbound_cidrs '10.0.0.0/8' is not a list"),
        ("ApplicationLoadBalancedIngress", {"inbound_cidrs": [1]}, "inbound_cidrs[0] 1 is not text"),
        ("ApplicationLoadBalancedIngress", {"deletion_protection": "no"}, "deletion_protection 'no' is not true or"),
        ("ApplicationLoadBalancedIngress", {"container_port": 80.5}, "container_port 80.5 is not a whole number"),
        ("ApplicationLoadBalancedIngress", {"inbound_cidrs": ["10.0.0.0/33"]}, "inbound_cidrs: '10.0.0.0/33' is not"),
        ("ApplicationLoadBalancedIngress", {"image": ""}, "image: '' is not a container image"),
        ("Network", {"tags": {"aws:x": "y"}}, "tags: tag 'aws:x' begins with aws:"),
        ("Network", {"tags": ["a"]}, "tags ['a'] is not a map"),
        (
            "Cluster",
            {"admin_arns": "arn:aws:iam::123456789012:role/a"},
            "admin_arns 'arn:aws:iam::123456789012:role/a'",
        ),
        ("Cluster", {"addon_versions": {"coredns": Output.from_input("x")}}, "addon_versions.coredns is an output"),
        (
            "Cluster",
            {"nodes": {"instance_type": ["m7i.large"]}},
            "nodes.instance_type is not an argument: did you mean",
        ),
        ("Cluster", {"nodes": {"instance_types": ["m7i.large"]}}, "nodes.min_size is missing"),
        ("Cluster", {"nodes": 3}, "nodes is not a mapping but 3: give one with keys of NodesArgs"),
        ("LoadBalancerController", {"feature_gates": {"X": "yes"}}, "feature_gates.X 'yes' is not true or false"),
    ],
)
def test_what_is_wrong_is_named(component: str, changes: dict[str, Any], says: str) -> None:
    assert refused(component, {**least(component), **changes}).startswith(f"{component} 'web': {says}")


def test_arguments_that_are_no_mapping_are_refused() -> None:
    assert refused("Network", 3) == "Network 'web': args is not a mapping but 3: give one with keys of NetworkArgs"  # pyright: ignore[reportArgumentType]


def test_an_optional_argument_that_is_none_counts_as_not_given() -> None:
    args = {**least("Network"), "nat": None, "tags": None}

    assert declare(lambda: COMPONENTS["Network"]("web", args) and None).of(":NatGateway")


def test_a_plugins_whole_floats_become_whole_numbers() -> None:
    args = check(NetworkLoadBalancedServiceArgs, {"cluster_name": "dev", "namespace": "samples", "replicas": 3.0})

    assert repr(args["replicas"]) == "3"
