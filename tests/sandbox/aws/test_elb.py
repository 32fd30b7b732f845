from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.harness import Aws, Stage, code_of


@dataclass
class Balancing:
    """A stage whose VPC has an internet gateway, and short functions that create things in it."""

    stage: Stage
    elb: Any

    @property
    def aws(self) -> Aws:
        return self.stage.aws

    def balancer(self, name: str = "lb", **more: Any) -> dict[str, Any]:
        given = {"Name": f"{self.stage.name}-{name}", "Subnets": self.stage.subnets, **more}
        return self.elb.create_load_balancer(**given)["LoadBalancers"][0]

    def group(self, name: str = "tg", **more: Any) -> str:
        given = {"Protocol": "HTTP", "Port": 80, "VpcId": self.stage.vpc, "TargetType": "ip", **more}
        made = self.elb.create_target_group(Name=f"{self.stage.name}-{name}", **given)
        return made["TargetGroups"][0]["TargetGroupArn"]

    def listener(self, balancer: str, group: str, port: int = 80, protocol: str = "HTTP", **more: Any) -> str:
        forward = [{"Type": "forward", "TargetGroupArn": group}]
        made = self.elb.create_listener(
            LoadBalancerArn=balancer, Port=port, Protocol=protocol, DefaultActions=forward, **more
        )
        return made["Listeners"][0]["ListenerArn"]

    def rule(self, listener: str, group: str, priority: int) -> str:
        made = self.elb.create_rule(
            ListenerArn=listener, Priority=priority, Actions=[{"Type": "forward", "TargetGroupArn": group}],
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": [f"/{priority}"]}}],
        )  # fmt: skip
        return made["Rules"][0]["RuleArn"]

    def interfaces(self, balancer: dict[str, Any]) -> list[dict[str, Any]]:
        name = "ELB " + balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]
        filters = [{"Name": "description", "Values": [name]}]
        return self.aws.client("ec2").describe_network_interfaces(Filters=filters)["NetworkInterfaces"]


@pytest.fixture
def on(stage: Stage) -> Generator[Balancing]:
    ec2, elb = stage.aws.client("ec2"), stage.aws.client("elbv2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=stage.vpc)
    yield Balancing(stage, elb)
    for balancer in elb.describe_load_balancers()["LoadBalancers"]:
        if balancer["VpcId"] == stage.vpc:
            elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])


def test_rules_take_each_others_places_in_one_call(on: Balancing) -> None:
    group = on.group()
    listener = on.listener(on.balancer()["LoadBalancerArn"], group)
    one, two, three = (on.rule(listener, group, n) for n in (1, 2, 3))
    pairs = [{"RuleArn": one, "Priority": 2}, {"RuleArn": two, "Priority": 1}]
    on.elb.set_rule_priorities(RulePriorities=pairs)
    rules = on.elb.describe_rules(ListenerArn=listener)["Rules"]
    assert [(r["Priority"], r["RuleArn"]) for r in rules[:3]] == [("1", two), ("2", one), ("3", three)]
    assert rules[3]["IsDefault"]


def test_a_rule_cannot_take_the_place_of_one_that_stays(on: Balancing) -> None:
    group = on.group()
    listener = on.listener(on.balancer()["LoadBalancerArn"], group)
    one, _ = (on.rule(listener, group, n) for n in (1, 2))
    taken = [{"RuleArn": one, "Priority": 2}]
    assert code_of(on.elb.set_rule_priorities, RulePriorities=taken) == "PriorityInUse"


def test_the_default_rule_can_be_neither_deleted_nor_modified(on: Balancing) -> None:
    group = on.group()
    listener = on.listener(on.balancer()["LoadBalancerArn"], group)
    default = on.elb.describe_rules(ListenerArn=listener)["Rules"][0]["RuleArn"]
    assert code_of(on.elb.delete_rule, RuleArn=default) == "OperationNotPermitted"


