"""The arguments of a `LoadBalancerController`."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from pulumi import Input


class LoadBalancerControllerArgs(TypedDict):
    """What a `LoadBalancerController` takes."""

    cluster_name: Input[str]
    """The cluster's name: in the tags of everything that the controller makes, and in its IAM policy."""
    region: Input[str]
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
    namespace: NotRequired[Input[str]]
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
    assumable_role_arns: NotRequired[Input[Sequence[Input[str]]]]
    """Roles in other accounts that TargetGroupBindings name in `iamRoleArnToAssume`. Default none."""
    shared_target_group_arns: NotRequired[Input[Sequence[Input[str]]]]
    """Target groups that another cluster's controller made and that this one registers pods in too
    (`multiClusterTargetGroup`). Default none."""
    memory_request: NotRequired[str]
    """Memory that a controller pod is scheduled with. Default `200Mi`."""
    memory_limit: NotRequired[str]
    """Memory at which a controller pod is killed. Default `8Gi`: it needs more the more targets it keeps."""
    bound_target_group_arns: NotRequired[Input[Sequence[Input[str]]]]
    """Target groups of yours. With them the controller may register pods in these alone, and make no load balancer:
    for clusters that serve nothing but TargetGroupBindings. Default: it makes load balancers and changes its own."""
    legacy_annotations: NotRequired[bool]
    """Whether the annotations `kubernetes.io/ingress.class` and `alb.ingress.kubernetes.io/group.name` have a say.
    Default no: with them whoever may write an Ingress may join another team's load balancer."""
    values: NotRequired[Input[Mapping[str, Any]]]
    """Any other value of the chart, by its name there, over those of this component: `resources`, `tolerations`,
    `nodeSelector`, `priorityClassName`, `logLevel`, `watchNamespace`, `externalManagedTags`, ... Maps are merged,
    anything else takes the place of ours. What has an argument of its own, the service account and the webhooks'
    certificate are refused."""
    policy_arns: NotRequired[Sequence[Input[str]]]
    """More managed policies for the controller's role. Default none."""
    policy_statements: NotRequired[Input[Sequence[Mapping[str, Any]]]]
    """More statements for the controller's role, in IAM's language: `Effect`, `Action`, `Resource`, ... They become a
    policy of their own. Default none."""
    role_name: NotRequired[Input[str]]
    """The name of the controller's role. Default: one that begins with the component's. Another name is another
    role."""
    role_arn: NotRequired[Input[str]]
    """A role of yours for the controller, with its trust and its policies: none is made then. The service account's
    annotation, or the Pod Identity association, is made all the same."""
    permissions_boundary_arn: NotRequired[Input[str]]
    """The permissions boundary of the controller's role."""
    kubeconfig: NotRequired[Input[str]]
    """A kubeconfig of the cluster. With it the controller is not destroyed while objects that others made still need
    it: kubectl asks, `pulumi destroy` wants `--run-program`. Default none: it goes whoever needs it."""
    tags: NotRequired[Input[Mapping[str, Input[str]]]]
    """Tags for the role and policy, and for every AWS resource that the controller makes."""
