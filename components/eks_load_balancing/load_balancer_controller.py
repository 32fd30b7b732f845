"""The AWS Load Balancer Controller on a cluster, with a role of its own."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict, cast

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from pulumi import Input, Output

from eks_load_balancing import errors
from eks_load_balancing.controller_guard import guard
from eks_load_balancing.controller_moves import announced
from eks_load_balancing.controller_policy import ANY_VPC, FEATURES, bound_policy, controller_policy
from eks_load_balancing.controller_values import (
    CHART,
    RELEASE,
    REPOSITORY,
    ControllerSettings,
    chart_values,
    webhook_names,
)
from eks_load_balancing.global_accelerator_policy import global_accelerator_policy
from eks_load_balancing.outputs import known_in_previews
from eks_load_balancing.partitions import controller_image_repository, partition_of
from eks_load_balancing.service_account_role import IRSA, ServiceAccountRole
from eks_load_balancing.serving_certificate import serving_certificate
from eks_load_balancing.versions import DEFAULT_CONTROLLER_VERSION, controller_version

FEWEST_REPLICAS = 2
POD_IDENTITY_MARK = {"eks-load-balancing/identity": "pod-identity"}
"""On the pods once the role comes by Pod Identity: they are replaced, for only new pods get it."""


class LoadBalancerControllerArgs(TypedDict):
    """What a `LoadBalancerController` takes."""

    cluster_name: Input[str]
    """The cluster's name: in the tags of everything that the controller makes, and in its IAM policy."""
    region: str
    """The cluster's region, such as `us-west-2`."""
    vpc_id: Input[str]
    """The cluster's VPC."""
    oidc_provider_arn: NotRequired[Input[str]]
    """For `irsa` and `both`: the ARN of the cluster's OIDC provider."""
    issuer_url: NotRequired[Input[str]]
    """For `irsa` and `both`: the cluster's issuer, with or without `https://`."""
    identity: NotRequired[str]
    """How the controller comes by its role: `irsa` (the default), or `pod-identity` with the add-on
    `eks-pod-identity-agent`. From one to the other without downtime: an `up` with `both`, then one with the other."""
    cluster_arn: NotRequired[Input[str]]
    """For `pod-identity` and `both`: the cluster's ARN."""
    version: NotRequired[str]
    """The controller's version; the chart, image and IAM actions follow from it. Default `3.5.0`."""
    kubernetes_version: NotRequired[str]
    """The cluster's Kubernetes version, to be checked against the oldest that the controller runs on."""
    replicas: NotRequired[int]
    """Controller pods, 2 or more: one leads, and all of them answer the webhooks. Default 2."""
    namespace: NotRequired[str]
    """The namespace to install in. Default `kube-system`."""
    service_account: NotRequired[str]
    """The name of the service account to make. Default `aws-load-balancer-controller`."""
    image_repository: NotRequired[Input[str]]
    """A repository of yours with the controller's image. Default: Amazon's registry in the region."""
    chart: NotRequired[str]
    """A folder, an archive or an `oci://` address with the chart. Default: the chart from its public repository."""
    disabled_features: NotRequired[Sequence[str]]
    """Some of `waf`, `wafv2`, `shield`, `cognito`, `certificate-discovery`: their IAM actions are not granted."""
    global_accelerator: NotRequired[bool]
    """Whether the controller keeps Global Accelerators too, with a policy of its own for them. Default no."""
    bound_target_group_arns: NotRequired[Sequence[Input[str]]]
    """Target groups of yours. With them the controller may register pods in these alone, and make no load balancer:
    for clusters that serve nothing but TargetGroupBindings. Default: it makes load balancers and changes its own."""
    legacy_annotations: NotRequired[bool]
    """Whether the annotations `kubernetes.io/ingress.class` and `alb.ingress.kubernetes.io/group.name` have a say.
    Default no: with them whoever may write an Ingress may join another team's load balancer."""
    permissions_boundary_arn: NotRequired[Input[str]]
    """The permissions boundary of the controller's role."""
    kubeconfig: NotRequired[Input[str]]
    """A kubeconfig of the cluster. With it the controller is not destroyed while objects that others made still need
    it: kubectl asks, `pulumi destroy` wants `--run-program`. Default none: it goes whoever needs it."""
    tags: NotRequired[Input[Mapping[str, Input[str]]]]
    """Tags for the role and policy, and for every AWS resource that the controller makes."""


