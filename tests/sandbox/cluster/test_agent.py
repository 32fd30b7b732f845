"""One agent, seen from outside: through kubectl, AWS and the process table. The tests share it and run in order."""

import base64
import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from fixtures.kubernetes import deployment
from sandbox.cluster import pki
from sandbox.run.processes import Identity, Process, wait_until
from sandbox.run.state import read_json
from tests.sandbox.cluster.conftest import ACCOUNT, ISSUER, NAME, REGION, Lab

pytestmark = pytest.mark.sandbox

ARN = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{NAME}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/controller"


def eventually(condition: Callable[[], Any], timeout: float = 180.0) -> None:
    """Timeouts are long because the machine may be busy; speed is measured elsewhere."""
    assert wait_until(condition, timeout, interval=0.1), condition


def pod(name: str, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "web", "image": "nginx", **spec.pop("container", {})}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": containers, **spec},
    }


def condition(obj: dict[str, Any], kind: str) -> str:
    return next((c["status"] for c in obj["status"].get("conditions", []) if c["type"] == kind), "absent")


def running(lab: Lab, *selector: str) -> list[dict[str, Any]]:
    return [p for p in lab.items("pods", *selector) if condition(p, "Ready") == "True"]


def the_part(lab: Lab, name: str) -> int:
    return next(p["pid"] for p in lab.status()["parts"] if p["name"] == f"{NAME}/{name}")


# The cluster


def test_the_cluster_is_active_and_says_what_it_runs(lab: Lab) -> None:
    status = lab.status()
    assert status["endpoint"].startswith("https://127.0.0.1:")
    assert base64.b64decode(status["ca"]).startswith(b"-----BEGIN CERTIFICATE")
    kinds = {p["name"].removeprefix(f"{NAME}/"): p["kind"] for p in status["parts"]}
    assert kinds == {
        "etcd": "real",
        "kube-apiserver": "real",
        "kube-controller-manager": "real",
        "kube-scheduler": "real",
        "kwok": "stand-in",
    }
    assert all(Identity.of(p["pid"]) for p in status["parts"])


def test_the_shared_kubeconfig_has_a_context_named_by_the_clusters_arn(lab: Lab) -> None:
    assert lab.kubectl("config", "current-context").strip() == ARN
    assert lab.kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}") == "kubernetes-admin"
    assert {p.stat().st_mode & 0o777 for p in (lab.state.kubeconfig, lab.folder / "kubeconfig")} == {0o600}


def test_everything_listens_on_loopback_only(lab: Lab) -> None:
    inodes: set[str] = set()
    for member in [i for i in [lab.agent.identity] if i] + _processes(lab):
        for descriptor in Path(f"/proc/{member.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                inodes.add(str(descriptor.readlink()))
    listening = [
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and f"socket:[{line.split()[9]}]" in inodes
    ]
    assert listening
    assert {address.rpartition(":")[0] for address in listening} == {"0100007F"}


def _processes(lab: Lab) -> list[Identity]:
    found = [Identity.of(p["pid"]) for p in lab.status()["parts"]]
    return [i for i in found if i]


def test_the_nodes_are_the_instances_that_aws_wants(lab: Lab) -> None:
    eventually(lambda: len(lab.status()["ready_nodes"]) == 2)
    for wanted, node in zip(
        lab.nodes[:2], sorted(lab.items("nodes"), key=lambda n: n["metadata"]["name"]), strict=True
    ):
        assert node["metadata"]["name"] == wanted["name"]
        assert node["spec"]["providerID"] == wanted["provider_id"]
        assert node["metadata"]["labels"]["team"] == "blue"
        assert node["metadata"]["labels"]["eks.amazonaws.com/nodegroup"] == "main"
        assert node["status"]["capacity"]["cpu"] == "2"
        assert condition(node, "Ready") == "True"


def test_service_account_tokens_carry_the_issuer_and_verify_with_the_key_aws_has(lab: Lab) -> None:
    token = lab.kubectl("create", "token", "default", "--audience=sts.amazonaws.com").strip()
    key = load_pem_public_key(pki.Pki(lab.folder / "pki").service_account_public_key.read_bytes())
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="sts.amazonaws.com", issuer=ISSUER)  # type: ignore[arg-type]
    assert claims["sub"] == "system:serviceaccount:default:default"
    keys = json.loads(lab.kubectl("get", "--raw", "/openid/v1/jwks"))["keys"]
    assert jwt.get_unverified_header(token)["kid"] == keys[0]["kid"]


