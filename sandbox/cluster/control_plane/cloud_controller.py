"""AWS's cloud controller manager: the way to a load balancer that is there without the AWS Load Balancer Controller.

EKS runs it in every control plane. It gives a Service of type LoadBalancer that has no class a Classic ELB onto node
ports. Here it is the real one (k8s.io/cloud-provider-aws), and runs where packets do: with `--traffic`. AWS knows it by
the cluster's role, as it does on EKS. https://cloud-provider-aws.sigs.k8s.io/service_controller/
"""

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.cluster.api import Object
from sandbox.cluster.spec import ClusterSpec

NAME = "cloud-controller-manager"
USER = "eks:cloud-controller-manager"
# By the names that AWS's SDK for Go gives them.
_CALLED = ("EC2", "Elastic Load Balancing", "Elastic Load Balancing v2")
# What it would take from the sandbox's own environment in place of the role's session.
_FOREIGN = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")


@dataclass(frozen=True)
class Place:
    """Where the cluster's load balancers go by default: one of its subnets."""

    subnet_id: str
    zone: str


def configuration(spec: ClusterSpec, place: Place) -> str:
    """The cloud's configuration file, whose section names and keys are the manager's own.

    https://github.com/kubernetes/cloud-provider-aws/blob/v1.36.2/pkg/providers/v1/config/config.go
    """
    wanted = {"Zone": place.zone, "VPC": spec.vpc_id, "SubnetID": place.subnet_id, "KubernetesClusterID": spec.name}
    parts = ["[Global]", *(f"{key} = {value}" for key, value in wanted.items())]
    for number, service in enumerate(_CALLED, 1):
        override = {"Service": service, "Region": spec.region, "URL": spec.aws_endpoint, "SigningRegion": spec.region}
        parts += [f'[ServiceOverride "{number}"]', *(f"{key} = {value}" for key, value in override.items())]
    return "\n".join(parts) + "\n"


def arguments(spec: ClusterSpec, kubeconfig: Path, config: Path) -> list[str]:
    """The manager's arguments: its service controller alone. Nodes and their routes are the agent's here."""
    return [
        "--cloud-provider=aws",
        f"--cloud-config={config}",
        f"--cluster-name={spec.name}",
        f"--kubeconfig={kubeconfig}",
        "--controllers=service",
        "--configure-cloud-routes=false",
        "--leader-elect=false",
        "--secure-port=0",
        "--concurrent-service-syncs=5",
    ]


def aws_profile(state_dir: Path, cluster: str, region: str) -> str:
    """A configuration of the AWS SDKs whose credentials are a session of the cluster's role, renewed when it ends.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
    """
    command = [
        sys.executable,
        "-m",
        "sandbox.cluster.control_plane.cluster_role",
        "--state-dir",
        str(state_dir),
        "--name",
        cluster,
    ]
    return f"[default]\nregion = {region}\ncredential_process = {shlex.join(command)}\n"


def environment(own: Mapping[str, str], profile: Path) -> dict[str, str]:
    """The manager's environment: ours, without keys of ours."""
    kept = {key: value for key, value in own.items() if key not in _FOREIGN}
    return {
        **kept,
        "AWS_CONFIG_FILE": str(profile),
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "GOMEMLIMIT": "128MiB",
    }


def process_credentials(session: Mapping[str, Any]) -> str:
    """A session as a `credential_process` prints it."""
    return json.dumps(
        {
            "Version": 1,
            "AccessKeyId": session["AccessKeyId"],
            "SecretAccessKey": session["SecretAccessKey"],
            "SessionToken": session["SessionToken"],
            "Expiration": session["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    )


def rights() -> list[Object]:
    """What it may do in the cluster, as EKS gives it to its own: a ClusterRole and its binding."""
    kind = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": USER}}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": USER}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USER}
    return [
        {
            **kind,
            "kind": "ClusterRole",
            "rules": [
                {"apiGroups": [""], "resources": ["nodes", "services"], "verbs": ["get", "list", "watch"]},
                {"apiGroups": [""], "resources": ["services", "services/status"], "verbs": ["patch", "update"]},
                {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch", "update"]},
                {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"]},
            ],
        },
        {**kind, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": [subject]},
    ]
