"""The stack's configuration: typed, checked once, before anything is declared.

What a value may be is decided by the components' own pure functions; here each error gets the name of its key.
"""

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Generic, NotRequired, TypedDict, TypeVar, cast

import pulumi
from pulumi.runtime import config as runtime_config
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
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
from eks_load_balancing.cluster.addons import check_addons
from eks_load_balancing.cluster.nodes import check_groups, check_nodes
from eks_load_balancing.controller.load_balancer_controller import FEWEST_REPLICAS
from eks_load_balancing.controller.opt_ins import check_gates
from eks_load_balancing.controller.overrides import check_values
from eks_load_balancing.controller.policy import ANY_VPC, FEATURES, controller_policy
from eks_load_balancing.controller.values import default_tags
from eks_load_balancing.errors import InvalidInputError, at_least, memory, one_of
from eks_load_balancing.forms import check_form, region_of_arn
from eks_load_balancing.network.network import NAT_MODES
from eks_load_balancing.network.subnets import plan_subnets, region_of
from eks_load_balancing.partitions import IMAGE_REGISTRIES, controller_image_repository, partition_of
from eks_load_balancing.versions import (
    DEFAULT_CONTROLLER_VERSION,
    controller_version,
    kubernetes_version,
    upgrade_policy,
)
from eks_load_balancing.workloads.annotations import SCHEMES

PROJECT = "eks-load-balancing"

UpgradePolicy = Annotated[str, AfterValidator(upgrade_policy)]
Nat = Annotated[str, AfterValidator(lambda value: one_of(value, NAT_MODES, "nat"))]
Scheme = Annotated[str, AfterValidator(lambda value: one_of(value, SCHEMES, "scheme"))]
Registry = Annotated[str, AfterValidator(lambda value: one_of(value, IMAGE_REGISTRIES, "image registry"))]
Memory = Annotated[str, AfterValidator(lambda value: memory(value, "memory"))]
Feature = Annotated[str, AfterValidator(lambda value: one_of(value, FEATURES, "feature"))]


class Section(BaseModel):
    """One key of the configuration. Its fields have the names of a component's arguments."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, strict=True)

    @field_validator("*")
    @classmethod
    def _form(cls, value: Any, field: ValidationInfo) -> Any:
        check_form(str(field.field_name), value)
        return value

    def given(self) -> dict[str, Any]:
        """What is configured, or has a default here; the rest is left to the component."""
        return self.model_dump(exclude_none=True)


Args = TypeVar("Args")


class _ArgumentSettings(Section, Generic[Args]):
    """A key of the configuration with arguments of one component; the program adds those that other keys decide."""

    @property
    def arguments(self) -> Args:
        """What is configured, as the component's arguments."""
        return cast(Args, self.given())


class NetworkSettings(_ArgumentSettings[NetworkArgs]):
    """The VPC."""

    cidr: str | None = Field(default=None, description="the VPC's range", examples=["10.0.0.0/16"])
    zones: list[str] | None = Field(
        default=None, description="two or three availability zones", examples=["[us-west-2a, us-west-2b]"]
    )
    nat: Nat | None = Field(default=None, description="none, single (unless given) or per-zone")
    vpc_id: str | None = Field(default=None, description="a VPC that is there, in the place of one that is made")
    subnet_ids: list[str] | None = Field(
        default=None, description="private subnets of that VPC, for cluster, nodes and pods", examples=["[subnet-a]"]
    )


class AddonSettings(Section):
    """An add-on of the cluster."""

    version: str | None = Field(default=None, description="its version, default, latest or eks")
    configuration: dict[str, Any] | None = Field(default=None, description="its configuration values")
    role_arn: str | None = Field(default=None, description="the role of its service account, by IRSA")
    pod_identity_role_arns: dict[str, str] | None = Field(
        default=None, description="roles of its service accounts, by EKS Pod Identity"
    )


class ClusterSettings(_ArgumentSettings[ClusterArgs]):
    """The EKS cluster."""

    cluster_name: str = Field(alias="name", description="the cluster's name", examples=["dev"])
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
    addons: dict[str, AddonSettings] | None = Field(
        default=None, description="add-ons by name: version, configuration, roleArn, podIdentityRoleArns"
    )
    kubeconfig_profile: str | None = Field(
        default=None, description="the AWS CLI profile in the kubeconfig, aws:profile unless given"
    )
    kubeconfig_role_arn: str | None = Field(default=None, description="the role that the kubeconfig assumes")


class TaintSettings(Section):
    """A taint of nodes."""

    key: str = Field(description="its key")
    value: str | None = Field(default=None, description="its value")
    effect: str = Field(description="NO_SCHEDULE, NO_EXECUTE or PREFER_NO_SCHEDULE")


