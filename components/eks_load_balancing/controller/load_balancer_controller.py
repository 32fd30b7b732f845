"""The AWS Load Balancer Controller on a cluster, with a role of its own."""

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import Output

from eks_load_balancing import errors
from eks_load_balancing.arguments import checked
from eks_load_balancing.controller.controller_args import LoadBalancerControllerArgs
from eks_load_balancing.controller.global_accelerator_policy import global_accelerator_policy
from eks_load_balancing.controller.guard import guard
from eks_load_balancing.controller.moves import announced
from eks_load_balancing.controller.opt_ins import check_gates, extra_policy
from eks_load_balancing.controller.overrides import check_values, merged
from eks_load_balancing.controller.policy import ANY_VPC, FEATURES, controller_policy
from eks_load_balancing.controller.role import check_own_role, made_role, own_role
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
from eks_load_balancing.identity.service_account_role import IRSA
from eks_load_balancing.outputs import applied, known_in_previews
from eks_load_balancing.partitions import IMAGE_REGISTRIES, controller_image_repository, partition_of
from eks_load_balancing.versions import DEFAULT_CONTROLLER_VERSION, controller_version

FEWEST_REPLICAS = 2
ROLE_MARK = "eks-load-balancing/role-arn"
"""On the pods, with their role's ARN: another role replaces them. A pod keeps the role that it was started with, and
fails at its next call: https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2685"""
POD_IDENTITY_MARK = {"eks-load-balancing/identity": "pod-identity"}
"""On the pods once they get the role by Pod Identity: they are replaced, for only new pods get it."""


class LoadBalancerController(pulumi.ComponentResource):
    """The controller that turns Services, Ingresses and TargetGroupBindings into load balancers.

    Give it the cluster's Kubernetes provider, and let it depend on the cluster's nodes and DNS: once its webhooks are
    registered, a Service cannot be made while no controller answers. Whatever asks for a load balancer depends on it in
    turn, so that it is there before and, on the way down, until the last finalizer is gone.
    """

    role_arn: Output[str]
    """The ARN of the controller's role."""
    role_name: Output[str]
    """The name of the controller's role."""
    policy_arn: Output[str]
    """The ARN of the controller's main policy; empty with a role of yours."""
    service_account: Output[str]
    """The controller's service account, as `namespace/name`."""

    @checked
    def __init__(self, name: str, args: LoadBalancerControllerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        version = controller_version(
            args.get("version", DEFAULT_CONTROLLER_VERSION), args.get("kubernetes_version"), args.get("version_like")
        )
        replicas = errors.at_least(args.get("replicas", FEWEST_REPLICAS), FEWEST_REPLICAS, "controller replicas")
        namespace = args.get("namespace", "kube-system")
        account_name = errors.service_account(args.get("service_account", RELEASE))
        disabled = [errors.one_of(f, FEATURES, "feature") for f in args.get("disabled_features", ())]
        region, partition = args["region"], applied(partition_of, args["region"])
        registry = errors.one_of(args.get("image_registry", IMAGE_REGISTRIES[0]), IMAGE_REGISTRIES, "image registry")
        repository = args.get("image_repository") or applied(controller_image_repository, region, registry)
        request = errors.memory(args.get("memory_request", MEMORY_REQUEST), "memory request")
        limit = errors.memory(args.get("memory_limit", MEMORY_LIMIT), "memory limit")
        gates = {**args.get("feature_gates", {}), **({ACCELERATORS: True} if args.get("global_accelerator") else {})}
        check_gates(gates, version, disabled)
        local_chart, more_values = args.get("chart"), applied(check_values, args.get("values", {}))
        check_own_role(args)
        if args.get("global_accelerator", False):
            if not version.global_accelerator:
                raise errors.InvalidInputError(
                    f"controller version {version.version} does not know Global Accelerators: give a later version"
                )
            applied(global_accelerator_policy, partition, "known-before-anything-is-made")
        if args.get("policy_statements"):
            applied(extra_policy, args.get("policy_statements"))
        if "role_arn" not in args:  # what is known now is refused now, and not while resources are made
            applied(
                lambda where, cluster, region: controller_policy(
                    version.like, where, cluster, region, ANY_VPC, disabled_features=disabled
                ),
                *(partition, args["cluster_name"], region),
            )
        super().__init__("eks-load-balancing:index:LoadBalancerController", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)

        if "role_arn" in args:
            role = own_role(name, args, namespace, account_name, self)
        else:
            role = made_role(
                *(name, args),
                version=version,
                partition=partition,
                namespace=namespace,
                account=account_name,
                gates=gates,
                parent=self,
            )
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-service-account",
            metadata={
                "name": account_name,
                "namespace": namespace,
                "annotations": role.annotations,
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
                certificate=serving_certificate(f"{name}-webhook", applied(webhook_names, namespace), self),
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
            values=merged(known_in_previews(values), known_in_previews(more_values)),
            # The role keeps its policy until the last controller pod is gone.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[account, *role.resources]),
        )
        announced(f"{name}-version", version.version, partition, parent=self, after=chart)
        if "kubeconfig" in args:
            guard(f"{name}-guard", args["kubeconfig"], parent=self, after=chart)

        self.role_arn = role.arn
        self.role_name = role.name
        self.policy_arn = role.policy_arn
        self.service_account = Output.all(namespace, account.metadata).apply(lambda known: f"{known[0]}/{account_name}")
        self.register_outputs(
            {
                "role_arn": self.role_arn,
                "role_name": self.role_name,
                "policy_arn": self.policy_arn,
                "service_account": self.service_account,
            }
        )
