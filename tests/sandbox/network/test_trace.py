"""Parsing the kernel's reports on a packet, building a request's path, and finding why it stops."""

from collections.abc import Generator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from sandbox.network.elb.lookup import find
from sandbox.network.elb.model import Action, Listener, LoadBalancer, Rule, Target, TargetGroup
from sandbox.network.elb.parsing import rules
from sandbox.network.facts import Facts, Group, Interface, Permission
from sandbox.network.trace import diagnosis, path
from sandbox.network.trace.kernel import Flow, chains, looked_at, passages, tracked
from sandbox.network.trace.request import response

# As nft 1.0.6 prints them: a connection to a NodePort, whose pod is on this node; one that a security group stops.
KERNEL = Path(__file__).parent / "kernel"
TRACE = (KERNEL / "nodeport.trace").read_text()
RULESET = (KERNEL / "nodeport.ruleset").read_text()
NODEPORT = Flow("10.0.64.4", 36076, "10.0.0.4", 32409)
DROP = (KERNEL / "dropped.trace").read_text()
FACTS = Facts(
    interfaces=(
        Interface("eni-1", "vpc-1", "10.0.0.1", "10.0.0.16", groups=("sg-lb",), balancer="app/web/1", checked=False),
        Interface("eni-2", "vpc-1", "10.0.0.1", "10.0.0.4", ("10.0.0.6",), ("sg-node",), instance="i-a"),
        Interface("eni-3", "vpc-1", "10.0.64.1", "10.0.64.4", ("10.0.64.6",), ("sg-node",), instance="i-b"),
    ),
    groups=(
        Group("sg-lb", "lb", "vpc-1", (Permission("tcp", 80, 80, cidr="0.0.0.0/0", id="sgr-1"),)),
        Group("sg-node", "node", "vpc-1"),
    ),
)


def balancer(*targets: Target, kind: str = "ip") -> LoadBalancer:
    forward = Rule("default", (), (Action("forward", forwards=(("arn", 1),)),))
    group = TargetGroup("arn", "group", kind, targets)
    return LoadBalancer(
        "ALB", "web", "app/web/1", "web.elb.amazonaws.com", (Listener("HTTP", 80, (forward,)),), (group,)
    )


def test_a_trace_is_read_rule_by_rule_and_its_own_table_left_out() -> None:
    (passage,) = passages("i-a", TRACE)
    assert passage.flow == NODEPORT
    assert [one.chain for one in passage.passes] == ["PREROUTING", "FORWARD"]
    assert passage.rules[1].text == "fib daddr type local jump KUBE-NODEPORTS"
    assert passage.rules[-1].text == "meta l4proto tcp dnat to 10.0.0.6:8080"
    assert passage.dropped is None


def test_rules_looked_at_are_those_that_matched_and_those_before_them_in_vain() -> None:
    (passage,) = passages("i-a", TRACE)
    # 1 of PREROUTING, 3 of KUBE-SERVICES, 1 of KUBE-NODEPORTS, 2 of KUBE-EXT-A, 1 of KUBE-MARK-MASQ, 2 of KUBE-SEP-A;
    # FORWARD decided by its policy, after its one rule.
    assert looked_at(passage, chains(RULESET)) == 11


def test_rules_after_a_return_are_looked_at_too() -> None:
    text = TRACE.partition("trace id 8c61 ip nat KUBE-NODEPORTS")[0] + "trace id 8c61 ip nat PREROUTING policy accept\n"
    (passage,) = passages("i-a", text)
    # Nothing in KUBE-NODEPORTS matched: the kernel evaluated both of its rules.
    assert looked_at(passage, chains(RULESET)) == 1 + 3 + 2


def test_conntrack_entries_translate_or_only_follow() -> None:
    text = (
        "    [NEW] tcp      6 120 SYN_SENT src=10.0.0.16 dst=10.0.0.6 sport=62948 dport=8080 [UNREPLIED] "
        "src=10.0.0.6 dst=10.0.0.16 sport=8080 dport=62948\n"
        "tcp 6 75 TIME_WAIT src=10.0.64.4 dst=10.0.0.4 sport=36076 dport=32409 "
        "src=10.0.64.6 dst=10.0.0.4 sport=8080 dport=64483 [ASSURED] mark=0 use=1\n"
    )
    follows, translates = tracked("i-a", text)
    assert not follows.translates
    assert (translates.destination_rewritten, translates.source_rewritten) == (True, True)


