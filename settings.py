"""The stack's configuration: typed, checked once, before anything is declared.

What a value may be is decided by the components' own pure functions; here each error gets the name of its key.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, NotRequired, Self, TypedDict, cast

import pulumi
from pulumi.runtime import config as runtime_config
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from eks_load_balancing import (
    ApplicationLoadBalancedIngressArgs,
    ClusterArgs,
    LoadBalancerControllerArgs,
    NetworkArgs,
    NetworkLoadBalancedServiceArgs,
    NodesArgs,
)
from eks_load_balancing.annotations import SCHEMES
from eks_load_balancing.controller_opt_ins import check_gates
from eks_load_balancing.controller_policy import ANY_VPC, FEATURES, controller_policy
from eks_load_balancing.controller_values import default_tags
from eks_load_balancing.errors import at_least, cluster_name, memory, namespace, one_of
from eks_load_balancing.load_balancer_controller import FEWEST_REPLICAS
from eks_load_balancing.network import NAT_MODES
from eks_load_balancing.nodes import check_nodes
from eks_load_balancing.partitions import IMAGE_REGISTRIES, controller_image_repository, partition_of
from eks_load_balancing.subnets import plan_subnets, region_of
from eks_load_balancing.versions import (
    DEFAULT_CONTROLLER_VERSION,
    controller_version,
    kubernetes_version,
    upgrade_policy,
)

PROJECT = "eks-load-balancing"

ClusterName = Annotated[str, AfterValidator(cluster_name)]
UpgradePolicy = Annotated[str, AfterValidator(upgrade_policy)]
Namespace = Annotated[str, AfterValidator(namespace)]
Nat = Annotated[str, AfterValidator(lambda value: one_of(value, NAT_MODES, "nat"))]
Scheme = Annotated[str, AfterValidator(lambda value: one_of(value, SCHEMES, "scheme"))]
Registry = Annotated[str, AfterValidator(lambda value: one_of(value, IMAGE_REGISTRIES, "image registry"))]
Memory = Annotated[str, AfterValidator(lambda value: memory(value, "memory"))]
Feature = Annotated[str, AfterValidator(lambda value: one_of(value, FEATURES, "feature"))]


class Section(BaseModel):
    """One key of the configuration. Its fields have the names of a component's arguments."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    def given(self) -> dict[str, Any]:
        """What is configured, or has a default here; the rest is left to the component."""
        return self.model_dump(exclude_none=True)


class NetworkSettings(Section):
    """The VPC."""

    cidr: str = Field(description="the VPC's range", examples=["10.0.0.0/16"])
    zones: list[str] = Field(description="two or three availability zones", examples=["[us-west-2a, us-west-2b]"])
    nat: Nat = Field(default="single", description="none, single or per-zone")

    @property
    def arguments(self) -> NetworkArgs:
        """Arguments for a `Network`."""
        return cast(NetworkArgs, self.given())

    @model_validator(mode="after")
    def _subnets_fit(self) -> Self:
        plan_subnets(self.cidr, self.zones)
        return self


class ClusterSettings(Section):
    """The EKS cluster."""

    cluster_name: ClusterName = Field(alias="name", description="the cluster's name", examples=["dev"])
    version: str = Field(description="the Kubernetes version, in quotes", examples=['"1.36"'])
    upgrade_policy: UpgradePolicy = Field(default="standard", description="standard, or extended support, which costs")
    allow_unlisted_version: bool = Field(
        default=False, description="whether a version unknown here is taken all the same"
    )
    public_access_cidrs: list[str] = Field(default=[], description="ranges that may reach the API server from outside")
    admin_arns: list[str] = Field(default=[], description="roles and users that administer the cluster")
    log_retention_days: int = Field(default=90, description="days that logs are kept")
    deletion_protection: bool = Field(default=False, description="whether EKS refuses to delete the cluster")
    pod_identity_agent: bool = Field(default=False, description="whether EKS Pod Identity's agent is installed")
    secrets_key_arn: str | None = Field(default=None, description="a KMS key for the cluster's secrets, for good")
    addon_versions: dict[str, str] | None = Field(
        default=None, description="versions of add-ons by name: one, default, latest, or eks to leave it as it is"
    )
    kubeconfig_profile: str | None = Field(
        default=None, description="the AWS CLI profile in the kubeconfig, aws:profile unless given"
    )
    kubeconfig_role_arn: str | None = Field(default=None, description="the role that the kubeconfig assumes")

    @property
    def arguments(self) -> ClusterArgs:
        """Arguments for a `Cluster`, but for network and nodes."""
        return cast(ClusterArgs, self.given())

    @model_validator(mode="after")
    def _offered(self) -> Self:
        kubernetes_version(self.version, allow_unlisted=self.allow_unlisted_version)
        return self


