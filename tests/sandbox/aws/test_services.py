import json

import pytest
from botocore.exceptions import ClientError

from sandbox.plan.scratch.network import self_signed
from tests.sandbox.aws.harness import ACCOUNT, Aws


def test_a_key_for_secrets_is_made_named_rotated_and_scheduled_for_deletion(aws: Aws) -> None:
    kms = aws.client("kms")
    key = kms.create_key(Description="secrets", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]
    kms.create_alias(AliasName="alias/secrets", TargetKeyId=key["KeyId"])
    kms.enable_key_rotation(KeyId=key["KeyId"])
    assert kms.describe_key(KeyId="alias/secrets")["KeyMetadata"]["Arn"] == key["Arn"]
    kms.delete_alias(AliasName="alias/secrets")
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_a_log_group_keeps_its_retention(aws: Aws) -> None:
    logs = aws.client("logs")
    logs.create_log_group(logGroupName="/aws/eks/x/cluster", tags={"a": "b"})
    logs.put_retention_policy(logGroupName="/aws/eks/x/cluster", retentionInDays=7)
    found = logs.describe_log_groups(logGroupNamePrefix="/aws/eks/x/")["logGroups"]
    assert found[0]["retentionInDays"] == 7
    logs.delete_log_group(logGroupName="/aws/eks/x/cluster")


def test_a_certificate_can_be_imported(aws: Aws) -> None:
    certificate, key = self_signed(["app.example"])
    acm = aws.client("acm")
    arn = acm.import_certificate(Certificate=certificate, PrivateKey=key)["CertificateArn"]
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainName"] == "app.example"
    assert arn in [c["CertificateArn"] for c in acm.list_certificates()["CertificateSummaryList"]]


def test_the_node_image_is_found_by_its_public_parameter(aws: Aws) -> None:
    name = "/aws/service/eks/optimized-ami/1.36/amazon-linux-2023/x86_64/standard/recommended/image_id"
    assert aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"].startswith("ami-")


@pytest.mark.parametrize(
    "policy",
    ["AmazonEKSClusterPolicy", "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonSSMManagedInstanceCore"],
)
def test_awss_own_policies_can_be_attached(aws: Aws, policy: str) -> None:
    found = aws.client("iam").get_policy(PolicyArn=f"arn:aws:iam::aws:policy/{policy}")["Policy"]
    assert found["PolicyName"] == policy


def test_a_role_or_policy_in_use_stays(aws: Aws) -> None:
    iam = aws.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    iam.create_role(RoleName="used", AssumeRolePolicyDocument=document)
    statement = {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}
    policy = iam.create_policy(
        PolicyName="used", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="used", PolicyArn=policy)
    for call, name in ((iam.delete_role, {"RoleName": "used"}), (iam.delete_policy, {"PolicyArn": policy})):
        with pytest.raises(ClientError) as error:
            call(**name)
        assert error.value.response["Error"]["Code"] == "DeleteConflict"
    iam.detach_role_policy(RoleName="used", PolicyArn=policy)
    iam.delete_policy(PolicyArn=policy)
    iam.delete_role(RoleName="used")


def test_the_load_balancing_service_role_can_be_made(aws: Aws) -> None:
    role = aws.client("iam").create_service_linked_role(AWSServiceName="elasticloadbalancing.amazonaws.com")["Role"]
    assert role["Arn"].startswith(f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/elasticloadbalancing.amazonaws.com/")
