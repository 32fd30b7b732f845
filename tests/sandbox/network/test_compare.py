"""A comparison's figures, and their output."""

import pytest

from sandbox.network.counting.counting import counted
from sandbox.network.facts import Facts, Interface
from sandbox.network.trace.kernel import Tracked, tracked
from sandbox.observe.compare.application import CROWD, WAYS, crowd, objects
from sandbox.observe.compare.report import Figures, Result, Rolled, document, latencies, order, rows

WRK = """Running 4s test @ http://host/
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     4.31ms    9.12ms 101.22ms   92.27%
  Latency Distribution
     50%  980.00us
     75%    2.33ms
     90%   11.04ms
     99%    1.20s
  9316 requests in 4.01s, 2.70MB read
Requests/sec:   2325.05
"""
FACTS = Facts(
    interfaces=(
        Interface("eni-2", "vpc-1", "10.0.0.1", "10.0.0.4", ("10.0.0.6",), instance="i-a"),
        Interface("eni-3", "vpc-1", "10.0.64.1", "10.0.64.4", ("10.0.64.6",), instance="i-b"),
    )
)


def entry(node: str, original: str, reply: str) -> Tracked:
    def ends(text: str) -> str:
        (a, b), (c, d) = (part.split(":") for part in text.split(">"))
        return f"src={a} dst={c} sport={b} dport={d}"

    return tracked(node, f"{ends(original)} {ends(reply)}")[0]


def figures(way: str, services: int, rewritings: int, translations: int) -> Figures:
    return Figures(way, services, 3, rewritings, 20 + services, 1000, translations, 0.5, 1.25, 9.0, 2000.0, 1000, 4)


def result() -> Result:
    made = Result("iptables", "2 cores, Linux 6")
    for services in (10, 100):
        made.figures += [
            figures(way.name, services, *((2, 1000) if way.targets == "instance" else (0, 0))) for way in WAYS
        ]
    made.rolled = [Rolled("nlb-ip", careful=True, answered=400, failed=0, last=5.25)]
    made.rolled += [Rolled("nlb-ip", careful=False, answered=390, failed=10, last=None)]
    return made


def test_wrks_units_become_milliseconds() -> None:
    assert latencies(WRK) == (0.98, 1200.0, 2325.05)


def test_a_run_without_latencies_is_an_error_with_its_words() -> None:
    with pytest.raises(ValueError, match="unable to connect"):
        latencies("unable to connect to host:80 Connection refused\n")


def test_only_one_load_balancers_connections_are_counted_and_where_they_cross() -> None:
    entries = [
        entry("i-a", "10.0.0.4:5>10.0.0.6:8080", "10.0.0.6:8080>10.0.0.4:5"),  # a probe of the kubelet's
        entry("i-a", "10.0.0.16:5>10.0.0.6:8080", "10.0.0.6:8080>10.0.0.16:5"),
        entry("i-a", "10.0.0.16:6>10.0.0.4:30080", "10.0.0.6:8080>10.0.0.4:77"),
        entry("i-a", "10.0.0.16:7>10.0.0.4:30080", "10.0.64.6:8080>10.0.0.4:78"),
        entry("i-a", "10.0.0.99:8>10.0.0.6:8080", "10.0.0.6:8080>10.0.0.99:8"),  # another's health check
        entry("i-b", "10.0.0.4:78>10.0.64.6:8080", "10.0.64.6:8080>10.0.0.4:78"),
    ]
    assert counted(entries, FACTS, {"10.0.0.16"}) == {"entries": 4, "translations": 2, "crossings": 1}


def test_careful_pods_wait_and_serve_on_careless_ones_do_neither() -> None:
    careful, careless = (objects(careful=c) for c in (True, False))
    assert careful[0]["metadata"]["labels"]
    assert not careless[0]["metadata"]["labels"]
    pods = [o["spec"]["template"]["spec"] for o in (careful[1], careless[1])]
    sleep = pods[0]["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert sleep < pods[0]["terminationGracePeriodSeconds"]
    assert "lifecycle" not in pods[1]["containers"][0]


def test_a_crowd_lies_in_a_namespace_of_its_own() -> None:
    made = crowd(3)
    assert [o["metadata"]["name"] for o in made if o["kind"] == "Service"] == ["crowd-0", "crowd-1", "crowd-2"]
    assert {o["metadata"].get("namespace", CROWD) for o in made} == {CROWD}


def test_a_row_a_way_in_the_same_order_with_what_failed() -> None:
    listed = rows(result(), 10)
    assert [row[0] for row in listed] == [way.title for way in WAYS]
    nlb = listed[3]
    assert nlb[-3:] == ["0 of 400", "10 of 400", "5.2"]


def test_the_ways_to_pods_come_before_those_over_node_ports() -> None:
    assert order(result(), 10) == ["nlb-ip", "alb-ip", "classic", "nlb-instance", "alb-instance"]


def test_the_document_has_a_table_a_size_and_plots_over_all() -> None:
    text = document(result())
    assert text.count("## 10 Services") == text.count("## 100 Services") == 1
    assert text.count("```mermaid") == 3
    assert 'x-axis "Services" [10, 100]' in text
    assert "line [30, 120]" in text
    lines = [line for line in text.splitlines() if line.startswith("| ") and "NLB, ip" in line]
    assert len(lines) == 2
    assert {line.count("|") for line in text.splitlines() if line.startswith(("| way", "| ---", "| NLB"))} == {13}
