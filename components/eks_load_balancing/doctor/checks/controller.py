"""The controller itself: there, ready, of a known version, told what it must know."""

from collections.abc import Iterator
from typing import Final

from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.lookups import called, container, flags, image_version, key
from eks_load_balancing.doctor.registry import Trouble, check
from eks_load_balancing.versions import CONTROLLER_VERSIONS, DEFAULT_CONTROLLER_VERSION

_INSTALL: Final = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/"
_FLAGS: Final = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/configurations/"
_IMDS: Final = "https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html"
_HOPS_FOR_PODS: Final = 2
_APART: Final = ("ingress-class", "load-balancer-class", "watch-namespace")
"""Flags by which two controllers on one cluster are kept from each other's objects."""


def _place(deployment: Object) -> str:
    return called(deployment)


@check(
    "controller-is-ready",
    demand="There is one Deployment of the controller, and all of its pods are ready.",
    severity="high",
    link=_INSTALL,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """Without it nothing is made, nothing follows the pods, and its webhooks refuse.

    Two of them undo each other's work.
    """
    auto = facts.cluster.get("kubernetesNetworkConfig", {}).get("elasticLoadBalancing", {}).get("enabled", False)
    if not facts.deployments and not auto:  # EKS Auto Mode has a controller of AWS's own
        yield Trouble(
            f"cluster {facts.name}",
            "no Deployment carries app.kubernetes.io/name=aws-load-balancer-controller",
            "install the chart aws-load-balancer-controller, or declare a LoadBalancerController",
        )
    watching = [tuple(flags(d).get(flag, "") for flag in _APART) for d in facts.deployments]
    if len(set(watching)) < len(watching):
        yield Trouble(
            ", ".join(called(d) for d in facts.deployments),
            "two controllers watch the same objects",
            f"helm uninstall one of them, or give each an --ingress-class and --watch-namespace: {_FLAGS}",
        )
    for deployment in facts.deployments:
        wanted, ready = deployment["spec"].get("replicas", 1), deployment.get("status", {}).get("readyReplicas", 0)
        if ready < wanted or not wanted:
            namespace, name = key(deployment)
            yield Trouble(
                _place(deployment),
                f"{ready} of {wanted} pods are ready",
                f"kubectl logs -n {namespace} deployment/{name} says why",
                namespace,
            )


@check(
    "controller-version-is-known",
    demand=f"The controller's version is one of this package's table ({', '.join(CONTROLLER_VERSIONS)}).",
    severity="low",
    link="https://github.com/kubernetes-sigs/aws-load-balancer-controller/releases",
)
def _(facts: Facts) -> Iterator[Trouble]:
    """IAM actions and CRDs are compared for the versions of the table alone; with another the doctor is half blind."""
    for deployment in facts.deployments:
        version = image_version(deployment)
        if version not in CONTROLLER_VERSIONS:
            yield Trouble(
                _place(deployment),
                f"it runs {container(deployment)['image']}: version {version or '(none in its tag)'} is not known",
                f"set the image's tag to v{DEFAULT_CONTROLLER_VERSION}, with its policy and CRDs",
                key(deployment)[0],
            )


@check(
    "controller-is-told-its-cluster",
    demand="The controller's flags name this cluster, and its region and VPC if they name any.",
    severity="high",
    link=_FLAGS,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """With another's name it takes that cluster's load balancers for its own.

    And it finds no security group or subnet that is tagged for it.
    """
    expected = {"cluster-name": facts.name, "aws-region": facts.region, "aws-vpc-id": facts.vpc}
    for deployment in facts.deployments:
        given = flags(deployment)
        for flag, value in expected.items():
            if given.get(flag, value if flag != "cluster-name" else "") != value:
                yield Trouble(
                    _place(deployment),
                    f"--{flag} is {given.get(flag) or 'not given'}, and the cluster's is {value}",
                    f"set --{flag}={value}",
                    key(deployment)[0],
                )


@check(
    "controller-finds-region-and-vpc",
    demand="The controller is told region and VPC, or its pods reach the metadata service.",
    severity="high",
    link=_IMDS,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """It asks the instance metadata service for what it is not told; a hop limit of 1 keeps pods from it.

    "failed to get VPC ID: failed to fetch VPC ID from instance metadata".
    """
    for deployment in facts.deployments:
        given, spec = flags(deployment), deployment["spec"]["template"]["spec"]
        environment = {variable["name"] for variable in container(deployment).get("env") or []}
        missing = [
            flag
            for flag, known in (
                ("aws-region", "aws-region" in given or environment & {"AWS_REGION", "AWS_DEFAULT_REGION"}),
                ("aws-vpc-id", "aws-vpc-id" in given or "aws-vpc-tags" in given),
            )
            if not known
        ]
        if not missing or spec.get("hostNetwork"):
            continue
        out_of_reach = [i["InstanceId"] for i in facts.instances if not _reachable(i.get("MetadataOptions") or {})]
        if out_of_reach:
            yield Trouble(
                _place(deployment),
                f"{' and '.join('--' + flag for flag in missing)} not given, and pods of {', '.join(out_of_reach[:3])}"
                " do not reach the metadata service (hop limit 1)",
                f"set --aws-region={facts.region} --aws-vpc-id={facts.vpc}",
                key(deployment)[0],
            )


def _reachable(options: Object) -> bool:
    hops = options.get("HttpPutResponseHopLimit", _HOPS_FOR_PODS)
    return options.get("HttpEndpoint", "enabled") == "enabled" and hops >= _HOPS_FOR_PODS


@check(
    "crds-are-as-new-as-the-controller",
    demand="The controller's CRDs are there, with the fields that its version reads.",
    severity="medium",
    link="https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/#helm",
)
def _(facts: Facts) -> Iterator[Trouble]:
    """`helm upgrade` leaves CRDs as they are.

    The API server drops fields that it does not know without a word, and what a missing kind is for does not work.
    """
    names = {crd["metadata"]["name"]: crd for crd in facts.crds}
    for deployment in facts.deployments[:1]:
        version = image_version(deployment)
        entry = CONTROLLER_VERSIONS.get(version)
        if entry is None:
            continue
        for name, fields in entry.crds.items():
            missing = sorted(fields - _fields(names[name])) if name in names else []
            if name not in names or missing:
                yield Trouble(
                    f"CRD {name}",
                    f"controller {version} reads {', '.join(missing)}, which it does not have"
                    if missing
                    else f"it comes with controller {version}, and is not there",
                    f"apply the CRDs of chart {entry.chart}: helm show crds eks/aws-load-balancer-controller --version"
                    f" {entry.chart} | kubectl apply -f -",
                )


def _fields(crd: Object) -> set[str]:
    """Return the fields of `spec` in the version that is stored."""
    stored = [v for v in crd["spec"]["versions"] if v.get("storage")]
    schemas = [v.get("schema", {}).get("openAPIV3Schema", {}).get("properties", {}) for v in stored]
    return {field for schema in schemas for field in schema.get("spec", {}).get("properties", {})}