def test_the_path_over_a_node_port_names_both_rewritings_and_the_second_node() -> None:
    last = Flow("10.0.0.4", 64483, "10.0.64.6", 8080)
    events = (
        "src=10.0.64.4 dst=10.0.0.4 sport=36076 dport=32409 src=10.0.64.6 dst=10.0.0.4 sport=8080 dport=64483",
        "src=10.0.0.4 dst=10.0.64.6 sport=64483 dport=8080 src=10.0.64.6 dst=10.0.0.4 sport=8080 dport=64483",
    )
    entries = tracked("i-a", events[0]) + tracked("i-b", events[1])
    scene = path.Scene(
        FACTS, balancer(), {"i-a": "node-a", "i-b": "node-b"}, passages("i-a", TRACE), entries, {"i-a": chains(RULESET)}
    )
    hops = path.to_pod(scene, path.Answer("web-0", "node-b", last))
    assert [(hop.kind, hop.name) for hop in hops] == [("node", "node-a"), ("node", "node-b"), ("pod", "web-0")]
    assert "destination 10.0.0.4:32409 becomes 10.0.64.6:8080 (DNAT)" in hops[0].does
    assert "source 10.0.64.4:36076 becomes 10.0.0.4:64483 (masquerade)" in hops[0].does
    assert path.totals(hops) == {"hops": 3, "rewritings": 2, "rules": 11, "entries": 2, "translations": 1}


def test_the_path_to_a_pod_translates_nothing() -> None:
    flow = Flow("10.0.0.16", 62948, "10.0.0.6", 8080)
    entry = "src=10.0.0.16 dst=10.0.0.6 sport=62948 dport=8080 src=10.0.0.6 dst=10.0.0.16 sport=8080 dport=62948"
    scene = path.Scene(FACTS, balancer(), {}, [], tracked("i-a", entry), {})
    total = path.totals(path.to_pod(scene, path.Answer("web-0", "node-a", flow)))
    assert (total["hops"], total["rewritings"], total["entries"], total["translations"]) == (2, 0, 1, 0)


def test_a_missing_rule_is_named_with_who_lacks_it() -> None:
    flow = Flow("192.0.2.10", 60378, "10.0.0.16", 81)
    assert diagnosis.missing_rule(FACTS, passages("vpc-1", DROP), flow) == (
        "security group: no ingress rule of sg-lb (lb) on eni-1 (load balancer app/web/1) "
        "lets tcp 81 from 192.0.2.10 through"
    )


def test_no_healthy_target_says_what_each_is() -> None:
    sick = balancer(Target("10.0.0.6", 8080, "unhealthy", "Target.Timeout"))
    assert diagnosis.no_target(sick, 80) == "no healthy target: 10.0.0.6:8080 is unhealthy (Target.Timeout)"
    assert diagnosis.no_target(balancer(), 80) == "no healthy target: group has no targets"
    assert diagnosis.no_target(balancer(Target("10.0.0.6", 8080, "healthy")), 80) is None


def test_a_closed_port_names_those_that_are_open() -> None:
    assert diagnosis.closed(balancer(), 443) == "port closed: ALB web has no listener on port 443 (it has HTTP:80)"
    assert diagnosis.closed(balancer(), 80) is None


def test_rules_are_tried_by_priority_and_the_default_last() -> None:
    listed = rules(
        [
            {"Priority": "default", "Actions": [{"Type": "fixed-response"}]},
            {
                "Priority": "10",
                "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
                "Actions": [{"Type": "forward", "TargetGroupArn": "a"}],
            },
            {
                "Priority": "2",
                "Conditions": [{"Field": "host-header", "Values": ["A.example"]}],
                "Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "b"}]}}],
            },
        ]
    )
    assert [rule.priority for rule in listed] == ["2", "10", "default"]
    assert listed[0].matches("a.example", "/x")
    assert not listed[0].matches("b.example", "/x")
    assert listed[0].groups == ("b",)


@pytest.fixture
def unserved(monkeypatch: pytest.MonkeyPatch) -> Generator[LoadBalancer | None]:
    """An ALB whose rules answer by themselves, and that has no target group; asked of moto."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        ec2, elbv2, elb = (boto3.client(name, region_name="us-west-2") for name in ("ec2", "elbv2", "elb"))
        subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2]
        (made,) = elbv2.create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"]
        says = {"StatusCode": "503", "ContentType": "text/plain", "MessageBody": "Backend service does not exist"}
        elbv2.create_listener(
            LoadBalancerArn=made["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": says}],
        )
        yield find(elbv2, elb, made["DNSName"])


def test_a_fixed_response_is_the_end_of_the_path(unserved: LoadBalancer | None) -> None:
    assert unserved is not None
    scene = path.Scene(FACTS, unserved, {}, [], [], {})
    hops = path.to_balancer(scene, Flow("192.0.2.10", 60378, "10.0.0.16", 80), "web", "/", "")

    assert [hop.kind for hop in hops] == ["client", "balancer"]
    assert hops[-1].does[-1] == "rule default: fixed-response 503 Backend service does not exist"


def test_what_curl_says_is_read_with_the_body_before_it() -> None:
    got = response(
        0,
        'a\nbody\n{"http_code":200,"time_total":0.5,"local_ip":"1.1.1.1","local_port":7,'
        '"remote_ip":"2.2.2.2","remote_port":80}',
    )
    assert (got.status, got.seconds, got.body, got.flow) == (200, 0.5, "a\nbody", Flow("1.1.1.1", 7, "2.2.2.2", 80))
    assert response(7, '\n{"http_code":0,"local_port":0,"errormsg":"refused"}').flow is None