# Pods that kwok runs


def test_a_pod_gets_an_address_that_is_on_its_nodes_interface(lab: Lab) -> None:
    lab.apply(pod("one"), pod("host", hostNetwork=True))
    eventually(lambda: len(running(lab)) == 2)
    found = {p["metadata"]["name"]: p for p in lab.items("pods")}
    enis = {n["name"]: n for n in lab.nodes}
    one, host = found["one"], found["host"]
    node = enis[one["spec"]["nodeName"]]
    assert one["status"]["podIP"] in lab.addresses(node["eni_id"])
    assert one["status"]["hostIP"] == node["address"]
    assert host["status"]["podIP"] == host["status"]["hostIP"] == enis[host["spec"]["nodeName"]]["address"]
    lab.kubectl("delete", "pod", "one", "host")


def test_a_readiness_gate_holds_a_pod_back_until_it_is_true_and_again_when_it_is_not(lab: Lab) -> None:
    lab.apply(pod("gated", readinessGates=[{"conditionType": "example.com/gate"}]))
    eventually(lambda: condition(lab.get("pod", "gated"), "ContainersReady") == "True")
    assert condition(lab.get("pod", "gated"), "Ready") == "False"

    def gate(status: str) -> None:
        change = {"status": {"conditions": [{"type": "example.com/gate", "status": status}]}}
        lab.kubectl("patch", "pod", "gated", "--subresource=status", "-p", json.dumps(change))

    for status in ("True", "False", "True"):
        gate(status)
        eventually(lambda expected=status: condition(lab.get("pod", "gated"), "Ready") == expected)
    lab.kubectl("delete", "pod", "gated")


def test_a_deleted_pod_lives_on_for_its_pre_stop_sleep_and_no_longer(lab: Lab) -> None:
    lab.apply(
        pod("sleeper", container={"lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", "sleep 6"]}}}}),
        pod("prompt"),
    )
    eventually(lambda: len(running(lab)) == 2)
    began = time.monotonic()
    lab.kubectl("delete", "pod", "sleeper", "prompt", "--wait=false")
    eventually(lambda: [p["metadata"]["name"] for p in lab.items("pods")] == ["sleeper"], 5.5)

    def gone_though_it_keeps_changing() -> bool:
        lab.kubectl("annotate", "pod", "sleeper", "--overwrite", f"now={time.monotonic()}", check=False)
        return not lab.items("pods")

    eventually(gone_though_it_keeps_changing)
    assert time.monotonic() - began >= 6


def test_two_hundred_pods_get_two_hundred_addresses_and_give_them_back(lab: Lab) -> None:
    lab.apply(deployment("many", 1, {"name": "web", "image": "nginx"}))
    lab.kubectl("scale", "deployment/many", "--replicas=200")
    lab.kubectl("rollout", "status", "deployment/many", "--timeout=120s", timeout=130)
    pods = running(lab, "-l", "app=many")
    held = {n["name"]: lab.addresses(n["eni_id"]) for n in lab.nodes[:2]}
    assert len(pods) == 200
    assert all(p["status"]["podIP"] in held[p["spec"]["nodeName"]] for p in pods)
    for node in held:
        used = [p["status"]["podIP"] for p in pods if p["spec"]["nodeName"] == node]
        assert len(used) == len(set(used))
    lab.kubectl("delete", "deployment", "many")
    eventually(lambda: all(len(lab.addresses(n["eni_id"])) <= 20 for n in lab.nodes[:2]), 120)


# Pods that run as processes

CONTROLLER = "public.ecr.aws/eks/aws-load-balancer-controller:v3.5.0"
SYSTEM = ("-n", "kube-system")


