"""The agent's decisions, without a cluster: functions of plain values."""

import asyncio
import base64
import datetime as dt
import json
import re
import shlex
import shutil
import socket
import stat
import tempfile
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonpatch
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from sandbox.cluster import images, kubeconfig, pki
from sandbox.cluster.control_plane import kwok
from sandbox.cluster.egress import Address, UnreachableError, backends
from sandbox.cluster.nodes import nodes
from sandbox.cluster.nodes.cni import Pool
from sandbox.cluster.nodes.kubelet import tail
from sandbox.cluster.nodes.leases import lease
from sandbox.cluster.pods.containers import (
    ContainerConfigError,
    Mount,
    environment,
    expand,
    field_value,
    outside,
    pre_stop_seconds,
)
from sandbox.cluster.pods.launch import referred
from sandbox.cluster.pods.pod_status import ContainerState, backoff, pod_status, terminated
from sandbox.cluster.pods.probes import Probe, container_port
from sandbox.cluster.pods.role_session import aws_profile, printed
from sandbox.cluster.pods.volumes import Volumes, selected
from sandbox.cluster.sockets import kept_ports, socket_folder
from sandbox.cluster.spec import ClusterSpec, Folder, NodeSpec, SpecError, read_nodes
from sandbox.cluster.webhooks import irsa
from sandbox.run.ports import PortTakenError, free_port
from sandbox.run.state import EMPTY_KUBECONFIG, State, write_json

CONTROLLER = "public.ecr.aws/eks/aws-load-balancer-controller:v3.5.0"
ROLE = "arn:aws:iam::123456789012:role/controller"
NODE = NodeSpec("n1", "aws:///us-west-2a/i-1", "i-1", "10.0.0.5", "us-west-2a", "subnet-1", "eni-1", "m5.large", "main")
SPEC = ClusterSpec("demo", "arn:demo", "1.36", "us-west-2", "123456789012", "vpc-1", "https://issuer", "http://aws")
POD: dict[str, Any] = {
    "metadata": {"name": "p", "namespace": "ns", "uid": "u", "labels": {"app": "web"}},
    "spec": {"nodeName": "n1", "serviceAccountName": "sa", "containers": [{"name": "c", "image": CONTROLLER}]},
    "status": {"podIP": "10.0.1.7", "hostIP": "10.0.0.5"},
}


def nothing(_kind: str, _name: str) -> None:
    return None


# Keys and kubeconfigs


def test_keys_are_made_once_and_kept(tmp_path: Path) -> None:
    first = pki.ensure(tmp_path / "pki", ["127.0.0.1"])
    before = {p.name: p.read_bytes() for p in first.folder.iterdir()}
    pki.ensure(tmp_path / "pki", ["127.0.0.1"])
    assert {p.name: p.read_bytes() for p in first.folder.iterdir()} == before


def test_a_missing_certificate_is_made_by_the_same_ca(tmp_path: Path) -> None:
    keys = pki.ensure(tmp_path, ["127.0.0.1"])
    ca = keys.ca.read_bytes()
    keys.cert("kwok").unlink()
    pki.ensure(tmp_path, ["127.0.0.1"])
    x509.load_pem_x509_certificate(keys.cert("kwok").read_bytes()).verify_directly_issued_by(
        x509.load_pem_x509_certificate(ca)
    )


def test_nobody_else_can_read_a_key(tmp_path: Path) -> None:
    keys = pki.ensure(tmp_path / "pki", ["127.0.0.1"])
    assert stat.S_IMODE(keys.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in keys.folder.iterdir()} == {0o600}


