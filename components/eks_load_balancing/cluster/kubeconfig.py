"""Kubeconfigs: how kubectl and Pulumi's Kubernetes provider get a token, and with whose credentials.

They ask the AWS CLI, which knows nothing of the AWS provider's profile or role: these must be in the kubeconfig.
"""

import json
from typing import Any, Final, NamedTuple

import pulumi
from pulumi import Input

_EXEC_API: Final = "client.authentication.k8s.io/v1beta1"
_ANY_AWS_RESOURCE: Final = "aws:eks/cluster:Cluster"


class Credentials(NamedTuple):
    """Whose credentials the AWS CLI uses for a token; None leaves it to the environment."""

    profile: Input[str | None] | None
    """The AWS CLI's profile."""
    role_arn: Input[str | None] | None
    """The role that it assumes."""


def credentials(
    component: pulumi.ComponentResource, profile: Input[str] | None, role_arn: Input[str] | None
) -> Credentials:
    """Return the credentials that a component's AWS provider works with, for its kubeconfig.

    What the caller gives comes first, then the profile of the component's explicit AWS provider, or without one the
    stack's configuration (`aws:profile`, `aws:assumeRoles`). The role that an explicit provider assumes cannot be read
    from it, and of several roles that are assumed one after the other a kubeconfig names one: the caller gives these.

    Args:
        component: the component that the kubeconfig belongs to.
        profile: the profile that the caller gives.
        role_arn: the role that the caller gives.
    """
    provider: Any = component.get_provider(_ANY_AWS_RESOURCE)
    if provider is None:
        config = pulumi.Config("aws")
        found = Credentials(config.get("profile"), _only_role(config.get("assumeRoles")))
    else:  # a plugin is given a provider without its settings: then the caller's word is all there is
        found = Credentials(getattr(provider, "profile", None), None)
    return Credentials(found.profile if profile is None else profile, found.role_arn if role_arn is None else role_arn)


def _only_role(roles: str | None) -> str | None:
    """Return the role of a provider that assumes one role, from its setting `assumeRoles` as JSON."""
    assumed: list[dict[str, str]] = json.loads(roles) if roles else []
    return assumed[0].get("roleArn") if len(assumed) == 1 else None


def with_profile(kubeconfig: str | None, profile: str | None) -> str:
    """Return a kubeconfig of pulumi-eks with a profile.

    pulumi-eks leaves the profile out of every kubeconfig that it hands to the program, on purpose
    (`genKubeconfig(false)` in nodejs/eks/cluster/cluster.ts); only its internal provider has one.

    Args:
        kubeconfig: as JSON; empty when the program runs for the destruction of a cluster that is gone.
        profile: of the AWS CLI; without one nothing changes.
    """
    if not profile or not kubeconfig:
        return kubeconfig or ""
    written = json.loads(kubeconfig)
    for user in written.get("users", ()):
        arguments: list[str] = user["user"]["exec"]["args"]
        if "--profile" not in arguments:
            arguments += ["--profile", profile]
    return json.dumps(written, separators=(",", ":"))


def kubeconfig(arn: str, endpoint: str, authority: str, profile: str | None = None, role_arn: str | None = None) -> str:
    """Return a kubeconfig that asks the AWS CLI for a token, as JSON.

    https://docs.aws.amazon.com/eks/latest/userguide/create-kubeconfig.html

    Args:
        arn: the cluster's, which has its region and name.
        endpoint: of the API server.
        authority: the certificate of the cluster's CA, PEM in base64.
        profile: of the AWS CLI.
        role_arn: the role to assume.
    """
    words = ["--region", arn.split(":")[3], "eks", "get-token", "--cluster-name", arn.rpartition("/")[2]]
    words += ["--output", "json"]
    words += ["--role-arn", role_arn] if role_arn else []
    words += ["--profile", profile] if profile else []
    run = {"apiVersion": _EXEC_API, "command": "aws", "args": words, "interactiveMode": "Never"}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": arn, "cluster": {"server": endpoint, "certificate-authority-data": authority}}],
            "users": [{"name": arn, "user": {"exec": run}}],
            "contexts": [{"name": arn, "context": {"cluster": arn, "user": arn}}],
            "current-context": arn,
        }
    )
