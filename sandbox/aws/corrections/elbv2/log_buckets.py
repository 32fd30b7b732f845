"""Whether load balancers may write their logs into a bucket, which AWS tries when an attribute names it.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/enable-access-logs.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from moto.s3.models import s3_backends

from sandbox.iam.language.evaluate import Principal
from sandbox.iam.language.trust import let_in

_ACCOUNTS = {
    "us-east-1": "127311923021", "us-east-2": "033677994240", "us-west-1": "027434742980",
    "us-west-2": "797873946194", "af-south-1": "098369216593", "ap-east-1": "754344448648",
    "ap-south-1": "718504428378", "ap-northeast-1": "582318560864", "ap-northeast-2": "600734575887",
    "ap-northeast-3": "383597477331", "ap-southeast-1": "114774131450", "ap-southeast-2": "783225319266",
    "ap-southeast-3": "589379963580", "ca-central-1": "985666609251", "cn-north-1": "638102146993",
    "cn-northwest-1": "037604701340", "eu-central-1": "054676820928", "eu-north-1": "897822967062",
    "eu-south-1": "635631232127", "eu-west-1": "156460612806", "eu-west-2": "652711504416",
    "eu-west-3": "009996457667", "me-south-1": "076674570225", "sa-east-1": "507241528517",
    "us-gov-east-1": "190560391635", "us-gov-west-1": "048591011584",
}  # fmt: skip
"""The accounts as which Application Load Balancers write in older regions.

The components have the same table, but the sandbox must not import them.
"""
_SERVICES = {"application": "logdelivery.elasticloadbalancing.amazonaws.com", "network": "delivery.logs.amazonaws.com"}
_KINDS = ("access", "connection", "health_check")


def problems(balancer: Any, attributes: Mapping[str, str], changed: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with a load balancer's logs.

    Args:
        balancer: the load balancer.
        attributes: all of its attributes after the change.
        changed: those that the request sets.
    """
    for kind in _KINDS:
        keys = f"{kind}_logs.s3."
        bucket = attributes.get(f"{keys}bucket", "")
        if attributes.get(f"{keys}enabled") == "true" and not bucket:
            yield f"The key '{keys}bucket' must set in order to enable {kind} logs"
        elif bucket and any(key.startswith(keys) for key in changed):
            prefix = attributes.get(f"{keys}prefix", "")
            if not _may_write(balancer, bucket, f"{prefix}/AWSLogs".lstrip("/")):
                yield f"Access Denied for bucket: {bucket}. Please check S3bucket permission"


def _may_write(balancer: Any, bucket: str, place: str) -> bool:
    """Whether the bucket is in the load balancer's region, and its policy lets the load balancer write."""
    _, partition, _, region, account, _ = balancer.arn.split(":", 5)
    held: Any = s3_backends[account][partition].buckets.get(bucket)
    if held is None or held.region_name != region or not held.policy:
        return False
    document = held.policy if isinstance(held.policy, str) else held.policy.decode()
    source = f"arn:{partition}:logs:{region}:{account}:load-balancer"
    keys = {
        "aws:SecureTransport": "true",
        "aws:SourceAccount": account,
        "aws:SourceArn": source if balancer.type == "network" else balancer.arn,
        "s3:x-amz-acl": "bucket-owner-full-control",
    }
    writers = [Principal("service", _SERVICES[balancer.type])]
    if balancer.type == "application" and region in _ACCOUNTS:
        writers.append(Principal("root", f"arn:{partition}:iam::{_ACCOUNTS[region]}:root", _ACCOUNTS[region]))
    target = f"arn:{partition}:s3:::{bucket}/{place}/{account}/ELBAccessLogTestFile"
    return any(let_in(document, target, writer, "s3:PutObject", keys) for writer in writers)
