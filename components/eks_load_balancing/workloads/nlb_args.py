"""The arguments of a `NetworkLoadBalancedService`."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from pulumi import Input


class ListenerArgs(TypedDict):
    """A listener of an NLB."""

    port: int
    """The port that the NLB listens on."""
    container_port: NotRequired[int]
    """The pods' port. Default: the same."""
    protocol: NotRequired[str]
    """`TCP` (the default) or `UDP`. With a certificate listeners for TCP speak TLS."""
    name: NotRequired[str]
    """The port's name in the Service. Default: protocol and port, such as `tcp-80`."""


class NetworkLoadBalancedServiceArgs(TypedDict):
    """What a `NetworkLoadBalancedService` takes."""

    cluster_name: Input[str]
    """The cluster's name, which the controller tags the load balancer with."""
    namespace: Input[str]
    """The namespace; label it `elbv2.k8s.aws/pod-readiness-gate-inject: enabled` for rollouts that lose no request."""
    image: NotRequired[Input[str]]
    """The container's image; it must run as a user other than root, on a read-only root with a writable `/tmp`.
    Default: a small web server."""
    container_port: NotRequired[int]
    """The port that the container listens on. Default 8080."""
    port: NotRequired[int]
    """The port that the NLB listens on. Default 80, or 443 with a certificate."""
    ports: NotRequired[Sequence[ListenerArgs]]
    """Several listeners, or other protocols, in the place of `port` and `container_port`."""
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
    scheme: NotRequired[str]
    """`internal` (the default) or `internet-facing`."""
    inbound_cidrs: NotRequired[Input[Sequence[Input[str]]]]
    """IPv4 ranges that may connect. Default: any."""
    certificate_arn: NotRequired[Input[str]]
    """An ACM certificate: the listener becomes a TLS listener."""
    certificate_arns: NotRequired[Input[Sequence[Input[str]]]]
    """More ACM certificates, chosen by the host that a client asks for (SNI)."""
    tls_policy: NotRequired[str]
    """The security policy of TLS listeners. Default `ELBSecurityPolicy-TLS13-1-2-2021-06`."""
    eip_allocation_ids: NotRequired[Input[Sequence[Input[str]]]]
    """Elastic IP addresses of an internet-facing NLB, by their allocations, one a subnet. Default: AWS's addresses."""
    private_ipv4_addresses: NotRequired[Input[Sequence[Input[str]]]]
    """Fixed addresses of an internal NLB, one a subnet. Default: any of the subnet."""
    preserve_client_ip: NotRequired[bool]
    """Whether pods see the client's address. Default: as AWS has it, no for TCP and TLS, yes for UDP."""
    proxy_protocol: NotRequired[bool]
    """Whether the NLB tells pods the client's address by proxy protocol, version 2. Default no."""
    health_check_path: NotRequired[str]
    """The path that kubelet asks for, and the NLB too. Default: kubelet asks for `/`, the NLB opens a connection."""
    deregistration_delay: NotRequired[int]
    """Seconds that connections have to end after a pod is taken out. Default 30."""
    deletion_protection: NotRequired[bool]
    """Whether AWS refuses to delete the NLB. Default no."""
    access_logs_bucket: NotRequired[Input[str]]
    """An S3 bucket for access logs (of TLS listeners). Default none."""
    ip_address_type: NotRequired[str]
    """`ipv4` or `dualstack`. Default `ipv4`."""
    subnet_ids: NotRequired[Input[Sequence[Input[str]]]]
    """The load balancer's subnets, one a zone. Default: those of the VPC with the tag for the scheme."""
    security_group_ids: NotRequired[Input[Sequence[Input[str]]]]
    """Security groups of yours for the load balancer, in the place of one that the controller makes: `inbound_cidrs`
    are without effect then, and refused."""
    load_balancer_attributes: NotRequired[Mapping[str, Input[str]]]
    """More attributes of the load balancer, by Elastic Load Balancing's names, such as
    `dns_record.client_routing_policy`."""
    target_group_attributes: NotRequired[Mapping[str, Input[str]]]
    """More attributes of its target groups, by Elastic Load Balancing's names, such as
    `target_health_state.unhealthy.connection_termination.enabled`."""
    annotations: NotRequired[Mapping[str, Input[str]]]
    """Any other annotation for the controller, by its whole name, over those of this component."""