def test_the_serving_certificate_is_good_for_the_service_and_loopback(tmp_path: Path) -> None:
    keys = pki.ensure(tmp_path, ["127.0.0.1", "kubernetes.default.svc"])
    cert = x509.load_pem_x509_certificate(keys.cert("apiserver").read_bytes())
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["kubernetes.default.svc"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_the_public_key_for_aws_is_that_of_the_signing_key(tmp_path: Path) -> None:
    keys = pki.ensure(tmp_path, ["127.0.0.1"])
    private = serialization.load_pem_private_key(keys.service_account_key.read_bytes(), None)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert keys.service_account_public_key.read_bytes() == public


def a_config(name: str) -> dict[str, Any]:
    return kubeconfig.kubeconfig(name, "https://127.0.0.1:1", "Q0E=", {"token": name})


def test_the_first_cluster_becomes_the_current_context_and_later_ones_do_not(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(EMPTY_KUBECONFIG)
    kubeconfig.publish(path, a_config("one"))
    kubeconfig.publish(path, a_config("two"))
    config = yaml.safe_load(path.read_text())
    assert config["current-context"] == "one"
    assert [c["name"] for c in config["contexts"]] == ["one", "two"]


def test_a_cluster_that_comes_back_replaces_its_context_and_stays_the_current_one() -> None:
    once = kubeconfig.merged(yaml.safe_load(EMPTY_KUBECONFIG), a_config("one"))
    assert kubeconfig.merged(once, a_config("one")) == once


def test_a_removed_cluster_removes_only_its_own_context(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    for name in ("one", "two"):
        kubeconfig.publish(path, a_config(name))
    kubeconfig.withdraw(path, "one")
    assert yaml.safe_load(path.read_text()) == {**a_config("two"), "preferences": {}}
    kubeconfig.withdraw(path, "two")
    assert yaml.safe_load(path.read_text()) == yaml.safe_load(EMPTY_KUBECONFIG)


# Ports and sockets


def test_ports_are_chosen_once_and_kept(tmp_path: Path) -> None:
    first = kept_ports(tmp_path / "ports.json", ["a", "b"])
    assert kept_ports(tmp_path / "ports.json", ["a", "b"]) == first
    assert len(set(first.values())) == 2


def test_a_kept_port_that_is_taken_is_named_and_not_replaced(tmp_path: Path) -> None:
    port = kept_ports(tmp_path / "ports.json", ["apiserver"])["apiserver"]
    with socket.create_server(("127.0.0.1", port)), pytest.raises(PortTakenError, match=f"{port} of apiserver"):
        kept_ports(tmp_path / "ports.json", ["apiserver"])


def test_a_free_port_is_not_one_of_the_given_ones() -> None:
    taken = {free_port() for _ in range(20)}
    assert free_port(taken) not in taken


def test_sockets_lie_in_the_state_folder_where_their_paths_fit() -> None:
    short = Path(tempfile.mkdtemp(prefix="s")) / "run"
    assert socket_folder(short) == short
    assert stat.S_IMODE(short.stat().st_mode) == 0o700
    shutil.rmtree(short.parent)


def test_sockets_move_to_a_short_folder_when_the_state_folder_lies_deep_always_the_same(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 80) / "run"
    moved = socket_folder(deep)
    try:
        assert len(str(moved)) < 60
        assert stat.S_IMODE(moved.stat().st_mode) == 0o700
        (moved / "left.sock").touch()
        assert socket_folder(deep) == moved
        assert not list(moved.iterdir())
    finally:
        shutil.rmtree(moved)


# AWS's requests


def test_a_spec_without_a_field_names_the_field(tmp_path: Path) -> None:
    folder = Folder(State.at(tmp_path), "demo")
    write_json(folder.spec_file, {"name": "demo"})
    with pytest.raises(SpecError, match="vpc_id"):
        ClusterSpec.read(folder)


def test_nodes_that_have_null_labels_are_read(tmp_path: Path) -> None:
    entry = {**NODE.__dict__, "labels": None, "taints": None, "something_new": 1}
    write_json(tmp_path / "nodes.json", {"nodes": [entry]})
    assert read_nodes(tmp_path / "nodes.json") == {"n1": NODE}
    assert read_nodes(tmp_path / "none.json") == {}


def test_a_node_is_the_instance_that_aws_named() -> None:
    node = nodes.node_object(SPEC, NODE, nodes.Machine(2, 8192))
    assert node["spec"]["providerID"] == "aws:///us-west-2a/i-1"
    assert {"type": "InternalIP", "address": "10.0.0.5"} in node["status"]["addresses"]
    assert node["metadata"]["labels"]["topology.kubernetes.io/zone"] == "us-west-2a"
    assert node["metadata"]["labels"]["eks.amazonaws.com/nodegroup"] == "main"


def test_a_node_keeps_some_of_its_capacity_as_eks_does() -> None:
    capacity, allocatable = nodes.resources(nodes.Machine(2, 8192))
    assert (capacity["cpu"], allocatable["cpu"]) == ("2", "1930m")
    assert allocatable["memory"] == f"{8192 - 255 - 11 * 110 - 100}Mi"


def test_taints_of_the_eks_api_become_those_of_kubernetes() -> None:
    made = nodes.taints(replace(NODE, taints=[{"key": "k", "value": "v", "effect": "NO_SCHEDULE"}]))
    assert made == [{"key": "k", "value": "v", "effect": "NoSchedule"}]


# Addresses


def test_a_pod_keeps_its_address_and_a_freed_one_is_given_out_last() -> None:
    pool = Pool(deque(["a", "b"]))
    assert pool.take("one") == pool.take("one") == "a"
    pool.release("one")
    assert [pool.take("two"), pool.take("three"), pool.take("four")] == ["b", "a", None]


def test_a_pool_is_what_aws_holds_less_what_pods_use() -> None:
    pool = Pool.of(["a", "b", "c"], {"one": "b"})
    assert list(pool.spare) == ["a", "c"]
    assert pool.take("one") == "b"


def test_addresses_that_are_known_already_are_not_added_again() -> None:
    pool = Pool(deque(["a"]), {"one": "b"})
    pool.add(["primary", "a", "b", "c"], primary="primary")
    assert list(pool.spare) == ["a", "c"]


@given(spare=st.integers(0, 60), waiting=st.integers(0, 60))
def test_a_pool_that_was_filled_serves_everyone_and_is_not_given_back_at_once(spare: int, waiting: int) -> None:
    pool = Pool(deque(str(n) for n in range(spare)))
    asked = pool.shortage(waiting, warm=10)
    pool.add((f"new{n}" for n in range(asked)), primary="")
    assert all(pool.take(str(n)) for n in range(waiting))
    assert pool.shortage(0, warm=10) == 0 or len(pool.spare) < 5
    if asked:
        assert pool.surplus(warm=10) == []


def test_a_pool_gives_back_only_what_is_far_too_much() -> None:
    pool = Pool(deque(str(n) for n in range(20)))
    assert pool.surplus(warm=10) == []
    pool.spare.append("one more")
    assert len(pool.surplus(warm=10)) == 11
    assert len(pool.spare) == 10


# The way into the cluster

SERVICE = {
    "metadata": {"namespace": "ns", "name": "web"},
    "spec": {"clusterIPs": ["172.20.0.9"], "ports": [{"name": "https", "port": 443, "targetPort": "webhook"}]},
}


def a_slice(**conditions: bool) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "ns", "labels": {"kubernetes.io/service-name": "web"}},
        "ports": [{"name": "https", "port": 9443}, {"name": "metrics", "port": 8080}],
        "endpoints": [{"addresses": ["10.0.1.7"], "conditions": conditions}],
    }


def test_a_service_leads_to_its_ready_endpoints_at_the_named_port() -> None:
    found = backends(Address("172.20.0.9", 443), [SERVICE], [a_slice(ready=True)])
    assert found == [Address("10.0.1.7", 9443)]


def test_an_address_that_is_not_a_services_belongs_to_pods() -> None:
    assert backends(Address("10.0.1.7", 9443), [SERVICE], []) is None


def test_a_service_without_ready_endpoints_is_unavailable_and_named() -> None:
    with pytest.raises(UnreachableError, match="no endpoints available for service ns/web") as caught:
        backends(Address("172.20.0.9", 443), [SERVICE], [a_slice(ready=False)])
    assert caught.value.status == 503


def test_an_endpoint_that_terminates_but_serves_is_better_than_none() -> None:
    terminating = a_slice(ready=False, serving=True, terminating=True)
    assert backends(Address("172.20.0.9", 443), [SERVICE], [terminating]) == [Address("10.0.1.7", 9443)]
    other = {**a_slice(ready=True), "endpoints": [{"addresses": ["10.0.1.8"], "conditions": {"ready": True}}]}
    assert backends(Address("172.20.0.9", 443), [SERVICE], [terminating, other]) == [Address("10.0.1.8", 9443)]


def test_a_port_that_the_service_does_not_have_is_named() -> None:
    with pytest.raises(UnreachableError, match="service ns/web has no port 80"):
        backends(Address("172.20.0.9", 80), [SERVICE], [a_slice(ready=True)])


# Images, arguments, environment


@pytest.mark.parametrize(
    "image",
    [
        CONTROLLER,
        "602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon/aws-load-balancer-controller:v2.12.0",
        "aws-load-balancer-controller@sha256:abc",
    ],
)
def test_the_controller_is_known_from_every_registry(image: str) -> None:
    assert images.known(image)


@pytest.mark.parametrize("image", ["nginx", "my-aws-load-balancer-controller:1", "aws-load-balancer-controller-x:1"])
def test_other_images_are_not_known(image: str) -> None:
    assert images.known(image) is None


AROUND = images.Surroundings(
    Path("/k"),
    "ns",
    "http://aws",
    {"webhook-bind-port": 1, "metrics-bind-addr": 2, "health-probe-bind-addr": 3},
    Path("/c"),
)


def test_a_containers_own_arguments_stay_and_the_machines_replace_theirs() -> None:
    image = images.known(CONTROLLER)
    assert image
    args = ["--cluster-name=demo", "--metrics-bind-addr", ":8080", "--leader-elect", "--webhook-bind-port=9443"]
    made = images.arguments(image, args, AROUND)
    assert made[:2] == ["--cluster-name=demo", "--leader-elect"]
    assert "--metrics-bind-addr=127.0.0.1:2" in made
    assert "--webhook-bind-port=1" in made
    assert sum(a.startswith("--metrics-bind-addr") for a in made) == 1


def test_the_ports_in_the_pod_are_those_of_its_arguments_or_the_programs_defaults() -> None:
    image = images.known(CONTROLLER)
    assert image
    assert images.pod_ports(image, ["--webhook-bind-port=9444", "--metrics-bind-addr", ":8081"]) == {
        "webhook-bind-port": 9444,
        "metrics-bind-addr": 8081,
        "health-probe-bind-addr": 61779,
    }


def test_a_container_without_arguments_has_the_programs_default_ports() -> None:
    assert images.pod_ports(images.IMAGES[0], [])["webhook-bind-port"] == 9443


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({}, "/built"),
        ({"controller": "/mine"}, "/mine"),
        ({"controller@3.5.0": "/newer", "controller": "/mine"}, "/newer"),
        ({"controller@3.4.0": "/older"}, "/built"),
    ],
)
def test_a_program_of_the_users_runs_for_its_version_or_for_all(given: dict[str, str], path: str) -> None:
    tools, origins = {"load-balancer-controller": "/built"}, {"load-balancer-controller": {"version": "v1"}}
    found = images.program(images.IMAGES[0], images.tag_version(CONTROLLER), tools, origins, given)
    assert found.path == path
    assert found.version == ("v1" if path == "/built" else "")