class NodeSettings(_ArgumentSettings[NodesArgs]):
    """The managed nodes."""

    instance_types: list[str] = Field(description="EC2 instance types", examples=["[m7i.large]"])
    min_size: int = Field(alias="min", description="the fewest nodes", examples=[2])
    desired_size: int = Field(alias="desired", description="the nodes to begin with", examples=[2])
    max_size: int = Field(alias="max", description="the most nodes", examples=[4])
    ami_type: str = Field(default="AL2023_x86_64_STANDARD", description="the AMI's type")
    disk_size: int = Field(default=30, description="GiB of a node's disk")
    capacity_type: str | None = Field(default=None, description="ON_DEMAND, SPOT or CAPACITY_BLOCK")
    labels: dict[str, str] | None = Field(default=None, description="labels in Kubernetes")
    taints: list[TaintSettings] | None = Field(default=None, description="taints: key, value and effect")
    manage_desired_size: bool = Field(
        default=False, alias="manageDesired", description="whether every up sets the number of nodes to desired"
    )
    version: str | None = Field(default=None, description="their Kubernetes version, the cluster's unless given")
    release_version: str | None = Field(default=None, description="the AMI's release, or latest")


class ControllerSettings(_ArgumentSettings[LoadBalancerControllerArgs]):
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
    global_accelerator: bool | None = Field(default=None, description="whether it manages Global Accelerators")
    values: dict[str, Any] | None = Field(default=None, description="any other value of the chart")
    policy_arns: list[str] | None = Field(default=None, description="more managed policies of its role")
    role_name: str | None = Field(default=None, description="the name of its role")
    chart: str | None = Field(default=None, description="a folder, archive or oci:// address with the chart")


class _WorkloadSettings(_ArgumentSettings[Args]):
    """An application behind a load balancer."""

    image: str | None = Field(default=None, description="the container's image")
    replicas: int = Field(default=2, description="the pods", examples=[2])
    scheme: Scheme = Field(default="internal", description="internal or internet-facing")
    inbound_cidrs: list[str] | None = Field(default=None, description="ranges that may connect")
    certificate_arn: str | None = Field(default=None, description="an ACM certificate for TLS")
    access_logs_bucket: str | None = Field(default=None, description="an S3 bucket for access logs")
    deregistration_delay: int = Field(default=30, description="seconds that connections have to end", examples=[30])
    deletion_protection: bool = Field(default=False, description="whether AWS refuses to delete the load balancer")


class ServiceSettings(_WorkloadSettings[NetworkLoadBalancedServiceArgs]):
    """The application behind the NLB."""


class IngressSettings(_WorkloadSettings[ApplicationLoadBalancedIngressArgs]):
    """The application behind the ALB."""

    host: str | None = Field(default=None, description="the host that requests must ask for")
    web_acl_arn: str | None = Field(default=None, description="a WAF web ACL")


class SampleSettings(Section):
    """The two applications behind the load balancers."""

    namespace: str = Field(default="samples", description="their namespace")
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
    node_groups: dict[str, NodeSettings] = Field(default={}, description="more groups of nodes by name, each as nodes")
    controller: ControllerSettings = ControllerSettings()
    samples: SampleSettings = SampleSettings()
    tags: dict[str, str] = Field(default={}, description="tags for every AWS resource")
    permissions_boundary_arn: Annotated[str | None, BeforeValidator(lambda value: value or None)] = Field(
        default=None, description="the ARN of the permissions boundary of every role"
    )
    protect: bool = Field(default=False, description="whether Pulumi refuses to delete network and cluster")

    @property
    def group_arguments(self) -> dict[str, NodesArgs]:
        """Arguments for a `Cluster`."""
        return {name: group.arguments for name, group in self.node_groups.items()}

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
    try:
        check_form("region", region)
    except InvalidInputError as error:
        raise pulumi.RunError(f"aws:region: {error}") from None
    prefix = f"{PROJECT}:"
    given = {key.removeprefix(prefix): _value(text) for key, text in config.items() if key.startswith(prefix)}
    if "region" in given:
        raise pulumi.RunError(f"{prefix}region is not a key: the region is aws:region")
    try:
        settings = Settings.model_validate_json(json.dumps({**given, "region": region}))  # strict, but for JSON's lists
    except ValidationError as error:
        raise pulumi.RunError(_line(error.errors()[0])) from None
    return _fit_together(settings)


def stack_configuration() -> dict[str, str]:
    """Return every configuration key of the running stack, so that unknown ones can be refused."""
    return {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}


