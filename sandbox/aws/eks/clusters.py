"""Clusters: create, describe, list, change, delete."""

import ipaddress
import re
from datetime import UTC, datetime, time

from moto.iam.models import iam_backends
from moto.moto_api._internal import mock_random

from sandbox.aws.eks import access, machines
from sandbox.aws.eks.catalog import PATCH, PLATFORM, SUPPORT, VERSION, check_support, check_version, minor
from sandbox.aws.eks.errors import (
    InvalidParameterError,
    InvalidRequestError,
    ResourceInUseError,
    ResourceNotFoundError,
    UnsupportedOperationError,
)
from sandbox.aws.eks.logs import logging_of
from sandbox.aws.eks.store import Cluster, Document, Eks, Request, page, record_update, timestamp

_NAME = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")
FARTHEST_BEHIND = 2
"""The most minor versions that nodes may be behind the control plane before an upgrade."""
_REFUSED = ("outpostConfig", "remoteNetworkConfig", "computeConfig", "storageConfig")


def create_cluster(eks: Eks, request: Request) -> Document:
    """CreateCluster: the agent boots a control plane; the cluster is ACTIVE when the agent reports it."""
    name = request["name"]
    if existing := eks.clusters.get(name):
        request.must_repeat(existing.token, f"Cluster already exists with name: {name}")
        return {"cluster": existing.document}
    if not _NAME.fullmatch(name):
        raise InvalidParameterError(
            "The cluster name should contain only alphanumeric characters, hyphens and underscores, begin with an"
            f" alphanumeric character and be no longer than 100: '{name}'"
        )
    refuse_unknown(request)
    version = check_version(request.get("version", VERSION))
    policy = request.get("upgradePolicy", {}).get("supportType", "EXTENDED")
    check_support(version, policy)
    check_role(eks, request["roleArn"], "eks.amazonaws.com", "roleArn")
    network = network_of(eks, request["resourcesVpcConfig"])
    bootstrap = request.get("accessConfig", {}).get("bootstrapClusterCreatorAdminPermissions", True)
    mode = request.get("accessConfig", {}).get("authenticationMode", "CONFIG_MAP")
    network["clusterSecurityGroupId"] = machines.create_security_group(eks, name, network["vpcId"])
    vpc_cidr = machines.ec2(eks).get_vpc(network["vpcId"]).cidr_block
    document: Document = {
        "name": name,
        "arn": eks.arn("cluster", name),
        "createdAt": timestamp(),
        "version": version,
        "platformVersion": PLATFORM,
        "roleArn": request["roleArn"],
        "resourcesVpcConfig": network,
        "kubernetesNetworkConfig": service_network(request.get("kubernetesNetworkConfig", {}), vpc_cidr),
        "logging": logging_of(request.get("logging")),
        "identity": {"oidc": {"issuer": issuer(eks.region, mock_random.get_random_hex(32).upper())}},
        "status": "CREATING",
        "certificateAuthority": {},
        "tags": request.get("tags", {}),
        "encryptionConfig": request.get("encryptionConfig", []),
        "health": {"issues": []},
        "accessConfig": {"authenticationMode": mode},
        "upgradePolicy": {"supportType": policy},
        "zonalShiftConfig": {"enabled": bool(request.get("zonalShiftConfig", {}).get("enabled"))},
        "deletionProtection": bool(request.get("deletionProtection")),
    }
    cluster = Cluster(document, request.caller.principal, bootstrap, request.get("clientRequestToken"))
    if bootstrap and mode != "CONFIG_MAP":
        access.admit_creator(eks, cluster)
    eks.clusters[name] = cluster
    return {"cluster": document}


def refuse_unknown(request: Request) -> None:
    """Refuse what the sandbox does not support, instead of ignoring it."""
    for name in _REFUSED:
        value = request.get(name)
        if value and value != {"enabled": False} and value.get("enabled", True):
            raise UnsupportedOperationError(f"the sandbox's EKS does not support {name}: leave it out")


def check_role(eks: Eks, arn: str, service: str, field: str) -> None:
    """Raise unless `arn` is a role that `service` may assume."""
    roles = iam_backends[eks.account][eks.partition].roles.values()
    role = next((r for r in roles if r.arn == arn), None)
    if role is None:
        raise InvalidParameterError(f"The {field} {arn} does not exist, or is not a role")
    if service not in role.assume_role_policy_document:
        raise InvalidParameterError(
            f"Following required service principals [{service}] were not found in the trust relationships of {field}"
            f" {arn}"
        )


