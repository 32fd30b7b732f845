"""Functions that look up clusters and versions of add-ons."""

from typing import Any

from sandbox.providers.aws.functions import Function
from sandbox.providers.aws.functions.common import function, only, read
from sandbox.providers.aws.session import Aws
from sandbox.providers.aws.types.eks.clusters import CLUSTER
from sandbox.providers.common.fields import each
from sandbox.run.pages import everything


def cluster(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """One EKS cluster."""
    name = args["name"]
    live = read(CLUSTER, aws, name, absent=f"reading EKS Cluster ({name}): couldn't find resource")
    lists = {
        "accessConfigs": live.pop("accessConfig", None),
        "certificateAuthorities": live.pop("certificateAuthority"),
        "kubernetesNetworkConfigs": live.pop("kubernetesNetworkConfig", None),
        "upgradePolicies": live.pop("upgradePolicy", None),
        "zonalShiftConfigs": live.pop("zonalShiftConfig", None),
    }
    live.pop("encryptionConfig", None)
    return {**live, **{name: [one] if one else [] for name, one in lists.items()}}


def cluster_auth(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """A token for a cluster's API: a presigned GetCallerIdentity, like that of `aws eks get-token`."""
    import base64  # noqa: PLC0415 - only this function needs it

    from botocore.signers import RequestSigner  # noqa: PLC0415 - see Aws.client

    sts = aws.client("sts")
    credentials = sts._request_signer._credentials  # noqa: SLF001 - the AWS CLI itself takes them from there
    signer = RequestSigner(sts.meta.service_model.service_id, aws.region, "sts", "v4", credentials, sts.meta.events)
    url = signer.generate_presigned_url(
        {
            "method": "GET",
            "url": f"{sts.meta.endpoint_url.rstrip('/')}/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": args["name"]},
            "context": {},
        },
        region_name=aws.region,
        expires_in=60,
        operation_name="",
    )
    token = "k8s-aws-v1." + base64.urlsafe_b64encode(str(url).encode()).decode().rstrip("=")
    return {"name": args["name"], "token": token, "id": args["name"], "region": aws.region}


def addon_version(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """The add-on version that EKS chooses for a Kubernetes version, or the latest one."""
    asked = {"addonName": args["addonName"], "kubernetesVersion": args["kubernetesVersion"]}
    found = aws.client("eks").describe_addon_versions(**asked)["addons"]
    versions = found[0]["addonVersions"] if found else []

    def is_default(one: dict[str, Any]) -> bool:
        return any(entry.get("defaultVersion") for entry in one.get("compatibilities", ()))

    chosen = versions[:1] if args.get("mostRecent") else [one for one in versions if is_default(one)][:1]
    version = only(chosen, "add-on versions", args)["addonVersion"]
    return {**args, "version": version, "id": args["addonName"], "region": aws.region}


def clusters(aws: Aws, _args: dict[str, Any]) -> dict[str, Any]:
    """The names of the EKS clusters in the region."""
    names = sorted(everything(aws.client("eks"), "list_clusters", "clusters"))
    return {"names": names, "id": aws.region, "region": aws.region}


_NAME = each("name", required=True)

FUNCTIONS = (
    function("eks/getCluster", cluster, _NAME),
    function("eks/getClusters", clusters, {}),
    Function("aws:eks/getClusterAuth:getClusterAuth", cluster_auth, _NAME, secrets=("token",)),
    function(
        "eks/getAddonVersion",
        addon_version,
        {**each("addonName", "kubernetesVersion", required=True), **each("mostRecent")},
    ),
)
