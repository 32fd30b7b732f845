"""The real control plane: how etcd, kube-apiserver, kube-controller-manager and kube-scheduler start.

Nothing here runs anything: these are argument lists and configuration files as functions of a cluster's spec, keys and
sockets. All four are one binary; its first argument selects the part.
"""

import ssl
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from sandbox.cluster import kubeconfig
from sandbox.cluster.pki import Pki
from sandbox.cluster.spec import ClusterSpec

# Faster than a cloud's defaults (20 requests per second): here these parts cannot harm anybody else.
_CLIENT_RATE = ["--kube-api-qps=500", "--kube-api-burst=1000"]

# One core is enough: with two of them Go wakes a second thread for every timer, and an idle cluster uses a fifth more
# CPU time. https://pkg.go.dev/runtime#hdr-Environment_Variables
#
# Go collects garbage when the heap has grown by GOGC percent of the live data. Near the limit it collects more often:
# the heap stays small enough for a laptop. https://go.dev/doc/gc-guide
GO_SETTINGS = {
    name: {"GOMAXPROCS": "1", "GOGC": growth, "GOMEMLIMIT": limit}
    for name, growth, limit in (
        ("etcd", "100", "256MiB"),
        # Its start and an `up` make much garbage: with 200 it needs a third more CPU time for both
        # (docs/measured/performance.md). With 5,000 pods it holds 500 MiB; a limit below what it holds makes it collect
        # all the time.
        ("kube-apiserver", "400", "1GiB"),
        ("kube-controller-manager", "100", "192MiB"),
        ("kube-scheduler", "50", "128MiB"),
        ("kwok", "50", "128MiB"),
    )
}
"""For each part, the environment variables that Go reads."""


@dataclass(frozen=True)
class Sockets:
    """Where the parts of one cluster listen."""

    folder: Path
    """Private: access to the etcd socket is access to the whole cluster."""
    apiserver: int
    webhooks: int
    credentials: int
    """Of Pod Identity's agent."""

    @property
    def etcd(self) -> str:
        """Etcd's URL for kube-apiserver."""
        return f"unix://{self.folder}/{_ETCD_CLIENTS}"

    @property
    def egress(self) -> Path:
        """Where kube-apiserver asks for connections to Services and pods."""
        return self.folder / "egress.sock"

    @property
    def endpoint(self) -> str:
        """The cluster's endpoint."""
        return f"https://127.0.0.1:{self.apiserver}"

    def webhook(self, path: str) -> str:
        """The URL of one of the agent's webhooks."""
        return f"https://127.0.0.1:{self.webhooks}{path}"


def serving_names(spec: ClusterSpec) -> list[str]:
    """The names and addresses in kube-apiserver's certificate."""
    return [
        "127.0.0.1",
        "localhost",
        spec.api_service_address,
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ]


# etcd expects host:port in its URLs, for unix sockets too, and creates files with these names in its working directory,
# the socket folder. Relative, because its data must contain the same peer URL when it comes back.
_ETCD_CLIENTS = "clients:0"
_ETCD_PEERS = "peers:0"


def etcd(data: Path) -> list[str]:
    """Arguments of etcd: one member, on unix sockets in its working directory, its data in `data`."""
    return [
        "etcd",
        "--name=sandbox",
        f"--data-dir={data}",
        f"--listen-client-urls=unix://{_ETCD_CLIENTS}",
        f"--advertise-client-urls=unix://{_ETCD_CLIENTS}",
        f"--listen-peer-urls=unix://{_ETCD_PEERS}",
        f"--initial-advertise-peer-urls=unix://{_ETCD_PEERS}",
        f"--initial-cluster=sandbox=unix://{_ETCD_PEERS}",
        # A power cut may lose a sandbox's last writes; a kill does not, because the kernel has them.
        "--unsafe-no-fsync",
        "--log-level=warn",
        "--quota-backend-bytes=1073741824",
        # A single member becomes leader as soon as its election times out: one to five heartbeats after it started.
        # Five is the least that etcd accepts; shorter heartbeats are timers that an idle cluster pays for.
        "--heartbeat-interval=50",
        "--election-timeout=250",
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=10m",
    ]


def egress_configuration(sockets: Sockets) -> dict[str, Any]:
    """How kube-apiserver, which has no route into the cluster, reaches Services and pods: through our proxy."""
    transport = {"uds": {"udsName": str(sockets.egress)}}
    return {
        "apiVersion": "apiserver.k8s.io/v1beta1",
        "kind": "EgressSelectorConfiguration",
        "egressSelections": [
            {"name": "cluster", "connection": {"proxyProtocol": "HTTPConnect", "transport": transport}}
        ],
    }


