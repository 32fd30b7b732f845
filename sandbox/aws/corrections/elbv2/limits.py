"""The quotas of Elastic Load Balancing, with the defaults of a new account.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-limits.html
"""

from collections import Counter

from moto.core.responses import ActionResult
from moto.elbv2.exceptions import DuplicateTagKeysError, TooManyTagsError
from moto.elbv2.responses import ELBV2Response

from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal

QUOTAS = {
    "application-load-balancers": 50,
    "condition-values-per-alb-rule": 5,
    "condition-wildcards-per-alb-rule": 6,
    "gateway-load-balancers": 100,
    "gateway-load-balancers-per-vpc": 10,
    "geneve-target-groups": 100,
    "listeners-per-application-load-balancer": 50,
    "listeners-per-network-load-balancer": 50,
    "network-load-balancers": 50,
    "rules-per-application-load-balancer": 100,
    "target-groups": 3000,
    "target-groups-per-action-on-application-load-balancer": 5,
    "target-groups-per-action-on-network-load-balancer": 5,
    "target-groups-per-application-load-balancer": 100,
    "targets-per-application-load-balancer": 1000,
    "targets-per-availability-zone-per-gateway-load-balancer": 300,
    "targets-per-availability-zone-per-network-load-balancer": 500,
    "targets-per-network-load-balancer": 3000,
}
"""The answer of DescribeAccountLimits."""
CERTIFICATES = 25
"""Certificates of a load balancer, not counting the default ones."""
SECURITY_GROUPS = 5
"""Security groups of a load balancer."""
TARGETS = 1000
"""Targets of a target group of instances or addresses."""
TRUST_STORES, CA_CERTIFICATES, REVOCATION_LISTS = 20, 25, 30
"""Trust stores of an account; certificate authorities and revocation lists of a trust store."""
TAGS = 50
"""Tags of a resource."""


def install() -> None:
    """Install the corrections."""
    replace(ELBV2Response, "describe_account_limits", describe_account_limits)


def describe_account_limits(_self: ELBV2Response) -> ActionResult:
    """DescribeAccountLimits; moto's answer is from 2018, and incomplete."""
    return ActionResult({"Limits": [{"Name": name, "Max": str(count)} for name, count in QUOTAS.items()]})


def check_room(code: str, what: str, count: int, quota: str | int) -> None:
    """Raise unless `count` things fit into a quota.

    Args:
        code: AWS's error, `TooManyRules`.
        what: the things that are counted, `rules on listener 'ARN'`.
        count: the number after the change.
        quota: the quota, or its name in `QUOTAS`.
    """
    most = QUOTAS[quota] if isinstance(quota, str) else quota
    if count > most:
        raise Refusal(code, f"The maximum number of {what} has been reached: {most}")


def check_tags(tags: list[dict[str, str]] | None, *held: str) -> None:
    """Raise unless `tags` can be added to a resource that has the keys `held`."""
    counts = Counter(tag["Key"] for tag in tags or [])
    for key, count in counts.items():
        if count > 1:
            raise DuplicateTagKeysError(key)
        if key.lower().startswith("aws:"):
            raise Refusal("ValidationError", "aws: prefixed tag key names are not allowed for external use.")
    if len(counts.keys() | set(held)) > TAGS:
        raise TooManyTagsError
