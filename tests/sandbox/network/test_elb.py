"""The model of load balancers, from the APIs' documents."""

from typing import Any

from sandbox.network.elb.model import Target
from sandbox.network.elb.parsing import action, condition, parsed, rules
from sandbox.network.elb.reading import Documents
from tests.sandbox.network.balancers.api import BALANCER, documents, forward, group, group_arn, listener, rule, target


def test_a_forward_has_its_target_groups_and_weights_in_either_form() -> None:
    assert action(forward("web")).forwards == ((group_arn("web"), 1),)
    both = {**forward("web"), "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": group_arn("web")}]}}
    assert action(both).forwards == ((group_arn("web"), 1),)
    assert action(forward("web", "two", weights=(0, 3), TargetGroupStickinessConfig={})).forwards == (
        (group_arn("web"), 0),
        (group_arn("two"), 3),
    )
    assert action({"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}).forwards == ()


def test_a_condition_has_its_values_in_either_form() -> None:
    short = {"Field": "path-pattern", "Values": ["/a"]}
    full = {"Field": "path-pattern", "Values": ["/a"], "PathPatternConfig": {"Values": ["/a"]}}
    assert [condition(each).values for each in (short, full)] == [("/a",), ("/a",)]
    expressions = {"Field": "path-pattern", "RegexValues": ["^/a$"]}
    assert (condition(expressions).values, condition(expressions).expressions) == ((), ("^/a$",))
    query = {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "k", "Value": "v"}, {"Value": "x"}]}}
    assert condition(query).values == ("k=v", "=x")


def test_a_load_balancer_has_the_groups_that_it_forwards_to_and_no_others() -> None:
    given = group("two")
    given["Targets"] = [target("10.0.0.7", state="draining")]
    read = documents(listener(rule(forward("two")), rule(forward("two"))), groups=[group(), given])
    found = parsed(read)
    (balancer,) = found.balancers
    assert (balancer.kind, balancer.name, balancer.key, balancer.arn) == ("ALB", "web", BALANCER[-24:], BALANCER)
    assert [g.name for g in balancer.groups] == ["two"]
    assert balancer.groups[0].targets == (Target("10.0.0.7", 8080, "draining", "", "us-west-2a"),)
    assert set(found.groups) == {group_arn("web"), group_arn("two")}


def test_the_default_rule_comes_last_wherever_it_is_listed() -> None:
    listed = [{"Priority": p, "Actions": [forward("web")]} for p in ("default", "10", "9")]
    assert [each.priority for each in rules(listed)] == ["9", "10", "default"]


def test_each_listener_of_a_classic_load_balancer_leads_to_all_instances_at_its_port() -> None:
    ports = ((80, 30080), (443, 30443))
    described: list[dict[str, Any]] = [
        {"Listener": {"Protocol": "TCP", "LoadBalancerPort": port, "InstancePort": to}} for port, to in ports
    ]
    data = {"LoadBalancerName": "old", "DNSName": "old.test", "ListenerDescriptions": described}
    states = [{"InstanceId": "i-a", "State": "InService", "ReasonCode": "N/A"}]
    read = Documents(
        classic=[{**data, "Instances": [{"InstanceId": "i-a"}, {"InstanceId": "i-b"}]}], states={"old": states}
    )
    (balancer,) = parsed(read).classic
    assert [[str(t) for g in balancer.groups_of(x) for t in g.targets] for x in balancer.listeners] == [
        [f"{instance}:{to}" for instance in ("i-a", "i-b")] for _, to in ports
    ]
    assert [(t.health, t.reason, t.healthy) for t in balancer.instances] == [
        ("InService", "", True),
        ("unknown", "", False),
    ]
