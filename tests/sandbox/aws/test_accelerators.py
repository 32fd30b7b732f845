"""Global Accelerator: what it keeps and returns, what it refuses, and how healthy its endpoints are."""

from typing import Any

import pytest

from tests.sandbox.aws.elb_requests import World
from tests.sandbox.aws.harness import Aws, code_of


@pytest.fixture
def client(aws: Aws) -> Any:
    return aws.client("globalaccelerator")


@pytest.fixture
def accelerator(client: Any) -> Any:
    return client.create_accelerator(Name="shop", Tags=[{"Key": "a", "Value": "b"}])["Accelerator"]


def listener(client: Any, accelerator: Any, *ports: int, protocol: str = "TCP") -> str:
    ranges = [{"FromPort": port, "ToPort": port} for port in ports]
    arn = accelerator["AcceleratorArn"]
    return client.create_listener(AcceleratorArn=arn, PortRanges=ranges, Protocol=protocol)["Listener"]["ListenerArn"]


def refused(code: str, call: Any, **parameters: Any) -> None:
    assert code_of(call, **parameters) == code


def test_an_accelerator_has_two_addresses_and_a_name_and_is_deployed_after_its_creation(
    client: Any, accelerator: Any
) -> None:
    assert accelerator["Status"] == "IN_PROGRESS"
    found = client.describe_accelerator(AcceleratorArn=accelerator["AcceleratorArn"])["Accelerator"]
    assert (found["Status"], found["Enabled"], found["IpAddressType"]) == ("DEPLOYED", True, "IPV4")
    assert [len(entry["IpAddresses"]) for entry in found["IpSets"]] == [2]
    assert found["DnsName"].endswith(".awsglobalaccelerator.com")
    changed = {"AcceleratorArn": accelerator["AcceleratorArn"], "IpAddressType": "DUAL_STACK", "Name": "new"}
    found = client.update_accelerator(**changed)["Accelerator"]
    assert [entry["IpAddressFamily"] for entry in found["IpSets"]] == ["IPv4", "IPv6"]
    assert ".dualstack." in found["DualStackDnsName"]
    assert found["Name"] == "new"


def test_no_two_accelerators_have_an_address_in_common(client: Any, accelerator: Any) -> None:
    listener(client, accelerator, 80)
    client.create_accelerator(Name="other")
    everything = client.list_accelerators()["Accelerators"]
    addresses = [address for each in everything for address in each["IpSets"][0]["IpAddresses"]]
    assert len(set(addresses)) == len(addresses) == 2 * len(everything)


def test_a_repeated_token_creates_nothing_until_what_it_created_is_gone(client: Any) -> None:
    given = {"Name": "once", "IdempotencyToken": "token"}
    first = client.create_accelerator(**given)["Accelerator"]["AcceleratorArn"]
    assert client.create_accelerator(**given)["Accelerator"]["AcceleratorArn"] == first
    client.update_accelerator(AcceleratorArn=first, Enabled=False)
    client.delete_accelerator(AcceleratorArn=first)
    assert client.create_accelerator(**given)["Accelerator"]["AcceleratorArn"] != first


def test_nothing_is_deleted_that_is_enabled_or_in_use(client: Any, accelerator: Any) -> None:
    arn = accelerator["AcceleratorArn"]
    port = listener(client, accelerator, 80)
    group = client.create_endpoint_group(ListenerArn=port, EndpointGroupRegion="us-west-2")["EndpointGroup"]
    refused("AcceleratorNotDisabledException", client.delete_accelerator, AcceleratorArn=arn)
    client.update_accelerator(AcceleratorArn=arn, Enabled=False)
    refused("AssociatedListenerFoundException", client.delete_accelerator, AcceleratorArn=arn)
    refused("AssociatedEndpointGroupFoundException", client.delete_listener, ListenerArn=port)
    client.delete_endpoint_group(EndpointGroupArn=group["EndpointGroupArn"])
    client.delete_listener(ListenerArn=port)
    client.delete_accelerator(AcceleratorArn=arn)
    refused("AcceleratorNotFoundException", client.describe_accelerator, AcceleratorArn=arn)
    refused("ListenerNotFoundException", client.describe_listener, ListenerArn=port)


