"""Real packets, from a client through load balancers to pods, counted in the kernel."""

import json
import os
import signal

import pytest

from sandbox.cluster.api import Object
from sandbox.lifecycle.parts import status
from sandbox.network.control_client import ask
from sandbox.run.processes import Identity, wait_until
from sandbox.run.state import read_json
from tests.sandbox.network.conftest import REQUESTS, Traffic, processes

pytestmark = pytest.mark.sandbox
ROLLOUTS = 10 if os.environ.get("SOAK") else 1


@pytest.fixture(scope="module")
def urls(traffic: Traffic) -> dict[str, str]:
    """The sample's load balancers, answering."""
    return {kind: traffic.until_answering(traffic.output(f"{kind}HostName")) for kind in ("alb", "nlb")}


def pods(traffic: Traffic, app: str) -> list[Object]:
    return traffic.sandbox.get("pods", "-n", "samples", "-l", f"app.kubernetes.io/name={app}")["items"]


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["alb", "nlb"])
def test_every_request_is_answered_and_every_ready_pod_answers_some(
    traffic: Traffic, urls: dict[str, str], kind: str
) -> None:
    host = urls[kind].removeprefix("http://").rstrip("/")
    told = ask(traffic.sandbox.state, "count", host=host, connections=REQUESTS)
    assert (told["answered"], told["failed"]) == (REQUESTS, {})
    assert set(told["pods"]) == {pod["metadata"]["name"] for pod in pods(traffic, f"web-{kind}")}
    # Nodes follow the connections that they forward, and translate none of them.
    assert (told["translations"], told["crossings"]) == (0, 0)


@pytest.mark.soak
def test_a_rolling_update_under_load_fails_no_request(traffic: Traffic, urls: dict[str, str]) -> None:
    hosts = [url.removeprefix("http://").rstrip("/") for url in urls.values()]
    deployments = [f"deployment/web-{kind}" for kind in urls]
    rollout = ("kubectl", "rollout", "-n", "samples")
    for _ in range(ROLLOUTS):
        before = {pod["metadata"]["uid"] for kind in urls for pod in pods(traffic, f"web-{kind}")}
        ask(traffic.sandbox.state, "keep", hosts=hosts, rate=20.0)
        try:
            traffic.sandbox.run(*rollout, "restart", *deployments)
            for deployment in deployments:
                traffic.sandbox.run(*rollout, "status", deployment, "--timeout=240s")
            gone = lambda: not before & {p["metadata"]["uid"] for k in urls for p in pods(traffic, f"web-{k}")}  # noqa: E731, B023 - in this round
            assert wait_until(gone, 120, 0.3)
        finally:
            told = ask(traffic.sandbox.state, "stop")
        for host in hosts:
            assert told[host]["answered"]
            assert told[host]["failed"] == {}


@pytest.mark.parametrize("kind", ["alb", "nlb"])
def test_a_request_is_traced_from_the_client_to_its_pod(traffic: Traffic, urls: dict[str, str], kind: str) -> None:
    told = traffic.trace(urls[kind])
    assert told["arrived"], told
    assert [hop["kind"] for hop in told["hops"]] == ["client", "router", "balancer", "router", "node", "pod"]
    assert told["totals"]["rewritings"] == told["totals"]["translations"] == 0
    assert told["hops"][-1]["name"] in {pod["metadata"]["name"] for pod in pods(traffic, f"web-{kind}")}


