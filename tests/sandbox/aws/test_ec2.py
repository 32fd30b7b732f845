from typing import Any

from tests.sandbox.aws.harness import Aws, Stage, code_of


def interface(stage: Stage, **more: Any) -> dict[str, Any]:
    ec2 = stage.aws.client("ec2")
    return ec2.create_network_interface(SubnetId=stage.subnets[0], **more)["NetworkInterface"]


def addresses(aws: Aws, eni: str) -> set[str]:
    found = aws.client("ec2").describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]
    return {a["PrivateIpAddress"] for a in found["PrivateIpAddresses"]}


def test_a_count_of_addresses_is_given_from_the_interfaces_subnet_and_never_twice(stage: Stage) -> None:
    ec2, one, other = stage.aws.client("ec2"), interface(stage), interface(stage)
    given: list[str] = []
    for eni in (one, other, one):
        answer = ec2.assign_private_ip_addresses(
            NetworkInterfaceId=eni["NetworkInterfaceId"], SecondaryPrivateIpAddressCount=50
        )
        given += [a["PrivateIpAddress"] for a in answer["AssignedPrivateIpAddresses"]]
    assert len(given) == len(set(given)) == 150
    assert all(a.startswith("10.0.0.") for a in given)
    reserved = {"10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.255"}
    assert not reserved & set(given)
    assert not {one["PrivateIpAddress"], other["PrivateIpAddress"]} & set(given)


def test_a_full_subnet_is_reported(stage: Stage) -> None:
    ec2, eni = stage.aws.client("ec2"), interface(stage)["NetworkInterfaceId"]
    ec2.assign_private_ip_addresses(NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=250)
    code = code_of(ec2.assign_private_ip_addresses, NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=1)
    assert code == "InsufficientFreeAddressesInSubnet"


def test_a_released_address_can_be_used_again_but_not_first(stage: Stage) -> None:
    ec2, eni = stage.aws.client("ec2"), interface(stage)["NetworkInterfaceId"]
    answer = ec2.assign_private_ip_addresses(NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=1)
    freed = answer["AssignedPrivateIpAddresses"][0]["PrivateIpAddress"]
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=eni, PrivateIpAddresses=[freed])
    answer = ec2.assign_private_ip_addresses(NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=1)
    assert answer["AssignedPrivateIpAddresses"][0]["PrivateIpAddress"] != freed
    ec2.assign_private_ip_addresses(NetworkInterfaceId=eni, PrivateIpAddresses=[freed])
    assert freed in addresses(stage.aws, eni)


def test_an_address_in_use_or_outside_the_subnet_cannot_be_asked_for(stage: Stage) -> None:
    ec2, one, other = stage.aws.client("ec2"), interface(stage), interface(stage)
    for wanted, code in (
        (other["PrivateIpAddress"], "InvalidIPAddress.InUse"),
        ("10.0.1.20", "InvalidParameterValue"),
        ("10.0.0.2", "InvalidParameterValue"),
    ):
        got = code_of(
            ec2.assign_private_ip_addresses,
            NetworkInterfaceId=one["NetworkInterfaceId"],
            PrivateIpAddresses=[wanted],
        )
        assert got == code


def test_an_interface_is_found_by_any_of_its_addresses(stage: Stage) -> None:
    ec2, eni = stage.aws.client("ec2"), interface(stage)["NetworkInterfaceId"]
    answer = ec2.assign_private_ip_addresses(NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=2)
    for address in answer["AssignedPrivateIpAddresses"]:
        filters = [
            {"Name": "addresses.private-ip-address", "Values": [address["PrivateIpAddress"]]},
            {"Name": "vpc-id", "Values": [stage.vpc]},
        ]
        found = ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
        assert [i["NetworkInterfaceId"] for i in found] == [eni]


def test_a_security_group_that_an_interface_carries_cannot_be_deleted(stage: Stage) -> None:
    ec2 = stage.aws.client("ec2")
    group = ec2.create_security_group(GroupName="a", Description="a", VpcId=stage.vpc)["GroupId"]
    eni = interface(stage, Groups=[group])["NetworkInterfaceId"]
    assert code_of(ec2.delete_security_group, GroupId=group) == "DependencyViolation"
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    ec2.delete_security_group(GroupId=group)


def test_a_security_group_that_another_ones_rule_names_cannot_be_deleted(stage: Stage) -> None:
    ec2 = stage.aws.client("ec2")
    one, other = (
        ec2.create_security_group(GroupName=name, Description="x", VpcId=stage.vpc)["GroupId"] for name in "ab"
    )
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": one}]}
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[rule])
    assert code_of(ec2.delete_security_group, GroupId=one) == "DependencyViolation"
    ec2.revoke_security_group_ingress(GroupId=other, IpPermissions=[rule])
    ec2.delete_security_group(GroupId=one)


def test_a_security_group_that_names_itself_can_be_deleted(stage: Stage) -> None:
    ec2 = stage.aws.client("ec2")
    group = ec2.create_security_group(GroupName="a", Description="a", VpcId=stage.vpc)["GroupId"]
    rule = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    ec2.delete_security_group(GroupId=group)


