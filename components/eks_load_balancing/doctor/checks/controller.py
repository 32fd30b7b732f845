"""The controller itself: it runs, is ready, has a known version and the right flags."""

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from eks_load_balancing.controller.values import CHART, NLB_CLASS
from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.faults import REFRESH
from eks_load_balancing.doctor.lookups import (
    CONTROLLER,
    OLD_CLASS,
    called,
    container,
    flags,
    image_version,
    key,
    pods_of,
)
from eks_load_balancing.doctor.paths.workloads import illness
from eks_load_balancing.doctor.registry import Trouble, check
from eks_load_balancing.versions import CONTROLLER_VERSIONS, DEFAULT_CONTROLLER_VERSION

_INSTALL: Final = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/"
_FLAGS: Final = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/configurations/"
_IMDS: Final = "https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html"
_HOPS_FOR_PODS: Final = 2


@check(link=_INSTALL)
def controller_is_ready(facts: Facts) -> Iterator[Trouble]:
    """The controller has a Deployment, and all of its pods are ready.

    Without it no load balancer is created, no target follows the pods, and its webhooks refuse new objects.
    """
    auto = facts.cluster.get("kubernetesNetworkConfig", {}).get("elasticLoadBalancing", {}).get("enabled", False)
    if not facts.deployments and not auto:  # EKS Auto Mode has AWS's own controller
        yield Trouble(
            f"cluster {facts.name}",
            f"it has no Deployment of {CHART}",
            f"restore it: {REFRESH}; or install it with Helm:"
            f" `helm install {CHART} {CHART} --repo https://aws.github.io/eks-charts -n kube-system --set"
            f" clusterName={facts.name}`",
        )
    for deployment in facts.deployments:
        wanted, ready = deployment["spec"].get("replicas", 1), deployment.get("status", {}).get("readyReplicas", 0)
        namespace, name = key(deployment)
        ill = next(((p, f) for p in pods_of(facts, deployment) if (f := illness(facts, p)) is not None), None)
        if wanted == 0:
            what, see = "it has 0 replicas: no controller runs", ""
            fix = f"`kubectl scale -n {namespace} deployment/{name} --replicas=2`"
        elif ill is not None:
            pod, fault = ill
            stuck = "" if ready < wanted else ", and its rollout does not finish"
            what = f"{ready} of {wanted} pods are ready{stuck}: {called(pod)}: {fault.why}"
            fix, see = f"{fault.fix}; {REFRESH} restores what Pulumi made", fault.see
        elif ready < wanted:
            what, see = f"{ready} of {wanted} pods are ready", f"kubectl describe replicaset -n {namespace}"
            fix = "let its ReplicaSet create them: quota, admission or service account keeps it from that"
        else:
            continue
        yield Trouble(called(deployment), what, fix, namespace, see)


@check(link=_FLAGS)
def controllers_keep_apart(facts: Facts) -> Iterator[Trouble]:
    """No two controllers serve the same objects.

    Two controllers on the same objects undo each other's work, or the second only waits for the first's lease. Every
    controller serves all IngressClasses with the controller ingress.k8s.aws/alb: --ingress-class applies only to the
    old annotation. To separate two, use namespaces (--watch-namespace).
    """
    by_class = any(one["spec"].get("controller") == CONTROLLER for one in facts.ingress_classes)
    running = [d for d in facts.deployments if d["spec"].get("replicas", 1)]
    for one, other in combinations(running, 2):
        namespaces = {flags(d).get("watch-namespace", "") for d in (one, other)}
        classes = {flags(d).get("load-balancer-class", NLB_CLASS) for d in (one, other)}
        annotations = {flags(d).get("ingress-class", "alb") for d in (one, other)}
        shared = [
            what
            for what, both in (
                (f"Ingresses whose class has the controller {CONTROLLER}", by_class),
                (f"Ingresses with the annotation {OLD_CLASS}={min(annotations)}", len(annotations) == 1),
                (f"Services of class {min(classes)}", len(classes) == 1),
            )
            if both
        ]
        if shared and (len(namespaces) == 1 or "" in namespaces):
            namespace, name = key(other)
            yield Trouble(
                f"{called(one)}, {called(other)}",
                f"two controllers serve the same {', '.join(shared)}",
                f"remove one: `kubectl delete deployment -n {namespace} {name}`, or, if it is a Helm release,"
                f" `helm uninstall -n {namespace} {name}`; or give each its own --watch-namespace",
            )


