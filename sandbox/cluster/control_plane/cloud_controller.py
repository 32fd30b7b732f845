"""AWS's cloud controller manager: load balancers without the AWS Load Balancer Controller.

EKS runs it in every control plane. It gives a Service of type LoadBalancer without a class a Classic ELB with node
ports as targets. Here it is the real one (k8s.io/cloud-provider-aws), and runs only with `--traffic`. It uses the
cluster's role, as on EKS. https://cloud-provider-aws.sigs.k8s.io/service_controller/
"""

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.cluster.spec import ClusterSpec

NAME = "cloud-controller-manager"
USER = "eks:cloud-controller-manager"
# In the spelling of AWS's SDK for Go.
_CALLED = ("EC2", "Elastic Load Balancing", "Elastic Load Balancing v2")
# The SDK would use these variables from the sandbox's environment instead of the role's session.
_FOREIGN = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")


@dataclass(frozen=True)
class Place:
    """The default place of the cluster's load balancers: one of its subnets."""

    subnet_id: str
    zone: str


def configuration(spec: ClusterSpec, place: Place) -> str:
    """The cloud's configuration file, with the manager's section names and keys.

    https://github.com/kubernetes/cloud-provider-aws/blob/v1.36.2/pkg/providers/v1/config/config.go
    """
    wanted = {"Zone": place.zone, "VPC": spec.vpc_id, "SubnetID": place.subnet_id, "KubernetesClusterID": spec.name}
    parts = ["[Global]", *(f"{key} = {value}" for key, value in wanted.items())]
    for number, service in enumerate(_CALLED, 1):
        override = {"Service": service, "Region": spec.region, "URL": spec.aws_endpoint, "SigningRegion": spec.region}
        parts += [f'[ServiceOverride "{number}"]', *(f"{key} = {value}" for key, value in override.items())]
    return "\n".join(parts) + "\n"


def arguments(spec: ClusterSpec, kubeconfig: Path, config: Path) -> list[str]:
    """The manager's arguments: only its service controller. Here the agent manages nodes and their routes."""
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
    """The manager's environment: ours, without our keys."""
    kept = {key: value for key, value in own.items() if key not in _FOREIGN}
    return {
        **kept,
        "AWS_CONFIG_FILE": str(profile),
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "GOMEMLIMIT": "128MiB",
    }


def process_credentials(session: Mapping[str, Any]) -> str:
    """A session in the output format of a `credential_process`."""
    return json.dumps(
        {
            "Version": 1,
            "AccessKeyId": session["AccessKeyId"],
            "SecretAccessKey": session["SecretAccessKey"],
            "SessionToken": session["SessionToken"],
            "Expiration": session["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    )


def rights() -> list[dict[str, Any]]:
    """Its permissions in the cluster, the same as on EKS: a ClusterRole and its binding."""
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
