"""A cluster's kubeconfig as pulumi-eks writes it: credentials come from the AWS CLI."""

import os
from collections.abc import Mapping
from typing import Any

import pulumi

API_VERSION = "client.authentication.k8s.io/v1beta1"


def credentials(given: Any) -> Any:
    """`providerCredentialOpts`; without them the environment's profile, then the stack configuration's."""
    profile = os.environ.get("AWS_PROFILE") or pulumi.Config("aws").get("profile")
    return given or ({"profileName": profile} if profile else {})


def kubeconfig(
    arn: str,
    endpoint: str,
    certificate_authority: str,
    options: Mapping[str, str | None],
    *,
    with_profile: bool,
) -> dict[str, Any]:
    """A kubeconfig with one cluster, one user, one context.

    Args:
        arn: The cluster's, which contains its region and name.
        endpoint: Of the API server.
        certificate_authority: As PEM in base64.
        options: `roleArn` to assume, `profileName` of the AWS CLI.
        with_profile: Whether to write the profile: pulumi-eks does so for its own Kubernetes provider and for
            `getKubeconfig`, but never in the component's outputs (nodejs/eks/cluster/cluster.ts, `genKubeconfig`).
    """
    region, name = arn.split(":")[3], arn.rpartition("/")[2]
    words = ["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"]
    if options.get("roleArn"):
        words += ["--role", str(options["roleArn"])]
    if with_profile and options.get("profileName"):
        words += ["--profile", str(options["profileName"])]
    info = {"name": "KUBERNETES_EXEC_INFO", "value": f'{{"apiVersion": "{API_VERSION}"}}'}
    execute = {"apiVersion": API_VERSION, "command": "aws", "args": words, "env": [info]}
    return {
        "apiVersion": "v1",
        "clusters": [
            {
                "cluster": {"server": endpoint, "certificate-authority-data": certificate_authority},
                "name": "kubernetes",
            }
        ],
        "contexts": [{"context": {"cluster": "kubernetes", "user": "aws"}, "name": "aws"}],
        "current-context": "aws",
        "kind": "Config",
        "users": [{"name": "aws", "user": {"exec": execute}}],
    }


def rescoped(config: Mapping[str, Any], profile: str | None, role_arn: str | None) -> dict[str, Any]:
    """The kubeconfig of the same cluster with a profile, a role, both or neither."""
    cluster, words = config["clusters"][0]["cluster"], config["users"][0]["user"]["exec"]["args"]
    region, name = words[words.index("--region") + 1], words[words.index("--cluster-name") + 1]
    return kubeconfig(
        f"arn:aws:eks:{region}::cluster/{name}",
        cluster["server"],
        cluster["certificate-authority-data"],
        {"profileName": profile, "roleArn": role_arn},
        with_profile=True,
    )
