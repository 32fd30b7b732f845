"""What is known about a cluster and its account: read once, then only looked at.

Objects have the names that AWS and Kubernetes give them. A fact that could not be read is an `Unseen`; looking at it
raises `NotSeenError`, so that no check draws a conclusion from what it did not see.
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
    """Stands in place of a fact that could not be read."""

    call: str
    """The request: `ec2:DescribeSubnets`, `GET /api/v1/services`."""
    why: str
    """The answer, in one line."""


class NotSeenError(Exception):
    """A check needs a fact that could not be read."""

    def __init__(self, unseen: Unseen) -> None:
        super().__init__(f"{unseen.call}: {unseen.why}")
        self.unseen = unseen


class CannotLookError(Exception):
    """Nothing can be read: one line that names the obstacle and the remedy."""


def seen(get: Callable[[], _Fact]) -> _Fact | Unseen:
    """Return a fact, or an `Unseen` if it cannot be read."""
    try:
        return get()
    except NotSeenError as error:
        return error.unseen


def known(fact: Any) -> Any:
    """Return a fact that another fact depends on.

    Raises:
        NotSeenError: the fact is unseen, and so is the one that depends on it.
    """
    if isinstance(fact, Unseen):
        raise NotSeenError(fact)
    return fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Facts:
    """One cluster, its account and its load balancers, at one moment."""

    now: datetime
    """When the facts were read; aware."""
    cluster: Object
    """EKS's DescribeCluster."""

    # Kubernetes
    namespaces: Objects
    pods: Objects
    services: Objects
    endpoint_slices: Objects
    ingresses: Objects
    ingress_classes: Objects
    ingress_class_params: Objects
    bindings: Objects
    """TargetGroupBindings."""
    gateways: Objects
    """Gateway API; empty where its CRDs are not installed."""
    network_policies: Objects
    workloads: Objects
    """All Deployments."""
    deployments: Objects
    """The Deployments of the controller, by its label or its image."""
    service_account: Object | None
    """The controller's; `None` if there is no Deployment, or its service account does not exist."""
    crds: Objects
    """Custom resource definitions of groups `k8s.aws`."""
    webhooks: Objects
    """The controller's webhook configurations, mutating and validating."""
    serving_certificate: str | None
    """The webhooks' certificate as PEM: `tls.crt` of their Secret; `None` if the Secret does not exist."""
    secret_keys: Mapping[tuple[str, str], frozenset[str] | None]
    """Namespace and name of each Secret that an `auth-idp-oidc` annotation names -> its keys; `None` if it does not
    exist."""
    events: Objects
    """Warnings, and the controller's reports of success."""

    # EKS and IAM
    addons: tuple[str, ...]
    associations: Objects
    """EKS Pod Identity associations of the controller's service account."""
    oidc_providers: Objects
    """`{"Arn", "Url", "ClientIDList"}` of each OIDC provider in the account for the cluster's issuer."""
    role: Object | None
    """The controller's role, IAM's GetRole; `None` if it has none, or names one that does not exist."""
    role_policies: Objects
    """`{"Name", "Arn", "Document"}` of each policy of that role; `Arn` is `None` for an inline policy."""
    boundary: Object | None
    """The document of its permissions boundary."""

    # The network
    subnets: Objects
    """The VPC's."""
    route_tables: Objects
    """The VPC's."""
    security_groups: Objects
    """The VPC's, and those of any VPC with the controller's tag for this cluster's name."""
    network_interfaces: Objects
    """The VPC's."""
    instances: Objects
    """The nodes' instances."""

    # Elastic Load Balancing
    load_balancers: Objects
    """All in the region, those of other clusters too."""
    target_groups: Objects
    """All in the region, those of other clusters too."""
    tags: Mapping[str, Mapping[str, str]]
    """ARN -> tags, of load balancers and target groups."""
    attributes: Mapping[str, Mapping[str, str]]
    """ARN of each of the cluster's NLBs -> its attributes."""
    listeners: Mapping[str, Objects]
    """ARN of each of the cluster's load balancers -> its listeners."""
    rules: Mapping[str, Objects]
    """ARN of a listener -> its rules, with the default rule."""
    health: Mapping[str, Objects]
    """ARN of each of the cluster's target groups -> DescribeTargetHealth's descriptions."""
    limits: Mapping[str, int]
    """The account's quotas in the region, under the names of DescribeAccountLimits."""

    def __getattribute__(self, name: str) -> Any:
        """Return a fact.

        Raises:
            NotSeenError: the fact is unseen.
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
