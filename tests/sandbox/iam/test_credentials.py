"""Signatures: botocore's are accepted, and refused after any change."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from fixtures.iam.sending import HOST, REGION, signed
from sandbox.iam.language.evaluate import Principal
from sandbox.iam.wire.credentials import CredentialError, Key, Signed, claim_of, verify
from sandbox.iam.wire.denials import unproven

PRINCIPAL = Principal(
    "user", "arn:aws:iam::123456789012:user/joe", "123456789012", "arn:aws:iam::123456789012:user/joe"
)
KEY = Key("the-secret", PRINCIPAL)
SESSION = Key("the-secret", PRINCIPAL, "the-token", datetime.now(UTC) + timedelta(hours=1))


def check(request: Signed, key: Key | None = KEY, later: timedelta = timedelta()) -> Key:
    return verify(request, claim_of(request), key, datetime.now(UTC) + later)


def sent(service: str = "ec2", operation: str = "describe_vpcs", *, token: str = "", **parameters: Any) -> Signed:
    return signed(service, operation, parameters, "AKIAJOE", "the-secret", *([token] if token else []))


def refusal(request: Signed, key: Key | None = KEY, later: timedelta = timedelta()) -> str:
    with pytest.raises(CredentialError) as error:
        check(request, key, later)
    return error.value.reason


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("ec2", "describe_vpcs", {}),
        ("elbv2", "describe_load_balancers", {"Names": ["ä b"]}),
        ("eks", "list_tags_for_resource", {"resourceArn": "arn:aws:eks:us-west-2:1:cluster/a"}),
        ("eks", "list_clusters", {"maxResults": 5, "include": ["all"]}),
        ("eks", "create_cluster", {"name": "c", "roleArn": "r", "resourcesVpcConfig": {}}),
        ("acm", "list_certificates", {}),
        ("iam", "get_role", {"RoleName": "r"}),
    ],
)
def test_what_botocore_signs_is_accepted(service: str, operation: str, parameters: dict[str, Any]) -> None:
    assert check(sent(service, operation, **parameters)) is KEY


def test_a_sessions_token_is_part_of_it() -> None:
    request = sent(token="the-token")
    assert check(request, SESSION) is SESSION
    assert refusal(request, replace(SESSION, token="another")) == "unknown"
    assert refusal(request, KEY) == "unknown"
    assert refusal(sent(), SESSION) == "unknown"


def test_a_key_that_nobody_has_is_refused() -> None:
    assert refusal(sent(), None) == "unknown"


def test_an_inactive_key_is_refused() -> None:
    assert refusal(sent(), replace(KEY, active=False)) == "unknown"


def test_another_secret_is_refused() -> None:
    assert refusal(sent(), replace(KEY, secret="other")) == "signature"


def test_a_session_that_is_over_is_refused() -> None:
    over = replace(SESSION, expires=datetime.now(UTC) - timedelta(seconds=1))
    assert refusal(sent(token="the-token"), over) == "expired"


@pytest.mark.parametrize("minutes", [6, -6])
def test_a_request_out_of_its_time_is_refused(minutes: int) -> None:
    assert refusal(sent(), later=timedelta(minutes=minutes)) == "late"


@pytest.mark.parametrize("minutes", [4, -4])
def test_clocks_may_be_a_little_apart(minutes: int) -> None:
    assert check(sent(), later=timedelta(minutes=minutes))


def altered() -> list[tuple[str, Signed]]:
    request = sent("elbv2", "describe_load_balancers", Names=["a"])
    return [
        ("the body", replace(request, body=request.body + b"&Names.member.2=b")),
        ("the path", replace(request, url="/other")),
        ("the query", replace(request, url="/?Action=DeleteLoadBalancer")),
        ("the method", replace(request, method="GET")),
        ("the host", replace(request, headers={**request.headers, "host": "elsewhere"})),
        ("a signed header", replace(request, headers={**request.headers, "content-type": "text/plain"})),
        ("a header of AWS's that was not signed", replace(request, headers={**request.headers, "x-amz-target": "T.A"})),
        (
            "the body's own hash",
            replace(request, headers={**request.headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}),
        ),
    ]


@pytest.mark.parametrize("case", range(len(altered())), ids=[what for what, _ in altered()])
def test_nothing_may_be_altered(case: int) -> None:
    # Signed here, not when tests are collected: a signature is good for five minutes.
    assert refusal(altered()[case][1]) == "signature"


def test_headers_that_were_not_signed_may_come_and_go() -> None:
    request = sent()
    assert check(replace(request, headers={**request.headers, "user-agent": "other", "connection": "close"}))


def test_the_date_of_the_scope_is_the_requests() -> None:
    request = sent()
    today = request.headers["x-amz-date"][:8]
    text = request.headers["authorization"].replace(today, "20200101")
    assert refusal(replace(request, headers={**request.headers, "authorization": text})) == "signature"


def test_a_request_without_a_signature_proves_nobody() -> None:
    with pytest.raises(CredentialError) as error:
        claim_of(Signed("GET", "/?Action=DescribeVpcs", {}))
    assert error.value.reason == "missing"


@pytest.mark.parametrize("text", ["AWS4-HMAC-SHA256 nonsense", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host"])
def test_a_malformed_signature_is_refused(text: str) -> None:
    with pytest.raises(CredentialError) as error:
        claim_of(Signed("GET", "/", {"authorization": text, "x-amz-date": "20260101T000000Z"}))
    assert error.value.reason == "signature"


def presigned(token: str | None = None, service: str = "sts") -> Signed:
    """Like `aws eks get-token`."""
    request = AWSRequest(
        "GET", f"http://{HOST}/?Action=GetCallerIdentity&Version=2011-06-15", headers={"x-k8s-aws-id": "c"}
    )
    SigV4QueryAuth(Credentials("AKIAJOE", "the-secret", token), service, REGION, expires=60).add_auth(request)
    return Signed("GET", str(request.url).removeprefix(f"http://{HOST}"), {"host": HOST, "x-k8s-aws-id": "c"})


def test_a_presigned_url_is_accepted_for_as_long_as_it_says() -> None:
    assert check(presigned())
    assert check(presigned("the-token"), SESSION)
    assert check(presigned(service="ec2"), later=timedelta(seconds=59))
    assert refusal(presigned(service="ec2"), later=timedelta(seconds=62)) == "late"


def test_a_presigned_url_of_sts_lasts_fifteen_minutes_whatever_it_says() -> None:
    assert check(presigned(), later=timedelta(minutes=14))
    assert refusal(presigned(), later=timedelta(minutes=16)) == "late"


def test_a_presigned_url_binds_its_headers() -> None:
    request = presigned()
    assert refusal(replace(request, headers={**request.headers, "x-k8s-aws-id": "another"})) == "signature"
    assert refusal(replace(request, url=request.url.replace("GetCallerIdentity", "GetSessionToken"))) == "signature"


@pytest.mark.parametrize(
    ("service", "reason", "code", "status"),
    [
        ("ec2", "unknown", "AuthFailure", 401),
        ("ec2", "signature", "AuthFailure", 401),
        ("ec2", "expired", "RequestExpired", 400),
        ("sts", "unknown", "InvalidClientTokenId", 403),
        ("elasticloadbalancing", "expired", "ExpiredToken", 403),
        ("iam", "late", "SignatureDoesNotMatch", 403),
        ("acm", "unknown", "UnrecognizedClientException", 400),
        ("eks", "signature", "InvalidSignatureException", 403),
        ("eks", "expired", "ExpiredTokenException", 403),
    ],
)
def test_each_service_says_it_in_its_own_way(service: str, reason: str, code: str, status: int) -> None:
    denial = unproven(service, CredentialError(reason, "x"))
    assert (denial.code, denial.status) == (code, status)


def test_every_reason_has_an_answer_everywhere() -> None:
    for service, reason in itertools.product(
        ("ec2", "iam", "acm"), ("missing", "unknown", "expired", "late", "signature")
    ):
        assert unproven(service, CredentialError(reason, "x")).code
