"""The control plane of a `Cluster`: what pulumi-eks is given, and what is changed in what it declares.

https://github.com/pulumi/pulumi-eks/blob/master/nodejs/eks/cluster/cluster.ts
"""

from collections.abc import Mapping
from typing import Any, Final, cast

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
from pulumi import Input, Output

from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.outputs import applied

CLUSTER: Final = "aws:eks/cluster:Cluster"
OWN_PROPERTIES: Final = {
    "name": "cluster_name",
    "version": "version",
    "encryptionConfig": "secrets_key_arn",
    "upgradePolicy": "upgrade_policy",
    "deletionProtection": "deletion_protection",
}
"""Properties of the EKS cluster that have an argument of their own."""
_KEY_DELETION_DAYS: Final = 30
"""The longest that KMS waits: without its key a cluster's secrets cannot be read again."""


def authority_of(made: Output[aws.eks.Cluster]) -> Output[str]:
    """Return the certificate that a cluster's API server's is signed with, in base64."""
    authority: Output[Any] = made.apply(lambda cluster: cast(Output[Any], cluster.certificate_authority))
    return authority.apply(lambda known: str(known.data) if known else "")


def kubeconfig_options(
    profile: Input[str | None] | None, role_arn: Input[str | None] | None
) -> eks.KubeconfigOptionsArgs | None:
    """Return whose credentials pulumi-eks's own Kubernetes provider uses; of them the role is in its outputs."""
    if not profile and role_arn is None:
        return None
    return eks.KubeconfigOptionsArgs(profile_name=profile, role_arn=role_arn)


def log_group(
    name: str,
    cluster_name: Input[str],
    retention_days: int,
    tags: Input[Mapping[str, Input[str]]],
    parent: pulumi.Resource,
) -> aws.cloudwatch.LogGroup:
    """Declare the log group that EKS writes to, or take over the one that is left of an earlier cluster.

    EKS makes a group of this name, without a retention, if there is none: that happens before a cluster, and once more
    when EKS writes the last lines of a cluster after its group was deleted. A new group of the same name would be
    refused, so a group without a cluster is imported; the next `up` sets its retention and tags, for an import takes a
    resource as it is.
    https://github.com/terraform-aws-modules/terraform-aws-eks/issues/2763
    """
    asked = pulumi.InvokeOptions(parent=parent)
    group = applied("/aws/eks/{}/cluster".format, cluster_name)
    left_over = (  # a name that is not known yet is that of no earlier cluster
        isinstance(group, str)
        and group in aws.cloudwatch.get_log_groups(log_group_name_prefix=group, opts=asked).log_group_names
        and cluster_name not in aws.eks.get_clusters(opts=asked).names
    )
    return aws.cloudwatch.LogGroup(
        name,
        name=group,
        retention_in_days=retention_days,
        tags=tags,
        opts=pulumi.ResourceOptions(
            parent=parent,
            import_=group if left_over and isinstance(group, str) else None,
            ignore_changes=["retentionInDays", "tags", "tagsAll", "kmsKeyId", "logGroupClass"] if left_over else None,
        ),
    )


def secrets_key(
    name: str, cluster_name: Input[str], tags: Input[Mapping[str, Input[str]]], parent: pulumi.Resource
) -> Output[str]:
    """Declare a KMS key for a cluster's secrets."""
    return aws.kms.Key(
        name,
        description=applied("Secrets of the EKS cluster {}".format, cluster_name),
        enable_key_rotation=True,
        deletion_window_in_days=_KEY_DELETION_DAYS,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    ).arn


def refuse_another_key(made: Output[aws.eks.Cluster], wanted: Input[str]) -> None:
    """Fail the program if a cluster's secrets are encrypted with another key than the one that is wanted.

    EKS never changes it. The AWS provider plans an update for another key and makes no call for it
    (terraform-provider-aws, internal/service/eks/cluster.go: `key_arn` forces no new cluster, `resourceClusterUpdate`
    asks EKS for a key only if there was none). The engine deletes what a program does not declare any more once the
    program has ended well: one that fails does not lose the key that it made earlier, and the secrets with it.
    """
    # Nobody reads the output; the SDK waits for it all the same, and shows what is raised as one line.
    Output.all(made.apply(_key_of), wanted).apply(lambda keys: _refuse_another(keys[0], keys[1]))


def _key_of(cluster: aws.eks.Cluster) -> Output[str]:
    config: Output[Any] = cast(Output[Any], cluster.encryption_config)
    return config.apply(lambda found: found.provider.key_arn if found else "")


def _refuse_another(has: str, wanted: str) -> None:
    if has and has != wanted:
        raise InvalidInputError(
            f"the cluster's secrets are encrypted with {has}, which EKS cannot change to {wanted}: leave the secrets"
            " key as it was, or make another cluster"
        )


def without_bootstrap_admin(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """Switch off what pulumi-eks hard-codes: that whoever makes the cluster is its administrator for good."""
    if args.type_ != CLUSTER:
        return None
    props: dict[str, Any] = {**args.props}
    access = props.get("accessConfig") or {}
    props["accessConfig"] = {**access, "bootstrapClusterCreatorAdminPermissions": False}
    return pulumi.ResourceTransformResult(props, args.opts)


def with_its_first_key(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """Keep a cluster's secrets key out of every update: see `refuse_another_key`."""
    if args.type_ != CLUSTER:
        return None
    opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(ignore_changes=["encryptionConfig"]))
    return pulumi.ResourceTransformResult(args.props, opts)


def bounded_roles(boundary: Input[str] | None) -> pulumi.ResourceTransform:
    """Give the role that pulumi-eks makes for the control plane the permissions boundary of the others."""

    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if boundary is None or args.type_ != "aws:iam/role:Role":
            return None
        return pulumi.ResourceTransformResult({**args.props, "permissionsBoundary": boundary}, args.opts)

    return transform