@check(
    demand=f"The controller's version is in this package's table ({', '.join(CONTROLLER_VERSIONS)}).",
    severity="low",
    link="https://github.com/kubernetes-sigs/aws-load-balancer-controller/releases",
)
def controller_version_is_known(facts: Facts) -> Iterator[Trouble]:
    """IAM actions and CRDs are compared only for the versions in the table."""
    for deployment in facts.deployments:
        version = image_version(deployment)
        if version not in CONTROLLER_VERSIONS:
            namespace, name = key(deployment)
            image = container(deployment)["image"].partition("@")[0]
            repository = image[: image.rfind(":")] if ":" in image.rpartition("/")[2] else image
            yield Trouble(
                called(deployment),
                f"it runs {container(deployment)['image']}: version {version or '(none in its tag)'} is not known",
                f"`kubectl set image -n {namespace} deployment/{name} {container(deployment)['name']}="
                f"{repository}:v{DEFAULT_CONTROLLER_VERSION}`, with the policy and the CRDs of that version;"
                f" {REFRESH} restores what Pulumi made",
                namespace,
            )


@check(link=_FLAGS)
def controller_is_told_its_cluster(facts: Facts) -> Iterator[Trouble]:
    """The controller's flags name this cluster; if they name a region and a VPC, they are the cluster's.

    With another cluster's name it changes and deletes that cluster's load balancers. It also finds no security group or
    subnet with this cluster's tag.
    """
    expected = {"cluster-name": facts.name, "aws-region": facts.region, "aws-vpc-id": facts.vpc}
    for deployment in facts.deployments:
        given = flags(deployment)
        for flag, value in expected.items():
            if given.get(flag, value if flag != "cluster-name" else "") != value:
                yield Trouble(
                    called(deployment),
                    f"--{flag} is {given.get(flag) or 'not given'}, and the cluster's is {value}",
                    f"set --{flag}={value}: {REFRESH}, or the chart's value",
                    key(deployment)[0],
                )


@check(link=_IMDS)
def controller_finds_region_and_vpc(facts: Facts) -> Iterator[Trouble]:
    """The controller has flags for region and VPC, or its pods reach the instance metadata service.

    Without the flags it asks the metadata service, which pods cannot reach with a hop limit of 1. "failed to get VPC
    ID: failed to fetch VPC ID from instance metadata".
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
                called(deployment),
                f"{' and '.join('--' + flag for flag in missing)} not given, and pods of {', '.join(out_of_reach[:3])}"
                " do not reach the metadata service (hop limit 1)",
                f"set --aws-region={facts.region} --aws-vpc-id={facts.vpc}: {REFRESH}, or the chart's values",
                key(deployment)[0],
            )


def _reachable(options: Object) -> bool:
    hops = options.get("HttpPutResponseHopLimit", _HOPS_FOR_PODS)
    return options.get("HttpEndpoint", "enabled") == "enabled" and hops >= _HOPS_FOR_PODS


@check(
    severity="medium",
    link="https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/#helm",
)
def crds_are_as_new_as_the_controller(facts: Facts) -> Iterator[Trouble]:
    """The controller's CRDs exist, with the fields that its version reads.

    `helm upgrade` does not update CRDs. The API server silently drops fields that a CRD does not have, and objects of a
    missing kind cannot be created.
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
                    else f"it comes with controller {version}, and does not exist",
                    f"restore it: {REFRESH}; or apply the CRDs of chart {entry.chart}: `helm show crds {CHART} --repo"
                    f" https://aws.github.io/eks-charts --version {entry.chart} | kubectl apply -f -`",
                )


def _fields(crd: Object) -> set[str]:
    """Return the fields of `spec` in the stored version."""
    stored = [v for v in crd["spec"]["versions"] if v.get("storage")]
    schemas = [v.get("schema", {}).get("openAPIV3Schema", {}).get("properties", {}) for v in stored]
    return {field for schema in schemas for field in schema.get("spec", {}).get("properties", {})}
