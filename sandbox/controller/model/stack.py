"""What should exist in AWS for one Service, one Gateway or one group of Ingresses: values, nothing else.

Requests to AWS are kept in AWS's own shape (`Json`) where they are only handed on; what a resource of the same stack
is called by AWS is not known before it exists, so a `Ref` stands in its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
BACKEND = "backend-sg"


class ModelError(ValueError):
    """Manifests from which no stack can be built; the message is what the user reads in an Event."""


@dataclass(frozen=True)
class Ref:
    """A resource of the same stack (or the cluster's shared backend security group), by resource id."""

    kind: Literal["target-group", "security-group"]
    id: str


@dataclass(frozen=True)
class StackId:
    """Whose stack: an Ingress, Service or Gateway (`namespace`, `name`), or an Ingress group (no namespace)."""

    prefix: Literal["ingress.k8s.aws", "service.k8s.aws", "gateway.k8s.aws.alb", "gateway.k8s.aws.nlb"]
    namespace: str
    name: str

    def __str__(self) -> str:
        """As the stack tag's value has it."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def tags(self, cluster: str) -> dict[str, str]:
        """Tags that every resource of the stack carries."""
        return {"elbv2.k8s.aws/cluster": cluster, f"{self.prefix}/stack": str(self)}

    @property
    def resource_key(self) -> str:
        """Key of the tag that holds a resource's id within the stack."""
        return f"{self.prefix}/resource"

    def labels(self) -> dict[str, str]:
        """Labels of the stack's TargetGroupBindings."""
        if not self.namespace:
            return {f"{self.prefix}/stack": self.name}
        return {f"{self.prefix}/stack-namespace": self.namespace, f"{self.prefix}/stack-name": self.name}


@dataclass(frozen=True)
class Permission:
    """One ingress rule of a security group; `source` is a CIDR, a prefix list (`pl-`) or a group (id or Ref)."""

    protocol: str
    from_port: int
    to_port: int
    source: str | Ref
    description: str = ""


@dataclass(frozen=True)
class SecurityGroup:
    """A security group that the stack owns."""

    id: str
    name: str
    description: str
    ingress: tuple[Permission, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class HealthCheck:
    """How targets are checked; `path` and `matcher` (AWS shape) are None for TCP."""

    port: str
    protocol: str
    path: str | None
    matcher: Json | None
    interval: int
    timeout: int
    healthy: int
    unhealthy: int


@dataclass(frozen=True)
class TargetGroup:
    """A target group that the stack owns."""

    id: str
    name: str
    target_type: str
    protocol: str
    port: int
    health: HealthCheck
    tags: Mapping[str, str]
    protocol_version: str | None = None
    ip_address_type: str = "ipv4"
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Binding:
    """A TargetGroupBinding: `spec` as Kubernetes has it, with Refs for ARN and security group ids.

    Labels and annotations are given when it is made, beside the stack's own labels.
    """

    namespace: str
    name: str
    target_group: str
    spec: Json
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """A listener's rule: conditions, actions and transforms in AWS's shape."""

    priority: int
    conditions: list[Json]
    actions: list[Json]
    tags: Mapping[str, str]
    transforms: list[Json] = field(default_factory=list)


@dataclass(frozen=True)
class Listener:
    """A listener; `certificates[0]` is the default one."""

    port: int
    protocol: str
    actions: list[Json]
    tags: Mapping[str, str]
    rules: tuple[Rule, ...] = ()
    certificates: tuple[str, ...] = ()
    ssl_policy: str | None = None
    alpn: str | None = None
    mutual_authentication: Json | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The resource id within the stack."""
        return str(self.port)


@dataclass(frozen=True)
class LoadBalancer:
    """The load balancer; `subnets` are SubnetMappings in AWS's shape, `security_groups` ids or Refs."""

    name: str
    type: Literal["application", "network"]
    scheme: str
    ip_address_type: str
    subnets: list[Json]
    security_groups: tuple[str | Ref, ...]
    tags: Mapping[str, str]
    attributes: Mapping[str, str] = field(default_factory=dict)
    customer_owned_pool: str | None = None
    private_link_rules: str | None = None
    id: str = "LoadBalancer"


@dataclass(frozen=True)
class Stack:
    """Everything that should exist for a Service, a Gateway or a group of Ingresses; empty when nothing should."""

    id: StackId
    load_balancer: LoadBalancer | None = None
    listeners: tuple[Listener, ...] = ()
    security_groups: tuple[SecurityGroup, ...] = ()
    target_groups: tuple[TargetGroup, ...] = ()
    bindings: tuple[Binding, ...] = ()
    backend_group: bool = False
    web_acl: str | None = None
    secrets: frozenset[tuple[str, str]] = frozenset()


def merged(*maps: Mapping[str, str] | None) -> dict[str, str]:
    """The maps as one; the first that has a key wins."""
    result: dict[str, str] = {}
    for one in maps:
        for key, value in (one or {}).items():
            result.setdefault(key, value)
    return result
