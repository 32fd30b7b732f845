"""Calls to AWS: they only read, read every page, and a refusal is no crash."""

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from eks_load_balancing.doctor.facts import CannotLookError, Unseen
from eks_load_balancing.doctor.reading import aws
from eks_load_balancing.doctor.reading.account import Account, RefusedError
from eks_load_balancing.doctor.reading.permissions import CALLS, READING, RULES, iam_policy
from tests.unit.doctor.healthy_aws import ACCOUNT, CLUSTER_ARN, NAME, ROLE, VPC


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    return Account(boto3.Session("AKIA", "secret", region_name="us-west-2"))


@pytest.fixture
def ec2(account: Account) -> Iterator[Stubber]:
    with Stubber(account.client("ec2")) as stubbed:
        yield stubbed


def test_every_call_reads() -> None:
    calls = [call for some in CALLS.values() for call in some]
    assert [call for call in calls if not call.startswith(READING)] == []
    assert {verb for rule in RULES for verb in rule["verbs"]} == {"get", "list"}


def test_every_call_is_one_that_aws_has(account: Account) -> None:
    for service, calls in CALLS.items():
        assert set(calls) <= set(account.client(service).meta.service_model.operation_names)


def test_the_policy_grants_the_calls_and_nothing_else() -> None:
    (statement,) = iam_policy()["Statement"]
    assert "elasticloadbalancing:DescribeTags" in statement["Action"]
    assert all(action.split(":")[1].startswith(READING) for action in statement["Action"])


@pytest.mark.parametrize("call", ["CreateTags", "DeleteSecurityGroup", "DescribeVolumes", "GetConsoleOutput"])
def test_a_call_that_is_not_listed_is_not_made(account: Account, call: str) -> None:
    with pytest.raises(ValueError, match=f"ec2:{call} is not among"):
        account.ask("ec2", call)


def test_all_pages_are_read(account: Account, ec2: Stubber) -> None:
    filters = [{"Name": "vpc-id", "Values": [VPC]}]
    ec2.add_response("describe_subnets", {"Subnets": [{"SubnetId": "1"}], "NextToken": "n"}, {"Filters": filters})
    ec2.add_response("describe_subnets", {"Subnets": [{"SubnetId": "2"}]}, {"Filters": filters, "NextToken": "n"})
    found = account.ask("ec2", "DescribeSubnets", Filters=filters)
    assert [subnet["SubnetId"] for subnet in found["Subnets"]] == ["1", "2"]


def test_a_refused_call_leaves_its_fact_unseen_and_the_others_seen(account: Account, ec2: Stubber) -> None:
    ec2.add_client_error("describe_subnets", "UnauthorizedOperation", "not you")
    ec2.add_response("describe_route_tables", {"RouteTables": []})
    ec2.add_response("describe_security_groups", {"SecurityGroups": []})
    ec2.add_response("describe_security_groups", {"SecurityGroups": []})
    ec2.add_response("describe_network_interfaces", {"NetworkInterfaces": []})
    found = aws._network(account, {"name": NAME, "resourcesVpcConfig": {"vpcId": VPC}}, {"nodes": ()})
    assert isinstance(found["subnets"], Unseen)
    assert found["subnets"].call == "ec2:DescribeSubnets"
    assert "UnauthorizedOperation" in found["subnets"].why
    assert found["route_tables"] == found["network_interfaces"] == found["instances"] == ()