def test_a_lost_answer_can_be_asked_for_again(on: Balancing) -> None:
    group, balancer = on.group(), on.balancer()["LoadBalancerArn"]
    listener = on.listener(balancer, group)
    assert on.group() == group
    assert on.balancer()["LoadBalancerArn"] == balancer
    assert on.listener(balancer, group) == listener


def test_the_same_name_with_other_settings_is_refused(on: Balancing) -> None:
    on.group()
    balancer = on.balancer()["LoadBalancerArn"]
    on.listener(balancer, on.group())
    with pytest.raises(ClientError, match="DuplicateTargetGroupName"):
        on.group(Port=8080)
    with pytest.raises(ClientError, match="DuplicateLoadBalancerName"):
        on.balancer(Scheme="internal")
    with pytest.raises(ClientError, match="DuplicateListener"):
        on.listener(balancer, on.group("other"))


def test_a_load_balancers_interfaces_hold_its_groups_and_subnets_until_it_goes(on: Balancing) -> None:
    ec2 = on.aws.client("ec2")
    groups = [ec2.create_security_group(GroupName=n, Description="x", VpcId=on.stage.vpc)["GroupId"] for n in "ab"]
    balancer = on.balancer(SecurityGroups=groups[:1])
    arn = balancer["LoadBalancerArn"]
    assert len(on.interfaces(balancer)) == 2
    assert code_of(ec2.delete_security_group, GroupId=groups[0]) == "DependencyViolation"
    assert code_of(ec2.delete_subnet, SubnetId=on.stage.subnets[0]) == "DependencyViolation"
    on.elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=groups[1:])
    ec2.delete_security_group(GroupId=groups[0])
    on.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert on.interfaces(balancer) == []
    ec2.delete_security_group(GroupId=groups[1])
    on.elb.delete_load_balancer(LoadBalancerArn=arn)


def test_a_network_load_balancer_has_its_own_arn_host_name_and_addresses(on: Balancing) -> None:
    address = on.aws.client("ec2").allocate_address(Domain="vpc")
    mapping = [{"SubnetId": on.stage.subnets[0], "AllocationId": address["AllocationId"]}]
    made = on.elb.create_load_balancer(Name=on.stage.name, Type="network", SubnetMappings=mapping)["LoadBalancers"][0]
    assert ":loadbalancer/net/" in made["LoadBalancerArn"]
    assert made["DNSName"].endswith(".elb.us-west-2.amazonaws.com")
    assert made["AvailabilityZones"][0]["LoadBalancerAddresses"][0]["IpAddress"] == address["PublicIp"]
    assert made["State"]["Code"] == "provisioning"
    on.elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    on.aws.client("ec2").release_address(AllocationId=address["AllocationId"])


def test_an_application_load_balancers_host_name_carries_its_region_and_scheme(on: Balancing) -> None:
    made = on.balancer(Scheme="internal")
    assert made["DNSName"].startswith(f"internal-{on.stage.name}-lb-")
    assert made["DNSName"].endswith(".us-west-2.elb.amazonaws.com")
    assert len(made["SecurityGroups"]) == 1


def test_a_network_load_balancer_made_without_groups_never_gets_one(on: Balancing) -> None:
    group = on.aws.client("ec2").create_security_group(GroupName="a", Description="a", VpcId=on.stage.vpc)["GroupId"]
    arn = on.balancer(Type="network")["LoadBalancerArn"]
    code = code_of(on.elb.set_security_groups, LoadBalancerArn=arn, SecurityGroups=[group])
    assert code == "InvalidConfigurationRequest"
    other = on.balancer("with", Type="network", SecurityGroups=[group])["LoadBalancerArn"]
    answer = on.elb.set_security_groups(LoadBalancerArn=other, SecurityGroups=[group])
    assert answer["SecurityGroupIds"] == [group]


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"Subnets": ["subnet-0123456789abcdef0"]}, "SubnetNotFound"),
        ({"SecurityGroups": ["sg-0123456789abcdef0"]}, "InvalidSecurityGroup"),
        ({"Name": "internal-lb"}, "ValidationError"),
        ({"Name": "x" * 33}, "ValidationError"),
    ],
)
def test_a_load_balancer_that_cannot_be_is_refused(on: Balancing, wish: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError, match=code):
        on.balancer(**wish)


