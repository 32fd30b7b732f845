"""The AWS Load Balancer Controller on a cluster, with a role of its own."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict, cast

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from pulumi import Input, Output

from eks_load_balancing import errors
from eks_load_balancing.arguments import checked
from eks_load_balancing.controller.global_accelerator_policy import global_accelerator_policy
from eks_load_balancing.controller.grants import OptIns, global_accelerators, opt_ins
from eks_load_balancing.controller.guard import guard
from eks_load_balancing.controller.moves import announced
from eks_load_balancing.controller.opt_ins import check_gates
from eks_load_balancing.controller.policy import ANY_VPC, FEATURES, bound_policy, controller_policy
from eks_load_balancing.controller.serving_certificate import serving_certificate
from eks_load_balancing.controller.values import (
    ACCELERATORS,
    CHART,
    MEMORY_LIMIT,
    MEMORY_REQUEST,
    RELEASE,
    REPOSITORY,
    ControllerSettings,
    chart_values,
    webhook_names,
)
from eks_load_balancing.identity.service_account_role import IRSA, ServiceAccountRole
from eks_load_balancing.outputs import known_in_previews
from eks_load_balancing.partitions import IMAGE_REGISTRIES, controller_image_repository, partition_of
from eks_load_balancing.versions import DEFAULT_CONTROLLER_VERSION, controller_version

FEWEST_REPLICAS = 2
ROLE_MARK = "eks-load-balancing/role-arn"
"""On the pods, with their role's ARN: another role replaces them. A pod keeps the role that it was started with, and
fails at its next call: https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2685"""
POD_IDENTITY_MARK = {"eks-load-balancing/identity": "pod-identity"}
"""On the pods once they get the role by Pod Identity: they are replaced, for only new pods get it."""


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
    """How the controller gets its role: `irsa` (the default), or `pod-identity` with the add-on
    `eks-pod-identity-agent`. From one to the other without downtime: an `up` with `both`, then one with the other."""
    cluster_arn: NotRequired[Input[str]]
    """For `pod-identity` and `both`: the cluster's ARN."""
    version: NotRequired[str]
    """The controller's version; the chart, image and IAM actions follow from it. Default `3.5.0`."""
    version_like: NotRequired[str]
    """For a version that this package does not list: the listed one that it is taken to be like."""
    kubernetes_version: NotRequired[str]
    """The cluster's Kubernetes version, to be checked against the oldest that the controller runs on."""
    replicas: NotRequired[int]
    """Controller pods, 2 or more: one leads, and all of them answer the webhooks. Default 2."""
    namespace: NotRequired[str]
    """The namespace to install in. Default `kube-system`."""
    service_account: NotRequired[str]
    """The name of the service account to make. Default `aws-load-balancer-controller`."""
    image_repository: NotRequired[Input[str]]
    """A repository of yours with the controller's image. Default: Amazon's, see `image_registry`."""
    image_registry: NotRequired[str]
    """`public` (the default): Amazon's public gallery, where every release is; outside of the partition `aws` the
    region's registry. `regional`: Amazon's registry in the region, for nodes without a way to the internet; a release
    may be missing there."""
    chart: NotRequired[str]
    """A folder, an archive or an `oci://` address with the chart. Default: the chart from its public repository."""
    disabled_features: NotRequired[Sequence[str]]
    """Some of `waf`, `wafv2`, `shield`, `cognito`, `certificate-discovery`: their IAM actions are not granted."""
    global_accelerator: NotRequired[bool]
    """Whether the controller keeps Global Accelerators too, with a policy of its own for them. Default no."""
    feature_gates: NotRequired[Mapping[str, bool]]
    """Feature gates of the controller by name. With `EnableRGTAPI` or `EnableCertificateManagement` its role gets what
    they need."""
    assumable_role_arns: NotRequired[Sequence[Input[str]]]
    """Roles in other accounts that TargetGroupBindings name in `iamRoleArnToAssume`. Default none."""
    shared_target_group_arns: NotRequired[Sequence[Input[str]]]
    """Target groups that another cluster's controller made and that this one registers pods in too
    (`multiClusterTargetGroup`). Default none."""
    memory_request: NotRequired[str]
    """Memory that a controller pod is scheduled with. Default `200Mi`."""
    memory_limit: NotRequired[str]
    """Memory at which a controller pod is killed. Default `8Gi`: it needs more the more targets it keeps."""
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

    @checked
    def __init__(self, name: str, args: LoadBalancerControllerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        version = controller_version(
            args.get("version", DEFAULT_CONTROLLER_VERSION), args.get("kubernetes_version"), args.get("version_like")
        )
        replicas = errors.at_least(args.get("replicas", FEWEST_REPLICAS), FEWEST_REPLICAS, "controller replicas")
        namespace = errors.namespace(args.get("namespace", "kube-system"))
        account_name = errors.service_account(args.get("service_account", RELEASE))
        disabled = [errors.one_of(f, FEATURES, "feature") for f in args.get("disabled_features", ())]
        region, partition = args["region"], partition_of(args["region"])
        registry = errors.one_of(args.get("image_registry", IMAGE_REGISTRIES[0]), IMAGE_REGISTRIES, "image registry")
        repository = args.get("image_repository") or controller_image_repository(region, registry)
        request = errors.memory(args.get("memory_request", MEMORY_REQUEST), "memory request")
        limit = errors.memory(args.get("memory_limit", MEMORY_LIMIT), "memory limit")
        gates = {**args.get("feature_gates", {}), **({ACCELERATORS: True} if args.get("global_accelerator") else {})}
        check_gates(gates, version, disabled)
        local_chart = args.get("chart")
        if args.get("global_accelerator", False):
            if not version.global_accelerator:
                raise errors.InvalidInputError(
                    f"controller version {version.version} does not know Global Accelerators: give a later version"
                )
            global_accelerator_policy(partition, "known-before-anything-is-made")
        bound = list(args.get("bound_target_group_arns", ()))
        if isinstance(args["cluster_name"], str):  # what is known now is refused now, and not while resources are made
            name_in_eks = errors.cluster_name(args["cluster_name"])
            controller_policy(version.like, partition, name_in_eks, region, ANY_VPC, disabled_features=disabled)
        super().__init__("eks-load-balancing:index:LoadBalancerController", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)

        policy = aws.iam.Policy(
            f"{name}-policy",
            description="What the AWS Load Balancer Controller does for one cluster",
            policy=pulumi.Output.all(args["cluster_name"], args["vpc_id"], *bound).apply(
                lambda known: (
                    bound_policy(version.like, partition, region, known[1], known[2:])
                    if bound
                    else controller_policy(
                        version.like, partition, known[0], region, known[1], disabled_features=disabled
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
        granted: _GrantedArgs = {"role_name": role.role_name, "tags": args.get("tags"), "parent": self}
        asked_for = OptIns(gates, args.get("assumable_role_arns", ()), args.get("shared_target_group_arns", ()))
        more = opt_ins(name, args["cluster_name"], asked_for, partition, **granted)
        if args.get("global_accelerator", False):
            more += global_accelerators(name, args["cluster_name"], partition, **granted)
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
                feature_gates=gates,
                leaves_services_out=version.leaves_services_out,
                refuses_pods=version.refuses_pods,
                pod_annotations={
                    ROLE_MARK: role.arn,
                    **({} if args.get("identity", IRSA) == IRSA else POD_IDENTITY_MARK),
                },
                memory_request=request,
                memory_limit=limit,
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
            opts=pulumi.ResourceOptions(parent=self, depends_on=[account, role, *more]),
        )
        announced(f"{name}-version", version.version, partition, parent=self, after=chart)
        if "kubeconfig" in args:
            guard(f"{name}-guard", args["kubeconfig"], parent=self, after=chart)

        self.role_arn = role.arn
        self.service_account = account.metadata.apply(lambda _: f"{namespace}/{account_name}")
        self.register_outputs({"role_arn": self.role_arn, "service_account": self.service_account})


class _GrantedArgs(TypedDict):
    """Whom more policies are for."""

    role_name: Output[str]
    tags: Input[Mapping[str, Input[str]]] | None
    parent: pulumi.Resource


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