class LoadBalancerController(pulumi.ComponentResource):
    """The controller that turns Services, Ingresses and TargetGroupBindings into load balancers.

    Give it the cluster's Kubernetes provider, and let it depend on the cluster's nodes and DNS: once its webhooks are
    registered, a Service cannot be made while no controller answers. Whatever asks for a load balancer depends on it in
    turn, so that it is there before and, on the way down, until the last finalizer is gone.
    """

    role_arn: Output[str]
    """The ARN of the controller's role."""
    service_account: Output[str]
    """The controller's service account, as `namespace/name`."""

    def __init__(self, name: str, args: LoadBalancerControllerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        version = controller_version(args.get("version", DEFAULT_CONTROLLER_VERSION), args.get("kubernetes_version"))
        replicas = errors.at_least(args.get("replicas", FEWEST_REPLICAS), FEWEST_REPLICAS, "controller replicas")
        namespace = errors.namespace(args.get("namespace", "kube-system"))
        account_name = errors.service_account(args.get("service_account", RELEASE))
        disabled = [errors.one_of(f, FEATURES, "feature") for f in args.get("disabled_features", ())]
        region, partition = args["region"], partition_of(args["region"])
        repository = args.get("image_repository") or controller_image_repository(region)
        local_chart = args.get("chart")
        if args.get("global_accelerator", False):
            if not version.global_accelerator:
                raise errors.InvalidInputError(
                    f"controller version {version.version} knows no Global Accelerators: give a later version"
                )
            global_accelerator_policy(partition, "known-before-anything-is-made")
        bound = list(args.get("bound_target_group_arns", ()))
        if isinstance(args["cluster_name"], str):  # what is known now is refused now, and not while resources are made
            name_in_eks = errors.cluster_name(args["cluster_name"])
            controller_policy(version.version, partition, name_in_eks, region, ANY_VPC, disabled_features=disabled)
        super().__init__("eks-load-balancing:index:LoadBalancerController", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)

        policy = aws.iam.Policy(
            f"{name}-policy",
            description="What the AWS Load Balancer Controller does for one cluster",
            policy=pulumi.Output.all(args["cluster_name"], args["vpc_id"], *bound).apply(
                lambda known: (
                    bound_policy(version.version, partition, region, known[1], known[2:])
                    if bound
                    else controller_policy(
                        version.version, partition, known[0], region, known[1], disabled_features=disabled
                    )
                )
            ),
            tags=args.get("tags"),
            opts=child,
        )
        role = ServiceAccountRole(
            f"{name}-identity",
            {
                **_identity(args),
                "namespace": namespace,
                "service_account": account_name,
                "policy_arn": policy.arn,
            },
            child,
        )
        accelerators = _accelerators(name, args, partition, role, self)
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-service-account",
            metadata={
                "name": account_name,
                "namespace": namespace,
                "annotations": role.service_account_annotations,
                "labels": {"app.kubernetes.io/name": CHART},
            },
            opts=child,
        )
        values = chart_values(
            ControllerSettings(
                cluster_name=args["cluster_name"],
                region=region,
                vpc_id=args["vpc_id"],
                service_account=account_name,
                image_repository=repository,
                image_tag=version.image_tag,
                replicas=replicas,
                certificate=serving_certificate(f"{name}-webhook", webhook_names(namespace), self),
                disabled_features=disabled,
                legacy_annotations=args.get("legacy_annotations", False),
                tags=args.get("tags") or {},
                global_accelerator=bool(accelerators),
                leaves_services_out=version.leaves_services_out,
                pod_annotations={} if args.get("identity", IRSA) == IRSA else POD_IDENTITY_MARK,
            )
        )
        # The chart's CRDs come first: the provider sorts what it renders, as Helm does.
        chart = kubernetes.helm.v4.Chart(
            f"{name}-chart",
            name=RELEASE,
            namespace=namespace,
            chart=local_chart or CHART,
            version=None if local_chart else version.chart,
            repository_opts=None if local_chart else {"repo": REPOSITORY},
            values=known_in_previews(values),
            # The role keeps its policy until the last controller pod is gone.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[account, role, *accelerators]),
        )
        announced(f"{name}-version", version.version, partition, parent=self, after=chart)
        if "kubeconfig" in args:
            guard(f"{name}-guard", args["kubeconfig"], parent=self, after=chart)

        self.role_arn = role.arn
        self.service_account = account.metadata.apply(lambda _: f"{namespace}/{account_name}")
        self.register_outputs({"role_arn": self.role_arn, "service_account": self.service_account})


def _accelerators(
    name: str, args: LoadBalancerControllerArgs, partition: str, role: ServiceAccountRole, parent: pulumi.Resource
) -> list[pulumi.Resource]:
    """Global Accelerator's policy and its attachment, if it is wanted."""
    if not args.get("global_accelerator", False):
        return []
    policy = aws.iam.Policy(
        f"{name}-global-accelerator-policy",
        description="What the AWS Load Balancer Controller does for one cluster's Global Accelerators",
        policy=pulumi.Output.from_input(args["cluster_name"]).apply(
            lambda cluster: global_accelerator_policy(partition, cluster)
        ),
        tags=args.get("tags"),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    attached = aws.iam.RolePolicyAttachment(
        f"{name}-global-accelerator",
        role=role.role_name,
        policy_arn=policy.arn,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return [policy, attached]


class _IdentityArgs(TypedDict):
    """What the controller's arguments and its role's have in common."""

    identity: NotRequired[str]
    oidc_provider_arn: NotRequired[Input[str]]
    issuer_url: NotRequired[Input[str]]
    cluster_name: NotRequired[Input[str]]
    cluster_arn: NotRequired[Input[str]]
    permissions_boundary_arn: NotRequired[Input[str]]
    tags: NotRequired[Input[Mapping[str, Input[str]]]]


def _identity(args: LoadBalancerControllerArgs) -> _IdentityArgs:
    return cast(_IdentityArgs, {key: value for key, value in args.items() if key in _IdentityArgs.__optional_keys__})