def test_an_application_load_balancer_wants_two_zones_a_network_one_is_content_with_one(on: Balancing) -> None:
    with pytest.raises(ClientError, match="two different Availability Zones"):
        on.balancer(Subnets=on.stage.subnets[:1])
    assert on.balancer(Subnets=on.stage.subnets[:1], Type="network")


def test_an_internet_facing_load_balancer_wants_an_internet_gateway(stage: Stage) -> None:
    elb = stage.aws.client("elbv2")
    assert code_of(elb.create_load_balancer, Name=stage.name, Subnets=stage.subnets) == "InvalidSubnet"


def test_deletion_protection_protects(on: Balancing) -> None:
    arn = on.balancer()["LoadBalancerArn"]
    switch = {"Key": "deletion_protection.enabled", "Value": "true"}
    on.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[switch])
    assert code_of(on.elb.delete_load_balancer, LoadBalancerArn=arn) == "OperationNotPermitted"
    on.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[{**switch, "Value": "false"}])


def test_each_kind_of_load_balancer_has_its_own_attributes(on: Balancing) -> None:
    application, network = on.balancer()["LoadBalancerArn"], on.balancer("n", Type="network")["LoadBalancerArn"]
    wish = [{"Key": "routing.http2.enabled", "Value": "false"}]
    on.elb.modify_load_balancer_attributes(LoadBalancerArn=application, Attributes=wish)
    told = on.elb.describe_load_balancer_attributes(LoadBalancerArn=application)["Attributes"]
    attributes = {a["Key"]: a["Value"] for a in told}
    assert (attributes["routing.http2.enabled"], attributes["idle_timeout.timeout_seconds"]) == ("false", "60")
    code = code_of(on.elb.modify_load_balancer_attributes, LoadBalancerArn=network, Attributes=wish)
    assert code == "ValidationError"


def test_a_target_group_knows_its_load_balancer_for_as_long_as_a_rule_forwards_to_it(on: Balancing) -> None:
    group, other = on.group(), on.group("other")
    balancer = on.balancer()["LoadBalancerArn"]
    listener = on.listener(balancer, other)
    rule = on.rule(listener, group, 1)

    def used() -> list[str]:
        return on.elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]["LoadBalancerArns"]

    assert used() == [balancer]
    assert code_of(on.elb.delete_target_group, TargetGroupArn=group) == "ResourceInUse"
    on.elb.delete_rule(RuleArn=rule)
    assert used() == []
    on.elb.delete_target_group(TargetGroupArn=group)
    on.elb.delete_target_group(TargetGroupArn=group)


def test_a_target_group_serves_one_load_balancer_only_and_its_own_protocol(on: Balancing) -> None:
    group = on.group()
    on.listener(on.balancer()["LoadBalancerArn"], group)
    other = on.balancer("other")["LoadBalancerArn"]
    with pytest.raises(ClientError, match="TargetGroupAssociationLimit"):
        on.listener(other, group)
    with pytest.raises(ClientError, match="IncompatibleProtocols"):
        on.listener(other, on.group("tcp", Protocol="TCP"))


def test_a_pod_may_be_registered_on_two_ports_and_leave_one(on: Balancing) -> None:
    group = on.group()
    on.listener(on.balancer()["LoadBalancerArn"], group)
    targets = [{"Id": "10.0.0.9", "Port": port} for port in (8080, 9090)]
    on.elb.register_targets(TargetGroupArn=group, Targets=targets)
    on.elb.deregister_targets(TargetGroupArn=group, Targets=[*targets[:1], {"Id": "10.0.0.99"}])
    told = on.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert [d["Target"] for d in told] == [{"Id": "10.0.0.9", "Port": 9090, "AvailabilityZone": "us-west-2a"}]
    assert told[0]["TargetHealth"]["State"] == "healthy"
    asked = on.elb.describe_target_health(TargetGroupArn=group, Targets=targets[:1])["TargetHealthDescriptions"]
    assert asked[0]["TargetHealth"]["Reason"] == "Target.NotRegistered"


