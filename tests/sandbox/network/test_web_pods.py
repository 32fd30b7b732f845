"""Pods that serve: which they are, on which ports, and what is started for one."""

import asyncio
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.cluster import images
from sandbox.network.web_pods import WebPod, is_ours, ports
from sandbox.run.processes import Process


def pod(image: str, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "web-0", "namespace": "samples", "uid": "u1"},
        "spec": {"nodeName": "node-a", "containers": [{"name": "web", "image": image}], **spec},
    }


@pytest.mark.parametrize("image", ["nginx", "public.ecr.aws/nginx/nginx-unprivileged:1.28-alpine", "httpd@sha256:1"])
def test_an_image_of_a_web_server_serves(image: str) -> None:
    assert is_ours(pod(image), {})


@pytest.mark.parametrize("image", ["registry.k8s.io/pause:3.10", "nginx-ingress-controller:1", "me/notnginx"])
def test_any_other_image_does_not(image: str) -> None:
    assert not is_ours(pod(image), {})


def test_a_pod_on_its_nodes_network_does_not() -> None:
    assert not is_ours(pod("nginx", hostNetwork=True), {})


def test_a_users_program_runs_in_the_pods_of_its_image_and_of_no_other() -> None:
    given = {"image:echo": "/bin/echo-server", "controller": "/bin/manager"}
    assert is_ours(pod("registry.example/tools/echo:1"), given)
    assert not is_ours(pod("registry.example/my-echo:1"), given)
    assert not is_ours(pod("registry.example/controller:1"), given)
    assert images.server("registry.example/tools/echo@sha256:1", given) == "/bin/echo-server"


def test_a_container_listens_on_its_tcp_ports_or_on_https_own() -> None:
    named = [{"containerPort": 8080}, {"containerPort": 53, "protocol": "UDP"}, {"containerPort": 9090}]
    assert ports({"ports": named}) == [8080, 9090]
    assert ports({}) == [80]


def test_kwok_leaves_pods_alone_that_serve_with_traffic_only() -> None:
    given = {"image:echo": "/bin/echo-server"}
    assert re.search(images.process_images(given, traffic=True), "nginx:1")
    assert re.search(images.process_images(given, traffic=True), "echo:1")
    assert not re.search(images.process_images({}, traffic=True), "echo:1")
    assert not re.search(images.process_images(given, traffic=False), "echo:1")


def launched(folder: Path, obj: dict[str, Any], given: dict[str, str]) -> Process:
    settings = SimpleNamespace(tools={"web": "/bin/web"}, replacements=given)
    here = {"pods": folder / "pods", "log_file": lambda part: folder / f"{part}.log", "settings": settings}
    host: Any = SimpleNamespace(api=None, endpoint="https://127.0.0.1:6443", aws_endpoint="http://127.0.0.1:1", **here)
    running = WebPod(host, obj, place="pod-u1", node="i-1")
    image = running.image(running.containers[0])
    assert image
    return asyncio.run(running.launch(running.containers[0], image))


def test_a_pod_without_volumes_is_started_in_its_namespace_too(tmp_path: Path) -> None:
    process = launched(tmp_path, pod("nginx"), {})
    assert process.argv == ["nsenter", "--net=/run/netns/pod-u1", "--", "/bin/web", "80"]
    assert process.env
    assert process.env["POD_NAME"] == "web-0"
    assert process.env["NODE_NAME"] == "node-a"
    assert process.cwd
    assert process.cwd.is_dir()


def test_a_users_program_gets_its_containers_arguments_and_variables(tmp_path: Path) -> None:
    obj = pod("me/echo:1")
    obj["spec"]["containers"][0] |= {"args": ["hello $(COLOR)"], "env": [{"name": "COLOR", "value": "blue"}]}
    process = launched(tmp_path, obj, {"image:echo": "/bin/echo-server"})
    assert process.argv == ["nsenter", "--net=/run/netns/pod-u1", "--", "/bin/echo-server", "hello blue"]
    assert process.env
    assert process.env["COLOR"] == "blue"


def test_a_users_program_finds_its_containers_volumes(tmp_path: Path) -> None:
    obj = pod("me/echo:1")
    obj["spec"]["containers"][0] |= {
        "args": ["--key=$(CERTIFICATES)/tls.key"],
        "env": [{"name": "CERTIFICATES", "value": "/etc/certificates"}],
        "volumeMounts": [{"name": "certificates", "mountPath": "/etc/certificates"}],
    }
    process = launched(tmp_path, obj, {"image:echo": "/bin/echo-server"})
    assert process.env
    assert process.cwd
    folder = process.cwd / "volumes" / "certificates"
    assert process.env["CERTIFICATES"] == str(folder)
    assert process.argv[-1] == f"--key={folder}/tls.key"
