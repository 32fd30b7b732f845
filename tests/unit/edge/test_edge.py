"""A bucket for access logs, a certificate that DNS proves, a name in DNS."""

import json
from typing import Any

import pytest

from eks_load_balancing import AccessLogsBucket, InvalidInputError, LoadBalancerRecord, ValidatedCertificate
from eks_load_balancing.edge.access_logs_policy import access_logs_policy
from eks_load_balancing.edge.validated_certificate import record_hosts
from fixtures.declared import ACCOUNT, Declared, declare

BUCKET = "arn:aws:s3:::logs"


def proof(host: str) -> dict[str, str]:
    return {
        "domainName": host,
        "resourceRecordName": f"_x.{host.removeprefix('*.')}.",
        "resourceRecordType": "CNAME",
        "resourceRecordValue": "_y.acm-validations.aws.",
    }


def certificate(**changes: Any) -> Declared:
    args: Any = {"host": "example.com", "alternative_hosts": ["*.example.com"], "zone_id": "Z1", **changes}
    made = {
        "c-certificate": {"arn": "arn:c", "domainValidationOptions": [proof("example.com"), proof("*.example.com")]}
    }
    return declare(lambda: {"arn": ValidatedCertificate("c", args).arn}, made=made)


def statements(region: str) -> list[dict[str, Any]]:
    return json.loads(access_logs_policy(BUCKET, region, ACCOUNT))["Statement"]


def test_load_balancers_of_one_account_write_and_nobody_reads_without_tls() -> None:
    alb, nlb, acl, deny = statements("us-west-2")

    assert alb["Resource"] == f"{BUCKET}/*AWSLogs/{ACCOUNT}/*"
    assert nlb["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    assert (acl["Action"], acl["Resource"]) == ("s3:GetBucketAcl", BUCKET)
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


@pytest.mark.parametrize(
    ("region", "account"),
    [
        ("us-west-2", "arn:aws:iam::797873946194:root"),
        ("us-gov-west-1", "arn:aws-us-gov:iam::048591011584:root"),
        ("cn-north-1", "arn:aws-cn:iam::638102146993:root"),
        ("ap-south-2", None),
    ],
)
def test_in_older_regions_the_account_of_elastic_load_balancing_writes_too(region: str, account: str | None) -> None:
    principal = statements(region)[0]["Principal"]

    assert principal["Service"] == "logdelivery.elasticloadbalancing.amazonaws.com"
    assert principal.get("AWS") == account


def test_a_bucket_is_closed_before_its_policy_opens_it_for_load_balancers() -> None:
    declared = declare(lambda: {"name": AccessLogsBucket("logs", {"region": "us-west-2"}).bucket_name})

    assert set(declared.one(":BucketPublicAccessBlock").inputs.values()) == {True, "logs-bucket-id"}
    assert "logs-access" in declared.one(":BucketPolicy").waits_for
    assert declared.outputs == {"name": "logs-bucket-id"}


def test_each_host_of_a_certificate_is_proved_once() -> None:
    declared = certificate()
    record = declared.one(":Record").inputs

    assert record_hosts(["*.a.example", "a.example", "b.example"]) == ["a.example", "b.example"]
    assert (record["name"], record["type"], record["records"]) == (
        "_x.example.com.",
        "CNAME",
        ["_y.acm-validations.aws."],
    )
    assert declared.outputs == {"arn": "arn:c"}


def test_a_name_is_an_alias_of_the_load_balancer() -> None:
    args: Any = {
        "host": "shop.example.com",
        "zone_id": "Z1",
        "load_balancer_type": "network",
        "load_balancer_host": "nlb.example",
        "region": "us-west-2",
    }
    zones = {"aws:lb/getHostedZoneId:getHostedZoneId": {"id": "Z2"}}
    record = declare(lambda: LoadBalancerRecord("name", args) and None, zones).one(":Record").inputs

    assert record["aliases"] == [{"name": "nlb.example", "zoneId": "Z2", "evaluateTargetHealth": True}]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"host": "https://example.com"}, "host: 'https://example.com' is not a host's name"),
        ({"alternative_hosts": ["a b"]}, "alternative_hosts: 'a b' is not a host's name"),
    ],
)
def test_what_is_no_host_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInputError, match=f"ValidatedCertificate 'c': {says}"):
        certificate(**changes)


def test_what_is_no_bucket_or_kind_of_load_balancer_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="bucket_name: 'Logs' is not a bucket's name"):
        AccessLogsBucket("logs", {"region": "us-west-2", "bucket_name": "Logs"})
