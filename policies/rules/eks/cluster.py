"""The EKS cluster itself."""

from collections.abc import Iterable
from functools import partial

from kinds.aws import CLUSTER
from kinds.cidrs import WIDEST, is_world
from kinds.versions import version
from pack.controls import cis, guide, hub
from pack.properties import Edit
from pack.registry import ADVISORY, LOW, MEDIUM, Messages, View, rule, text, texts
from pack.values import items, known

_LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")

_on_cluster = partial(rule, on=CLUSTER)


@_on_cluster(
    instead="List your own networks in publicAccessCidrs, or set endpointPublicAccess to false",
    source="https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html",
    controls=[cis("5.4.1"), guide("security/iam", "Make the EKS Cluster Endpoint private")],
    **WIDEST,
)
def cluster_endpoint_is_not_open_to_the_world(cluster: View, **widest: float) -> Messages:
    """The Kubernetes API answers named networks only, never the whole internet.

    A public endpoint without publicAccessCidrs answers everybody. A leaked token or a flaw in the API server can then
    be used from anywhere.
    """
    if cluster.public_access not in (True, None):
        return
    given = items(cluster.public_cidrs)
    if not given:
        yield "the public API endpoint has no publicAccessCidrs, so EKS allows 0.0.0.0/0"
    for cidr in known(given):
        if is_world(cidr, **widest):
            yield f"the public API endpoint allows {cidr}"


@_on_cluster(
    instead="Set endpointPrivateAccess to true",
    source="https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html",
    severity=MEDIUM,
    controls=[cis("5.4.2"), guide("networking/subnets", "Consider Public and Private Mode for Cluster Endpoint")],
)
def cluster_endpoint_is_reachable_privately(cluster: View) -> Messages:
    """The Kubernetes API has an endpoint inside the VPC.

    Without it the nodes' own traffic to the API server leaves the VPC. Closing the public endpoint later cuts the nodes
    off.
    """
    if not cluster.private_access:
        yield "endpointPrivateAccess is not on"


cluster_endpoint_is_reachable_privately.sets("private_access", value=True)


@_on_cluster(
    instead="Set endpointPublicAccess to false and deploy from inside the VPC",
    severity=MEDIUM,
    prod=ADVISORY,
    controls=[hub("EKS.1"), cis("5.4.2")],
)
def cluster_endpoint_is_not_public(cluster: View) -> Messages:
    """The Kubernetes API has no public endpoint.

    Security Hub asks for it of every cluster. It only advises, because a program that deploys from outside the VPC
    cannot follow it. The rule cluster-endpoint-is-not-open-to-the-world applies in any case.
    """
    if cluster.public_access in (True, None):
        yield "endpointPublicAccess is on (EKS's default)"


@_on_cluster(
    instead='Give encryptionConfig with resources ["secrets"] and the ARN of your KMS key',
    source="https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html",
    controls=[
        hub("EKS.3"),
        cis("5.3.1"),
        guide("security/data", "Use AWS KMS for envelope encryption of Kubernetes secrets"),
    ],
)
def cluster_secrets_are_encrypted_with_kms(cluster: View) -> Messages:
    """Kubernetes Secrets are encrypted with a KMS key of the account's own.

    You can revoke your own key and see its use in the log. With EKS's default key you can do neither.
    """
    encryptions = cluster.encryptions or []
    if not any("secrets" in items(one["resources"]) and one["key"] for one in encryptions):
        yield "no encryptionConfig covers secrets with a KMS key"


@_on_cluster(
    instead="Name all of them in enabledClusterLogTypes",
    source="https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html",
    severity=MEDIUM,
    controls=[hub("EKS.8"), cis("2.1.1"), guide("security/detective", "Enable audit logs")],
    log_types=texts(_LOG_TYPES, "the types that must be on"),
)
def cluster_writes_all_log_types(cluster: View, *, log_types: list[str]) -> Messages:
    """The control plane writes every type of log.

    Nothing else records who called the API and who was refused. Logs that were off cannot be recovered later.
    """
    on = items(cluster.log_types)
    missing = [kind for kind in log_types if kind not in on]
    if missing:
        yield f"the control plane does not log {', '.join(missing)}"