def test_the_target_of_a_group_that_no_load_balancer_uses_is_unused(on: Balancing) -> None:
    group = on.group()
    on.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.9"}])

    def state() -> dict[str, str]:
        return on.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]["TargetHealth"]

    assert state() == {
        "State": "unused",
        "Reason": "Target.NotInUse",
        "Description": "Target group is not configured to receive traffic from the load balancer",
    }
    on.listener(on.balancer()["LoadBalancerArn"], group)
    assert state() == {"State": "healthy"}


@pytest.mark.parametrize(("target", "code"), [("8.8.8.8", "InvalidTarget"), ("pod", "ValidationError")])
def test_a_target_out_of_reach_is_refused(on: Balancing, target: str, code: str) -> None:
    assert code_of(on.elb.register_targets, TargetGroupArn=on.group(), Targets=[{"Id": target}]) == code


def test_an_instance_in_another_vpc_cannot_be_a_target(on: Balancing) -> None:
    group = on.group(TargetType="instance")
    missing = [{"Id": "i-0123456789abcdef0"}]
    assert code_of(on.elb.register_targets, TargetGroupArn=group, Targets=missing) == "InvalidTarget"


def test_a_listener_can_become_any_protocol_of_its_load_balancer(on: Balancing) -> None:
    balancer = on.balancer(Type="network")["LoadBalancerArn"]
    both, udp = on.group("both", Protocol="TCP_UDP"), on.group("udp", Protocol="UDP")
    listener = on.listener(balancer, both, 53, "TCP_UDP")
    changed = on.elb.modify_listener(
        ListenerArn=listener, Protocol="UDP", DefaultActions=[{"Type": "forward", "TargetGroupArn": udp}]
    )["Listeners"][0]
    assert (changed["Protocol"], "SslPolicy" in changed) == ("UDP", False)
    on.listener(balancer, on.group("tcp", Protocol="TCP"), 80, "TCP")
    assert code_of(on.elb.modify_listener, ListenerArn=listener, Port=80) == "DuplicateListener"


def test_a_secure_listener_wants_a_certificate_that_exists(on: Balancing) -> None:
    balancer = on.balancer()["LoadBalancerArn"]
    with pytest.raises(ClientError, match="CertificateNotFound"):
        on.listener(balancer, on.group(), 443, "HTTPS")


def test_listener_attributes_follow_the_protocol(on: Balancing) -> None:
    balancer = on.balancer(Type="network")["LoadBalancerArn"]
    listener = on.listener(balancer, on.group(Protocol="TCP"), 80, "TCP")
    told = on.elb.describe_listener_attributes(ListenerArn=listener)["Attributes"]
    assert told == [{"Key": "tcp.idle_timeout.seconds", "Value": "350"}]
    wish = [{"Key": "tcp.idle_timeout.seconds", "Value": "400"}]
    assert on.elb.modify_listener_attributes(ListenerArn=listener, Attributes=wish)["Attributes"] == wish
    wrong = [{"Key": "routing.http.response.server.enabled", "Value": "false"}]
    code = code_of(on.elb.modify_listener_attributes, ListenerArn=listener, Attributes=wrong)
    assert code == "InvalidConfigurationRequest"


def test_capacity_is_reserved_and_given_back(on: Balancing) -> None:
    arn = on.balancer()["LoadBalancerArn"]
    assert on.elb.describe_capacity_reservation(LoadBalancerArn=arn)["CapacityReservationState"] == []
    on.elb.modify_capacity_reservation(LoadBalancerArn=arn, MinimumLoadBalancerCapacity={"CapacityUnits": 5})
    told = on.elb.describe_capacity_reservation(LoadBalancerArn=arn)
    assert told["MinimumLoadBalancerCapacity"]["CapacityUnits"] == 5
    assert told["CapacityReservationState"][0]["State"]["Code"] == "provisioned"
    on.elb.modify_capacity_reservation(LoadBalancerArn=arn, ResetCapacityReservation=True)
    assert on.elb.describe_capacity_reservation(LoadBalancerArn=arn)["CapacityReservationState"] == []


