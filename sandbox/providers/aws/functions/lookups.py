"""Functions that look up what others have created in IAM and other services."""

from typing import Any
from urllib.parse import unquote

from sandbox.providers.aws.functions import Function
from sandbox.providers.aws.functions.common import function, read, shown_tags
from sandbox.providers.aws.kind import known
from sandbox.providers.aws.session import Aws
from sandbox.providers.aws.types.iam.policies import OIDC_PROVIDER
from sandbox.providers.aws.types.iam.roles import ROLE
from sandbox.providers.common.fields import Field, each
from sandbox.providers.common.server import ProviderError
from sandbox.run.pages import everything


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
    tagging = aws.client("resourcegroupstaggingapi")
    found = [
        {"resourceArn": one["ResourceARN"], "tags": shown_tags(one.get("Tags")), "complianceDetails": []}
        for one in everything(tagging, "get_resources", "ResourceTagMappingList", **asked)
    ]
    return {**args, "resourceTagMappingLists": found, "id": aws.region, "region": aws.region}


def role(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """One IAM role."""
    live = read(ROLE, aws, args["name"])
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
    live = read(OIDC_PROVIDER, aws, arn, absent=absent)
    live.pop("region")
    return live


def log_groups(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """The log groups whose names have the given prefix."""
    prefix = {"logGroupNamePrefix": args["logGroupNamePrefix"]} if args.get("logGroupNamePrefix") else {}
    found = everything(aws.client("logs"), "describe_log_groups", "logGroups", **prefix)
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


FUNCTIONS = (
    function("cloudwatch/getLogGroups", log_groups, each("logGroupNamePrefix")),
    Function(
        "aws:ssm/getParameter:getParameter",
        parameter,
        {"name": Field(required=True), "withDecryption": Field()},
        secrets=("value",),
    ),
    function(
        "resourcegroupstaggingapi/getResources",
        resources,
        {
            **each("resourceArnLists", "resourceTypeFilters"),
            "tagFilters": Field(inside={"key": Field(required=True), "values": Field()}),
        },
    ),
    function("lb/getHostedZoneId", hosted_zone_id, each("loadBalancerType")),
    function("iam/getRole", role, each("name", required=True)),
    function("iam/getSessionContext", session_context, each("arn", required=True)),
    function("iam/getOpenIdConnectProvider", oidc_provider, each("arn", "url")),
)
