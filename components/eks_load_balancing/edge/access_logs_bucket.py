"""A bucket for the access logs of load balancers."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

from eks_load_balancing.arguments import checked
from eks_load_balancing.edge.access_logs_policy import access_logs_policy


class AccessLogsBucketArgs(TypedDict):
    """What an `AccessLogsBucket` takes."""

    region: Input[str]
    """The load balancers' region, which the bucket must be in too."""
    bucket_name: NotRequired[Input[str]]
    """The bucket's name. Default: one that begins with the component's."""
    force_destroy: NotRequired[bool]
    """Whether the bucket is deleted with the logs in it. Default no: it is not deleted then."""
    tags: NotRequired[Input[Mapping[str, Input[str]]]]
    """Tags for the bucket."""


class AccessLogsBucket(pulumi.ComponentResource):
    """A bucket that load balancers of this account and region may write access logs to, and nobody else.

    It is not public, S3 encrypts it with its own keys (load balancers write with no other), and nothing is read without
    TLS. Give `bucket_name` to `access_logs_bucket` of a load balancer: it waits until the policy is there.
    """

    bucket_name: Output[str]
    """The bucket's name."""
    arn: Output[str]
    """The bucket's ARN."""

    @checked
    def __init__(self, name: str, args: AccessLogsBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("eks-load-balancing:index:AccessLogsBucket", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        bucket = aws.s3.Bucket(
            f"{name}-bucket",
            bucket=args.get("bucket_name"),
            force_destroy=args.get("force_destroy", False),
            tags=args.get("tags"),
            opts=child,
        )
        closed = aws.s3.BucketPublicAccessBlock(
            f"{name}-access",
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        account = aws.get_caller_identity(opts=pulumi.InvokeOptions(parent=self)).account_id
        policy = aws.s3.BucketPolicy(
            f"{name}-policy",
            bucket=bucket.id,
            policy=Output.all(bucket.arn, args["region"], account).apply(lambda known: access_logs_policy(*known)),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[closed]),  # S3 takes one change of access at a time
        )
        self.arn = bucket.arn
        self.bucket_name = Output.all(bucket.id, policy.id).apply(lambda known: str(known[0]))
        self.register_outputs({"bucket_name": self.bucket_name, "arn": self.arn})
