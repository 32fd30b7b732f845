"""What is known about a cluster and its account: gathered once, then only read.

Objects are as AWS and Kubernetes give them, under their own names. A fact that could not be had is an `Unseen`; reading
it raises `NotSeenError`, so that a check says nothing about what it could not see.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

Object = Mapping[str, Any]
"""Of AWS (`{"SubnetId": ...}`) or Kubernetes (`{"metadata": ...}`)."""
Objects = tuple[Object, ...]
_Fact = TypeVar("_Fact")


@dataclass(frozen=True)
class Unseen:
    """Stands in place of a fact that could not be had."""

    call: str
    """What was asked: `ec2:DescribeSubnets`, `GET /api/v1/services`."""
    why: str
    """What was answered, in one line."""


class NotSeenError(Exception):
    """A fact was read that could not be had."""

    def __init__(self, unseen: Unseen) -> None:
        super().__init__(f"{unseen.call}: {unseen.why}")
        self.unseen = unseen


class CannotLookError(Exception):
    """Nothing can be looked at: one line that names what is in the way and what to do."""


def seen(get: Callable[[], _Fact]) -> _Fact | Unseen:
    """Return a fact, or what stands in its place if it cannot be had."""
    try:
        return get()
    except NotSeenError as error:
        return error.unseen


def known(fact: Any) -> Any:
    """Return a fact that another one is found by.

    Raises:
        NotSeenError: it is unseen, and so is the other.
    """
    if isinstance(fact, Unseen):
        raise NotSeenError(fact)
    return fact


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One cluster, its account and its load balancers, at one moment."""

    now: datetime
    """When it was looked at; aware."""
    cluster: Object
    """EKS's DescribeCluster."""

    # Kubernetes
    pods: Objects
    services: Objects
    endpoint_slices: Objects
    ingresses: Objects
    ingress_classes: Objects
    ingress_class_params: Objects
    bindings: Objects
    """TargetGroupBindings."""
    gateways: Objects
    """Of the Gateway API; none where its CRDs are not."""
    deployments: Objects
    """Those of the controller, by its label."""
    service_account: Object | None
    """The controller's; `None` if the Deployment names one that is not there, or there is no Deployment."""
    crds: Objects
    """Custom resource definitions of groups `k8s.aws`."""
    webhooks: Objects
    """The controller's webhook configurations, mutating and validating."""
    serving_certificate: str | None
    """What the webhooks serve, as PEM: `tls.crt` of their Secret; `None` if there is no such Secret."""
    events: Objects
    """Warnings, and the controller's word that it succeeded."""

    # EKS and IAM
    addons: tuple[str, ...]
    associations: Objects
    """EKS Pod Identity associations of the controller's service account."""
    oidc_providers: Objects
    """`{"Arn", "Url", "ClientIDList"}` of each of the account's OIDC providers for the cluster's issuer."""
    role: Object | None
    """The controller's, IAM's GetRole; `None` if it has none, or names one that is not there."""
    role_policies: Objects
    """The documents of that role's policies, attached and inline."""
    boundary: Object | None
    """The document of its permissions boundary."""

    # The network
    subnets: Objects
    """Those of the VPC."""
    route_tables: Objects
    """Those of the VPC."""
    security_groups: Objects
    """Those of the VPC, and those of any VPC with the controller's tag for this cluster's name."""
    network_interfaces: Objects
    """Those of the VPC."""
    instances: Objects
    """Those of the nodes."""

    # Elastic Load Balancing
    load_balancers: Objects
    """Those of the region, other clusters' too."""
    target_groups: Objects
    """Those of the region, other clusters' too."""
    tags: Mapping[str, Mapping[str, str]]
    """ARN -> tags, of load balancers and target groups."""
    listeners: Mapping[str, Objects]
    """ARN of each of the cluster's load balancers -> its listeners."""
    rules: Mapping[str, Objects]
    """ARN of a listener -> its rules, the default one too."""
    health: Mapping[str, Objects]
    """ARN of each of the cluster's target groups -> DescribeTargetHealth's descriptions."""

    def __getattribute__(self, name: str) -> Any:
        """Return a fact.

        Raises:
            NotSeenError: it is unseen.
        """
        value = object.__getattribute__(self, name)
        if isinstance(value, Unseen):
            raise NotSeenError(value)
        return value

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.cluster["name"]

    @property
    def partition(self) -> str:
        """Such as `aws`."""
        return self.cluster["arn"].split(":")[1]

    @property
    def region(self) -> str:
        """Such as `us-west-2`."""
        return self.cluster["arn"].split(":")[3]

    @property
    def account(self) -> str:
        """Twelve digits."""
        return self.cluster["arn"].split(":")[4]

    @property
    def vpc(self) -> str:
        """The cluster's VPC."""
        return self.cluster["resourcesVpcConfig"]["vpcId"]
