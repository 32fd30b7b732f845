"""Differences, waiting and words as functions of plain values: no sandbox."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.network.elb import parsing
from sandbox.plan.errors import PlanError
from sandbox.plan.inputs.account import typical
from sandbox.plan.policies import PACK, judged
from sandbox.plan.result import report
from sandbox.plan.result.changes import Change, Difference, difference
from sandbox.plan.result.resources import resources
from sandbox.plan.result.rules import action, condition
from sandbox.plan.result.tree import WIDTH, plain, summary, tree
from sandbox.plan.scratch.kube import merge_patch
from sandbox.plan.scratch.network import Names, Network
from sandbox.plan.scratch.waiting import PATIENCE, Look, Outcome, Watch, metrics, outcomes

EMPTY: dict[str, Any] = {"loadBalancers": [], "targetGroups": []}


def group(key: str = "shop/web-web:80", arn: str = "arn:tg/1", **more: Any) -> dict[str, Any]:
    check = {"protocol": "HTTP", "port": "traffic-port", "intervalSeconds": 15, "timeoutSeconds": 5}
    targets = [{"target": "Deployment shop/web", "port": 8080, "count": 2}]
    made = {"key": key, "identity": arn, "name": "k8s-web", "protocol": "HTTP", "port": 8080, "targetType": "ip"}
    return {**made, "healthCheck": check, "targets": targets, **more}


def balancer(**more: Any) -> dict[str, Any]:
    listener = {
        "key": "HTTP:80", "identity": "arn:aws:elb:x:1:listener/app/1", "protocol": "HTTP", "port": 80,
        "rules": [{"priority": 1, "conditions": ["path-pattern is /*"], "actions": ["forward to shop/web-web:80"]}],
        "default": ["respond 404"],
    }  # fmt: skip
    made = {
        "key": "shop/web", "identity": "arn:lb/1", "owners": ["Ingress shop/web"], "kind": "ALB", "name": "k8s-web",
        "dnsName": "a.elb", "scheme": "internet-facing", "ipAddressType": "ipv4", "subnets": ["us-west-2a subnet-1"],
        "securityGroups": [{"name": "k8s-sg", "managed": True, "rules": ["tcp/80 from 0.0.0.0/0"]}],
        "listeners": [listener], "targetGroups": [group()],
    }  # fmt: skip
    return {**made, **more}


def state(*balancers: dict[str, Any]) -> dict[str, Any]:
    return {"loadBalancers": list(balancers), "targetGroups": []}


def only(found: Difference) -> Change:
    (change,) = found.changes
    return change


def child(change: Change, kind: str) -> Change:
    return next(c for c in change.children if c.kind == kind)


def test_equal_states_differ_in_nothing() -> None:
    found = difference(state(balancer()), state(copy.deepcopy(balancer())))
    assert found.empty
    assert summary(found) == "No changes. Load balancers are as the manifests say."
    assert not tree(found)


def test_another_arn_under_the_same_key_is_a_replacement_with_its_reason() -> None:
    new = balancer(identity="arn:lb/2", scheme="internal", name="k8s-other")
    found = difference(state(balancer()), state(new))
    assert only(found).action == "replace"
    assert only(found).reasons == ["scheme internet-facing -> internal: the controller cannot change it in place"]
    assert "its DNS name changes" in only(found).warnings[0]
    assert found.moved == [{"object": "Ingress shop/web", "before": "shop/web", "after": "shop/web"}]
    assert summary(found) == "Plan: 0 load balancers to add, 0 to change, 1 to replace, 0 to remove."


def test_a_change_below_a_load_balancer_changes_it_in_place() -> None:
    new = balancer(targetGroups=[group(attributes={"stickiness.enabled": "true"})])
    found = difference(state(balancer()), state(new))
    assert only(found).action == "change"
    assert child(only(found), "target group").fields == {"attributes": ([], ["stickiness.enabled = true"])}


def test_a_replaced_target_group_loses_its_targets_for_a_time() -> None:
    new = balancer(targetGroups=[group(arn="arn:tg/2", targetType="instance")])
    replaced = child(only(difference(state(balancer()), state(new))), "target group")
    assert replaced.action == "replace"
    assert replaced.reasons == ["target type ip -> instance: the controller cannot change it in place"]
    assert "register anew" in replaced.warnings[0]


def test_targets_that_go_to_a_group_under_another_key_are_marked() -> None:
    new = balancer(targetGroups=[group("shop/web-web:http", "arn:tg/2")])
    change = only(difference(state(balancer()), state(new)))
    marks = {c.key: (c.action, c.warnings) for c in change.children if c.kind == "target group"}
    assert marks["shop/web-web:80"] == ("remove", ["its targets go to target group shop/web-web:http"])
    assert "register anew" in marks["shop/web-web:http"][1][0]


def test_a_listener_that_changes_its_protocol_is_marked() -> None:
    new = balancer()
    new["listeners"] = [{**new["listeners"][0], "key": "HTTPS:80", "protocol": "HTTPS"}]
    listener = child(only(difference(state(balancer()), state(new))), "listener")
    assert (listener.action, listener.fields["protocol"]) == ("change", (["HTTP"], ["HTTPS"]))
    assert "it changes its protocol from HTTP to HTTPS" in listener.warnings[0]


def test_every_line_of_a_tree_fits_80_columns_unless_a_word_does_not() -> None:
    certificate = f"arn:aws:acm:eu-west-1:1:certificate/{'a' * 36}"
    made = balancer(attributes={"routing.http.drop_invalid_header_fields.enabled": "true"})
    made["listeners"][0]["certificates"] = [certificate]
    made["listeners"][0]["rules"][0]["conditions"] = [
        f"host-header is {' or '.join(f'h{n}.example.com' for n in range(9))}"
    ]
    lines = plain(tree(difference(EMPTY, state(made)))).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[0] == "+   ALB shop/web"
    assert any(f"certificate/{'a' * 36}" in line for line in lines)


def test_markdown_has_the_marks_in_the_first_column() -> None:
    assert report.as_diff("-/+ ALB a\n    scheme  x\n    ~   listener") == "-/+ ALB a\n     scheme  x\n!      listener"


def test_conditions_and_actions_are_said_in_full() -> None:
    header = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["b", "a"]}}
    assert condition(parsing.condition(header)) == "http-header X-A is a or b"
    query = {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "a", "Value": "1"}]}}
    assert condition(parsing.condition(query)) == "query-string is a=1"
    config = {"TargetGroups": [{"TargetGroupArn": "b", "Weight": 1}, {"TargetGroupArn": "a", "Weight": 9}]}
    words = {"a": "green", "b": "blue"}
    forward = parsing.action({"Type": "forward", "ForwardConfig": config})
    assert action(forward, words) == "forward to blue (weight 1), green (weight 9)"
    to = {"Protocol": "HTTPS", "Port": "443", "Host": "#{host}", "StatusCode": "HTTP_301"}
    redirect = parsing.action({"Type": "redirect", "RedirectConfig": to})
    assert action(redirect, {}) == "redirect 301 to protocol HTTPS, port 443"
    oidc = {"Issuer": "https://i", "ClientSecret": "no"}
    login = parsing.action({"Type": "authenticate-oidc", "AuthenticateOidcConfig": oidc})
    assert action(login, {}) == "authenticate-oidc Issuer https://i"


def test_a_patch_removes_what_went_and_keeps_what_others_set() -> None:
    before = {"metadata": {"annotations": {"a": "1", "b": "2"}}, "spec": {"ports": [1, 2]}}
    after = {"metadata": {"annotations": {"a": "3"}}, "spec": {"ports": [1]}}
    assert merge_patch(before, after) == {"metadata": {"annotations": {"b": None, "a": "3"}}, "spec": {"ports": [1]}}


def test_ids_go_in_as_the_emulators_and_come_out_as_the_accounts() -> None:
    names = Names()
    names.add("sg-1", "sg-0aaaa")
    names.add("sg-11", "sg-0bbbb")
    names.name("frontend", "sg-0cccc")
    assert names.into({"a": "sg-11,sg-1", "b": "frontend"}) == {"a": "sg-0bbbb,sg-0aaaa", "b": "frontend"}
    assert names.out(["sg-0aaaa", "sg-0bbbb", "sg-0cccc"]) == ["sg-1", "sg-11", "frontend"]


class Ec2:
    """It remembers what it was asked for."""

    asked: dict[str, Any]

    def create_security_group(self, **asked: Any) -> dict[str, str]:
        self.asked = asked
        return {"GroupId": "sg-0aaaa"}


def test_a_group_is_made_whatever_its_name_is_and_without_tags_that_only_aws_gives() -> None:
    ec2 = Ec2()
    network = Network(lambda _: ec2, typical(), Names())
    network.group({"Name": "default", "aws:cloudformation:stack-name": "eksctl"})
    assert ec2.asked["GroupName"].startswith("assumed-")
    (specification,) = ec2.asked["TagSpecifications"]
    assert specification["Tags"] == [{"Key": "Name", "Value": "default"}]


def test_the_controllers_metrics_say_whether_it_works() -> None:
    text = (
        'workqueue_depth{controller="ingress",name="ingress"} 0\ncontroller_runtime_active_workers{controller="a"} 0\n'
    )
    counted = 'controller_runtime_reconcile_total{controller="ingress",result="success"} 7\n'
    assert metrics(text + counted) == (False, 7)
    assert metrics(counted + text.replace("} 0", "} 2")) == (True, 7)


def look(*, busy: bool = False, done: int = 1, writes: int = 1, **outcomes: Outcome) -> Look:
    return Look(busy, done, writes, outcomes)


GOOD = Outcome("SuccessfullyReconciled", "", failed=False, version=5)
BAD = Outcome("FailedBuildModel", "", failed=True, version=5)


def test_a_quiet_controller_with_every_outcome_is_done() -> None:
    watch = Watch({"a": 0})
    assert not watch.finished(look(busy=True), 0)
    assert not watch.finished(look(a=GOOD), 1)
    assert watch.finished(look(a=GOOD), 1.1)


def test_a_write_or_an_object_without_outcome_keeps_the_plan_waiting() -> None:
    watch = Watch({"a": 0, "b": 0})
    assert not watch.finished(look(a=GOOD), 0)
    assert not watch.finished(look(a=GOOD), 0.1)
    assert watch.missing(look(a=GOOD)) == ["b"]
    assert not watch.finished(look(a=GOOD, b=GOOD, writes=2), 0.2)
    assert watch.finished(look(a=GOOD, b=GOOD, writes=2), 0.3)


def test_silence_ends_the_waiting_for_what_never_comes() -> None:
    watch = Watch({"a": 0})
    assert not watch.finished(look(), 0)
    assert not watch.finished(look(), PATIENCE - 1)
    assert watch.finished(look(), PATIENCE)


def test_a_failure_counts_when_it_has_come_again() -> None:
    watch = Watch({"a": 0})
    assert not watch.finished(look(a=BAD), 0)
    assert not watch.finished(look(a=BAD), 1.1)
    assert watch.finished(look(a=replace(BAD, version=9), busy=True, writes=9), 1.2)
    assert watch.finished(look(a=replace(BAD, version=9)), 2.1)


def test_success_of_another_object_keeps_a_plan_with_failures_waiting() -> None:
    watch = Watch({"a": 0, "b": 0})
    assert not watch.finished(look(a=BAD), 0)
    assert not watch.finished(look(a=replace(BAD, version=9)), 2)
    assert not watch.finished(look(a=replace(BAD, version=9), b=GOOD, done=2), 3)


def test_an_outcome_is_the_controllers_and_of_an_object_that_is_there() -> None:
    def event(component: str, reason: str, version: int) -> dict[str, Any]:
        return {
            "metadata": {"resourceVersion": str(version)},
            "involvedObject": {"kind": "Service", "namespace": "shop", "name": "web", "uid": "1"},
            "source": {"component": component},
            "type": "Normal" if component == "service" else "Warning",
            "reason": reason,
        }

    there, gone = ([{"metadata": {"uid": uid}}] for uid in "12")
    own = event("service", "SuccessfullyReconciled", 5)
    other = event("ipallocator-repair-controller", "ClusterIPNotAllocated", 6)
    assert outcomes([own, other], there) == {"Service shop/web": GOOD}
    assert outcomes([other], there) == {}
    assert outcomes([own], gone) == {}


def test_an_old_outcome_is_none_for_an_object_that_has_changed_since() -> None:
    assert Watch({"a": 5}).missing(look(a=GOOD)) == ["a"]
    assert not Watch({"a": 4}).missing(look(a=GOOD))


def test_what_would_be_made_is_what_the_policy_pack_knows() -> None:
    made = balancer(attributes={"deletion_protection.enabled": "true"})
    made["listeners"][0]["default"] = ["redirect 301 to protocol HTTPS, port 443"]
    found = {resource["name"]: (resource, objects) for resource, objects in resources(state(made))}
    assert found["shop/web"][0]["properties"]["enableDeletionProtection"] is True
    assert found["shop/web"][0]["properties"]["internal"] is False
    assert found["shop/web HTTP:80"][0]["properties"]["defaultActions"][0]["redirect"]["protocol"] == "HTTPS"
    assert found["k8s-sg"][0]["properties"]["ingress"][0]["cidrBlocks"] == ["0.0.0.0/0"]
    assert {tuple(objects) for _, objects in found.values()} == {("Ingress shop/web",)}


def test_the_policy_pack_names_the_object_behind_what_it_refuses() -> None:
    profile = str(PACK / "profiles" / "prod.json")
    said = {one["rule"]: one for one in judged(profile, state(balancer()))}
    assert said["load-balancer-writes-access-logs"]["objects"] == ["Ingress shop/web"]
    assert said["load-balancer-writes-access-logs"]["level"] == "mandatory"
    assert "listener-redirects-http-to-https" in said


def test_a_profile_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    profile = tmp_path / "profile.json"
    profile.write_text('{"no-such-rule": "mandatory"}')
    with pytest.raises(PlanError, match="no-such-rule: unknown rule"):
        judged(str(profile), state())