def test_a_service_that_does_not_answer_is_a_refusal(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://ec2")

    monkeypatch.setattr(account.client("ec2"), "get_paginator", lambda _: type("P", (), {"paginate": unreachable}))
    with pytest.raises(RefusedError, match="ec2:DescribeSubnets: Could not connect"):
        account.ask("ec2", "DescribeSubnets")


def test_what_depends_on_an_unseen_fact_is_unseen_for_the_same_reason(account: Account) -> None:
    hidden = Unseen("GET /api/v1/serviceaccounts", "HTTP 403")
    with Stubber(account.client("eks")) as eks, Stubber(account.client("iam")) as iam:
        eks.add_response("list_addons", {"addons": []})
        iam.add_response("list_open_id_connect_providers", {"OpenIDConnectProviderList": []})
        found = aws._identity(account, {"name": NAME, "arn": CLUSTER_ARN}, {"service_account": hidden})
    assert found["associations"] == found["role"] == found["role_policies"] == hidden


def test_policies_are_read_with_their_names_so_that_a_remedy_can_name_them(account: Account) -> None:
    arn, document = f"arn:aws:iam::{ACCOUNT}:policy/p", {"Statement": []}
    with Stubber(account.client("iam")) as iam:
        iam.add_response("list_attached_role_policies", {"AttachedPolicies": [{"PolicyName": "p", "PolicyArn": arn}]})
        policy = {"Arn": arn, "DefaultVersionId": "v1"}
        iam.add_response("get_policy", {"Policy": policy})
        iam.add_response("get_policy_version", {"PolicyVersion": {"Document": json.dumps(document)}})
        iam.add_response("list_role_policies", {"PolicyNames": ["inline"]})
        given = {"RoleName": "controller", "PolicyName": "inline", "PolicyDocument": json.dumps(document)}
        iam.add_response("get_role_policy", given)
        found = list(aws._policies(account, {"RoleName": "controller"}))
    assert [(one["Name"], one["Arn"]) for one in found] == [("p", arn), ("inline", None)]


def test_quotas_and_attributes_are_read_as_names_and_values(account: Account) -> None:
    with Stubber(account.client("elbv2")) as elb:
        elb.add_response("describe_account_limits", {"Limits": [{"Name": "targets", "Max": "500"}]})
        crossing = {"Key": "load_balancing.cross_zone.enabled", "Value": "true"}
        elb.add_response("describe_load_balancer_attributes", {"Attributes": [crossing]})
        assert aws._limits(account) == {"targets": 500}
        assert aws._attributes(account, "arn:net") == {"load_balancing.cross_zone.enabled": "true"}


def test_a_missing_role_is_none_and_not_a_refusal(account: Account) -> None:
    with Stubber(account.client("iam")) as iam:
        iam.add_client_error("get_role", "NoSuchEntity", "no", http_status_code=404)
        assert aws._role(account, ACCOUNT, ROLE) is None


def test_a_role_of_another_account_is_not_mistaken_for_one_of_this(account: Account) -> None:
    with Stubber(account.client("iam")):  # nothing may be asked
        assert aws._role(account, "999999999999", ROLE) is None


def test_a_cluster_that_does_not_exist_is_named_with_what_to_give(account: Account) -> None:
    with Stubber(account.client("eks")) as eks, Stubber(account.client("sts")) as sts:
        sts.add_response("get_caller_identity", {})
        eks.add_client_error("describe_cluster", "ResourceNotFoundException", "no")
        with pytest.raises(CannotLookError, match=r"no cluster 'x' in us-west-2: give --cluster"):
            aws.described(account, "x")


def test_credentials_that_are_refused_are_reported_with_what_to_give(account: Account) -> None:
    with Stubber(account.client("sts")) as sts:
        sts.add_client_error("get_caller_identity", "ExpiredToken", "old")
        with pytest.raises(CannotLookError, match=r"sts:GetCallerIdentity: .*old.*give credentials"):
            aws.described(account, NAME)


def test_a_token_is_a_presigned_call_that_names_the_cluster(account: Account) -> None:
    token = account.token(NAME)
    assert token.startswith("k8s-aws-v1.")
    encoded = token.removeprefix("k8s-aws-v1.")
    url = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    query = parse_qs(url.query)
    assert url.netloc == "sts.us-west-2.amazonaws.com"
    assert query["Action"] == ["GetCallerIdentity"]
    assert query["X-Amz-SignedHeaders"] == ["host;x-k8s-aws-id"]
    assert query["X-Amz-Expires"] == ["60"]


def test_calls_that_have_pages_are_read_by_pages(account: Account) -> None:
    """Else a large account would be seen in part."""
    whole = {
        "describe_cluster",
        "describe_load_balancer_attributes",
        "describe_pod_identity_association",
        "describe_tags",
        "describe_target_health",
    }
    for service, calls in CALLS.items():
        for method in map(xform_name, calls):
            one = method.startswith("get_") or method in whole or method == "list_open_id_connect_providers"
            assert account.client(service).can_paginate(method) != one, method