class NodeSettings(Section):
    """The managed nodes."""

    instance_types: list[str] = Field(description="EC2 instance types", examples=["[m7i.large]"])
    min_size: int = Field(alias="min", description="the fewest nodes", examples=[2])
    desired_size: int = Field(alias="desired", description="the nodes to begin with", examples=[2])
    max_size: int = Field(alias="max", description="the most nodes", examples=[4])
    ami_type: str = Field(default="AL2023_x86_64_STANDARD", description="the AMI's type")
    disk_size: int = Field(default=30, description="GiB of a node's disk")
    manage_desired_size: bool = Field(
        default=False, alias="manageDesired", description="whether every up sets the number of nodes to desired"
    )
    version: str | None = Field(default=None, description="their Kubernetes version, the cluster's unless given")
    release_version: str | None = Field(default=None, description="the AMI's release, or latest")

    @property
    def arguments(self) -> NodesArgs:
        """Arguments for a `Cluster`."""
        return cast(NodesArgs, self.given())


class ControllerSettings(Section):
    """The AWS Load Balancer Controller."""

    version: str = Field(default=DEFAULT_CONTROLLER_VERSION, description="the controller's version", examples=["3.5.0"])
    replicas: Annotated[int, AfterValidator(lambda n: at_least(n, FEWEST_REPLICAS, "replicas"))] = Field(
        default=FEWEST_REPLICAS, description="controller pods"
    )
    disabled_features: list[Feature] = Field(default=[], description="what its IAM policy leaves out")
    legacy_annotations: bool = Field(default=False, description="whether class and group annotations have a say")
    version_like: str | None = Field(default=None, description="the known version that an unknown one is like")
    image_registry: Registry = Field(
        default="public", description="Amazon's registry with the image: public or regional"
    )
    image_repository: str | None = Field(default=None, description="a repository with the controller's image")
    memory_request: Memory | None = Field(default=None, description="memory that a controller pod is scheduled with")
    memory_limit: Memory | None = Field(default=None, description="memory at which a controller pod is killed")
    feature_gates: dict[str, bool] | None = Field(default=None, description="the controller's feature gates")
    assumable_role_arns: list[str] | None = Field(
        default=None, description="roles of other accounts that bindings name"
    )
    shared_target_group_arns: list[str] | None = Field(
        default=None, description="target groups of other clusters that pods are registered in"
    )
    chart: str | None = Field(default=None, description="a folder, archive or oci:// address with the chart")

    @property
    def arguments(self) -> LoadBalancerControllerArgs:
        """Arguments for a `LoadBalancerController`, but for its cluster."""
        return cast(LoadBalancerControllerArgs, self.given())


class _WorkloadSettings(Section):
    """An application behind a load balancer."""

    image: str | None = Field(default=None, description="the container's image")
    replicas: Annotated[int, AfterValidator(lambda n: at_least(n, 0, "replicas"))] = Field(
        default=2, description="the pods", examples=[2]
    )
    scheme: Scheme = Field(default="internal", description="internal or internet-facing")
    inbound_cidrs: list[str] | None = Field(default=None, description="ranges that may connect")
    certificate_arn: str | None = Field(default=None, description="an ACM certificate for TLS")
    access_logs_bucket: str | None = Field(default=None, description="an S3 bucket for access logs")
    deregistration_delay: Annotated[int, AfterValidator(lambda n: at_least(n, 0, "deregistrationDelay"))] = Field(
        default=30, description="seconds that connections have to end", examples=[30]
    )
    deletion_protection: bool = Field(default=False, description="whether AWS refuses to delete the load balancer")


class ServiceSettings(_WorkloadSettings):
    """The application behind the NLB."""

    @property
    def arguments(self) -> NetworkLoadBalancedServiceArgs:
        """Arguments for a `NetworkLoadBalancedService`, but for its place."""
        return cast(NetworkLoadBalancedServiceArgs, self.given())


class IngressSettings(_WorkloadSettings):
    """The application behind the ALB."""

    host: str | None = Field(default=None, description="the host that requests must ask for")
    web_acl_arn: str | None = Field(default=None, description="a WAF web ACL")

    @property
    def arguments(self) -> ApplicationLoadBalancedIngressArgs:
        """Arguments for an `ApplicationLoadBalancedIngress`, but for its place."""
        return cast(ApplicationLoadBalancedIngressArgs, self.given())


class SampleSettings(Section):
    """The two applications behind the load balancers."""

    namespace: Namespace = Field(default="samples", description="their namespace")
    nlb: ServiceSettings = ServiceSettings()
    alb: IngressSettings = IngressSettings()


class CommonArgs(TypedDict):
    """What every component that makes roles takes."""

    tags: dict[str, str]
    permissions_boundary_arn: NotRequired[str]