def network_of(eks: Eks, wanted: Document) -> Document:
    """ResourcesVpcConfig as DescribeCluster returns it, from the request's; it needs subnets in at least two zones."""
    ec2 = machines.ec2(eks)
    ids = wanted.get("subnetIds") or []
    found = {s.id: s for s in ec2.describe_subnets()}
    missing = [i for i in ids if i not in found]
    if missing or not ids:
        raise InvalidParameterError(f"The subnet ID '{', '.join(missing)}' does not exist")
    subnets = [found[i] for i in ids]
    if len({s.availability_zone for s in subnets}) < 2:  # noqa: PLR2004 - the rule is "two zones"
        raise InvalidParameterError("Subnets specified must be in at least two different AZs")
    if len({s.vpc_id for s in subnets}) > 1:
        raise InvalidParameterError("Subnets specified must all belong to the same VPC")
    groups = wanted.get("securityGroupIds") or []
    for group_id in groups:
        if ec2.get_security_group_from_id(group_id) is None:
            raise InvalidParameterError(f"The security group '{group_id}' does not exist")
    public = wanted.get("endpointPublicAccess", True)
    return {
        "subnetIds": ids,
        "securityGroupIds": groups,
        "vpcId": subnets[0].vpc_id,
        "endpointPublicAccess": public,
        "endpointPrivateAccess": wanted.get("endpointPrivateAccess", False),
        "publicAccessCidrs": (wanted.get("publicAccessCidrs") or ["0.0.0.0/0"]) if public else [],
    }


def service_network(wanted: Document, vpc_cidr: str) -> Document:
    """Services get 172.20.0.0/16, or 10.100.0.0/16 if the VPC overlaps with that; EKS chooses the same way."""
    if wanted.get("ipFamily", "ipv4") != "ipv4":
        raise UnsupportedOperationError(
            "the sandbox's EKS does not support IPv6 clusters: leave ipFamily out or give ipv4"
        )
    if (wanted.get("elasticLoadBalancing") or {}).get("enabled"):
        raise UnsupportedOperationError("the sandbox's EKS does not support Auto Mode: leave elasticLoadBalancing out")
    inside = ipaddress.ip_network(vpc_cidr).overlaps(ipaddress.ip_network("172.16.0.0/12"))
    return {
        "serviceIpv4Cidr": wanted.get("serviceIpv4Cidr") or ("10.100.0.0/16" if inside else "172.20.0.0/16"),
        "ipFamily": "ipv4",
        "elasticLoadBalancing": {"enabled": False},
    }


def issuer(region: str, number: str) -> str:
    """The issuer's URL, in EKS's format."""
    return f"https://oidc.eks.{region}.amazonaws.com/id/{number}"


def describe_cluster(eks: Eks, request: Request) -> Document:
    """DescribeCluster."""
    return {"cluster": eks.cluster(request["name"]).document}


def list_clusters(eks: Eks, request: Request) -> Document:
    """ListClusters."""
    return page("clusters", sorted(eks.clusters), request)


def delete_cluster(eks: Eks, request: Request) -> Document:
    """DeleteCluster: refused while it has node groups; complete when its agent has ended."""
    cluster = eks.cluster(request["name"])
    document = cluster.document
    if cluster.nodegroups:
        raise ResourceInUseError("Cluster has nodegroups attached")
    if document["deletionProtection"]:
        raise InvalidRequestError(
            f"Cluster {cluster.name} has deletion protection enabled: set deletionProtection to false first"
        )
    document["status"] = "DELETING"
    return {"cluster": document}


def update_cluster_config(eks: Eks, request: Request) -> Document:
    """UpdateClusterConfig: one subject per call, done at once."""
    cluster = eks.active(request["name"])
    refuse_unknown(request)
    document = cluster.document
    changes: list[tuple[str, Document]] = []
    if wanted := request.get("resourcesVpcConfig"):
        network = {**document["resourcesVpcConfig"], **{k: v for k, v in wanted.items() if v is not None}}
        changes.append(("EndpointAccessUpdate", {"EndpointPublicAccess": network["endpointPublicAccess"]}))
        checked = network_of(eks, network)
        document["resourcesVpcConfig"] = {**document["resourcesVpcConfig"], **checked}
    if wanted := request.get("logging"):
        document["logging"] = logging_of(wanted)
        changes.append(("LoggingUpdate", {"ClusterLogging": document["logging"]}))
    if wanted := request.get("accessConfig"):
        change_mode(cluster, wanted["authenticationMode"])
        changes.append(("AccessConfigUpdate", {"AuthenticationMode": wanted["authenticationMode"]}))
    if wanted := request.get("upgradePolicy"):
        check_support(document["version"], wanted["supportType"])
    for name, kind, parameter in (
        ("upgradePolicy", "UpgradePolicyUpdate", "UpgradePolicy"),
        ("zonalShiftConfig", "ZonalShiftConfigUpdate", "ZonalShiftConfig"),
        ("deletionProtection", "DeletionProtectionUpdate", "UpdatedDeletionProtection"),
    ):
        if request.get(name) is not None:
            document[name] = request[name]
            changes.append((kind, {parameter: request[name]}))
    if len(changes) != 1:
        raise InvalidParameterError(
            f"only one type of change per call, not {len(changes)}: {[kind for kind, _ in changes]}"
        )
    kind, parameters = changes[0]
    return {"update": record_update(cluster, kind, parameters, done=True)}


