"""Pods that serve: which they are, on which ports, and what is started for one."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.cluster import images
from sandbox.network.web_pods import WebPod, is_ours, ports


def pod(image: str, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "web-0", "namespace": "samples", "uid": "u1"},
        "spec": {"nodeName": "node-a", "containers": [{"name": "web", "image": image}], **spec},
    }


@pytest.mark.parametrize("image", ["nginx", "public.ecr.aws/nginx/nginx-unprivileged:1.28-alpine", "httpd@sha256:1"])
def test_an_image_of_a_web_server_serves(image: str) -> None:
    assert is_ours(pod(image))


@pytest.mark.parametrize("image", ["registry.k8s.io/pause:3.10", "nginx-ingress-controller:1", "me/notnginx"])
def test_any_other_image_does_not(image: str) -> None:
    assert not is_ours(pod(image))


def test_a_pod_on_its_nodes_network_does_not() -> None:
    assert not is_ours(pod("nginx", hostNetwork=True))


def test_a_container_listens_on_its_tcp_ports_or_on_https_own() -> None:
    named = [{"containerPort": 8080}, {"containerPort": 53, "protocol": "UDP"}, {"containerPort": 9090}]
    assert ports({"ports": named}) == [8080, 9090]
    assert ports({}) == [80]


def test_kwok_leaves_pods_alone_that_serve_with_traffic_only() -> None:
    assert images.WEB in images.process_images(traffic=True)
    assert images.WEB not in images.process_images(traffic=False)


def test_a_pod_without_volumes_is_started_in_its_namespace_too(tmp_path: Path) -> None:
    host: Any = SimpleNamespace(api=None, pods=tmp_path / "pods", log_file=lambda part: tmp_path / f"{part}.log")
    running = WebPod(host, pod("nginx"), program=Path("/bin/web"), place="pod-u1", node="i-1")
    image = running.image(running.containers[0])
    assert image
    process = asyncio.run(running.launch(running.containers[0], image))
    assert process.argv == ["nsenter", "--net=/run/netns/pod-u1", "--", "/bin/web", "80"]
    assert process.env == {"POD_NAME": "web-0", "NODE_NAME": "node-a"}
    assert process.cwd
    assert process.cwd.is_dir()
