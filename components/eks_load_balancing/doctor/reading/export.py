"""What `sandbox plan --account` needs to know of an account: its VPC, subnets, security groups and certificates.

Read only. Nothing in it is secret: ids, ranges, tags, and the domain names that certificates are for.
"""

from collections.abc import Iterable
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError

from eks_load_balancing.doctor.facts import CannotLookError, NotSeenError, Object
from eks_load_balancing.doctor.lookups import tags_of
from eks_load_balancing.doctor.reading import aws, kube
from eks_load_balancing.doctor.reading.account import Account
from eks_load_balancing.doctor.reading.gather import Where


def export(where: Where) -> dict[str, Any]:
    """Read a cluster's account.

    Raises:
        CannotLookError: there are no credentials or no such cluster, or a call is refused.
    """
    name, region = where.cluster, where.region
    if name is None:
        name, named_region = kube.named(where.kubeconfig, where.context)
        region = region or named_region
    try:
        account = Account(boto3.Session(region_name=region, profile_name=where.profile))
        cluster = aws.described(account, name)
        vpc = cluster["resourcesVpcConfig"]["vpcId"]
        in_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
        return description(
            cluster,
            vpc=account.ask("ec2", "DescribeVpcs", VpcIds=[vpc])["Vpcs"][0],
            subnets=account.ask("ec2", "DescribeSubnets", Filters=in_vpc)["Subnets"],
            tables=account.ask("ec2", "DescribeRouteTables", Filters=in_vpc)["RouteTables"],
            groups=account.ask("ec2", "DescribeSecurityGroups", Filters=in_vpc)["SecurityGroups"],
            certificates=account.ask("acm", "ListCertificates")["CertificateSummaryList"],
        )
    except (BotoCoreError, NotSeenError) as error:
        raise CannotLookError(f"{' '.join(str(error).split())}: give credentials that may make this call") from error


def description(
    cluster: Object,
    *,
    vpc: Object,
    subnets: Iterable[Object],
    tables: Iterable[Object],
    groups: Iterable[Object],
    certificates: Iterable[Object],
) -> dict[str, Any]:
    """The file's document, of what AWS answered."""
    public = _public(list(tables))
    _, _, _, region, owner, _ = cluster["arn"].split(":", 5)
    cidrs = [one["CidrBlock"] for one in vpc.get("CidrBlockAssociationSet") or []] or [vpc["CidrBlock"]]
    return {
        "region": region,
        "account": owner,
        "cluster": cluster["name"],
        "vpc": {"id": vpc["VpcId"], "cidrs": cidrs},
        "subnets": [
            {
                "id": one["SubnetId"],
                "zone": one["AvailabilityZone"],
                "cidr": one["CidrBlock"],
                "public": public.get(one["SubnetId"], public.get("", False)),
                "tags": dict(tags_of(one)),
            }
            for one in subnets
        ],
        "securityGroups": [
            {"id": one["GroupId"], "name": one["GroupName"], "tags": dict(tags_of(one))}
            for one in groups
            if one["GroupName"] != "default"
        ],
        "certificates": [
            {"arn": one["CertificateArn"], "domains": names}
            for one in certificates
            if (names := list(dict.fromkeys([one["DomainName"], *one.get("SubjectAlternativeNameSummaries", [])])))
        ],
    }


def _public(tables: Iterable[Object]) -> dict[str, bool]:
    """Subnet -> whether its route table leads to an internet gateway; under "" that of the main table."""
    found: dict[str, bool] = {}
    for table in tables:
        leads = any(str(route.get("GatewayId", "")).startswith("igw-") for route in table["Routes"])
        for one in table.get("Associations") or []:
            found["" if one.get("Main") else one.get("SubnetId", "")] = leads
    return found