def change_mode(cluster: Cluster, wanted: str) -> None:
    """The authentication mode can only move towards API."""
    order = ["CONFIG_MAP", "API_AND_CONFIG_MAP", "API"]
    current = cluster.document["accessConfig"]["authenticationMode"]
    if order.index(wanted) < order.index(current):
        raise InvalidParameterError(f"Unsupported authentication mode update from {current} to {wanted}")
    cluster.document["accessConfig"] = {**cluster.document["accessConfig"], "authenticationMode": wanted}


def update_cluster_version(eks: Eks, request: Request) -> Document:
    """UpdateClusterVersion: one minor version up, if the nodes are recent enough. Nodes and add-ons do not change."""
    cluster, wanted = eks.active(request["name"]), request["version"]
    current = cluster.document["version"]
    if wanted == current:
        raise InvalidParameterError(f"Cluster is already at the desired configuration with version {current}")
    check_version(wanted)
    if minor(wanted) != minor(current) + 1:
        raise InvalidParameterError(f"Unsupported Kubernetes minor version update from {current} to {wanted}")
    behind = {
        name: group.document["version"]
        for name, group in cluster.nodegroups.items()
        if minor(current) - minor(group.document["version"]) >= FARTHEST_BEHIND
    }
    if behind:
        nodes = ", ".join(f"{name} ({version})" for name, version in behind.items())
        raise InvalidRequestError(
            f"Nodegroups {nodes} must be updated to match cluster version {current} before updating cluster version"
        )
    cluster.document["version"] = wanted
    return {"update": record_update(cluster, "VersionUpdate", {"Version": wanted}, done=True)}


def associate_encryption_config(eks: Eks, request: Request) -> Document:
    """AssociateEncryptionConfig: recorded only; the sandbox's etcd is not encrypted."""
    cluster = eks.active(request["clusterName"])
    if cluster.document["encryptionConfig"]:
        raise InvalidRequestError("Encryption is already enabled for the cluster")
    cluster.document["encryptionConfig"] = request["encryptionConfig"]
    return {
        "update": record_update(
            cluster, "AssociateEncryptionConfig", {"EncryptionConfig": request["encryptionConfig"]}, done=True
        )
    }


def describe_update(eks: Eks, request: Request) -> Document:
    """DescribeUpdate."""
    cluster = eks.cluster(request["name"])
    update = cluster.updates.get(request["updateId"])
    subject = request.get("nodegroupName") or request.get("addonName") or ""
    if update is None or update["subject"] != subject:
        raise ResourceNotFoundError(f"No update found for ID: {request['updateId']}")
    return {"update": update}


def list_updates(eks: Eks, request: Request) -> Document:
    """ListUpdates."""
    cluster = eks.cluster(request["name"])
    subject = request.get("nodegroupName") or request.get("addonName") or ""
    return page("updateIds", [i for i, u in cluster.updates.items() if u["subject"] == subject], request)


def describe_cluster_versions(_eks: Eks, request: Request) -> Document:
    """DescribeClusterVersions: the supported ones, newest first."""
    today = timestamp().date()
    wanted = request.get("clusterVersions") or list(SUPPORT)
    versions: list[Document] = []
    for version, (standard, extended) in reversed(SUPPORT.items()):
        if version not in wanted or today >= extended:
            continue
        status = "STANDARD_SUPPORT" if today < standard else "EXTENDED_SUPPORT"
        versions.append(
            {
                "clusterVersion": version,
                "clusterType": "eks",
                "defaultPlatformVersion": PLATFORM,
                "defaultVersion": version == VERSION,
                "endOfStandardSupportDate": datetime.combine(standard, time(), UTC),
                "endOfExtendedSupportDate": datetime.combine(extended, time(), UTC),
                "status": status.lower().replace("_", "-"),
                "versionStatus": status,
                "kubernetesPatchVersion": PATCH if version == VERSION else f"{version}.3",
            }
        )
    return page("clusterVersions", versions, request)