@pytest.mark.parametrize(
    ("image", "version"),
    [(CONTROLLER, "3.5.0"), ("registry:5000/x/aws-load-balancer-controller", ""), ("a/b:v1@sha256:0", "1"), ("b", "")],
)
def test_an_images_tag_names_its_release(image: str, version: str) -> None:
    assert images.tag_version(image) == version


def test_a_program_that_was_given_says_its_version_in_its_log() -> None:
    line = '{"level":"info","logger":"setup","msg":"version","GitVersion":"v3.4.0","GitCommit":""}'
    assert images.logged_version(f"other\n{line}\n") == "v3.4.0"
    assert images.logged_version("nothing") == "unknown"


def test_outside_a_cluster_the_controller_gets_the_namespace_of_its_lease() -> None:
    image = images.IMAGES[0]
    assert "--leader-election-namespace=ns" in images.arguments(image, [], AROUND)
    own = ["--leader-election-namespace=other"]
    assert [a for a in images.arguments(image, own, AROUND) if "election" in a] == own


def test_variables_come_from_the_pod_from_secrets_and_from_each_other() -> None:
    container = {
        "env": [
            {"name": "A", "value": "1"},
            {"name": "B", "value": "$(A)-$(UNKNOWN)-$$(A)"},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
            {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            {"name": "O", "valueFrom": {"secretKeyRef": {"name": "none", "key": "k", "optional": True}}},
        ],
        "envFrom": [{"prefix": "P_", "configMapRef": {"name": "c"}}],
    }
    objects = {
        ("secrets", "s"): {"data": {"k": base64.b64encode(b"secret").decode()}},
        ("configmaps", "c"): {"data": {"X": "y"}},
    }
    made = environment(POD, container, lambda kind, name: objects.get((kind, name)))
    assert made == {
        "P_X": "y",
        "A": "1",
        "B": "1-$(UNKNOWN)-$(A)",
        "IP": "10.0.1.7",
        "APP": "web",
        "S": "secret",
    }


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"secretKeyRef": {"name": "s", "key": "k"}}, "secret s not found"),
        ({"resourceFieldRef": {"resource": "limits.cpu"}}, "resourceFieldRef is not supported"),
        ({"fieldRef": {"fieldPath": "spec.secret"}}, "fieldRef spec.secret is not supported"),
    ],
)
def test_a_missing_variable_is_an_error_that_names_it(source: dict[str, Any], message: str) -> None:
    with pytest.raises(ContainerConfigError, match=message):
        environment(POD, {"env": [{"name": "A", "valueFrom": source}]}, nothing)


