"""Functions that look up resources that others have created."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from sandbox.providers.aws.errors import found_live
from sandbox.providers.aws.functions import Function
from sandbox.providers.aws.functions.environment import FILTERS, filters
from sandbox.providers.aws.kind import Kind, known, tag_map
from sandbox.providers.aws.session import HIDDEN_TAGS, Aws
from sandbox.providers.aws.types.ec2 import network as ec2_network
from sandbox.providers.aws.types.ec2 import security as ec2_security
from sandbox.providers.aws.types.eks import clusters as eks
from sandbox.providers.aws.types.iam import policies as iam_policies
from sandbox.providers.aws.types.iam import roles as iam
from sandbox.providers.common.fields import Field, Fields
from sandbox.providers.common.server import ProviderError

Answer = Callable[[Aws, dict[str, Any]], dict[str, Any]]


def shown_tags(tags: Any) -> dict[str, str]:
    """Tags that a program can set."""
    return {key: value for key, value in tag_map(tags).items() if not key.startswith(HIDDEN_TAGS)}


def _one(found: list[Any], what: str, args: dict[str, Any]) -> Any:
    if len(found) != 1:
        remedy = "narrow the arguments" if found else "check them, or create it first"
        raise ProviderError(f"{len(found)} {what} match {args}, but exactly one must: {remedy}")
    return found[0]


def _read(kind: Kind, aws: Aws, resource_id: str, *, absent: str = "") -> dict[str, Any]:
    """The properties of the type with the same name, in the function's form; `absent` is the real provider's error."""
    live = found_live(kind, aws, resource_id, {}) if absent else kind.read(aws, resource_id, {})
    if not live:
        raise ProviderError(absent)
    tags = {"tags": shown_tags(live.pop("tagsAll", {}))}
    return {**live, **tags, "region": aws.region, "id": resource_id}


def _ec2_list(operation: str, key: str, args: dict[str, Any], aws: Aws, **more: Any) -> list[dict[str, Any]]:
    conditions = [
        *filters(args),
        *({"Name": name.replace("_", "-"), "Values": [value]} for name, value in more.items()),
    ]
    pages = aws.client("ec2").get_paginator(operation).paginate(Filters=conditions)
    return [one for page in pages for one in page[key]]


def vpc(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """One VPC, by id, tags or filters, or the account's default one."""
    more = known(vpc_id=args.get("id"), cidr=args.get("cidrBlock"), is_default="true" if args.get("default") else None)
    found = _one(_ec2_list("describe_vpcs", "Vpcs", args, aws, **more), "VPCs", args)
    about = {"default": found.get("IsDefault", False), "state": found.get("State", "available")}
    return {**args, **_read(ec2_network.VPC, aws, found["VpcId"]), **about}


