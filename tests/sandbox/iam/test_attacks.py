"""Requests that mean one thing to IAM and another to the service: each must be refused, and nothing done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.sandbox.aws.harness import ACCOUNT, REGION
from tests.sandbox.iam.conftest import Enforced

FORM = "application/x-www-form-urlencoded"
EC2, STS = "2016-11-15", "2011-06-15"
LOOK: dict[str, Any] = {"Effect": "Allow", "Action": ["ec2:Describe*", "kms:DescribeKey"], "Resource": "*"}


@dataclass
class Attacker:
    """A session that may only read, and writes its requests by hand."""

    enforced: Enforced
    keys: Mapping[str, str]

    def send(
        self,
        service: str,
        body: str,
        url: str = "/",
        *,
        content_type: str = FORM,
        region: str = REGION,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        authorization: str = "{}",
    ) -> tuple[int, str]:
        """A correctly signed request; `authorization` may add to its header."""
        given = {"Content-Type": content_type, **(headers or {})}
        request = AWSRequest(method, f"{self.enforced.url}{url}", headers=given, data=body.encode())
        credentials = Credentials(*self.keys.values())
        SigV4Auth(credentials, service, region).add_auth(request)
        sent = dict(request.headers.items())
        sent["Authorization"] = authorization.format(sent["Authorization"])
        return self.enforced.http(method, url, body.encode(), sent)


@pytest.fixture(scope="module")
def attacker(enforced: Enforced) -> Attacker:
    return Attacker(enforced, enforced.role("attacker", LOOK))


@pytest.fixture
def vpc(enforced: Enforced) -> str:
    return enforced.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


def there(enforced: Enforced, vpc: str) -> bool:
    found = enforced.client("ec2").describe_vpcs()["Vpcs"]
    return vpc in {each["VpcId"] for each in found}


def delete(vpc: str) -> str:
    return urlencode({"Action": "DeleteVpc", "VpcId": vpc, "Version": EC2})


LOOKING = urlencode({"Action": "DescribeVpcs", "Version": EC2})


def test_a_good_request_of_the_attackers_is_answered(attacker: Attacker) -> None:
    assert attacker.send("ec2", LOOKING)[0] == 200
    assert attacker.send("ec2", delete("vpc-1"))[0] == 403


@pytest.mark.parametrize("before", [True, False])
def test_an_action_named_twice_is_refused(attacker: Attacker, vpc: str, *, before: bool) -> None:
    body = f"{delete(vpc)}&Action=DescribeVpcs" if before else f"Action=DescribeVpcs&{delete(vpc)}"
    assert attacker.send("ec2", body)[0] == 403
    assert there(attacker.enforced, vpc)


def test_an_action_in_the_url_and_another_in_the_body_are_refused(attacker: Attacker, vpc: str) -> None:
    for url, body in ((f"/?{delete(vpc)}", LOOKING), (f"/?{LOOKING}", delete(vpc))):
        assert attacker.send("ec2", body, url)[0] == 403
        assert there(attacker.enforced, vpc)


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", "application/json"])
def test_parameters_outside_a_form_are_refused(attacker: Attacker, vpc: str, content_type: str) -> None:
    part = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    multipart = "".join(part.format(*each) for each in (("Action", "DeleteVpc"), ("VpcId", vpc), ("Version", EC2)))
    body = f"{multipart}--x--\r\n" if content_type.startswith("multipart") else delete(vpc)
    assert attacker.send("ec2", body, f"/?{LOOKING}", content_type=content_type)[0] == 403
    assert there(attacker.enforced, vpc)


def test_an_action_in_the_url_of_a_json_service_is_refused(attacker: Attacker) -> None:
    key = attacker.enforced.client("kms").create_key()["KeyMetadata"]["KeyId"]
    target = {"X-Amz-Target": "TrentService.DescribeKey"}
    for url, content_type in (("/?Action=DisableKey", "application/x-amz-json-1.1"), ("/", FORM)):
        body = f'{{"KeyId": "{key}"}}' if url != "/" else f"Action=DisableKey&KeyId={key}"
        assert attacker.send("kms", body, url, content_type=content_type, headers=target)[0] >= 400
    assert attacker.enforced.client("kms").describe_key(KeyId=key)["KeyMetadata"]["Enabled"]


def test_another_region_than_the_sandboxs_is_refused(attacker: Attacker) -> None:
    assert attacker.send("ec2", LOOKING, region="eu-west-1")[0] == 403
    assert attacker.send("ec2", LOOKING, "/?x=.eu-west-1.amazonaws.com")[0] == 403


def test_a_second_credential_in_the_signature_is_refused(attacker: Attacker) -> None:
    root = f"AWS4-HMAC-SHA256 Credential=AKIASANDBOXROOT00000/20260101/{REGION}/sts/aws4_request"
    body = urlencode({"Action": "GetCallerIdentity", "Version": STS})
    for twice in (root + ", {}", "{}, " + root.partition(" ")[2]):
        status, text = attacker.send("sts", body, authorization=twice)
        assert (status, ":root" in text) == (403, False)


def test_a_second_header_with_another_scheme_is_not_an_identity(attacker: Attacker) -> None:
    other = f"Bearer Credential=AKIASANDBOXROOT00000/20260101/{REGION}/sts/aws4_request"
    body = urlencode({"Action": "GetCallerIdentity", "Version": STS})
    assert attacker.send("sts", body, authorization=other)[0] == 403


def test_a_path_with_two_slashes_is_refused(attacker: Attacker) -> None:
    for path in ("//tags/clusters/c", "//x/clusters/c"):
        assert attacker.send("eks", "", path, content_type="application/json", method="DELETE")[0] == 403


def test_a_rule_is_taken_out_of_its_own_group_only(enforced: Enforced, vpc: str) -> None:
    ec2 = enforced.client("ec2")
    mine, other = (ec2.create_security_group(GroupName=n, Description="d", VpcId=vpc)["GroupId"] for n in ("m", "o"))
    world = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    rules = ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=world)["SecurityGroupRules"]
    group = f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/{mine}"
    may = {"Effect": "Allow", "Action": "ec2:RevokeSecurityGroupIngress", "Resource": group}
    attacker = enforced.client("ec2", enforced.role(f"t{vpc[-8:]}", may))
    with pytest.raises(ClientError):
        attacker.revoke_security_group_ingress(GroupId=mine, SecurityGroupRuleIds=[rules[0]["SecurityGroupRuleId"]])
    with pytest.raises(ClientError, match="no id of a security-group"):
        attacker.revoke_security_group_ingress(GroupId="o", IpPermissions=world)
    with pytest.raises(ClientError, match="with GroupName"):
        attacker.revoke_security_group_ingress(GroupId=mine, GroupName="o", IpPermissions=world)
    assert ec2.describe_security_groups(GroupIds=[other])["SecurityGroups"][0]["IpPermissions"]


def test_a_dry_run_does_nothing(enforced: Enforced, vpc: str) -> None:
    for action, parameters in (("delete_vpc", {"VpcId": vpc}), ("create_tags", {"Resources": [vpc], "Tags": []})):
        with pytest.raises(ClientError, match="DryRunOperation"):
            getattr(enforced.client("ec2"), action)(DryRun=True, **parameters)
    assert there(enforced, vpc)


def role(enforced: Enforced) -> str:
    made = enforced.client("iam").list_roles()["Roles"]
    return next(each["Arn"] for each in made if each["RoleName"] == "attacker")


def test_nobody_gets_a_role_without_a_signature(attacker: Attacker) -> None:
    enforced, victim = attacker.enforced, role(attacker.enforced)
    asked = {"RoleArn": victim, "RoleSessionName": "me", "Version": STS}
    saml = {**asked, "PrincipalArn": f"arn:aws:iam::{ACCOUNT}:saml-provider/p", "SAMLAssertion": "eA=="}
    token = "AssumeRoleWithWebIdentity"
    tries = [
        ("/", urlencode({"Action": "AssumeRole", **asked}) + f"&Action={token}"),
        (f"/?Action={token}", urlencode({"Action": "AssumeRole", **asked})),
        (f"/?{urlencode({'Action': 'AssumeRole', **asked})}", f"Action={token}"),
        ("/", urlencode({"Action": "AssumeRoleWithSAML", **saml})),
    ]
    for url, body in tries:
        for content_type in (FORM, "text/plain"):
            status, text = enforced.http("POST", url, body.encode(), {"Content-Type": content_type})
            assert status in {400, 403}, (url, body)
            assert "SecretAccessKey" not in text
            assert "saml" not in text.lower() or "no rule" in text or "Missing" in text, text