def test_ports_of_one_protocol_do_not_overlap(client: Any, accelerator: Any) -> None:
    listener(client, accelerator, 80, 443)
    listener(client, accelerator, 80, protocol="UDP")
    ask = {"AcceleratorArn": accelerator["AcceleratorArn"], "Protocol": "TCP"}
    overlapping = [{"FromPort": 400, "ToPort": 500}]
    refused("InvalidPortRangeException", client.create_listener, **ask, PortRanges=overlapping)
    backwards = [{"FromPort": 9, "ToPort": 8}]
    refused("InvalidPortRangeException", client.create_listener, **ask, PortRanges=backwards)
    invalid = {"Protocol": "SCTP", "PortRanges": [{"FromPort": 1, "ToPort": 1}]}
    refused("InvalidArgumentException", client.create_listener, **ask | invalid)


def test_an_endpoint_groups_settings_are_kept_with_awss_defaults(client: Any, accelerator: Any) -> None:
    port = listener(client, accelerator, 80)
    made = client.create_endpoint_group(
        ListenerArn=port, EndpointGroupRegion="us-west-2", PortOverrides=[{"ListenerPort": 80, "EndpointPort": 8080}]
    )["EndpointGroup"]
    assert (made["TrafficDialPercentage"], made["HealthCheckPort"], made["ThresholdCount"]) == (100.0, 80, 3)
    arn = made["EndpointGroupArn"]
    client.update_endpoint_group(EndpointGroupArn=arn, TrafficDialPercentage=12.5, PortOverrides=[])
    found = client.describe_endpoint_group(EndpointGroupArn=arn)["EndpointGroup"]
    assert (found["TrafficDialPercentage"], found["PortOverrides"]) == (12.5, [])
    again = {"ListenerArn": port, "EndpointGroupRegion": "us-west-2"}
    refused("EndpointGroupAlreadyExistsException", client.create_endpoint_group, **again)
    elsewhere = [{"ListenerPort": 81, "EndpointPort": 8080}]
    refused("InvalidArgumentException", client.update_endpoint_group, EndpointGroupArn=arn, PortOverrides=elsewhere)
    refused("InvalidArgumentException", client.update_endpoint_group, EndpointGroupArn=arn, TrafficDialPercentage=101.0)


def test_an_endpoint_is_a_load_balancer_that_exists_and_is_healthy_with_its_targets(
    client: Any, accelerator: Any, world: World
) -> None:
    balancer = world.balancer()
    port = listener(client, accelerator, 80)
    given = [{"EndpointId": balancer, "Weight": 7}]
    made = client.create_endpoint_group(
        ListenerArn=port, EndpointGroupRegion="us-west-2", EndpointConfigurations=given
    )["EndpointGroup"]
    [endpoint] = made["EndpointDescriptions"]
    # Without a healthy target.
    expected = {"Weight": 7, "ClientIPPreservationEnabled": True, "HealthState": "UNHEALTHY"}
    assert {name: endpoint[name] for name in expected} == expected
    arn = made["EndpointGroupArn"]
    missing = [{"EndpointId": f"{balancer}0"}]
    refused("InvalidArgumentException", client.add_endpoints, EndpointGroupArn=arn, EndpointConfigurations=missing)
    client.remove_endpoints(EndpointGroupArn=arn, EndpointIdentifiers=[{"EndpointId": balancer}])
    assert client.list_endpoint_groups(ListenerArn=port)["EndpointGroups"][0]["EndpointDescriptions"] == []
    client.add_endpoints(EndpointGroupArn=arn, EndpointConfigurations=[{"EndpointId": balancer}])
    [endpoint] = client.describe_endpoint_group(EndpointGroupArn=arn)["EndpointGroup"]["EndpointDescriptions"]
    assert endpoint["Weight"] == 128
    group = world.group(TargetType="ip")
    world.listener(balancer, DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])
    world.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.10"}])
    [endpoint] = client.describe_endpoint_group(EndpointGroupArn=arn)["EndpointGroup"]["EndpointDescriptions"]
    assert endpoint["HealthState"] == "HEALTHY"


def test_tags_are_kept_and_lists_have_pages(client: Any, accelerator: Any) -> None:
    arn = accelerator["AcceleratorArn"]
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    client.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "c", "Value": "d"}]
    refused("InvalidArgumentException", client.tag_resource, ResourceArn=arn, Tags=[{"Key": "aws:x", "Value": ""}])
    client.create_accelerator(Name="second")
    names = [
        each["Name"]
        for page in client.get_paginator("list_accelerators").paginate(PaginationConfig={"PageSize": 1})
        for each in page["Accelerators"]
    ]
    assert {"shop", "second"} <= set(names)
    refused("InvalidNextTokenException", client.list_accelerators, NextToken="nowhere")