def test_fifty_tags_fit_and_go_with_what_they_are_on(on: Balancing) -> None:
    group = on.group()
    tags = [{"Key": f"key-{n}", "Value": "x"} for n in range(50)]
    on.elb.add_tags(ResourceArns=[group], Tags=tags)
    more = [{"Key": "one-more", "Value": "x"}]
    assert code_of(on.elb.add_tags, ResourceArns=[group], Tags=more) == "TooManyTags"
    on.elb.delete_target_group(TargetGroupArn=group)
    assert code_of(on.elb.describe_tags, ResourceArns=[group]) == "TargetGroupNotFound"


def test_conditions_may_be_regular_expressions(on: Balancing) -> None:
    group = on.group()
    listener = on.listener(on.balancer()["LoadBalancerArn"], group)
    rule = on.elb.create_rule(
        ListenerArn=listener, Priority=1, Actions=[{"Type": "forward", "TargetGroupArn": group}],
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"RegexValues": ["^a.*"]}}],
    )["Rules"][0]  # fmt: skip
    assert rule["Conditions"][0]["HostHeaderConfig"]["RegexValues"] == ["^a.*"]


def test_a_new_classic_load_balancer_has_the_health_check_that_aws_gives(on: Balancing) -> None:
    elb = on.aws.client("elb")
    ports = [{"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 30080}]
    made = elb.create_load_balancer(LoadBalancerName=on.stage.name, Listeners=ports, Subnets=on.stage.subnets)
    assert ".us-west-2.elb.amazonaws.com" in made["DNSName"]
    told = elb.describe_load_balancers(LoadBalancerNames=[on.stage.name])["LoadBalancerDescriptions"][0]
    assert told["HealthCheck"] == {
        "Target": "TCP:30080",
        "Interval": 30,
        "Timeout": 5,
        "UnhealthyThreshold": 2,
        "HealthyThreshold": 10,
    }
    elb.delete_load_balancer(LoadBalancerName=on.stage.name)


def test_a_classic_load_balancer_without_groups_has_the_vpcs_default_one(on: Balancing) -> None:
    elb = on.aws.client("elb")
    ports = [{"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 30080}]
    elb.create_load_balancer(LoadBalancerName=on.stage.name, Listeners=ports, Subnets=on.stage.subnets)
    told = elb.describe_load_balancers(LoadBalancerNames=[on.stage.name])["LoadBalancerDescriptions"][0]
    filters = [{"Name": "vpc-id", "Values": [on.stage.vpc]}, {"Name": "group-name", "Values": ["default"]}]
    (default,) = on.aws.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    assert told["SecurityGroups"] == [default["GroupId"]]
    elb.delete_load_balancer(LoadBalancerName=on.stage.name)


def test_tags_find_load_balancers_and_target_groups(on: Balancing) -> None:
    tag = {"Key": "elbv2.k8s.aws/cluster", "Value": on.stage.name}
    group = on.group(Tags=[tag])
    balancer = on.balancer(Tags=[tag])["LoadBalancerArn"]
    tagging = on.aws.client("resourcegroupstaggingapi")
    for kind, arn in (("targetgroup", group), ("loadbalancer", balancer)):
        found = tagging.get_resources(
            ResourceTypeFilters=[f"elasticloadbalancing:{kind}"],
            TagFilters=[{"Key": tag["Key"], "Values": [tag["Value"]]}],
        )["ResourceTagMappingList"]
        assert [f["ResourceARN"] for f in found] == [arn]


def test_what_the_controller_asks_of_other_services_is_answered(on: Balancing) -> None:
    arn = on.balancer()["LoadBalancerArn"]
    assert "WebACL" not in on.aws.client("wafv2").get_web_acl_for_resource(ResourceArn=arn)
    assert on.aws.client("shield").get_subscription_state()["SubscriptionState"] == "INACTIVE"
