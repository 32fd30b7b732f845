"""The annotations that the controller reads, by the version that introduced them.

The names are those of `pkg/annotations/constants.go` at each release's tag since 2.8.0, and the names that the
controller builds at run time (`*`): a Service, an action, a protocol or a port follows the dot. No release removed one.
https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/main/pkg/annotations/constants.go
"""

from fnmatch import fnmatchcase
from functools import cache
from typing import Final

INGRESS: Final = "alb.ingress.kubernetes.io/"
"""Prefix on Ingresses, and on the Services behind them."""
SERVICE: Final = "service.beta.kubernetes.io/"
"""Prefix on Services of type LoadBalancer."""

_ADDED: Final = {
    "2.8.0": (
        """
        actions.* auth-idp-cognito auth-idp-oidc auth-on-unauthenticated-request auth-scope auth-session-cookie
        auth-session-timeout auth-type backend-protocol backend-protocol-version certificate-arn conditions.*
        customer-owned-ipv4-pool group.name group.order healthcheck-interval-seconds healthcheck-path
        healthcheck-port healthcheck-protocol healthcheck-timeout-seconds healthy-threshold-count inbound-cidrs
        ip-address-type listen-ports load-balancer-attributes load-balancer-name manage-backend-security-group-rules
        mutual-authentication scheme security-group-prefix-lists security-groups shield-advanced-protection
        ssl-policy ssl-redirect subnets success-codes tags target-group-attributes target-node-labels target-type
        unhealthy-threshold-count waf-acl-id wafv2-acl-arn web-acl-id
        """,
        """
        aws-load-balancer-access-log-enabled aws-load-balancer-access-log-s3-bucket-name
        aws-load-balancer-access-log-s3-bucket-prefix aws-load-balancer-additional-resource-tags
        aws-load-balancer-alpn-policy aws-load-balancer-attributes aws-load-balancer-backend-protocol
        aws-load-balancer-cross-zone-load-balancing-enabled aws-load-balancer-eip-allocations
        aws-load-balancer-healthcheck-healthy-threshold aws-load-balancer-healthcheck-interval
        aws-load-balancer-healthcheck-path aws-load-balancer-healthcheck-port aws-load-balancer-healthcheck-protocol
        aws-load-balancer-healthcheck-success-codes aws-load-balancer-healthcheck-timeout
        aws-load-balancer-healthcheck-unhealthy-threshold aws-load-balancer-inbound-sg-rules-on-private-link-traffic
        aws-load-balancer-internal aws-load-balancer-ip-address-type aws-load-balancer-ipv6-addresses
        aws-load-balancer-manage-backend-security-group-rules aws-load-balancer-name
        aws-load-balancer-nlb-target-type aws-load-balancer-private-ipv4-addresses aws-load-balancer-proxy-protocol
        aws-load-balancer-scheme aws-load-balancer-security-group-prefix-lists aws-load-balancer-security-groups
        aws-load-balancer-ssl-cert aws-load-balancer-ssl-negotiation-policy aws-load-balancer-ssl-ports
        aws-load-balancer-subnets aws-load-balancer-target-group-attributes aws-load-balancer-target-node-labels
        aws-load-balancer-type load-balancer-source-ranges
        """,
    ),
    "2.9.0": (
        "listener-attributes.*",
        "aws-load-balancer-listener-attributes.*",
    ),
    "2.10.0": (
        "multi-cluster-target-group",
        """
        aws-load-balancer-enable-prefix-for-ipv6-source-nat aws-load-balancer-multi-cluster-target-group
        aws-load-balancer-source-nat-ipv6-prefixes
        """,
    ),
    "2.11.0": (
        "minimum-load-balancer-capacity",
        "aws-load-balancer-minimum-load-balancer-capacity",
    ),
    "2.12.0": (
        "ipam-ipv4-pool-id",
        "aws-load-balancer-enable-icmp-for-path-mtu-discovery",
    ),
    "2.13.0": (
        """
        enable-frontend-nlb frontend-nlb-healthcheck-healthy-threshold-count
        frontend-nlb-healthcheck-interval-seconds frontend-nlb-healthcheck-path frontend-nlb-healthcheck-port
        frontend-nlb-healthcheck-protocol frontend-nlb-healthcheck-success-codes
        frontend-nlb-healthcheck-timeout-seconds frontend-nlb-healthcheck-unhealthy-threshold-count
        frontend-nlb-listener-port-mapping frontend-nlb-scheme frontend-nlb-security-groups frontend-nlb-subnets
        """,
        "aws-load-balancer-enable-tcp-udp-listener aws-load-balancer-proxy-protocol-per-target-group",
    ),
    "2.14.0": (
        "frontend-nlb-eip-allocations frontend-nlb-tags wafv2-acl-name",
        "aws-load-balancer-disable-nlb-sg aws-load-balancer-target-group-attributes.*",
    ),
    "2.14.1": (
        "transforms.* use-regex-path-match",
        "",
    ),
    "2.15.0": (
        "jwt-validation",
        "aws-load-balancer-quic-enabled-containers aws-load-balancer-quic-enabled-ports",
    ),
    "2.16.0": (
        "target-control-port.*",
        "actions.*",
    ),
    "3.2.0": (
        "frontend-nlb-attributes",
        "",
    ),
    "3.3.0": (
        "acm-pca-arn create-acm-cert",
        "",
    ),
    "3.4.0": (
        "dry-run-plan",
        "",
    ),
}
"""Version -> what it added with the prefix `INGRESS`, and with `SERVICE`."""


def since(annotation: str) -> str | None:
    """Return the version that introduced an annotation (2.8.0 for older ones); `None` if no version knows it."""
    return next((version for pattern, version in _versions().items() if fnmatchcase(annotation, pattern)), None)


def names() -> list[str]:
    """Return all annotations, without those that are built at run time."""
    return [pattern for pattern in _versions() if not pattern.endswith("*")]


@cache
def _versions() -> dict[str, str]:
    return {
        prefix + name: version
        for version, added in _ADDED.items()
        for prefix, names in zip((INGRESS, SERVICE), added, strict=True)
        for name in names.split()
    }