def _fit_together(settings: Settings) -> Settings:
    """Check what one key alone does not show."""
    network, cluster, controller, alb = settings.network, settings.cluster, settings.controller, settings.samples.alb
    with _named({"network": network}):
        cidr, zones = _network(network)
        if cidr is not None:
            plan_subnets(cidr, zones)
        elsewhere = [zone for zone in zones if region_of(zone) != settings.region]
        if elsewhere:
            raise InvalidInputError(
                f"{', '.join(elsewhere)}: not in {settings.region} (aws:region): give zones of it", key="zones"
            )
    with _named({"cluster": cluster}):
        kubernetes_version(cluster.version, allow_unlisted=cluster.allow_unlisted_version)
    with _named({"nodes": settings.nodes}):
        check_nodes(settings.nodes.arguments, cluster.version)
    with _named({"nodeGroups": settings}):
        check_groups(settings.nodes.arguments, settings.group_arguments, cluster.version)
    with _named({"cluster": cluster}):
        check_addons(cluster.arguments.get("addons", {}), cluster.addon_versions or {})
    with _named({"controller": controller}):
        version = controller_version(controller.version, cluster.version, controller.version_like)
        check_gates(controller.feature_gates or {}, version, controller.disabled_features)
        check_values(controller.values or {})
        if not controller.image_repository:
            controller_image_repository(settings.region, controller.image_registry)
    with _named({"controller": controller, "cluster": cluster}):  # the cluster's name is in the policy
        controller_policy(
            version.like,
            partition_of(settings.region),
            cluster.cluster_name,
            settings.region,
            ANY_VPC,
            disabled_features=controller.disabled_features,
        )
    if alb.web_acl_arn and "wafv2" in controller.disabled_features:
        raise pulumi.RunError(
            f"{PROJECT}:samples.alb.webAclArn: the controller may not attach it: take wafv2 out of"
            f" {PROJECT}:controller.disabledFeatures"
        )
    for path, section in _sections(settings):
        _in_place(section, settings.region, path)
    with _named({"": settings}):
        default_tags(settings.tags)
    return settings


def _network(network: NetworkSettings) -> tuple[str | None, list[str]]:
    """Return range and zones of a network that is made; no range where the VPC is there already."""
    made = {"cidr": network.cidr, "zones": network.zones, "nat": network.nat}
    there = {"vpc_id": network.vpc_id, "subnet_ids": network.subnet_ids}
    if any(value is not None for value in there.values()):
        for key, value in made.items():
            if value is not None:
                raise InvalidInputError("the VPC is there already (vpcId): leave it out", key=key)
        for key, value in there.items():
            if not value:
                raise InvalidInputError("missing: a VPC that is there needs vpcId and subnetIds: give both", key=key)
        return None, []
    if network.cidr is None or network.zones is None:
        key = "cidr" if network.cidr is None else "zones"
        field = NetworkSettings.model_fields[key]
        raise InvalidInputError(
            f"missing: give vpcId and subnetIds, or {field.description}, such as {(field.examples or [''])[0]}", key=key
        )
    return network.cidr, network.zones


@contextmanager
def _named(sections: Mapping[str, Section]) -> Generator[None]:
    """Begin a component's error with the key, in the stack's file, of the argument that is at fault.

    Args:
        sections: those that may have the argument, by the paths of their keys.
    """
    try:
        yield
    except InvalidInputError as error:
        name = error.key or ""
        found = next((path for path, section in sections.items() if name in type(section).model_fields), None)
        key = next(iter(sections))
        if found is not None:
            key = f"{found}.{type(sections[found]).model_fields[name].alias or name}".removeprefix(".")
        raise pulumi.RunError(f"{PROJECT}:{key}: {error}") from None


def _sections(section: Section, path: str = "") -> Iterator[tuple[str, Section]]:
    """Yield a section and those inside it, each with the path of its key."""
    yield path, section
    for name, field in type(section).model_fields.items():
        inner = getattr(section, name)
        if isinstance(inner, Section):
            yield from _sections(inner, f"{path}.{field.alias or name}".removeprefix("."))


def _in_place(section: Section, region: str, path: str) -> None:
    """Refuse ARNs of another region or partition."""
    for name, value in section:
        for arn in cast(list[Any], value) if isinstance(value, list) else [value]:
            with _named({path: section}):
                if isinstance(arn, str) and arn.startswith("arn:") and arn.split(":")[1] != partition_of(region):
                    raise InvalidInputError(
                        f"{arn!r} is not of partition {partition_of(region)}, which {region} is in: give one that is",
                        key=name,
                    )
                if region_of_arn(name, arn) not in ("", region):
                    raise InvalidInputError(f"{arn!r} is not in {region} (aws:region): give one that is", key=name)


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