def token_webhook_configuration(sockets: Sockets, pki: Pki) -> dict[str, Any]:
    """Where kube-apiserver asks who sent an `aws eks get-token` token."""
    user = kubeconfig.client_files(pki, "apiserver-client")
    return kubeconfig.kubeconfig("authenticator", sockets.webhook("/authenticate"), pki.ca_data(), user)


def apiserver(spec: ClusterSpec, pki: Pki, sockets: Sockets, egress: Path, token_webhook: Path) -> list[str]:
    """Arguments of kube-apiserver.

    Args:
        spec: the cluster.
        pki: its keys.
        sockets: where it and etcd listen.
        egress: the file of `egress_configuration`.
        token_webhook: the file of `token_webhook_configuration`.
    """
    return [
        "kube-apiserver",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={sockets.apiserver}",
        # The `kubernetes` Service must not have loopback endpoints, and no pod here needs that Service.
        "--endpoint-reconciler-type=none",
        f"--etcd-servers={sockets.etcd}",
        f"--service-cluster-ip-range={spec.service_cidr}",
        f"--tls-cert-file={pki.cert('apiserver')}",
        f"--tls-private-key-file={pki.key('apiserver')}",
        f"--client-ca-file={pki.ca}",
        "--authorization-mode=Node,RBAC",
        f"--authentication-token-webhook-config-file={token_webhook}",
        "--authentication-token-webhook-version=v1",
        # Short, so that a removed access entry stops working soon.
        "--authentication-token-webhook-cache-ttl=5s",
        f"--service-account-issuer={spec.issuer}",
        f"--service-account-signing-key-file={pki.service_account_key}",
        f"--service-account-key-file={pki.service_account_public_key}",
        f"--service-account-jwks-uri={spec.issuer}/keys",
        # EKS's own audience, and the issuer's.
        f"--api-audiences={spec.issuer},https://kubernetes.default.svc",
        f"--requestheader-client-ca-file={pki.ca}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki.cert('front-proxy')}",
        f"--proxy-client-key-file={pki.key('front-proxy')}",
        # No CA for kubelets: the process that answers for the nodes has no certificate with their names.
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-client-certificate={pki.cert('apiserver-client')}",
        f"--kubelet-client-key={pki.key('apiserver-client')}",
        f"--egress-selector-config-file={egress}",
        "--allow-privileged=true",
        "--enable-priority-and-fairness=false",
        "--max-requests-inflight=1000",
        "--max-mutating-requests-inflight=500",
        "--profiling=false",
        "--event-ttl=1h",
        "--shutdown-watch-termination-grace-period=0s",
    ]


def controller_manager(spec: ClusterSpec, pki: Pki, config: Path) -> list[str]:
    """Arguments of kube-controller-manager; `config` is its kubeconfig."""
    return [
        "kube-controller-manager",
        f"--kubeconfig={config}",
        f"--cluster-name={spec.name}",
        f"--root-ca-file={pki.ca}",
        f"--service-account-private-key-file={pki.service_account_key}",
        f"--service-cluster-ip-range={spec.service_cidr}",
        "--use-service-account-credentials",
        "--secure-port=0",
        "--leader-elect=false",
        "--profiling=false",
        "--concurrent-replicaset-syncs=10",
        *_CLIENT_RATE,
    ]


def scheduler(config: Path) -> list[str]:
    """Arguments of kube-scheduler; `config` is its kubeconfig."""
    return [
        "kube-scheduler",
        f"--kubeconfig={config}",
        "--secure-port=0",
        "--leader-elect=false",
        "--profiling=false",
        *_CLIENT_RATE,
    ]


def apiserver_ready(sockets: Sockets, pki: Pki) -> bool:
    """Whether kube-apiserver reports that it is ready; a refused connection is an exception."""
    return _answers(f"{sockets.endpoint}/readyz", ssl.create_default_context(cafile=str(pki.ca)))


def etcd_reached(sockets: Sockets, pki: Pki) -> bool:
    """Whether kube-apiserver can read from etcd. Its /readyz remembers the last answer for a while."""
    context = ssl.create_default_context(cafile=str(pki.ca))
    context.load_cert_chain(pki.cert("admin"), pki.key("admin"))
    try:
        return _answers(f"{sockets.endpoint}/api/v1/namespaces/default", context)
    except (OSError, HTTPException):
        return False


def _answers(url: str, context: ssl.SSLContext) -> bool:
    with urllib.request.urlopen(url, context=context, timeout=2) as answer:  # noqa: S310 - our own https
        return answer.status == 200  # noqa: PLR2004 - HTTP's OK
