"""Who may write access logs into a bucket. Functions of plain values."""

import json
from typing import Any, Final

from eks_load_balancing.partitions import partition_of

# Of the regions that are older than ALB's service principal; in those the account still may write.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
_ACCOUNT_OF_ELB: Final = {
    "us-east-1": "127311923021",
    "us-east-2": "033677994240",
    "us-west-1": "027434742980",
    "us-west-2": "797873946194",
    "af-south-1": "098369216593",
    "ap-east-1": "754344448648",
    "ap-south-1": "718504428378",
    "ap-northeast-1": "582318560864",
    "ap-northeast-2": "600734575887",
    "ap-northeast-3": "383597477331",
    "ap-southeast-1": "114774131450",
    "ap-southeast-2": "783225319266",
    "ap-southeast-3": "589379963580",
    "ca-central-1": "985666609251",
    "cn-north-1": "638102146993",
    "cn-northwest-1": "037604701340",
    "eu-central-1": "054676820928",
    "eu-north-1": "897822967062",
    "eu-south-1": "635631232127",
    "eu-west-1": "156460612806",
    "eu-west-2": "652711504416",
    "eu-west-3": "009996457667",
    "me-south-1": "076674570225",
    "sa-east-1": "507241528517",
    "us-gov-east-1": "190560391635",
    "us-gov-west-1": "048591011584",
}


def access_logs_policy(bucket_arn: str, region: str, account: str) -> str:
    """Return the policy of a bucket that load balancers of one account in one region write access logs to.

    ALBs write as Elastic Load Balancing, NLBs as the delivery service of CloudWatch Logs, which first asks whose the
    bucket is. Nothing is read or written without TLS.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/enable-access-logs.html

    Args:
        bucket_arn: the bucket's.
        region: the load balancers'.
        account: the load balancers'.
    """
    partition, logs = partition_of(region), f"{bucket_arn}/*AWSLogs/{account}/*"
    delivery = {"Service": "delivery.logs.amazonaws.com"}
    of_account = {
        "StringEquals": {"aws:SourceAccount": account},
        "ArnLike": {"aws:SourceArn": f"arn:{partition}:logs:{region}:{account}:*"},
    }
    writers: dict[str, Any] = {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    if region in _ACCOUNT_OF_ELB:
        writers["AWS"] = f"arn:{partition}:iam::{_ACCOUNT_OF_ELB[region]}:root"
    statements: list[dict[str, Any]] = [
        {"Effect": "Allow", "Principal": writers, "Action": "s3:PutObject", "Resource": logs},
        {
            "Effect": "Allow",
            "Principal": delivery,
            "Action": "s3:PutObject",
            "Resource": logs,
            "Condition": of_account,
        },
        {
            "Effect": "Allow",
            "Principal": delivery,
            "Action": "s3:GetBucketAcl",
            "Resource": bucket_arn,
            "Condition": of_account,
        },
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