@cluster_writes_all_log_types.remedy
def _fix_cluster_writes_all_log_types(cluster: View, *, log_types: list[str]) -> Iterable[Edit]:
    on = items(cluster.log_types)
    yield cluster.put("log_types", [*on, *(kind for kind in log_types if kind not in on)])


@_on_cluster(
    instead="Set version to a supported Kubernetes version",
    source="https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html",
    controls=[hub("EKS.2")],
    oldest=text("1.34", "the oldest version allowed"),
)
def cluster_version_is_supported(cluster: View, *, oldest: str) -> Messages:
    """The cluster runs a Kubernetes version that EKS supports, named in the program.

    An unsupported version gets no security fixes, and AWS upgrades it on a day that AWS chooses. Without a version the
    program makes a different cluster on another day.
    """
    if cluster.version is None:
        yield "no Kubernetes version is named"
    elif version(cluster.version) < version(oldest):
        yield f"Kubernetes {cluster.version} is older than {oldest}"


@_on_cluster(
    instead='Set upgradePolicy.supportType to "STANDARD"',
    source="https://docs.aws.amazon.com/eks/latest/userguide/disable-extended-support.html",
    severity=LOW,
    controls=[hub("EKS.2")],
    support_types=texts(["STANDARD"], "the support types allowed"),
)
def cluster_stays_in_standard_support(cluster: View, *, support_types: list[str]) -> Messages:
    """The cluster does not enter extended support by default.

    EKS's default is extended support, which costs six times as much an hour.
    """
    if cluster.support not in support_types:
        yield f"the support type is {cluster.support or 'EXTENDED (the default)'}"


@cluster_stays_in_standard_support.remedy
def _fix_cluster_stays_in_standard_support(cluster: View, *, support_types: list[str]) -> Iterable[Edit]:
    yield cluster.put("support", support_types[0])


@_on_cluster(
    instead="Set deletionProtection to true",
    source="https://docs.aws.amazon.com/eks/latest/userguide/deletion-protection.html",
    severity=MEDIUM,
    controls=[guide("reliability/controlplane", "EKS Control Plane")],
)
def cluster_is_protected_from_deletion(cluster: View) -> Messages:
    """The cluster cannot be deleted by one call.

    Deleting a cluster deletes every workload, and leaves the load balancers that its controller made.
    """
    if not cluster.deletion_protection:
        yield "deletionProtection is not on"


cluster_is_protected_from_deletion.sets("deletion_protection", value=True)


@_on_cluster(
    instead='Set accessConfig.authenticationMode to "API" and give access entries',
    source="https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html",
    severity=MEDIUM,
    controls=[cis("4.1.7"), guide("security/iam", "The aws-auth ConfigMap (deprecated)")],
    modes=texts(["API"], "the authentication modes allowed"),
)
def cluster_authenticates_by_api(cluster: View, *, modes: list[str]) -> Messages:
    """Access entries decide who may use the cluster, not a ConfigMap.

    While aws-auth counts, whoever can write one ConfigMap in kube-system is cluster admin. There is no remediation,
    because the change cannot be undone.
    """
    if cluster.authentication not in modes:
        yield f"authenticationMode is {cluster.authentication or 'CONFIG_MAP (the default)'}"


@_on_cluster(
    instead="Set accessConfig.bootstrapClusterCreatorAdminPermissions to false and give the deployer an access entry",
    source="https://docs.aws.amazon.com/eks/latest/userguide/cluster-auth.html",
    severity=MEDIUM,
    controls=[guide("security/iam", "Remove the cluster-admin permissions from the cluster creator principal")],
)
def cluster_creator_is_not_admin(cluster: View) -> Messages:
    """Creating the cluster makes nobody its admin.

    The creator's rights appear in no list, so the program can neither show nor revoke them. There is no remediation,
    because the change replaces an existing cluster.
    """
    if cluster.creator_is_admin in (True, None):
        yield "bootstrapClusterCreatorAdminPermissions is on (EKS's default)"
