"""Add-ons: recorded and reported ACTIVE. The cluster's agent provides what the sandbox runs instead of them."""

from moto.moto_api._internal import mock_random

from sandbox.aws.eks.catalog import ADDONS, SUPPORT, WITH_A_ROLE, addon_versions
from sandbox.aws.eks.errors import InvalidParameterError
from sandbox.aws.eks.store import Cluster, Document, Eks, Request, page, record_update, timestamp


def create_addon(eks: Eks, request: Request) -> Document:
    """CreateAddon."""
    cluster, name = eks.active(request["clusterName"]), request["addonName"]
    if existing := cluster.addons.get(name):
        request.must_repeat(existing["token"], "Addon already exists.")
        return {"addon": existing}
    addon: Document = {
        "addonName": name,
        "clusterName": cluster.name,
        "status": "ACTIVE",
        "addonVersion": check_version(name, cluster.document["version"], request.get("addonVersion")),
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


def check_version(name: str, kubernetes_version: str, version: str | None) -> str:
    """The version, if the catalog has it for the cluster's Kubernetes version; EKS's default if none is given."""
    if name not in ADDONS:
        raise InvalidParameterError(f"Addon {name} specified is not supported: there are {sorted(ADDONS)}")
    offered = addon_versions(name, kubernetes_version)
    if version is not None and version not in offered:
        raise InvalidParameterError(
            f"Addon version {version} of {name} is not supported on Kubernetes {kubernetes_version}: there are"
            f" {offered}"
        )
    return version or offered[-1]


def find(eks: Eks, request: Request) -> tuple[Cluster, Document]:
    """The add-on that a request names."""
    missing = f"No addon: {{}} found in cluster: {request['clusterName']}"
    return eks.part(request, "addonName", lambda cluster: cluster.addons, missing)


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
        offered = check_version(addon["addonName"], cluster.document["version"], request["addonVersion"])
        addon["addonVersion"] = offered
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
    """DescribeAddonVersions: the catalog, for one Kubernetes version or all."""
    wanted, kubernetes = request.get("addonName"), request.get("kubernetesVersion")
    addons = [
        {
            "addonName": name,
            "type": "networking" if name in {"vpc-cni", "coredns", "kube-proxy"} else "security",
            "owner": "aws",
            "publisher": "eks",
            "addonVersions": _offered(name, [kubernetes] if kubernetes else list(reversed(SUPPORT))),
        }
        for name in ADDONS
        if wanted in {None, name} and kubernetes in {None, *SUPPORT}
    ]
    return page("addons", addons, request)


def _offered(name: str, kubernetes_versions: list[str]) -> list[Document]:
    """The versions of an add-on, each with its Kubernetes versions."""
    compatible: dict[str, list[Document]] = {}
    for kubernetes in kubernetes_versions:
        versions = addon_versions(name, kubernetes)
        for version in versions:
            compatibility = {
                "clusterVersion": kubernetes,
                "platformVersions": ["*"],
                "defaultVersion": version == versions[-1],
            }
            compatible.setdefault(version, []).append(compatibility)
    return [
        {
            "addonVersion": version,
            "architecture": ["amd64", "arm64"],
            "compatibilities": compatibilities,
            "requiresIamPermissions": name in WITH_A_ROLE,
        }
        for version, compatibilities in compatible.items()
    ]