def controller(lab: Lab) -> list[dict[str, Any]]:
    """The controller's objects: service account with a role, certificate, Deployment, Service, webhook."""
    lab_pki = pki.ensure(lab.state.root / "webhook-pki", ["lbc-webhook.kube-system.svc"])
    encode = lambda path: base64.b64encode(path.read_bytes()).decode()  # noqa: E731 - three words, used twice below
    meta = {"namespace": "kube-system"}
    probe = {"periodSeconds": 1, "failureThreshold": 2, "timeoutSeconds": 5}
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {**meta, "name": "lbc", "annotations": {"eks.amazonaws.com/role-arn": ROLE}},
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {**meta, "name": "lbc-tls"},
            "data": {"tls.crt": encode(lab_pki.cert("webhooks")), "tls.key": encode(lab_pki.key("webhooks"))},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {**meta, "name": "lbc"},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": "lbc"}},
                "template": {
                    "metadata": {"labels": {"app": "lbc"}},
                    "spec": {
                        "serviceAccountName": "lbc",
                        "terminationGracePeriodSeconds": 5,
                        "volumes": [{"name": "cert", "secret": {"secretName": "lbc-tls"}}],
                        "containers": [
                            {
                                "name": "controller",
                                "image": CONTROLLER,
                                "args": ["--cluster-name=demo", "--metrics-bind-addr=:8080"],
                                "env": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
                                "ports": [{"name": "webhook-server", "containerPort": 9443}],
                                "volumeMounts": [
                                    {"name": "cert", "mountPath": "/tmp/k8s-webhook-server/serving-certs"}
                                ],
                                "readinessProbe": {
                                    **probe,
                                    "initialDelaySeconds": 10,
                                    "httpGet": {"path": "/readyz", "port": 61779},
                                },
                                "livenessProbe": {
                                    **probe,
                                    "initialDelaySeconds": 4,
                                    "httpGet": {"path": "/healthz", "port": 61779},
                                },
                            }
                        ],
                    },
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**meta, "name": "lbc-webhook"},
            "spec": {"selector": {"app": "lbc"}, "ports": [{"port": 443, "targetPort": "webhook-server"}]},
        },
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "lbc"},
            "webhooks": [
                {
                    "name": "validate.example.com",
                    "clientConfig": {
                        "service": {"name": "lbc-webhook", "namespace": "kube-system", "path": "/validate"},
                        "caBundle": lab_pki.ca_data(),
                    },
                    "rules": [
                        {
                            "apiGroups": [""],
                            "apiVersions": ["v1"],
                            "operations": ["CREATE"],
                            "resources": ["configmaps"],
                        }
                    ],
                    "objectSelector": {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]},
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}},
                    "admissionReviewVersions": ["v1"],
                    "sideEffects": "None",
                    "failurePolicy": "Fail",
                }
            ],
        },
    ]


def controllers(lab: Lab) -> list[dict[str, Any]]:
    return running(lab, *SYSTEM, "-l", "app=lbc")


def restarts(lab: Lab) -> dict[str, int]:
    """How often each running controller pod was restarted, by the pod's uid."""
    return {p["metadata"]["uid"]: p["status"]["containerStatuses"][0]["restartCount"] for p in controllers(lab)}


def started_with(lab: Lab, name: str) -> dict[str, Any]:
    """The last startup arguments that the fake controller printed."""
    lines = lab.state.log(f"{NAME}-pod-{name}").read_text().splitlines()
    return json.loads([line for line in lines if line.startswith("{")][-1])


def find_process(lab: Lab, name: str) -> Identity | None:
    """The process of a controller pod: the one whose arguments contain the pod's folder."""
    wanted = f"{lab.folder}/pods/kube-system_{name}_"
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and wanted in (entry / "cmdline").read_bytes().decode(errors="replace"):
                found = Identity.of(int(entry.name))
                if found:
                    return found
    return None


def process_of(lab: Lab, name: str) -> Identity:
    found = find_process(lab, name)
    assert found, f"no process of pod {name}"
    return found


