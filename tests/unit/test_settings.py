import json
import re
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

import eks_load_balancing as components
from settings import load

ROOT = Path(__file__).parents[2]
WEB_ACL = "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/a/b"
KEY = "arn:aws:kms:us-west-2:123456789012:key/a"
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
GIVEN: dict[str, Any] = {
    "aws:region": "us-west-2",
    "eks-load-balancing:network": {"cidr": "10.0.0.0/16", "zones": ["us-west-2a", "us-west-2b"]},
    "eks-load-balancing:cluster": {"name": "dev", "version": "1.36"},
    "eks-load-balancing:nodes": {"instanceTypes": ["m7i.large"], "min": 2, "desired": 2, "max": 4},
}


def configured(**changes: Any) -> dict[str, str]:
    """A stack's configuration as the engine hands it over; a section's keys are merged, None takes a key out."""
    config: dict[str, Any] = {**GIVEN}
    for key, value in changes.items():
        name = f"eks-load-balancing:{key}" if key != "region" else "aws:region"
        if value is None:
            config.pop(name)
        elif isinstance(value, dict):
            merged: dict[str, Any] = {**config.get(name, {}), **value}
            config[name] = {k: v for k, v in merged.items() if v is not None}
        else:
            config[name] = value
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in config.items()}


def refused(**changes: Any) -> str:
    with pytest.raises(pulumi.RunError) as error:
        load(configured(**changes))
    line = str(error.value)
    assert "\n" not in line
    return line


def test_four_keys_are_enough() -> None:
    settings = load(configured())

    assert settings.controller.replicas == settings.samples.nlb.replicas == settings.samples.alb.replicas == 2
    assert settings.samples.nlb.scheme == settings.samples.alb.scheme == "internal"
    assert settings.protect is False


@pytest.mark.parametrize("stack", sorted(p.name for p in ROOT.glob("Pulumi.*.yaml")))
def test_every_stack_file_is_one_that_can_work(stack: str) -> None:
    config: dict[str, Any] = yaml.safe_load((ROOT / stack).read_text())["config"]

    load({key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()})


NETWORK, CLUSTER, NODES, CONTROLLER, SAMPLES = (
    f"eks-load-balancing:{section}" for section in ("network", "cluster", "nodes", "controller", "samples")
)


