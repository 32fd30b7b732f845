"""The aws stand-in's answers and behaviour apart from single types."""

import asyncio
import json
from typing import Any

import pulumi.provider.experimental.provider as sdk
import pytest

from sandbox.providers.aws import functions, sdk_names
from sandbox.providers.aws.kind import Calls, Kind
from sandbox.providers.aws.provider import AwsProvider
from sandbox.providers.aws.types import kinds
from sandbox.providers.common.fields import Field
from sandbox.providers.common.server import ProviderError, UnfinishedError
from sandbox.providers.common.values import UNKNOWN, plain_properties, to_properties
from tests.sandbox.aws.harness import ACCOUNT, Aws
from tests.sandbox.providers.aws.conftest import configured
from tests.sandbox.providers.aws.engine import CheckError, Engine, urn

VPC = "aws:ec2/vpc:Vpc"
ROLE = "aws:iam/role:Role"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.mark.parametrize(
    ("token", "inputs", "says"),
    [
        (VPC, {"cidrBlok": "10.0.0.0/16"}, "aws:ec2/vpc:Vpc has no input `cidrBlok`; did you mean `cidrBlock`?"),
        (
            VPC,
            {"cidrBlock": "x", "ipv6CidrBlock": "y"},
            "stand-in does not know the input `ipv6CidrBlock` of aws:ec2/vpc:Vpc",
        ),
        (VPC, {}, "`cidrBlock` is missing; give it a value"),
        ("aws:eks/nodeGroup:NodeGroup", {"scalingConfig": {"minSiz": 1}}, "did you mean `minSize`?"),
    ],
)
def test_a_wrong_input_is_named_with_its_remedy(engine: Engine, token: str, inputs: dict[str, Any], says: str) -> None:
    with pytest.raises(CheckError) as caught:
        asyncio_check(engine, token, inputs)
    assert says in str(caught.value)


def asyncio_check(engine: Engine, token: str, inputs: dict[str, Any]) -> None:
    request = sdk.CheckRequest(urn(token, "x"), {}, to_properties(inputs), b"")
    failures = engine.run(engine.provider.check(request)).failures or []
    for failure in failures:
        if "is missing" not in failure.reason or len(failures) == 1:
            raise CheckError(failure.reason)


def test_an_unknown_type_is_named_with_ones_like_it(engine: Engine) -> None:
    with pytest.raises(ProviderError) as caught:
        engine.up("aws:ec2/vpcs:Vpcs", "x", {})
    assert "aws:ec2/vpcs:Vpcs is not supported by the sandbox's stand-in, which supports aws:ec2/vpc:Vpc" in str(
        caught.value
    )


def test_an_unknown_function_is_named_with_ones_like_it(engine: Engine) -> None:
    with pytest.raises(ProviderError, match="which supports aws:index/getRegion:getRegion"):
        engine.invoke("aws:index/getRegions:getRegions")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"regoin": "x"}, "the provider aws has no input `regoin`; did you mean `region`?"),
        ({"httpProxy": "x"}, "stand-in does not know the input `httpProxy` of the provider aws"),
        ({"defaultTags": "{"}, "aws:defaultTags is '{', which is not JSON"),
    ],
)
def test_an_unknown_setting_is_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ProviderError) as caught:
        configured(**settings)
    assert says in str(caught.value)


def test_without_a_region_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ProviderError, match="set the configuration key aws:region, or AWS_REGION"):
        configured(region=None)


def test_what_aws_refuses_is_one_line_with_the_resource_and_the_reason(engine: Engine) -> None:
    with pytest.raises(ProviderError) as caught:
        engine.up("aws:ec2/subnet:Subnet", "lost", {"vpcId": "vpc-0", "cidrBlock": "10.0.0.0/24"})
    assert str(caught.value).startswith("aws:ec2/subnet:Subnet `lost`: CreateSubnet: InvalidVpcID.NotFound: ")
    assert "\n" not in str(caught.value)


def test_a_resource_of_somebody_else_in_the_way_is_not_taken_over(engine: Engine, aws: Aws) -> None:
    iam = aws.client("iam")
    iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=TRUST)
    with pytest.raises(ProviderError, match="EntityAlreadyExists"):
        engine.up(ROLE, "ours", {"name": "theirs", "assumeRolePolicy": TRUST})
    iam.delete_role(RoleName="theirs")


