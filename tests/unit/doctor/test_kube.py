"""Calls to Kubernetes: only GET, page by page, and a refusal is no crash."""

import base64
import copy
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from kubernetes import client

from eks_load_balancing.doctor.facts import CannotLookError, NotSeenError, Unseen
from eks_load_balancing.doctor.reading import kube
from eks_load_balancing.doctor.reading.permissions import RULES
from tests.unit.doctor.certificates import certificates
from tests.unit.doctor.healthy import healthy
from tests.unit.doctor.plant import annotate

Answers = Callable[[str, dict[str, str]], tuple[int, Any]]


class Server:
    """An API server of our own: what was asked, and what it answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None]] = []
        self.answer: Answers = lambda _path, _query: (404, {})


@pytest.fixture
def server() -> Iterator[tuple[Server, kube.Api]]:
    """A server on the loopback, and an `Api` that asks it with a token."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            state.asked.append((self.command, url.path, self.headers["authorization"]))
            status, body = state.answer(url.path, dict(parse_qsl(url.query)))
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - quiet
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        settings = client.Configuration()
        settings.host = f"http://127.0.0.1:{listening.server_port}"
        settings.api_key = {"authorization": "Bearer t"}
        yield state, kube.Api(settings)
        listening.shutdown()


def test_all_pages_of_a_list_are_read_and_each_object_has_its_kind(server: tuple[Server, kube.Api]) -> None:
    state, api = server
    pages = {"": {"items": [{"a": 1}], "metadata": {"continue": "n"}}, "n": {"items": [{"a": 2}], "metadata": {}}}
    state.answer = lambda _, query: (200, pages[query.get("continue", "")])
    assert api.every("Pod", "/api/v1/pods") == ({"a": 1, "kind": "Pod"}, {"a": 2, "kind": "Pod"})
    assert state.asked == [("GET", "/api/v1/pods", "Bearer t")] * 2


def test_a_kind_that_the_cluster_does_not_know_has_no_objects(server: tuple[Server, kube.Api]) -> None:
    assert server[1].every("Gateway", "/apis/gateway.networking.k8s.io/v1/gateways") == ()


def test_a_refusal_says_what_was_asked_and_answered(server: tuple[Server, kube.Api]) -> None:
    state, api = server
    state.answer = lambda *_: (403, {"message": "secrets is forbidden"})
    with pytest.raises(NotSeenError, match="GET /api/v1/secrets: HTTP 403 secrets is forbidden"):
        api.get("/api/v1/secrets")


def test_a_cluster_that_knows_nobody_is_not_looked_at(server: tuple[Server, kube.Api]) -> None:
    state, api = server
    state.answer = lambda *_: (401, {"message": "Unauthorized"})
    with pytest.raises(CannotLookError, match="HTTP 401 Unauthorized; a private endpoint"):
        kube.greet(api)


def test_a_cluster_that_does_not_answer_is_not_looked_at() -> None:
    settings = client.Configuration()
    settings.host = "http://127.0.0.1:1"
    with pytest.raises(CannotLookError, match="the cluster's API cannot be used"):
        kube.greet(kube.Api(settings))


def test_what_is_forbidden_is_unseen_and_the_rest_is_read(server: tuple[Server, kube.Api]) -> None:
    state, api = server
    deployments = healthy()["deployments"]
    state.answer = lambda path, _: (
        (403, {}) if "secrets" in path else (200, {"items": deployments if path.endswith("deployments") else []})
    )
    found = kube.facts(api)
    assert found["services"] == found["bindings"] == ()
    assert found["serving_certificate"] == Unseen(
        "GET /api/v1/namespaces/kube-system/secrets/aws-load-balancer-tls", "HTTP 403"
    )


def test_of_the_secret_only_the_certificate_is_kept(server: tuple[Server, kube.Api]) -> None:
    state, api = server
    secret = {"data": {"tls.crt": base64.b64encode(b"certificate").decode(), "tls.key": "a2V5"}}
    deployments = healthy()["deployments"]
    state.answer = lambda path, _: (
        (200, secret) if "secrets" in path else (200, {"items": deployments} if path.endswith("deployments") else {})
    )
    found = kube.facts(api)
    assert found["serving_certificate"] == "certificate"
    assert "a2V5" not in str(found)


def test_every_path_is_allowed_by_the_cluster_role(server: tuple[Server, kube.Api]) -> None:
    state, api = server
    deployments = healthy()["deployments"]
    state.answer = lambda path, _: (200, {"items": deployments} if path.endswith("deployments") else {})
    kube.facts(api)
    allowed = {(group, resource) for rule in RULES for group in rule["apiGroups"] for resource in rule["resources"]}
    asked = {resource(path) for _, path, _ in state.asked}
    assert asked == allowed


