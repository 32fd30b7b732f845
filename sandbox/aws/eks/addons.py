"""Add-ons: recorded and reported ACTIVE. What runs in the sandbox in their place, its agent brings along."""

from moto.moto_api._internal import mock_random

from sandbox.aws.eks.catalog import VERSION
from sandbox.aws.eks.errors import InvalidParameterError, ResourceInUseError, ResourceNotFoundError
from sandbox.aws.eks.store import Cluster, Document, Eks, Request, page, record_update, timestamp

# What the sandbox lets one add, the version it reports, and whether a service account of it may have a role.
CATALOG = {
    "vpc-cni": ("v1.21.1-eksbuild.1", "aws-node"),
    "coredns": ("v1.13.1-eksbuild.1", None),
    "kube-proxy": ("v1.36.0-eksbuild.1", None),
    "eks-pod-identity-agent": ("v1.3.10-eksbuild.1", None),
    "aws-ebs-csi-driver": ("v1.54.0-eksbuild.1", "ebs-csi-controller-sa"),
    "metrics-server": ("v0.8.0-eksbuild.5", None),
}


def create_addon(eks: Eks, request: Request) -> Document:
    """CreateAddon."""
    cluster, name = eks.active(request["clusterName"]), request["addonName"]
    existing = cluster.addons.get(name)
    if existing and existing["token"] and existing["token"] == request.get("clientRequestToken"):
        return {"addon": existing}
    if existing:
        raise ResourceInUseError("Addon already exists.")
    addon: Document = {
        "addonName": name,
        "clusterName": cluster.name,
        "status": "ACTIVE",
        "addonVersion": check_version(name, request.get("addonVersion")),
        "health": {"issues": []},
        "addonArn": eks.arn("addon", cluster.name, name, str(mock_random.uuid4())),
        "createdAt": timestamp(),
        "modifiedAt": timestamp(),
        "serviceAccountRoleArn": request.get("serviceAccountRoleArn"),
        "configurationValues": request.get("configurationValues"),
        "tags": request.get("tags", {}),
        "podIdentityAssociations": [],
        "token": request.get("clientRequestToken"),
    }
    cluster.addons[name] = addon
    return {"addon": addon}


def check_version(name: str, version: str | None) -> str:
    """The version, if the catalog has it."""
    if name not in CATALOG:
        raise InvalidParameterError(f"Addon {name} specified is not supported: there are {sorted(CATALOG)}")
    offered = CATALOG[name][0]
    if version not in {None, offered}:
        raise InvalidParameterError(f"Addon version {version} of {name} is not supported: there is {offered}")
    return offered


def find(eks: Eks, request: Request) -> tuple[Cluster, Document]:
    """The add-on that a request speaks of."""
    cluster = eks.cluster(request["clusterName"])
    addon = cluster.addons.get(request["addonName"])
    if addon is None:
        raise ResourceNotFoundError(f"No addon: {request['addonName']} found in cluster: {cluster.name}")
    return cluster, addon


def describe_addon(eks: Eks, request: Request) -> Document:
    """DescribeAddon."""
    return {"addon": find(eks, request)[1]}


def list_addons(eks: Eks, request: Request) -> Document:
    """ListAddons."""
    return page("addons", sorted(eks.cluster(request["clusterName"]).addons), request)


def update_addon(eks: Eks, request: Request) -> Document:
    """UpdateAddon: version, role, configuration."""
    cluster, addon = find(eks, request)
    changes: Document = {}
    if request.get("addonVersion"):
        addon["addonVersion"] = check_version(addon["addonName"], request["addonVersion"])
        changes["AddonVersion"] = addon["addonVersion"]
    for field, parameter in (
        ("serviceAccountRoleArn", "ServiceAccountRoleArn"),
        ("configurationValues", "ConfigurationValues"),
    ):
        if request.get(field) is not None:
            addon[field] = request[field]
            changes[parameter] = request[field]
    addon["modifiedAt"] = timestamp()
    return {"update": record_update(cluster, "AddonUpdate", changes, done=True, subject=addon["addonName"])}


def delete_addon(eks: Eks, request: Request) -> Document:
    """DeleteAddon."""
    cluster, addon = find(eks, request)
    del cluster.addons[addon["addonName"]]
    return {"addon": {**addon, "status": "DELETING"}}


def describe_addon_versions(_eks: Eks, request: Request) -> Document:
    """DescribeAddonVersions: the catalog."""
    wanted = request.get("addonName")
    if request.get("kubernetesVersion", VERSION) != VERSION:
        return {"addons": []}
    compatible = [{"clusterVersion": VERSION, "platformVersions": ["*"], "defaultVersion": True}]
    addons = [
        {
            "addonName": name,
            "type": "networking" if name in {"vpc-cni", "coredns", "kube-proxy"} else "security",
            "owner": "aws",
            "publisher": "eks",
            "addonVersions": [
                {
                    "addonVersion": version,
                    "architecture": ["amd64", "arm64"],
                    "compatibilities": compatible,
                    "requiresIamPermissions": account is not None,
                }
            ],
        }
        for name, (version, account) in CATALOG.items()
        if wanted in {None, name}
    ]
    return page("addons", addons, request)