def test_what_was_removed_behind_pulumis_back_is_gone_to_a_refresh(engine: Engine, aws: Aws) -> None:
    vpc = engine.up(VPC, "doomed", {"cidrBlock": "10.9.0.0/16"})
    aws.client("ec2").delete_vpc(VpcId=vpc.id)
    assert engine.refresh(VPC, "doomed") == ["gone"]


def test_what_was_changed_behind_pulumis_back_is_seen_by_a_refresh(engine: Engine, aws: Aws) -> None:
    vpc = engine.up(VPC, "touched", {"cidrBlock": "10.9.0.0/16", "tags": {"Name": "a"}})
    aws.client("ec2").create_tags(Resources=[vpc.id], Tags=[{"Key": "Name", "Value": "b"}])
    assert engine.refresh(VPC, "touched") == ["tags"]
    engine.delete(VPC, "touched")


def test_deleting_a_missing_resource_is_not_an_error(engine: Engine, aws: Aws) -> None:
    vpc = engine.up(VPC, "gone", {"cidrBlock": "10.9.0.0/16"})
    aws.client("ec2").delete_vpc(VpcId=vpc.id)
    engine.delete(VPC, "gone")


def test_a_replacement_has_a_name_of_its_own(engine: Engine) -> None:
    first = engine.up(ROLE, "replaced", {"assumeRolePolicy": TRUST})
    second = engine.up(ROLE, "replaced", {"assumeRolePolicy": TRUST, "path": "/own/"})
    assert first["name"] != second["name"]
    assert second["name"].startswith("replaced-")
    engine.delete(ROLE, "replaced")


def test_a_prefix_starts_the_name(engine: Engine) -> None:
    role = engine.up(ROLE, "prefixed", {"assumeRolePolicy": TRUST, "namePrefix": "eks-"})
    assert role["name"].startswith("eks-")
    engine.delete(ROLE, "prefixed")


def test_a_new_default_tag_is_a_change_of_every_tagged_resource(engine: Engine) -> None:
    engine.up(VPC, "tagged", {"cidrBlock": "10.9.0.0/16"})
    other = configured(defaultTags=json.dumps({"tags": {"team": "other"}}))
    other.stack = engine.stack
    assert other.diff(VPC, "tagged", {"cidrBlock": "10.9.0.0/16"}).diffs == ["tagsAll"]
    assert other.up(VPC, "tagged", {"cidrBlock": "10.9.0.0/16"})["tagsAll"] == {"team": "other"}
    engine.delete(VPC, "tagged")


def test_a_preview_shows_what_aws_fills_into_a_block_as_unknown(engine: Engine) -> None:
    inputs = {"roleArn": "arn:aws:iam::123456789012:role/r", "vpcConfig": {"subnetIds": ["subnet-0"]}}
    shown = engine.preview("aws:eks/cluster:Cluster", "shown", inputs)
    assert shown["vpcConfig"] == {
        "subnetIds": ["subnet-0"],
        "clusterSecurityGroupId": UNKNOWN,
        "vpcId": UNKNOWN,
    }