def test_a_node_port_rewrites_and_translates(traffic: Traffic) -> None:
    port, labels = 30123, {"app.kubernetes.io/name": "web-alb"}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "by-port", "namespace": "samples"},
        "spec": {"type": "NodePort", "selector": labels, "ports": [{"port": 80, "targetPort": 8080, "nodePort": port}]},
    }
    traffic.sandbox.run("sh", "-c", f"echo '{json.dumps(service)}' | kubectl apply -f -")
    nodes: list[Object] = traffic.sandbox.get("nodes")["items"]
    here, there = (node["spec"]["providerID"].rpartition("/")[2] for node in nodes[:2])
    address = next(a["address"] for a in nodes[1]["status"]["addresses"] if a["type"] == "InternalIP")
    url = f"http://{address}:{port}/"
    asked = ["curl", "-sf", "--max-time", "2", "-o", "/dev/null", url]
    answered = lambda: ask(traffic.sandbox.state, "run", namespace=here, argv=asked)["code"] == 0  # noqa: E731 - once
    assert wait_until(answered, 60, 0.2)
    seen = json.loads(traffic.run(here, "curl", "-s", "--max-time", "2", url))
    assert seen["source"].startswith(f"{address}:"), "the node's address stands in the client's place"
    entries = traffic.run(there, "conntrack", "-L", "-p", "tcp", "--orig-port-dst", str(port))
    assert f"dport={port}" in entries
    assert "sport=8080" in entries


def test_a_rule_taken_away_stops_its_traffic_and_no_other_and_is_named(traffic: Traffic, urls: dict[str, str]) -> None:
    ec2 = traffic.sandbox.aws("ec2")
    hop = next(h for h in traffic.trace(urls["alb"])["hops"] if h["kind"] == "router")
    group, rule = hop["does"][0].split()[2], hop["does"][0].rpartition(": ")[2]
    (kept,) = ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule])["SecurityGroupRules"]
    permission = {
        "IpProtocol": kept["IpProtocol"],
        "FromPort": kept["FromPort"],
        "ToPort": kept["ToPort"],
        "IpRanges": [{"CidrIp": kept["CidrIpv4"]}],
    }
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule])
    try:
        assert wait_until(lambda: not traffic.answers(urls["alb"]), 5, 0.1)
        assert traffic.answers(urls["nlb"])
        stopped = traffic.trace(urls["alb"])["stopped"]
        assert stopped.startswith("security group: no ingress rule of ")
        assert group in stopped
        assert "lets tcp 80 from 192.0.2.10" in stopped
    finally:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    assert wait_until(lambda: traffic.answers(urls["alb"]), 5, 0.1)


def test_a_closed_port_and_a_name_of_nothing_say_so(traffic: Traffic, urls: dict[str, str]) -> None:
    assert "has no listener on port 81" in traffic.trace(f"{urls['alb'].rstrip('/')}:81/")["stopped"]
    assert traffic.trace("http://nothing.elb.amazonaws.com/")["stopped"].startswith("no route: ")


def test_killed_it_leaves_nothing_and_up_brings_it_back(traffic: Traffic, urls: dict[str, str]) -> None:
    state = traffic.sandbox.state
    keeper = Identity.from_json(read_json(state.traffic / "process.json"))
    assert keeper

    def running() -> list[str]:
        return [line for line in processes(str(state.root)) if "sandbox.network" in line or "kube-proxy" in line]

    assert any("kube-proxy" in line for line in running())
    keeper.signal(signal.SIGKILL)
    assert wait_until(lambda: not keeper.alive() and not running(), 5)
    assert status(state)["state"] == "degraded"
    traffic.sandbox.run("sandbox", "up", "--state-dir", str(state.root))
    for url in urls.values():
        assert wait_until(lambda url=url: traffic.answers(url), 180, 0.2), traffic.trace(url)


def test_a_command_reaches_aws_and_the_cluster_from_a_namespace_if_it_asks_to(traffic: Traffic) -> None:
    nodes = ("kubectl", "--request-timeout=5s", "get", "nodes", "-o", "name")
    inside = ("sandbox", "traffic", "exec", "clients")
    asked = ("sandbox", "traffic", "exec", "--with-apis", "clients", "--")
    assert traffic.sandbox.run(*asked, *nodes) == traffic.sandbox.run(*nodes)
    assert "123456789012" in traffic.sandbox.run(*asked, "aws", "sts", "get-caller-identity")
    assert "was refused" in traffic.sandbox.run(*inside, "--", *nodes, check=False)
