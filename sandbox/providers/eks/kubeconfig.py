"""The kubeconfig of a cluster as pulumi-eks writes it: credentials come from the AWS CLI."""

from collections.abc import Mapping
from typing import Any

API_VERSION = "client.authentication.k8s.io/v1beta1"


def kubeconfig(
    arn: str, endpoint: str, certificate_authority: str, options: Mapping[str, str | None]
) -> dict[str, Any]:
    """A kubeconfig with one cluster, one user, one context.

    Args:
        arn: The cluster's, which has its region and name.
        endpoint: Of the API server.
        certificate_authority: As PEM in base64.
        options: `roleArn` to assume, `profileName` of the AWS CLI.
    """
    region, name = arn.split(":")[3], arn.rpartition("/")[2]
    words = ["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"]
    if options.get("roleArn"):
        words += ["--role", str(options["roleArn"])]
    if options.get("profileName"):
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