@pytest.fixture(name="slow")
def fixture_slow(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A provider of one type that is never ready."""
    never = Kind(
        type="aws:test/never:Never",
        inputs={"size": Field()},
        calls=Calls(lambda *_: "never-1", lambda *_: {"size": 1}, None, lambda *_: None),
        ready=lambda *_: False,
        has_region=False,
    )
    monkeypatch.setitem(kinds(), never.type, never)
    return Engine(AwsProvider(pause=0.01))


def test_what_is_not_ready_in_time_is_recorded_as_unfinished(slow: Engine) -> None:
    request = sdk.CreateRequest(urn("aws:test/never:Never", "n"), to_properties({"size": 1}), 0.05, preview=False)
    with pytest.raises(UnfinishedError, match="waited 0 s for it to be ready") as caught:
        slow.run(slow.provider.create(request))
    assert caught.value.resource_id == "never-1"
    assert plain_properties(caught.value.inputs) == {"size": 1}


def test_a_cancelled_wait_ends_at_once_and_keeps_the_resource(slow: Engine) -> None:
    request = sdk.CreateRequest(urn("aws:test/never:Never", "n"), to_properties({"size": 1}), 600, preview=False)

    async def cancelled() -> None:
        creating = asyncio.create_task(slow.provider.create(request))
        await asyncio.sleep(0)
        await slow.provider.cancel()
        await asyncio.wait_for(creating, 5)

    with pytest.raises(UnfinishedError, match="cancelled while waiting"):
        slow.run(cancelled())


def test_who_and_where_the_program_is(engine: Engine) -> None:
    assert engine.invoke("aws:index/getCallerIdentity:getCallerIdentity")["accountId"] == ACCOUNT
    assert engine.invoke("aws:index/getRegion:getRegion")["region"] == "us-west-2"
    assert engine.invoke("aws:index/getPartition:getPartition")["partition"] == "aws"
    zones = engine.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", {"state": "available"})
    assert zones["names"][:2] == ["us-west-2a", "us-west-2b"]
    assert zones["zoneIds"]


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [("cn-north-1", "aws-cn", "amazonaws.com.cn"), ("us-gov-west-1", "aws-us-gov", "amazonaws.com")],
)
def test_a_region_tells_its_partition(region: str, partition: str, suffix: str) -> None:
    found = configured(region=region).invoke("aws:index/getPartition:getPartition")
    assert (found["partition"], found["dnsSuffix"]) == (partition, suffix)


def test_a_session_is_traced_to_its_role(engine: Engine) -> None:
    role = engine.up(ROLE, "session", {"assumeRolePolicy": TRUST, "path": "/ci/"})
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role['name']}/someone"
    found = engine.invoke("aws:iam/getSessionContext:getSessionContext", {"arn": arn})
    assert (found["issuerArn"], found["sessionName"]) == (role["arn"], "someone")
    engine.delete(ROLE, "session")


def test_tagged_resources_are_found_without_the_providers_own_tag(engine: Engine) -> None:
    vpc = engine.up(VPC, "found", {"cidrBlock": "10.9.0.0/16", "tags": {"find": "me"}})
    args = {"tagFilters": [{"key": "find", "values": ["me"]}], "resourceTypeFilters": ["ec2:vpc"]}
    found = engine.invoke("aws:resourcegroupstaggingapi/getResources:getResources", args)["resourceTagMappingLists"]
    assert found == [{"resourceArn": vpc["arn"], "tags": vpc["tagsAll"], "complianceDetails": []}]
    engine.delete(VPC, "found")


def test_a_policy_document_is_what_its_blocks_say(engine: Engine) -> None:
    condition = {"test": "StringEquals", "variable": "issuer:aud", "values": ["sts.amazonaws.com"]}
    block = {
        "actions": ["sts:AssumeRoleWithWebIdentity"],
        "principals": [{"type": "Federated", "identifiers": ["arn:a"]}],
        "conditions": [condition],
    }
    found = engine.invoke("aws:iam/getPolicyDocument:getPolicyDocument", {"statements": [block]})
    assert json.loads(found["json"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": "arn:a"},
                "Condition": {"StringEquals": {"issuer:aud": "sts.amazonaws.com"}},
            }
        ],
    }


def test_a_cluster_token_is_a_secret(engine: Engine) -> None:
    request = sdk.InvokeRequest("aws:eks/getClusterAuth:getClusterAuth", to_properties({"name": "demo"}))
    found = engine.run(engine.provider.invoke(request)).return_value
    assert found["token"].is_secret
    assert plain_properties(found)["token"].startswith("k8s-aws-v1.")


@pytest.mark.parametrize(
    ("token", "args", "says"),
    [
        ("aws:eks/getCluster:getCluster", {"name": "none"}, "reading EKS Cluster (none): couldn't find resource"),
        (
            "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider",
            {"url": "https://none.example"},
            "finding IAM OIDC Provider by url (https://none.example): not found",
        ),
    ],
)
def test_a_missing_resource_is_reported_in_the_real_providers_words(
    engine: Engine, token: str, args: dict[str, str], says: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        engine.invoke(token, args)
    assert says in str(caught.value)


def test_an_unknown_argument_is_named(engine: Engine) -> None:
    with pytest.raises(CheckError, match="has no input `nam`; did you mean `name`"):
        engine.invoke("aws:index/getRegion:getRegion", {"nam": "x"})


@pytest.mark.parametrize("token", functions.functions())
def test_every_argument_exists_in_the_installed_sdk(token: str) -> None:
    assert set(functions.functions()[token].fields) <= sdk_names.arguments(token)
