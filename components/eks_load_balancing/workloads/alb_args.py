"""The arguments of an `ApplicationLoadBalancedIngress`."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from pulumi import Input

from eks_load_balancing.workloads.alb_actions import (
    CognitoLoginArgs,
    MutualTlsArgs,
    OidcLoginArgs,
    WeightedServiceArgs,
)


class PathArgs(TypedDict):
    """A path of an Ingress."""

    path: str
    """The path, such as `/orders`."""
    path_type: NotRequired[str]
    """`Prefix` (the default), `Exact` or `ImplementationSpecific`."""
    host: NotRequired[Input[str]]
    """The host that requests must ask for. Default: the component's `host`."""
    service_name: NotRequired[Input[str]]
    """The Service behind it, in the same namespace. Default: the component's."""
    service_port: NotRequired[int]
    """That Service's port. Default 80."""


class ApplicationLoadBalancedIngressArgs(TypedDict):
    """What an `ApplicationLoadBalancedIngress` takes."""

    cluster_name: Input[str]
    """The cluster's name, which the controller tags the load balancer with."""
    namespace: Input[str]
    """The namespace; label it `elbv2.k8s.aws/pod-readiness-gate-inject: enabled` for rollouts that lose no request."""
    image: NotRequired[Input[str]]
    """The container's image; it must run as a user other than root, on a read-only root with a writable `/tmp`.
    Default: a small web server."""
    container_port: NotRequired[int]
    """The port that the container listens on. Default 8080."""
    replicas: NotRequired[Input[int]]
    """Pods. Default 2."""
    environment: NotRequired[Mapping[str, Input[str]]]
    """The container's environment variables. Default none."""
    resources: NotRequired[Mapping[str, Mapping[str, str]]]
    """The container's `requests` and `limits`. Default: 50m of CPU and 64Mi of memory, at most 128Mi."""
    user_id: NotRequired[int]
    """The user that the container runs as, other than root (0). Default 101."""
    selector: NotRequired[Mapping[str, Input[str]]]
    """Labels of pods that are there already, such as those of a Deployment of yours: then none are made here."""
    service_name: NotRequired[Input[str]]
    """A Service that is there already: then neither pods nor a Service are made here."""
    service_port: NotRequired[int]
    """The port of that Service. Default 80."""
    paths: NotRequired[Sequence[PathArgs]]
    """Several paths, or hosts, or Services. Default: every path."""
    weighted_services: NotRequired[Sequence[WeightedServiceArgs]]
    """Services that are there already and share the requests out by weight, in the place of `service_name`."""
    ingress_class: NotRequired[str]
    """The IngressClass. Default `alb`: an ALB of its own. With a class whose IngressClassParams name a group, all
    Ingresses of the class share one."""
    scheme: NotRequired[str]
    """`internal` (the default) or `internet-facing`."""
    host: NotRequired[Input[str]]
    """The host that requests must ask for. Default: any."""
    inbound_cidrs: NotRequired[Input[Sequence[Input[str]]]]
    """IPv4 ranges that may connect. Default: any."""
    certificate_arn: NotRequired[Input[str]]
    """An ACM certificate: the ALB listens on 443, and redirects 80 there."""
    certificate_arns: NotRequired[Input[Sequence[Input[str]]]]
    """More ACM certificates, chosen by the host that a client asks for (SNI)."""
    tls_policy: NotRequired[str]
    """The security policy of the listener on 443. Default `ELBSecurityPolicy-TLS13-1-2-2021-06`."""
    mutual_tls: NotRequired[MutualTlsArgs]
    """How clients show a certificate, where the ALB has one. Default: they need none."""
    oidc_login: NotRequired[OidcLoginArgs]
    """How users log in with an OpenID Connect provider, where the ALB has a certificate. Default: they need not."""
    cognito_login: NotRequired[CognitoLoginArgs]
    """How users log in with Amazon Cognito, where the ALB has a certificate. Default: they need not."""
    web_acl_arn: NotRequired[Input[str]]
    """A WAF (v2) web ACL to put before the ALB. Default none."""
    health_check_path: NotRequired[str]
    """The path that kubelet and the ALB ask for. Default `/`."""
    deregistration_delay: NotRequired[int]
    """Seconds that requests have to end after a pod is taken out. Default 30."""
    deletion_protection: NotRequired[bool]
    """Whether AWS refuses to delete the ALB. Default no."""
    access_logs_bucket: NotRequired[Input[str]]
    """An S3 bucket for access logs. Default none."""
    ip_address_type: NotRequired[str]
    """`ipv4`, `dualstack` or `dualstack-without-public-ipv4`. Default `ipv4`."""
    subnet_ids: NotRequired[Input[Sequence[Input[str]]]]
    """The load balancer's subnets, one a zone. Default: those of the VPC with the tag for the scheme."""
    security_group_ids: NotRequired[Input[Sequence[Input[str]]]]
    """Security groups of yours for the load balancer, in the place of one that the controller makes: `inbound_cidrs`
    are without effect then, and refused."""
    load_balancer_attributes: NotRequired[Mapping[str, Input[str]]]
    """More attributes of the load balancer, by Elastic Load Balancing's names, such as
    `idle_timeout.timeout_seconds`."""
    target_group_attributes: NotRequired[Mapping[str, Input[str]]]
    """More attributes of its target groups, by Elastic Load Balancing's names, such as
    `stickiness.enabled`."""
    annotations: NotRequired[Mapping[str, Input[str]]]
    """Any other annotation for the controller, by its whole name, over those of this component."""