def test_field_values_of_a_pod_without_status_are_empty() -> None:
    assert field_value({**POD, "status": {}}, "status.podIP") == ""


def test_paths_in_the_container_become_paths_here_and_nothing_else_does() -> None:
    mounts = [Mount("/var/run/secrets", Path("/v/outer")), Mount("/var/run/secrets/aws", Path("/v/inner"))]
    assert outside("/var/run/secrets/aws/token", mounts) == "/v/inner/token"
    assert outside("/var/run/secrets/other", mounts) == "/v/outer/other"
    assert outside("/var/run/secretsX", mounts) == "/var/run/secretsX"
    assert outside("--cert-dir=/var/run/secrets", mounts) == "--cert-dir=/v/outer"
    assert outside("text=/var/run/secrets", mounts) == "text=/var/run/secrets"


def test_expansion_leaves_text_without_references_alone() -> None:
    assert expand("a$b (c)", {"b": "x"}) == "a$b (c)"


@pytest.mark.parametrize(
    ("hook", "seconds"),
    [
        ({"sleep": {"seconds": 15}}, 15),
        ({"exec": {"command": ["/bin/sh", "-c", "sleep 40"]}}, 40),
        ({"exec": {"command": ["sleep", "5"]}}, 5),
        ({"exec": {"command": ["nosleep 9"]}}, 0),
        ({"httpGet": {"port": 80}}, 0),
        (None, 0),
    ],
)
def test_a_pre_stop_hook_sleeps_as_long_as_it_says(hook: dict[str, Any] | None, seconds: int) -> None:
    assert pre_stop_seconds({"lifecycle": {"preStop": hook}} if hook else {}) == seconds