def test_a_pod_of_a_known_image_runs_as_a_process_with_its_own_arguments(lab: Lab) -> None:
    lab.apply(*controller(lab))
    lab.kubectl(*SYSTEM, "rollout", "status", "deployment/lbc", "--timeout=180s", timeout=190)
    pods = controllers(lab)
    assert len(pods) == 2
    seen: set[str] = set()
    for one in pods:
        started = started_with(lab, one["metadata"]["name"])
        assert "--cluster-name=demo" in started["args"]
        assert started["env"]["NODE"] == one["spec"]["nodeName"]
        assert started["env"]["POD_NAME"] == one["metadata"]["name"]
        ports = [a.rpartition("=")[2].rpartition(":")[2] for a in started["args"] if "-bind-" in a]
        assert len(ports) == 3
        assert not seen & set(ports)
        seen |= set(ports)


def test_the_process_has_its_own_token_and_a_session_for_its_role_and_nothing_of_the_agents(lab: Lab) -> None:
    name = controllers(lab)[0]["metadata"]["name"]
    env = started_with(lab, name)["env"]
    assert env["AWS_ENDPOINT_URL"] == lab.endpoint
    assert not {"AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"} & env.keys()
    _, _, process = Path(env["AWS_CONFIG_FILE"]).read_text().partition("credential_process = ")
    *_, role, token_file, _ = command = shlex.split(process)
    assert role == ROLE
    session = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout)
    assert session["AccessKeyId"].startswith("ASIA")
    assert session["SessionToken"]
    token = Path(token_file).read_text()
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["sub"] == "system:serviceaccount:kube-system:lbc"
    assert claims["aud"] == ["sts.amazonaws.com"]
    assert claims["kubernetes.io"]["pod"]["name"] == name
    config = next(a for a in started_with(lab, name)["args"] if a.startswith("--kubeconfig=")).partition("=")[2]
    whoami = lab.kubectl("--kubeconfig", config, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
    assert whoami == "system:serviceaccount:kube-system:lbc"


def test_kubectl_shows_a_processs_log_and_explains_a_missing_one(lab: Lab) -> None:
    name = controllers(lab)[0]["metadata"]["name"]
    assert '"--cluster-name=demo"' in lab.kubectl(*SYSTEM, "logs", name)
    assert len(lab.kubectl(*SYSTEM, "logs", name, "--tail=1").splitlines()) == 1
    lab.apply(pod("silent"))
    eventually(lambda: running(lab, "-l", "app=silent"))
    assert "kwok only reports it as running" in lab.kubectl("logs", "silent", check=False)
    lab.kubectl("delete", "pod", "silent")


def test_the_control_plane_reaches_a_webhook_behind_a_service(lab: Lab) -> None:
    lab.kubectl("create", "configmap", "fine")
    assert "denied the request" in lab.kubectl("create", "configmap", "refused", check=False)
    lab.kubectl("delete", "configmap", "fine")


def test_a_killed_process_comes_back_and_the_restart_is_counted(lab: Lab) -> None:
    name = controllers(lab)[0]["metadata"]["name"]
    before = process_of(lab, name)
    restarts = lab.get("pod", name, *SYSTEM)["status"]["containerStatuses"][0]["restartCount"]
    before.signal(signal.SIGKILL)
    # The Service drops the dead pod before clients could be sent there for long.
    eventually(lambda: len(controllers(lab)) == 2 and find_process(lab, name) not in (None, before))

    def container() -> dict[str, Any]:
        return lab.get("pod", name, *SYSTEM)["status"]["containerStatuses"][0]

    eventually(lambda: "running" in container()["state"] and container()["restartCount"] > restarts)
    assert container()["restartCount"] == restarts + 1
    assert container()["lastState"]["terminated"]["exitCode"] == 137


def test_readiness_follows_the_probe_and_a_failed_liveness_probe_restarts(lab: Lab) -> None:
    name = controllers(lab)[0]["metadata"]["name"]
    before = process_of(lab, name)
    folder = Path(f"/proc/{before.pid}/cwd").readlink()
    (folder / "unready").touch()
    eventually(lambda: [p["metadata"]["name"] != name for p in controllers(lab)] == [True])
    (folder / "unready").unlink()
    eventually(lambda: len(controllers(lab)) == 2)
    (folder / "unhealthy").touch()
    eventually(lambda: not before.alive())
    (folder / "unhealthy").unlink()
    eventually(lambda: len(controllers(lab)) == 2)


def test_a_process_that_ends_by_itself_leaves_its_last_words_in_the_pods_status(lab: Lab) -> None:
    mounts = [{"name": "cert", "mountPath": "/tmp/k8s-webhook-server/serving-certs"}]
    empty = [{"name": "cert", "emptyDir": {}}]
    lab.apply(pod("broken", volumes=empty, container={"image": CONTROLLER, "volumeMounts": mounts}))

    def last() -> dict[str, Any]:
        statuses = lab.get("pod", "broken")["status"].get("containerStatuses") or [{}]
        return statuses[0].get("lastState", {}).get("terminated", {})

    eventually(lambda: last().get("exitCode") == 1)
    assert "FileNotFoundError" in last()["message"]
    lab.kubectl("delete", "pod", "broken", "--wait=false")


def test_a_deleted_process_pod_takes_its_process_and_its_files_with_it(lab: Lab) -> None:
    name = controllers(lab)[0]["metadata"]["name"]
    before = process_of(lab, name)
    folder = Path(f"/proc/{before.pid}/cwd").readlink()
    lab.kubectl(*SYSTEM, "delete", "pod", name, "--wait=false")
    eventually(lambda: not before.alive() and not folder.exists())
    eventually(lambda: len(controllers(lab)) == 2)


def test_a_webhook_without_a_process_is_a_clear_error(lab: Lab) -> None:
    lab.kubectl(*SYSTEM, "scale", "deployment/lbc", "--replicas=0")
    eventually(lambda: not lab.items("pods", *SYSTEM))
    answer = lab.kubectl("create", "configmap", "fine", check=False)
    assert "no endpoints available for service kube-system/lbc-webhook" in answer
    lab.kubectl(*SYSTEM, "scale", "deployment/lbc", "--replicas=2")
    eventually(lambda: len(controllers(lab)) == 2)


def test_a_pod_whose_secret_is_missing_waits_for_it_and_reports_it(lab: Lab) -> None:
    volumes = [{"name": "v", "secret": {"secretName": "later"}}]
    mounts = [
        {"name": "v", "mountPath": "/v"},
        {"name": "cert", "mountPath": "/tmp/k8s-webhook-server/serving-certs"},
    ]
    lab.kubectl("create", "secret", "generic", "tls", *_tls(lab))
    volumes.append({"name": "cert", "secret": {"secretName": "tls"}})
    lab.apply(pod("waiting", volumes=volumes, container={"image": CONTROLLER, "volumeMounts": mounts}))

    def waiting() -> str:
        statuses = lab.get("pod", "waiting")["status"].get("containerStatuses") or [{}]
        return statuses[0].get("state", {}).get("waiting", {}).get("message", "")

    eventually(lambda: "secret later not found" in waiting())
    lab.kubectl("create", "secret", "generic", "later", "--from-literal=k=v")
    eventually(lambda: condition(lab.get("pod", "waiting"), "Ready") == "True")
    lab.kubectl("delete", "pod", "waiting", "--wait=false")
    lab.kubectl("delete", "secret", "later", "tls")


def _tls(lab: Lab) -> list[str]:
    keys = pki.Pki(lab.state.root / "webhook-pki")
    return [f"--from-file=tls.crt={keys.cert('webhooks')}", f"--from-file=tls.key={keys.key('webhooks')}"]


# Nodes come and go


def test_a_node_that_aws_removes_goes_with_its_pods_and_a_new_one_joins(lab: Lab) -> None:
    gone, joins = lab.nodes[0], lab.nodes[2]
    lab.apply(pod("pinned", nodeName=gone["name"]))
    eventually(lambda: running(lab, "-l", "app=pinned"))
    lab.want_nodes([lab.nodes[1], joins])
    eventually(lambda: set(lab.status()["ready_nodes"]) == {lab.nodes[1]["name"], joins["name"]})
    eventually(lambda: not [p for p in lab.items("pods", "-A") if p["spec"].get("nodeName") == gone["name"]])
    eventually(lambda: len(controllers(lab)) == 2)
    assert len(lab.addresses(joins["eni_id"])) >= 10


# Faults


@pytest.mark.parametrize("part", ["kwok", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"])
def test_a_killed_part_comes_back_with_everything_it_knew(lab: Lab, part: str) -> None:
    kept = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept", "labels": {"app": "kept"}}}
    lab.apply(kept)
    before = the_part(lab, part)
    os.kill(before, signal.SIGKILL)
    eventually(lambda: the_part(lab, part) != before)
    eventually(lambda: "kept" in lab.kubectl("get", "configmap", "kept", check=False, timeout=30))
    lab.kubectl("delete", "configmap", "kept")
    lab.apply(pod("after"))
    eventually(lambda: running(lab, "-l", "app=after"))
    lab.kubectl("delete", "pod", "after", "--timeout=180s", timeout=190)


def test_pods_start_though_etcd_is_killed_while_they_do(lab: Lab) -> None:
    """Kwok does not repeat a write that the API server answers with 500, as it does without etcd."""
    lab.apply(deployment("started", 1, {"name": "web", "image": "nginx"}))
    lab.kubectl("scale", "deployment/started", "--replicas=60")
    eventually(lambda: len(running(lab, "-l", "app=started")) > 1)
    os.kill(the_part(lab, "etcd"), signal.SIGKILL)
    lab.kubectl("rollout", "status", "deployment/started", "--timeout=60s", timeout=70)
    lab.kubectl("delete", "deployment", "started")


def test_a_killed_agent_leaves_nothing_running_and_the_next_one_brings_everything_back(lab: Lab) -> None:
    endpoint, members = lab.status()["endpoint"], _processes(lab)
    before = restarts(lab)
    members += [process_of(lab, p["metadata"]["name"]) for p in controllers(lab)]
    assert lab.agent.identity
    lab.agent.identity.signal(signal.SIGKILL)
    eventually(lambda: not any(m.alive() for m in members))
    lab.agent.running()
    lab.start_agent()
    eventually(lambda: lab.status()["phase"] == "CREATING")
    lab.await_phase("ACTIVE")
    assert lab.status()["endpoint"] == endpoint

    def all_restarted() -> bool:
        """Whether the same pods run again. At first their status is what the killed agent wrote."""
        now = restarts(lab)
        return now.keys() == before.keys() and all(now[uid] > before[uid] for uid in now)

    eventually(all_restarted)
    assert all(process_of(lab, p["metadata"]["name"]).alive() for p in controllers(lab))


def test_a_second_agent_of_a_cluster_refuses_to_start_and_harms_nothing(lab: Lab) -> None:
    before = lab.status()
    second = Process("second", lab.agent.argv, lab.state.log("second"), lab.agent.env)
    second.start()
    assert wait_until(lambda: not second.running(), 180)
    assert second.exit_code() == 1
    assert "already has an agent" in second.last_words()
    assert lab.status() == before
    assert lab.kubectl("get", "--raw", "/readyz") == "ok"


def test_an_agent_that_is_asked_to_end_leaves_no_process_and_no_context(lab: Lab) -> None:
    members = _processes(lab) + [process_of(lab, p["metadata"]["name"]) for p in controllers(lab)]
    began = time.monotonic()
    assert lab.agent.identity
    lab.agent.identity.signal(signal.SIGTERM)
    assert wait_until(lambda: not lab.agent.running(), 60)
    assert time.monotonic() - began < 15
    assert lab.agent.exit_code() == 0
    assert not any(m.alive() for m in members)
    assert yaml.safe_load(lab.state.kubeconfig.read_text())["contexts"] == []
    assert not (lab.folder / "run").exists()


def test_an_agent_reports_a_taken_port_and_its_owner(lab: Lab) -> None:
    port = read_json(lab.folder / "ports.json")["apiserver"]
    with socket.create_server(("127.0.0.1", port)):
        lab.start_agent()
        assert wait_until(lambda: not lab.agent.running(), 180)
    assert lab.status()["phase"] == "FAILED"
    assert f"port {port} of apiserver" in lab.status()["message"]
    assert str(os.getpid()) in lab.status()["message"]
