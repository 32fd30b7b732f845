from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.controller.deploy.compare import same_actions, same_conditions, tags_to_change
from sandbox.controller.deploy.rules import RuleSet
from sandbox.controller.deploy.security_groups import Rules
from sandbox.controller.model.stack import Json, Listener, Permission, Ref, Rule
from sandbox.controller.networking import LABEL, joined, wanted
from sandbox.controller.settings import Settings

SETTINGS = Settings(cluster_name="demo", aws_vpc_id="vpc-1", feature_gates={"ListenerRulesTagging": False})


class FakeListener:
    """The rules of a listener behind the calls that change them, and the list of those calls."""

    def __init__(self, *paths: str, most: int = 100) -> None:
        self.rules = {f"arn:{n}": rule(path, n) for n, path in enumerate(paths, 1)}
        self.most, self.calls = most, list[str]()

    @property
    def elb(self) -> "FakeListener":
        return self

    def have(self) -> list[Json]:
        return [
            {"RuleArn": arn, "Priority": str(r.priority), "Conditions": r.conditions, "Actions": r.actions}
            for arn, r in self.rules.items()
        ]

    def create(self, service: str, operation: str, **request: Any) -> None:
        assert (service, operation) == ("elbv2", "create_rule")
        if len(self.rules) >= self.most:
            raise ClientError({"Error": {"Code": "TooManyRules"}}, "CreateRule")
        assert request["Priority"] not in {r.priority for r in self.rules.values()}, "priority in use"
        self.calls.append("create")
        new = Rule(request["Priority"], request["Conditions"], request["Actions"], {})
        self.rules[f"arn:new-{request['Priority']}"] = new

    def delete_rule(self, RuleArn: str) -> None:  # noqa: N803 - AWS's own names
        self.calls.append("delete")
        del self.rules[RuleArn]

    def modify_rule(self, **request: Any) -> None:
        self.calls.append("modify")
        old = self.rules[request["RuleArn"]]
        self.rules[request["RuleArn"]] = Rule(old.priority, request["Conditions"], request["Actions"], {})

    def set_rule_priorities(self, RulePriorities: list[Json]) -> None:  # noqa: N803 - AWS's own names
        self.calls.append("move")
        for pair in RulePriorities:
            old = self.rules[pair["RuleArn"]]
            self.rules[pair["RuleArn"]] = Rule(pair["Priority"], old.conditions, old.actions, {})
        taken = [r.priority for r in self.rules.values()]
        assert len(taken) == len(set(taken)), "priority in use"

    def paths(self) -> list[str]:
        ordered = sorted(self.rules.values(), key=lambda r: r.priority)
        return [r.conditions[0]["PathPatternConfig"]["Values"][0] for r in ordered]


def rule(path: str, priority: int) -> Rule:
    forward = {"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:tg"}]}}
    return Rule(priority, [{"Field": "path-pattern", "PathPatternConfig": {"Values": [path]}}], [forward], {})


def bring(fake: FakeListener, *paths: str) -> list[str]:
    listener = Listener(80, "HTTP", [], {}, tuple(rule(path, n) for n, path in enumerate(paths, 1)))
    rules: Any = RuleSet(fake, SETTINGS, "arn:ls", lambda ref: ref.id, lambda _, tags: tags)  # pyright: ignore[reportArgumentType]
    rules.ensure(listener, fake.have(), {})
    return fake.calls


def test_rules_that_are_there_cost_no_call() -> None:
    assert bring(FakeListener("/a", "/b"), "/a", "/b") == []


def test_rules_that_only_change_places_are_moved_in_one_call() -> None:
    fake = FakeListener("/a", "/b", "/c")
    assert bring(fake, "/c", "/a", "/b") == ["move"]
    assert fake.paths() == ["/c", "/a", "/b"]


def test_a_rule_put_first_moves_the_others_and_is_made() -> None:
    fake = FakeListener("/a", "/b")
    assert bring(fake, "/new", "/a", "/b") == ["move", "create"]
    assert fake.paths() == ["/new", "/a", "/b"]


def test_a_changed_rule_is_changed_in_place() -> None:
    fake = FakeListener("/a", "/b")
    assert bring(fake, "/a", "/other") == ["modify"]


def test_new_rules_are_made_before_old_ones_go() -> None:
    fake = FakeListener("/a")
    assert bring(fake, "/x", "/y")[-1] != "delete"
    fake = FakeListener("/old-1", "/old-2", "/old-3")
    assert bring(fake, "/old-3", "/new") == ["move", "create", "delete", "delete"]
    assert fake.paths() == ["/old-3", "/new"]


def test_a_full_listener_gives_one_rule_for_one() -> None:
    fake = FakeListener("/a", "/b", "/keep", most=3)
    bring(fake, "/keep", "/x", "/y")
    assert fake.paths() == ["/keep", "/x", "/y"]


def test_the_same_actions_are_told_in_other_words() -> None:
    mine = [{"Type": "redirect", "Order": 1, "RedirectConfig": {"Protocol": "HTTPS", "StatusCode": "HTTP_301"}}]
    theirs = {"Host": "#{host}", "Path": "/#{path}", "Port": "#{port}", "Query": "#{query}", "Protocol": "HTTPS"}
    assert same_actions(mine, [{"Type": "redirect", "RedirectConfig": theirs | {"StatusCode": "HTTP_301"}}])
    assert not same_actions(mine, [{"Type": "redirect", "RedirectConfig": theirs | {"StatusCode": "HTTP_302"}}])