class Settings(Section):
    """Everything that differs between stacks."""

    region: str
    network: NetworkSettings = Field(description="the VPC", examples=["{cidr: 10.0.0.0/16, zones: [...]}"])
    cluster: ClusterSettings = Field(description="the cluster", examples=['{name: dev, version: "1.36"}'])
    nodes: NodeSettings = Field(description="the nodes", examples=["{instanceTypes: [...], min: 2, ...}"])
    controller: ControllerSettings = ControllerSettings()
    samples: SampleSettings = SampleSettings()
    tags: dict[str, str] = Field(default={}, description="tags for every AWS resource")
    permissions_boundary_arn: Annotated[str | None, BeforeValidator(lambda value: value or None)] = Field(
        default=None, description="the ARN of the permissions boundary of every role"
    )
    protect: bool = Field(default=False, description="whether Pulumi refuses to delete network and cluster")

    @property
    def protected(self) -> list[str]:
        """The keys by which AWS refuses to delete something."""
        asked = {"cluster": self.cluster, "samples.nlb": self.samples.nlb, "samples.alb": self.samples.alb}
        return [f"{PROJECT}:{key}.deletionProtection" for key, section in asked.items() if section.deletion_protection]

    @property
    def common(self) -> CommonArgs:
        """Arguments for every component that makes roles."""
        boundary = self.permissions_boundary_arn
        return {"tags": self.tags, "permissions_boundary_arn": boundary} if boundary else {"tags": self.tags}


def load(config: Mapping[str, str]) -> Settings:
    """Return the settings of a stack's configuration.

    Args:
        config: every key with its namespace, such as `eks-load-balancing:network`; objects as JSON.

    Raises:
        pulumi.RunError: one line that names the key, what is wrong with it and what to give instead.
    """
    region = config.get("aws:region")
    if not region:
        raise pulumi.RunError("aws:region is missing: give the region, such as us-west-2")
    prefix = f"{PROJECT}:"
    given = {key.removeprefix(prefix): _value(text) for key, text in config.items() if key.startswith(prefix)}
    if "region" in given:
        raise pulumi.RunError(f"{prefix}region is not a key: the region is aws:region")
    try:
        settings = Settings.model_validate({**given, "region": region})
    except ValidationError as error:
        raise pulumi.RunError(_line(error.errors()[0])) from None
    return _fit_together(settings)


def stack_configuration() -> dict[str, str]:
    """Return every configuration key of the running stack, so that unknown ones can be refused."""
    return {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}


def _fit_together(settings: Settings) -> Settings:
    elsewhere = [zone for zone in settings.network.zones if region_of(zone) != settings.region]
    if elsewhere:
        raise pulumi.RunError(
            f"{PROJECT}:network.zones {', '.join(elsewhere)}: not in {settings.region} (aws:region): give zones of it"
        )
    controller, cluster = settings.controller, settings.cluster
    try:
        check_nodes(settings.nodes.arguments, cluster.version)
    except ValueError as error:
        raise pulumi.RunError(f"{PROJECT}:nodes: {error}") from None
    try:
        version = controller_version(controller.version, cluster.version, controller.version_like)
        check_gates(controller.feature_gates or {}, version, controller.disabled_features)
        controller_policy(
            version.like,
            partition_of(settings.region),
            cluster.cluster_name,
            settings.region,
            ANY_VPC,
            disabled_features=controller.disabled_features,
        )
        if not controller.image_repository:
            controller_image_repository(settings.region, controller.image_registry)
    except ValueError as error:
        raise pulumi.RunError(f"{PROJECT}:controller: {error}") from None
    if settings.samples.alb.web_acl_arn and "wafv2" in controller.disabled_features:
        raise pulumi.RunError(
            f"{PROJECT}:samples.alb.webAclArn: the controller may not attach it: take wafv2 out of"
            f" {PROJECT}:controller.disabledFeatures"
        )
    try:
        default_tags(settings.tags)
    except ValueError as error:
        raise pulumi.RunError(f"{PROJECT}:tags: {error}") from None
    return settings


def _value(text: str) -> Any:
    """Return what a configuration text stands for: objects, lists, numbers and booleans come as JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _line(error: ErrorDetails) -> str:
    """Say one validation error in one line."""
    location = error["loc"]
    key = f"{PROJECT}:" + ".".join(str(part) for part in location)
    if error["type"] == "extra_forbidden":
        section = _section(location[:-1])
        known = ", ".join(
            sorted(field.alias or name for name, field in section.model_fields.items() if name != "region")
        )
        return f"{key} is not a key: known are {known}"
    hint = _hint(location)
    if error["type"] == "missing":
        return f"{key} is missing: give {hint}"
    if error["type"] == "value_error":
        return f"{key}: {str(error['msg']).removeprefix('Value error, ')}"
    return f"{key} {json.dumps(error['input'], default=str)}: {str(error['msg']).lower()}: give {hint}"


def _section(path: tuple[int | str, ...]) -> type[Section]:
    """Return the innermost section on a path of keys."""
    section: type[Section] = Settings
    for key in path:
        field = _field(section, key)
        kind = field.annotation if field else None
        if not (isinstance(kind, type) and issubclass(kind, Section)):
            break
        section = kind
    return section


def _field(section: type[Section], key: int | str) -> FieldInfo | None:
    return next((field for name, field in section.model_fields.items() if (field.alias or name) == key), None)


def _hint(path: tuple[int | str, ...]) -> str:
    """Return what a key is to hold, with an example."""
    keys = [part for part in path if isinstance(part, str)]
    field = _field(_section(tuple(keys[:-1])), keys[-1])
    if field is None:
        return "another value"
    example = f", such as {field.examples[0]}" if field.examples else ""
    return f"{field.description}{example}"