def subnets(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """The ids of all subnets that match."""
    ids = [one["SubnetId"] for one in _ec2_list("describe_subnets", "Subnets", args, aws)]
    return {**args, "ids": sorted(ids), "id": aws.region, "region": aws.region}


def subnet(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """One subnet."""
    more = known(
        subnet_id=args.get("id"),
        vpc_id=args.get("vpcId"),
        cidr_block=args.get("cidrBlock"),
        availability_zone=args.get("availabilityZone"),
    )
    found = _one(_ec2_list("describe_subnets", "Subnets", args, aws, **more), "subnets", args)
    about = {
        "availableIpAddressCount": found.get("AvailableIpAddressCount"),
        "state": found.get("State", "available"),
        "defaultForAz": found.get("DefaultForAz", False),
    }
    return {**args, **_read(ec2_network.SUBNET, aws, found["SubnetId"]), **about}


def security_group(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """One security group."""
    more = known(group_id=args.get("id"), vpc_id=args.get("vpcId"), group_name=args.get("name"))
    found = _one(_ec2_list("describe_security_groups", "SecurityGroups", args, aws, **more), "security groups", args)
    live = _read(ec2_security.SECURITY_GROUP, aws, found["GroupId"])
    return {**args, **{name: live[name] for name in ("arn", "description", "id", "name", "region", "tags", "vpcId")}}


def security_groups(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """The ids of all security groups that match."""
    found = sorted(_ec2_list("describe_security_groups", "SecurityGroups", args, aws), key=lambda one: one["GroupId"])
    return {
        **args,
        "ids": [one["GroupId"] for one in found],
        "arns": [aws.arn("ec2", f"security-group/{one['GroupId']}") for one in found],
        "vpcIds": [one.get("VpcId", "") for one in found],
        "id": aws.region,
        "region": aws.region,
    }


def cluster(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """One EKS cluster."""
    name = args["name"]
    live = _read(eks.CLUSTER, aws, name, absent=f"reading EKS Cluster ({name}): couldn't find resource")
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
        return any(each.get("defaultVersion") for each in one.get("compatibilities", ()))

    chosen = versions[:1] if args.get("mostRecent") else [one for one in versions if is_default(one)][:1]
    version = _one(chosen, "add-on versions", args)["addonVersion"]
    return {**args, "version": version, "id": args["addonName"], "region": aws.region}


def parameter(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """One parameter of Systems Manager."""
    decrypt = args.get("withDecryption", True)
    found = aws.client("ssm").get_parameter(Name=args["name"], WithDecryption=decrypt)["Parameter"]
    secret = found["Type"] == "SecureString"
    return {
        "name": args["name"],
        "arn": found["ARN"],
        "type": found["Type"],
        "value": found["Value"],
        "insecureValue": "" if secret else found["Value"],
        "version": found["Version"],
        "withDecryption": decrypt,
        "id": args["name"],
        "region": aws.region,
    }


def resources(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """Tagged resources of every service."""
    asked = known(
        ResourceARNList=args.get("resourceArnLists"),
        ResourceTypeFilters=args.get("resourceTypeFilters"),
        TagFilters=[known(Key=one["key"], Values=one.get("values")) for one in args.get("tagFilters") or ()] or None,
    )
    pages = aws.client("resourcegroupstaggingapi").get_paginator("get_resources").paginate(**asked)
    found = [
        {"resourceArn": one["ResourceARN"], "tags": shown_tags(one.get("Tags")), "complianceDetails": []}
        for page in pages
        for one in page["ResourceTagMappingList"]
    ]
    return {**args, "resourceTagMappingLists": found, "id": aws.region, "region": aws.region}


def role(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """One IAM role."""
    live = _read(iam.ROLE, aws, args["name"])
    live.pop("region")
    live["assumeRolePolicy"] = unquote(live["assumeRolePolicy"])
    return {**live, "permissionsBoundary": live["permissionsBoundary"] or "", "roleLastUseds": []}


def oidc_provider(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """One OpenID Connect provider of IAM, by ARN or URL."""
    arn, url = args.get("arn"), args.get("url")
    if not arn and not url:
        raise ProviderError("getOpenIdConnectProvider needs an `arn` or a `url`")
    absent = "" if arn else f"finding IAM OIDC Provider by url ({url}): not found"
    arn = arn or aws.arn("iam", f"oidc-provider/{str(url).removeprefix('https://')}", region=False)
    live = _read(iam_policies.OIDC_PROVIDER, aws, arn, absent=absent)
    live.pop("region")
    return live


def clusters(aws: Aws, _args: dict[str, Any]) -> dict[str, Any]:
    """The names of the EKS clusters in the region."""
    pages = aws.client("eks").get_paginator("list_clusters").paginate()
    names = sorted(name for page in pages for name in page["clusters"])
    return {"names": names, "id": aws.region, "region": aws.region}


def log_groups(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """The log groups whose names have the given prefix."""
    prefix = {"logGroupNamePrefix": args["logGroupNamePrefix"]} if args.get("logGroupNamePrefix") else {}
    pages = aws.client("logs").get_paginator("describe_log_groups").paginate(**prefix)
    found = [group for page in pages for group in page["logGroups"]]
    return {
        **args,
        "arns": [group["arn"].removesuffix(":*") for group in found],
        "logGroupNames": [group["logGroupName"] for group in found],
        "id": aws.region,
        "region": aws.region,
    }


def session_context(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """The role behind a session; any other principal unchanged."""
    arn = str(args["arn"])
    _, _, role_session = arn.partition(":assumed-role/")
    if not role_session:
        return {"arn": arn, "id": arn, "issuerArn": arn, "issuerId": "", "issuerName": "", "sessionName": ""}
    name, _, session = role_session.partition("/")
    issuer = aws.client("iam").get_role(RoleName=name)["Role"]
    about = {"issuerArn": issuer["Arn"], "issuerId": issuer["RoleId"], "issuerName": name}
    return {"arn": arn, "id": arn, **about, "sessionName": session}


_ELB_ZONES = {
    "application": {"us-east-1": "Z35SXDOTRQ7X7K", "us-west-2": "Z1H1FL5HABSF5", "eu-west-1": "Z32O12XQLNTSW2"},
    "network": {"us-east-1": "Z26RNL4JYFTOTI", "us-west-2": "Z18D5FSROUN65G", "eu-west-1": "Z2IFOLAFXWLO4F"},
}
"""https://docs.aws.amazon.com/general/latest/gr/elb.html"""


def hosted_zone_id(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """The hosted zone of a region's load balancers: the real provider has a table of them too."""
    known = _ELB_ZONES[args.get("loadBalancerType") or "application"]
    if aws.region not in known:
        raise ProviderError(f"the stand-in knows no hosted zone of {aws.region}; use one of {', '.join(known)}")
    return {"id": known[aws.region]}


def _function(token: str, answer: Answer, arguments: Fields) -> Function:
    return Function(f"aws:{token}:{token.rpartition('/')[2]}", answer, arguments)


_SEARCH = {"filters": FILTERS, "tags": Field()}
_ONE = {**_SEARCH, "id": Field()}

FUNCTIONS = (
    _function("ec2/getVpc", vpc, {**_ONE, "cidrBlock": Field(), "default": Field()}),
    _function("ec2/getSubnets", subnets, _SEARCH),
    _function("ec2/getSubnet", subnet, {**_ONE, "vpcId": Field(), "cidrBlock": Field(), "availabilityZone": Field()}),
    _function("ec2/getSecurityGroup", security_group, {**_ONE, "vpcId": Field(), "name": Field()}),
    _function("ec2/getSecurityGroups", security_groups, _SEARCH),
    _function("eks/getCluster", cluster, {"name": Field(required=True)}),
    _function("eks/getClusters", clusters, {}),
    _function("cloudwatch/getLogGroups", log_groups, {"logGroupNamePrefix": Field()}),
    Function("aws:eks/getClusterAuth:getClusterAuth", cluster_auth, {"name": Field(required=True)}, secrets=("token",)),
    _function(
        "eks/getAddonVersion",
        addon_version,
        {"addonName": Field(required=True), "kubernetesVersion": Field(required=True), "mostRecent": Field()},
    ),
    Function(
        "aws:ssm/getParameter:getParameter",
        parameter,
        {"name": Field(required=True), "withDecryption": Field()},
        secrets=("value",),
    ),
    _function(
        "resourcegroupstaggingapi/getResources",
        resources,
        {
            "resourceArnLists": Field(),
            "resourceTypeFilters": Field(),
            "tagFilters": Field(inside={"key": Field(required=True), "values": Field()}),
        },
    ),
    _function("lb/getHostedZoneId", hosted_zone_id, {"loadBalancerType": Field()}),
    _function("iam/getRole", role, {"name": Field(required=True)}),
    _function("iam/getSessionContext", session_context, {"arn": Field(required=True)}),
    _function("iam/getOpenIdConnectProvider", oidc_provider, {"arn": Field(), "url": Field()}),
)