def test_a_vpcs_default_security_group_lets_its_members_in_and_stays(stage: Stage) -> None:
    ec2 = stage.aws.client("ec2")
    filters = [{"Name": "vpc-id", "Values": [stage.vpc]}, {"Name": "group-name", "Values": ["default"]}]
    group = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group["GroupId"]
    assert code_of(ec2.delete_security_group, GroupId=group["GroupId"]) == "CannotDelete"


def test_a_subnet_with_an_interface_and_a_vpc_with_anything_stay(stage: Stage) -> None:
    ec2 = stage.aws.client("ec2")
    eni = interface(stage)["NetworkInterfaceId"]
    assert code_of(ec2.delete_subnet, SubnetId=stage.subnets[0]) == "DependencyViolation"
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=stage.vpc)
    for subnet in stage.subnets:
        ec2.delete_subnet(SubnetId=subnet)
    assert code_of(ec2.delete_vpc, VpcId=stage.vpc) == "DependencyViolation"
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=stage.vpc)
    group = ec2.create_security_group(GroupName="a", Description="a", VpcId=stage.vpc)["GroupId"]
    assert code_of(ec2.delete_vpc, VpcId=stage.vpc) == "DependencyViolation"
    ec2.delete_security_group(GroupId=group)
    ec2.delete_vpc(VpcId=stage.vpc)


def test_a_route_table_can_go_once_its_subnets_have(stage: Stage) -> None:
    ec2 = stage.aws.client("ec2")
    table = ec2.create_route_table(VpcId=stage.vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=stage.subnets[0])
    assert code_of(ec2.delete_route_table, RouteTableId=table) == "DependencyViolation"
    ec2.delete_subnet(SubnetId=stage.subnets[0])
    ec2.delete_route_table(RouteTableId=table)


def test_a_nat_gateways_interface_and_address_go_with_it(stage: Stage) -> None:
    ec2 = stage.aws.client("ec2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=stage.vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=stage.subnets[0], AllocationId=address)["NatGateway"]
    assert nat["NatGatewayAddresses"][0]["PrivateIp"].startswith("10.0.0.")
    assert code_of(ec2.release_address, AllocationId=address) == "InvalidIPAddress.InUse"
    assert code_of(ec2.detach_internet_gateway, InternetGatewayId=gateway, VpcId=stage.vpc) == "DependencyViolation"
    eni = nat["NatGatewayAddresses"][0]["NetworkInterfaceId"]
    assert code_of(ec2.delete_network_interface, NetworkInterfaceId=eni) == "InvalidParameterValue"
    ec2.delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
    ec2.release_address(AllocationId=address)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=stage.vpc)
    filters = [{"Name": "vpc-id", "Values": [stage.vpc]}]
    assert ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"] == []


def test_an_instances_interface_goes_with_it_and_its_groups_are_the_interfaces(stage: Stage) -> None:
    ec2 = stage.aws.client("ec2")
    groups = [ec2.create_security_group(GroupName=name, Description="x", VpcId=stage.vpc)["GroupId"] for name in "ab"]
    made = ec2.run_instances(
        ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SubnetId=stage.subnets[0], SecurityGroupIds=[groups[0]]
    )["Instances"][0]
    eni = made["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ec2.modify_instance_attribute(InstanceId=made["InstanceId"], Groups=[groups[1]])
    found = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]
    assert [g["GroupId"] for g in found["Groups"]] == [groups[1]]
    ec2.delete_security_group(GroupId=groups[0])
    ec2.terminate_instances(InstanceIds=[made["InstanceId"]])
    assert code_of(ec2.describe_network_interfaces, NetworkInterfaceIds=[eni]) == "InvalidNetworkInterfaceID.NotFound"
    ec2.delete_security_group(GroupId=groups[1])


def test_the_region_answers_what_components_ask_about_it(aws: Aws) -> None:
    ec2 = aws.client("ec2")
    zones = [z["ZoneName"] for z in ec2.describe_availability_zones()["AvailabilityZones"]]
    assert zones[:3] == ["us-west-2a", "us-west-2b", "us-west-2c"]
    kind = ec2.describe_instance_types(InstanceTypes=["t3.medium"])["InstanceTypes"][0]
    assert kind["NetworkInfo"]["Ipv4AddressesPerInterface"] == 6


def test_a_call_repeated_with_its_token_gets_the_answer_it_had(stage: Stage) -> None:
    ec2 = stage.aws.client("ec2")
    given = {"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1, "SubnetId": stage.subnets[0], "ClientToken": "t"}
    first, again = (ec2.run_instances(**given)["Instances"][0]["InstanceId"] for _ in range(2))
    assert first == again
    code = code_of(ec2.run_instances, **{**given, "SubnetId": stage.subnets[1]})
    assert code == "IdempotentParameterMismatch"
    ec2.terminate_instances(InstanceIds=[first])