def resource(path: str) -> tuple[str, str]:
    """Group and plural of a path."""
    parts = path.strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    return group, rest[2] if rest[0] == "namespaces" and len(rest) > 1 else rest[0]


def test_a_cluster_is_entered_as_describe_cluster_shows_it() -> None:
    authority, _ = certificates()
    cluster = {
        "endpoint": "https://x.eks.amazonaws.com",
        "certificateAuthority": {"data": base64.b64encode(authority.encode()).decode()},
    }
    settings = kube.by_token(cluster, "t")
    assert settings.host == "https://x.eks.amazonaws.com"
    assert settings.ca_cert_data == authority
    assert settings.auth_settings()["BearerToken"]["value"] == "Bearer t"


def test_a_kubeconfig_that_cannot_be_used_is_named_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(CannotLookError, match=r"cannot use the kubeconfig .*nowhere: .*give one with --kubeconfig"):
        kube.by_kubeconfig(str(tmp_path / "nowhere"), None)


def test_the_controller_is_known_by_its_label_or_by_its_image(server: tuple[Server, kube.Api]) -> None:
    state, api = server
    labelled, by_image, other = (copy.deepcopy(healthy()["deployments"][0]) for _ in range(3))
    labelled["metadata"]["labels"] = {"app.kubernetes.io/name": "aws-load-balancer-controller"}
    labelled["spec"]["template"]["spec"]["containers"][0]["image"] = "mirror/lbc:v3"
    by_image["spec"]["template"]["spec"]["containers"][0]["image"] = "r:5000/aws-load-balancer-controller@sha256:0"
    other["spec"]["template"]["spec"]["containers"][0]["image"] = "shop/web:1"
    for number, one in enumerate((labelled, by_image, other)):
        one["metadata"]["name"] = f"d{number}"
    state.answer = lambda path, _: (200, {"items": [labelled, by_image, other] if path.endswith("deployments") else []})
    found = kube.facts(api)
    assert [one["metadata"]["name"] for one in found["deployments"]] == ["d0", "d1"]
    assert len(found["workloads"]) == 3


def test_of_a_secret_for_logins_only_the_names_of_its_keys_are_kept(server: tuple[Server, kube.Api]) -> None:
    state, api = server
    ingress = healthy()["ingresses"][0]
    annotate(ingress, **{"auth-idp-oidc": '{"secretName": "login"}'})
    secret = {"data": {"clientID": "aWQ=", "clientSecret": "c2VjcmV0"}}
    state.answer = lambda path, _: (
        (200, secret)
        if path.endswith("/namespaces/alb/secrets/login")
        else (200, {"items": [ingress] if path.endswith("/ingresses") else []})
    )
    found = kube.facts(api)
    assert found["secret_keys"] == {("alb", "login"): frozenset({"clientID", "clientSecret"})}
    assert "c2VjcmV0" not in str(found)


_BY_ARGUMENTS = {"exec": {"args": ["eks", "get-token", "--cluster-name", "shop", "--region", "eu-central-1"]}}
_ARN = "arn:aws:eks:us-west-2:111122223333:cluster/shop"


@pytest.mark.parametrize(
    ("cluster", "user", "expected"),
    [("anything", _BY_ARGUMENTS, ("shop", "eu-central-1")), (_ARN, {"token": "t"}, ("shop", "us-west-2"))],
)
def test_a_kubeconfig_names_its_eks_cluster(
    tmp_path: Path, cluster: str, user: dict[str, Any], expected: tuple[str, str]
) -> None:
    file = kubeconfig(tmp_path, cluster, user)
    assert kube.named(str(file), None) == kube.named(str(file), "here") == expected


def test_a_kubeconfig_of_another_cluster_is_refused_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(CannotLookError, match=r"context 'here' of the kubeconfig .* names no EKS cluster: give"):
        kube.named(str(kubeconfig(tmp_path, "kind", {"token": "t"})), None)
    with pytest.raises(CannotLookError, match=r"the kubeconfig .*nowhere names no EKS cluster: give --cluster"):
        kube.named(str(tmp_path / "nowhere"), None)


def test_an_invalid_kubeconfig_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text("a: [")
    for use in (kube.named, kube.by_kubeconfig):
        with pytest.raises(
            CannotLookError, match=r"^cannot use the kubeconfig [^\n]*; give one with --kubeconfig"
        ) as told:
            use(str(file), None)
        assert "\n" not in str(told.value)


def kubeconfig(folder: Path, cluster: str, user: dict[str, Any]) -> Path:
    file = folder / "kubeconfig"
    named = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": cluster, "user": "me"}}],
        "clusters": [{"name": cluster, "cluster": {"server": "https://127.0.0.1"}}],
        "users": [{"name": "me", "user": user}],
    }
    file.write_text(json.dumps(named))
    return file