def test_the_weight_of_a_single_target_group_means_nothing() -> None:
    def forward(weight: int | None, *arns: str) -> list[Json]:
        groups = [{"TargetGroupArn": a} | ({"Weight": weight} if weight is not None else {}) for a in arns]
        return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]

    assert same_actions(forward(None, "a"), forward(1, "a"))
    assert not same_actions(forward(1, "a", "b"), forward(2, "a", "b"))


def test_conditions_are_the_same_in_any_order() -> None:
    host = {"Field": "host-header", "HostHeaderConfig": {"Values": ["a", "b"]}}
    other = {"Field": "host-header", "Values": ["b", "a"], "HostHeaderConfig": {"Values": ["b", "a"]}}
    assert same_conditions([host], [other])


def test_tags_of_others_are_left_alone() -> None:
    put, drop = tags_to_change(
        {"a": "1", "kept": "mine"}, {"a": "0", "old": "x", "aws:x": "y", "kept": "theirs"}, ["kept"]
    )
    assert (put, drop) == ({"a": "1"}, ["old"])


def test_one_span_of_ports_covers_all_bindings_of_a_source() -> None:
    wishes = [Permission("tcp", port, port, "sg-b", LABEL) for port in (8080, 9090, 80)]
    wishes.append(Permission("udp", 53, 53, "sg-b", LABEL))
    wishes += [Permission("tcp", 443, 443, "10.0.0.0/8", LABEL)] * 2
    found = {(p.protocol, p.from_port, p.to_port, p.source) for p in joined(wishes, restricted=True)}
    assert found == {("tcp", 80, 9090, "sg-b"), ("udp", 53, 53, "sg-b"), ("tcp", 443, 443, "10.0.0.0/8")}


def test_named_ports_are_the_pods_own() -> None:
    def pod(name: str, number: int) -> Json:
        ports = [{"name": "http", "containerPort": number}]
        return {"metadata": {"namespace": "shop", "name": name}, "spec": {"ports": ports}}

    peer = {"securityGroup": {"groupID": "sg-b"}}
    networking = {"ingress": [{"from": [peer], "ports": [{"protocol": "TCP", "port": "http"}]}]}
    found = wanted(networking, [pod("a", 8080), pod("b", 9090), pod("c", 8080)])
    assert [p.from_port for p in found] == [8080, 9090]


class FakeGroup:
    """One security group's rules behind EC2's calls."""

    def __init__(self, *described: str) -> None:
        self.entries = {f"10.0.{n}.0/24": text for n, text in enumerate(described)}
        self.calls = list[str]()

    @property
    def ec2(self) -> "FakeGroup":
        return self

    def describe_security_groups(self, **_: Any) -> Json:
        ranges = [{"CidrIp": c, "Description": d} for c, d in self.entries.items()]
        permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": ranges}
        self.calls.append("describe")
        return {"SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": [permission], "Tags": []}]}

    def authorize_security_group_ingress(self, IpPermissions: list[Json], **_: Any) -> None:  # noqa: N803 - AWS's own
        self.calls.append("authorize")
        for one in IpPermissions:
            cidr = one["IpRanges"][0]["CidrIp"]
            if cidr in self.entries:
                raise ClientError({"Error": {"Code": "InvalidPermission.Duplicate"}}, "Authorize")
            self.entries[cidr] = one["IpRanges"][0].get("Description", "")

    def revoke_security_group_ingress(self, IpPermissions: list[Json], **_: Any) -> None:  # noqa: N803 - AWS's own
        self.calls.append("revoke")
        for one in IpPermissions:
            del self.entries[one["IpRanges"][0]["CidrIp"]]


def ours(permission: Permission) -> bool:
    return permission.description == LABEL


def test_rules_of_others_are_never_revoked() -> None:
    fake = FakeGroup(LABEL, "an operator's own")
    Rules(fake).reconcile("sg-1", [], ours)  # pyright: ignore[reportArgumentType] - EC2's calls, nothing else
    assert fake.entries == {"10.0.1.0/24": "an operator's own"}


def test_what_is_known_is_asked_for_once_and_again_when_aws_contradicts() -> None:
    fake = FakeGroup()
    rules = Rules(fake)  # pyright: ignore[reportArgumentType] - EC2's calls, nothing else
    first = Permission("tcp", 80, 80, "10.0.0.0/24", LABEL)
    rules.reconcile("sg-1", [first], ours)
    rules.reconcile("sg-1", [first], ours)
    assert fake.calls == ["describe", "authorize"]
    fake.entries["10.9.0.0/24"] = "added behind our back"
    rules.reconcile("sg-1", [first, Permission("tcp", 80, 80, "10.9.0.0/24", LABEL)], ours)
    assert fake.calls[2:] == ["authorize", "describe"]


def test_nothing_is_revoked_while_not_every_binding_has_spoken() -> None:
    fake = FakeGroup(LABEL)
    Rules(fake).reconcile("sg-1", [], ours, add_only=True)  # pyright: ignore[reportArgumentType] - EC2's calls
    assert list(fake.entries) == ["10.0.0.0/24"]


def test_a_reference_is_a_value() -> None:
    assert Ref("target-group", "a") == Ref("target-group", "a")
    with pytest.raises(AttributeError):
        Ref("target-group", "a").id = "b"  # pyright: ignore[reportAttributeAccessIssue] - frozen on purpose