def test_a_volume_with_items_has_those_files_only() -> None:
    assert selected({"a": b"1", "b": b"2"}, [{"key": "a", "path": "x/y"}]) == {"x/y": b"1"}
    with pytest.raises(ContainerConfigError, match="c"):
        selected({"a": b"1"}, [{"key": "c", "path": "c"}])


# Status and probes


def test_a_pod_is_ready_when_its_containers_and_its_gates_are() -> None:
    pod = {**POD, "spec": {**POD["spec"], "readinessGates": [{"conditionType": "gate"}]}}
    running = ContainerState("c", CONTROLLER, started_at="t", ready=True)

    def ready(obj: dict[str, Any]) -> tuple[str, str | None]:
        made = {c["type"]: c for c in pod_status(obj, [running], "now")["conditions"]}
        assert made["ContainersReady"]["status"] == "True"
        return made["Ready"]["status"], made["Ready"]["reason"]

    assert ready(pod) == ("False", "ReadinessGatesNotReady")
    opened = {**pod, "status": {"conditions": [{"type": "gate", "status": "True"}]}}
    assert ready(opened) == ("True", None)


def test_the_time_of_a_condition_moves_only_with_its_status() -> None:
    state = ContainerState("c", CONTROLLER, started_at="t", ready=True)
    pod = {**POD, "status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "then"}]}}
    times = {c["type"]: c["lastTransitionTime"] for c in pod_status(pod, [state], "now")["conditions"]}
    assert (times["Ready"], times["ContainersReady"]) == ("then", "now")


def test_a_container_that_does_not_run_waits_and_is_not_ready() -> None:
    state = ContainerState("c", CONTROLLER, restarts=2, ready=True, waiting=("CrashLoopBackOff", "back-off 1s"))
    status = pod_status(POD, [state], "now")
    assert status["phase"] == "Running"
    assert status["containerStatuses"][0]["ready"] is False
    assert status["containerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"


def test_a_killed_process_has_the_exit_code_of_its_signal() -> None:
    assert terminated(-9, "a", "b")["exitCode"] == 137
    assert terminated(0, "a", "b")["reason"] == "Completed"


def test_the_first_restart_is_at_once_and_the_wait_is_bounded() -> None:
    assert [backoff(n) for n in (1, 2, 3, 4)] == [0.0, 1.0, 2.0, 4.0]
    assert backoff(100) == 30.0


def test_a_probe_finds_its_port_by_name() -> None:
    container = {"name": "c", "ports": [{"name": "health", "containerPort": 61779}]}
    assert container_port(container, "health") == 61779
    with pytest.raises(ContainerConfigError, match="no port called other"):
        container_port(container, "other")


def test_a_probe_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(ContainerConfigError, match="only httpGet and tcpSocket"):
        Probe.of({"name": "c", "readinessProbe": {"exec": {"command": ["true"]}}}, "readinessProbe")


# IRSA


def mutated(pod: dict[str, Any], annotations: dict[str, str]) -> dict[str, Any]:
    account = {"metadata": {"annotations": annotations}}
    return jsonpatch.apply_patch(pod, irsa.patch(pod, account, "us-west-2"))


def test_a_service_account_without_a_role_changes_nothing() -> None:
    assert irsa.patch(POD, {"metadata": {}}, "us-west-2") == []
    assert irsa.patch(POD, None, "us-west-2") == []


def test_a_role_puts_token_and_variables_into_every_container() -> None:
    pod = {**POD, "spec": {**POD["spec"], "initContainers": [{"name": "i", "image": "x"}]}}
    made = mutated(pod, {"eks.amazonaws.com/role-arn": ROLE})
    for container in [*made["spec"]["containers"], *made["spec"]["initContainers"]]:
        env = {v["name"]: v["value"] for v in container["env"]}
        assert env["AWS_ROLE_ARN"] == ROLE
        assert env["AWS_REGION"] == env["AWS_DEFAULT_REGION"] == "us-west-2"
        mount = container["volumeMounts"][-1]
        assert env["AWS_WEB_IDENTITY_TOKEN_FILE"] == f"{mount['mountPath']}/token"
        assert mount["readOnly"] is True
    source = made["spec"]["volumes"][-1]["projected"]["sources"][0]["serviceAccountToken"]
    assert source == {"audience": "sts.amazonaws.com", "expirationSeconds": 86400, "path": "token"}


def test_what_the_pod_sets_itself_stays() -> None:
    pod = json.loads(json.dumps(POD))
    pod["spec"]["containers"][0]["env"] = [{"name": "AWS_REGION", "value": "eu-west-1"}]
    env = mutated(pod, {"eks.amazonaws.com/role-arn": ROLE})["spec"]["containers"][0]["env"]
    assert [v["value"] for v in env if v["name"] == "AWS_REGION"] == ["eu-west-1"]


def test_the_webhook_called_twice_is_the_webhook_called_once() -> None:
    annotations = {"eks.amazonaws.com/role-arn": ROLE}
    once = mutated(POD, annotations)
    assert mutated(once, annotations) == once


def test_annotations_choose_audience_expiration_and_the_containers_left_out() -> None:
    pod = json.loads(json.dumps(POD))
    pod["metadata"]["annotations"] = {"eks.amazonaws.com/skip-containers": "c"}
    made = mutated(
        pod,
        {
            "eks.amazonaws.com/role-arn": ROLE,
            "eks.amazonaws.com/audience": "aud",
            "eks.amazonaws.com/token-expiration": "7200",
        },
    )
    source = made["spec"]["volumes"][-1]["projected"]["sources"][0]["serviceAccountToken"]
    assert (source["audience"], source["expirationSeconds"]) == ("aud", 7200)
    assert "env" not in made["spec"]["containers"][0]


# kwok


def test_every_pod_stage_leaves_process_pods_alone() -> None:
    pod_stages = [s for s in kwok.stages(images.PATTERN) if s["spec"]["resourceRef"]["kind"] == "Pod"]
    assert len(pod_stages) >= 4
    for stage in pod_stages:
        last = stage["spec"]["selector"]["matchExpressions"][-1]
        assert last["values"] == ["false"]
        assert json.dumps(images.PATTERN)[1:-1] in last["key"]


def test_the_pattern_means_the_same_to_jq_as_to_python() -> None:
    # gojq and Python agree on this alphabet; check both manuals for anything else.
    assert re.fullmatch(r"[A-Za-z0-9|()^$/:@?-]+", images.PATTERN)


# Leases, logs, sessions and tokens


def test_a_nodes_lease_is_deleted_with_the_node_and_has_its_renewal_time() -> None:
    now = dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
    made = lease({"metadata": {"name": "n1", "uid": "u1"}}, now)
    assert made["metadata"]["ownerReferences"][0]["uid"] == "u1"
    assert made["spec"]["renewTime"] == "2026-01-02T03:04:05.000006Z"


@pytest.mark.parametrize(("lines", "text"), [(None, b"a\nb\nc"), (2, b"b\nc"), (0, b""), (9, b"a\nb\nc")])
def test_the_end_of_a_log_is_as_many_lines_as_were_asked_for(lines: int | None, text: bytes) -> None:
    assert tail(b"a\nb\nc", lines) == text


class FakeApi:
    """Answers token requests and records them."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def create(self, _path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(body["spec"])
        return {"status": {"token": f"token-{len(self.asked)}"}}


def test_a_token_is_bound_to_its_pod_and_renewed_when_four_fifths_of_its_life_are_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = {"serviceAccountToken": {"audience": "sts.amazonaws.com", "expirationSeconds": 1000, "path": "token"}}
    volume = {"name": "aws-iam-token", "projected": {"sources": [source]}}
    api = FakeApi()
    volumes = Volumes(api, {**POD, "spec": {**POD["spec"], "volumes": [volume]}}, tmp_path)  # pyright: ignore[reportArgumentType] - a fake
    file = tmp_path / "volumes" / "aws-iam-token" / "token"
    began = time.time()
    seen: list[str] = []
    for later in (0, 790, 810):
        monkeypatch.setattr(time, "time", lambda later=later: began + later)
        asyncio.run(volumes.write())
        seen.append(file.read_text())
    assert seen == ["token-1", "token-1", "token-2"]
    assert api.asked[0]["audiences"] == ["sts.amazonaws.com"]
    assert api.asked[0]["boundObjectRef"]["uid"] == "u"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_roles_profile_runs_a_process_whose_session_name_aws_allows() -> None:
    profile = aws_profile("http://127.0.0.1:1", "arn:aws:iam::1:role/r", "/a folder/token", "kube-system/pod:1")
    command = shlex.split(profile.splitlines()[1].partition(" = ")[2])
    assert command[-4:] == ["http://127.0.0.1:1", "arn:aws:iam::1:role/r", "/a folder/token", "kube-system-pod-1"]


def test_a_session_is_printed_as_the_sdks_read_it() -> None:
    answer = "<C><AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken>"
    answer += "<Expiration>2026-01-01T00:00:00Z</Expiration></C>"
    assert json.loads(printed(answer)) == {
        "Version": 1,
        "AccessKeyId": "A",
        "SecretAccessKey": "S",
        "SessionToken": "T",
        "Expiration": "2026-01-01T00:00:00Z",
    }


def test_the_objects_that_a_containers_variables_need_are_those_they_refer_to() -> None:
    container = {
        "env": [
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            {"name": "B", "value": "x"},
        ],
        "envFrom": [{"configMapRef": {"name": "c"}}],
    }
    assert referred(container) == {("secrets", "s"), ("configmaps", "c")}