@pytest.mark.parametrize(
    ("changes", "key", "fault", "remedy"),
    [
        ({"region": None}, "aws:region", "is missing", "give the region, such as us-west-2"),
        ({"network": None}, NETWORK, "is missing", "give the VPC, such as {cidr: 10.0.0.0/16, zones: [...]}"),
        ({"network": {"cidr": None}}, f"{NETWORK}.cidr", "missing", "or the VPC's range, such as 10.0.0.0/16"),
        ({"network": {"sub": 3}}, f"{NETWORK}.sub", "is not a key", "known are cidr, nat, subnetIds, vpcId, zones"),
        (
            {"netwrok": {}},
            "eks-load-balancing:netwrok",
            "is not a key",
            "protect, samples, tags",
        ),
        ({"network": {"cidr": "10.0.0.0/26"}}, f"{NETWORK}.cidr", "'10.0.0.0/26' is too small", "between /16 and /23"),
        (
            {"network": {"zones": ["us-west-2a"]}},
            f"{NETWORK}.zones",
            "zones us-west-2a: EKS",
            "such as us-west-2a and us-west-2b",
        ),
        ({"region": "us-east-1"}, f"{NETWORK}.zones", "not in us-east-1 (aws:region)", "give zones of it"),
        ({"network": {"nat": "both"}}, f"{NETWORK}.nat", "'both' is not known", "give one of none, single, per-zone"),
        (
            {"cluster": {"version": "1.12"}},
            f"{CLUSTER}.version",
            "'1.12' is not in this package's",
            "where EKS takes it all the same",
        ),
        ({"cluster": {"version": 1.36}}, f"{CLUSTER}.version", "1.36: input should be", 'in quotes, such as "1.36"'),
        (
            {"cluster": {"name": "a b"}},
            f"{CLUSTER}.name",
            "'a b' is not one that EKS",
            "beginning with a letter or digit",
        ),
        (
            {"controller": {"version": "2.4.0"}},
            f"{CONTROLLER}.version",
            "'2.4.0' is not in this package's",
            "(version_like)",
        ),
        ({"controller": {"replicas": 1}}, f"{CONTROLLER}.replicas", "1 is too small", "give 2 or more"),
        ({"controller": {"disabledFeatures": ["x"]}}, f"{CONTROLLER}.disabledFeatures.0", "'x' is", "discovery"),
        ({"nodes": {"desired": 9}}, f"{NODES}.desired", "9 nodes wanted, which is not between 2", "give one that is"),
        ({"nodes": {"min": "few"}}, f"{NODES}.min", '"few": input should be', "give the fewest nodes, such as 2"),
        (
            {"samples": {"nlb": {"scheme": "x"}}},
            f"{SAMPLES}.nlb.scheme",
            "'x' is not known",
            "internal, internet-facing",
        ),
        ({"samples": {"nlb": {"webAclArn": "x"}}}, f"{SAMPLES}.nlb.webAclArn", "is not a key", "replicas, scheme"),
        ({"samples": {"alb": {"replicas": "x"}}}, f"{SAMPLES}.alb.replicas", '"x": input', "give the pods, such as 2"),
        ({"samples": {"namespace": "A"}}, f"{SAMPLES}.namespace", "'A' is not a name", "with a letter or digit"),
        ({"tags": {"a": 1}}, "eks-load-balancing:tags.a", "1: input should be", "give another value"),
        ({"region": "here"}, "aws:region", "'here' is not a region", "give one such as us-west-2"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(changes: dict[str, Any], key: str, fault: str, remedy: str) -> None:
    line = refused(**changes)

    assert line.startswith(key)
    assert fault in line
    assert line.endswith(remedy)


def test_a_cluster_name_too_long_for_the_controllers_policy_is_refused_before_anything_is_made() -> None:
    assert "give the cluster a shorter name" in refused(cluster={"name": "c" * 100})


def test_the_region_is_the_providers_and_not_the_projects() -> None:
    with pytest.raises(pulumi.RunError, match="the region is aws:region"):
        load({**configured(), "eks-load-balancing:region": "us-east-1"})


def test_a_web_acl_is_refused_where_the_controller_may_not_attach_it() -> None:
    line = refused(
        controller={"disabledFeatures": ["wafv2"]},
        samples={"alb": {"webAclArn": WEB_ACL}},
    )

    assert line.startswith(f"{SAMPLES}.alb.webAclArn: the controller may not attach it")
    assert line.endswith("take wafv2 out of eks-load-balancing:controller.disabledFeatures")


def test_what_protects_a_stack_reaches_the_components() -> None:
    logs, certificate, acl = "logs", "arn:aws:acm:us-west-2:123456789012:certificate/a", WEB_ACL
    both = {"accessLogsBucket": logs, "certificateArn": certificate, "deletionProtection": True}
    settings = load(
        configured(
            cluster={
                "deletionProtection": True,
                "secretsKeyArn": KEY,
                "addonVersions": {"coredns": "v1.13.1-eksbuild.1"},
            },
            samples={"nlb": both, "alb": {**both, "webAclArn": acl, "host": "web.example.com"}},
        )
    )
    given = {"access_logs_bucket": logs, "certificate_arn": certificate, "deletion_protection": True}

    assert settings.cluster.arguments.items() >= {"deletion_protection": True, "secrets_key_arn": KEY}.items()
    assert settings.cluster.arguments.get("addon_versions") == {"coredns": "v1.13.1-eksbuild.1"}
    assert settings.samples.nlb.arguments.items() >= given.items()
    assert settings.samples.alb.arguments.items() >= {**given, "web_acl_arn": acl, "host": "web.example.com"}.items()


def test_other_partitions_need_no_other_keys() -> None:
    load(configured(region="cn-north-1", network={"zones": ["cn-north-1a", "cn-north-1b"]}))


def test_every_setting_is_an_argument_of_its_component() -> None:
    settings = load(configured())

    for section, arguments in [
        (settings.network, components.NetworkArgs),
        (settings.cluster, components.ClusterArgs),
        (settings.nodes, components.NodesArgs),
        (settings.controller, components.LoadBalancerControllerArgs),
        (settings.samples.nlb, components.NetworkLoadBalancedServiceArgs),
        (settings.samples.alb, components.ApplicationLoadBalancedIngressArgs),
    ]:
        there = {"vpc_id", "subnet_ids"}  # of a network that is not made
        assert set(type(section).model_fields) - there <= set(arguments.__annotations__)


def test_what_is_not_configured_is_left_to_the_component() -> None:
    assert "certificate_arn" not in load(configured()).samples.nlb.arguments
    assert "permissions_boundary_arn" not in load(configured()).common


def test_one_boundary_bounds_the_roles_of_every_component() -> None:
    config = {**configured(), "eks-load-balancing:permissionsBoundaryArn": BOUNDARY}

    assert load(config).common == {"tags": {}, "permissions_boundary_arn": BOUNDARY}


def test_keys_of_other_namespaces_are_left_alone() -> None:
    load({**configured(), "aws:profile": "dev", "pulumi:tags": "{}"})


@pytest.mark.parametrize(
    ("network", "says"),
    [
        ({"vpcId": "vpc-1", "cidr": None, "zones": None}, "network.subnetIds: missing: .* needs vpcId and subnetIds"),
        ({"vpcId": "vpc-1", "subnetIds": ["subnet-a"], "zones": None}, "network.cidr: the VPC is there already"),
    ],
)
def test_a_vpc_that_is_there_is_given_whole_and_none_is_made(network: dict[str, Any], says: str) -> None:
    there = {"vpcId": "vpc-1", "subnetIds": ["subnet-a", "subnet-b"], "cidr": None, "zones": None}
    assert load(configured(network=there)).network.vpc_id == "vpc-1"
    assert re.search(says, refused(network=network))


def test_more_groups_of_nodes_and_values_of_the_chart_are_checked_with_their_keys() -> None:
    group = {"instanceTypes": ["m7g.large"], "min": 1, "desired": 1, "max": 2}

    assert "nodeGroups: node_groups.spot: m7g.large has another architecture" in refused(nodeGroups={"spot": group})
    assert "controller.values: values.clusterName 'x' cannot be set" in refused(
        controller={"values": {"clusterName": "x"}}
    )
