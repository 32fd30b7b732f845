"""EKS: clusters, and what all its types share."""

from typing import Any

from sandbox.providers.aws.kind import Calls, Kind, Retag, State, Wanted, created_once, deleting, known, retagging
from sandbox.providers.aws.session import Aws
from sandbox.providers.common.fields import Field, inside, same_by, same_set
from sandbox.providers.common.server import ProviderError


def retag(arn: str = "arn") -> Retag:
    """Sets and removes tags of resources that EKS identifies by ARN; `arn` is the property that has it."""
    return retagging(
        "eks",
        lambda eks, arn, keys: eks.untag_resource(resourceArn=arn, tagKeys=keys),
        lambda eks, arn, tags: eks.tag_resource(resourceArn=arn, tags=tags),
        lambda _, state: state[arn],
    )


def settled(status: str, what: str, issues: Any) -> bool:
    """Whether EKS has finished; raises if it failed."""
    if status.endswith("FAILED"):
        raise ProviderError(f"{what} is {status}: {issues or 'EKS gives no details'}")
    return status == "ACTIVE"


def timestamp(moment: Any) -> str:
    """A time in the provider's format."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if hasattr(moment, "strftime") else str(moment or "")


_BLOCKS = ("accessConfig", "kubernetesNetworkConfig", "upgradePolicy", "zonalShiftConfig")
_VPC_ACCESS = ("endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs")


def _create_cluster(aws: Aws, wanted: Wanted) -> str:
    eks = aws.client("eks")
    given = ("version", *_BLOCKS, "bootstrapSelfManagedAddons", "deletionProtection")
    encryption = wanted.get("encryptionConfig")

    def tags() -> Any:
        return eks.describe_cluster(name=wanted["name"])["cluster"].get("tags")

    with created_once(eks.exceptions.ResourceInUseException, wanted, tags):
        eks.create_cluster(
            name=wanted["name"],
            roleArn=wanted["roleArn"],
            resourcesVpcConfig=dict(wanted["vpcConfig"]),
            logging=_logging(wanted),
            tags=wanted.all_tags,
            **known(**{name: wanted.get(name) for name in given}),
            **known(encryptionConfig=[encryption] if encryption else None),
        )
    return wanted["name"]


def _logging(wanted: Wanted) -> dict[str, Any]:
    on = wanted.get("enabledClusterLogTypes", [])
    off = [kind for kind in ("api", "audit", "authenticator", "controllerManager", "scheduler") if kind not in on]
    return {"clusterLogging": [{"types": kinds, "enabled": kinds is on} for kinds in (on, off) if kinds]}


def _update_cluster(aws: Aws, name: str, wanted: Wanted, changed: set[str]) -> None:
    eks = aws.client("eks")
    if "version" in changed and wanted.get("version"):
        _await_update(aws, name, eks.update_cluster_version(name=name, version=wanted["version"]))
    if "vpcConfig" in changed:
        access = {key: wanted["vpcConfig"][key] for key in _VPC_ACCESS if wanted["vpcConfig"].get(key) is not None}
        _await_update(aws, name, eks.update_cluster_config(name=name, resourcesVpcConfig=access))
    if "enabledClusterLogTypes" in changed:
        _await_update(aws, name, eks.update_cluster_config(name=name, logging=_logging(wanted)))
    for part in {"accessConfig", "upgradePolicy", "zonalShiftConfig", "deletionProtection"} & changed:
        value = wanted.get(part)
        if part == "accessConfig" and value:
            value = known(authenticationMode=value.get("authenticationMode"))
        _await_update(aws, name, eks.update_cluster_config(name=name, **{part: value}))


def _await_update(aws: Aws, name: str, answer: Any) -> None:
    """EKS allows one update at a time: wait for this one, at most ten minutes, inside the thread."""
    import time  # noqa: PLC0415

    eks, deadline = aws.client("eks"), time.monotonic() + 600
    update = answer["update"]
    while update.get("status") == "InProgress" and time.monotonic() < deadline:
        time.sleep(0.25)
        update = eks.describe_update(name=name, updateId=update["id"])["update"]
    if update.get("status") in ("Failed", "Cancelled"):
        raise ProviderError(
            f"the update {update['id']} of the cluster {name} is {update['status']}: {update.get('errors')}"
        )


def _read_cluster(aws: Aws, name: str, state: State) -> dict[str, Any] | None:
    cluster = aws.client("eks").describe_cluster(name=name)["cluster"]
    if "accessConfig" in cluster:
        # EKS does not return whether the creator became the cluster's administrator.
        cluster["accessConfig"] = {**(state.get("accessConfig") or {}), **cluster["accessConfig"]}
    logs = cluster.get("logging", {}).get("clusterLogging", ())
    issuer = cluster.get("identity", {}).get("oidc", {}).get("issuer")
    return {
        "name": cluster["name"],
        "roleArn": cluster["roleArn"],
        "vpcConfig": {
            **cluster["resourcesVpcConfig"],
            "clusterSecurityGroupId": cluster["resourcesVpcConfig"].get("clusterSecurityGroupId") or "",
        },
        "enabledClusterLogTypes": [kind for log in logs if log.get("enabled") for kind in log["types"]],
        "encryptionConfig": next(iter(cluster.get("encryptionConfig") or ()), None),
        # Plain moto does not return these; the sandbox's AWS adds them.
        **known(**{name: cluster.get(name) for name in ("version", *_BLOCKS)}),
        "deletionProtection": cluster.get("deletionProtection", False),
        "arn": cluster["arn"],
        "certificateAuthority": {"data": cluster.get("certificateAuthority", {}).get("data") or ""},
        "clusterId": cluster.get("id") or "",
        "createdAt": timestamp(cluster.get("createdAt")),
        "endpoint": cluster.get("endpoint") or "",
        "identities": [{"oidcs": [{"issuer": issuer}]}] if issuer else [],
        "platformVersion": cluster.get("platformVersion"),
        "status": cluster["status"],
        "tagsAll": dict(cluster.get("tags") or {}),
    }


def _cluster_is_active(aws: Aws, name: str) -> bool:
    cluster = aws.client("eks").describe_cluster(name=name)["cluster"]
    return settled(cluster["status"], f"the cluster {name}", cluster.get("health", {}).get("issues"))


def _vpc_config(given: Any) -> dict[str, Any]:
    """A VPC configuration without the order of its lists, which means nothing."""
    return {key: sorted(value) if isinstance(value, list) else value for key, value in given.items()}


CLUSTER = Kind(
    type="aws:eks/cluster:Cluster",
    inputs={
        "name": Field(replaces=True),
        "roleArn": Field(required=True, replaces=True),
        "version": Field(),
        "vpcConfig": Field(
            required=True,
            same=same_by(_vpc_config),
            inside=inside("securityGroupIds", *_VPC_ACCESS, subnetIds=Field(required=True)),
        ),
        "accessConfig": Field(inside=inside("authenticationMode", "bootstrapClusterCreatorAdminPermissions")),
        "bootstrapSelfManagedAddons": Field(replaces=True, default=True),
        "enabledClusterLogTypes": Field(same=same_set, default=[]),
        # A changed key neither replaces the cluster nor makes a call: terraform-provider-aws,
        # internal/service/eks/cluster.go.
        "encryptionConfig": Field(inside=inside("resources", provider=Field(required=True, inside=inside("keyArn")))),
        "kubernetesNetworkConfig": Field(replaces=True, inside=inside("ipFamily", "serviceIpv4Cidr")),
        "upgradePolicy": Field(inside=inside("supportType")),
        "zonalShiftConfig": Field(inside=inside("enabled")),
        "deletionProtection": Field(default=False),
    },
    outputs=(
        *("arn", "certificateAuthority", "clusterId", "createdAt", "endpoint"),
        *("identities", "platformVersion", "status"),
    ),
    respelled=("vpcConfig",),
    computed_inside={"vpcConfig": ("clusterSecurityGroupId", "vpcId")},
    calls=Calls(_create_cluster, _read_cluster, _update_cluster, deleting("eks", "delete_cluster", "name")),
    retag=retag(),
    ready=_cluster_is_active,
    naming=("name", 100),
    has_prefix=False,
    minutes=30,
)

KINDS = (CLUSTER,)
