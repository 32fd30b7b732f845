"""Decisions that need no process: what a call is, what a policy decides, what a journal line contains."""

import functools
import json
import string
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
import xmltodict
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from moto.core import serialize
from moto.core.utils import get_service_model
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.tags import TagBackend

from sandbox.aws import serializing
from sandbox.aws.eks.machines import instance_options
from sandbox.aws.eks.nodegroups import merge_taints
from sandbox.aws.eks.settling import settle_cluster
from sandbox.aws.eks.store import Cluster
from sandbox.aws.identities.web_identity import key_id, verify
from sandbox.aws.refusal import Refusal
from sandbox.aws.serving.journal import Entry, Journal, JournalError, from_line, to_line
from sandbox.iam.wire.call import Call, kept_headers
from sandbox.iam.wire.replies import Denial, error_reply

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA1/20260101/eu-west-1/{}/aws4_request, SignedHeaders=host, Signature=00"
_FASTER: list[tuple[Any, str]] = [
    (serialize.ResponseSerializer, "get_value"),
    (serialize.ResponseSerializer, "_serialize_type_structure"),
    (serialize.TimestampSerializer, "_convert_timestamp_to_str"),
    (TaggedEC2Resource, "get_tags"),
    (xmltodict, "unparse"),
]
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


def signed(service: str, **more: str) -> dict[str, str]:
    return {"authorization": SIGNED.format(service), **more}


def test_a_form_names_its_action() -> None:
    call = Call("POST", "/", {**signed("ec2"), **FORM}, b"Action=DescribeVpcs&Version=2016-11-15")
    assert (call.service, call.action, call.region, call.access_key) == ("ec2", "DescribeVpcs", "eu-west-1", "AKIA1")
    assert not call.writes


def test_a_target_header_names_its_action() -> None:
    call = Call("POST", "/", signed("kms", **{"x-amz-target": "TrentService.CreateKey"}), b"{}")
    assert (call.service, call.action, call.writes) == ("kms", "CreateKey", True)


@pytest.mark.parametrize(
    ("method", "url", "action", "writes"),
    [
        ("POST", "/clusters", "CreateCluster", True),
        ("GET", "/clusters/demo", "DescribeCluster", False),
        ("POST", "/clusters/demo/node-groups/a/update-config", "UpdateNodegroupConfig", True),
        ("GET", "/tags/arn%3Aaws%3Aeks%3Aus-west-2%3A1%3Acluster%2Fdemo", "ListTagsForResource", False),
        ("POST", "/nothing", "POST /nothing", True),
    ],
)
def test_eks_names_its_action_by_method_and_path(method: str, url: str, action: str, writes: bool) -> None:  # noqa: FBT001 - a parameter
    call = Call(method, url, signed("eks"))
    assert (call.action, call.writes) == (action, writes)


def test_a_presigned_url_names_everything_in_its_query() -> None:
    scope = "AKIA2%2F20260101%2Fus-west-2%2Fsts%2Faws4_request"
    url = f"/?Action=GetCallerIdentity&X-Amz-Credential={scope}&X-Amz-Security-Token=t"
    call = Call("GET", url)
    assert (call.service, call.access_key, call.session_token) == ("sts", "AKIA2", "t")


def test_only_a_web_identity_comes_without_a_signature() -> None:
    assert Call("POST", "/", FORM, b"Action=AssumeRoleWithWebIdentity").service == "sts"
    assert Call("POST", "/", FORM, b"Action=DescribeVpcs").service is None


@pytest.mark.parametrize("action", ["AssumeRole", "GenerateDataKey", "PutParameter", "Getaway"])
def test_what_is_not_surely_a_read_is_a_write(action: str) -> None:
    assert Call("POST", "/", {**signed("x"), **FORM}, f"Action={action}".encode()).writes


@given(st.binary(), st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_call_survives_the_journal(body: bytes, url: str) -> None:
    call = Call("POST", url, {"content-type": "x"}, body)
    line = to_line(Entry(call, 1, 2.5).to_json())
    assert line.count(b"\n") == 1
    document = from_line(line)
    assert document
    assert Entry.from_json(document) == Entry(call, 1, 2.5)


@given(st.integers(0, 60), st.integers(1, 255))
def test_a_line_with_any_byte_changed_is_noticed(place: int, change: int) -> None:
    line = bytearray(to_line({"seed": 1, "time": 2.5, "method": "POST", "url": "/", "body": "x"}))
    place %= len(line) - 1
    line[place] ^= change
    try:
        assert from_line(bytes(line)) is None
    except UnicodeDecodeError:
        pytest.fail("a damaged line must be told apart, not decoded")


def test_headers_that_no_service_reads_are_left_out() -> None:
    given_headers = {"Authorization": "a", "X-Amz-Date": "b", "User-Agent": "c", "Host": "d", "X-K8s-Aws-Id": "e"}
    assert kept_headers(given_headers) == {"authorization": "a", "x-amz-date": "b", "x-k8s-aws-id": "e"}


def test_a_journal_of_another_moto_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "journal", {"moto": "5.2.5"}).close()
    with pytest.raises(JournalError, match=r"another version .* start again with `sandbox down`"):
        Journal(tmp_path / "journal", {"moto": "6"})


def test_a_journal_keeps_its_header_and_entries(tmp_path: Path) -> None:
    first = Journal(tmp_path / "journal", {"moto": "5", "seed": 1})
    first.append(Entry(Call("POST", "/a"), 7, 8.0))
    first.close()
    again = Journal(tmp_path / "journal", {"moto": "5", "seed": 2})
    assert again.header["seed"] == 1
    assert [e.call.url for e in again.entries()] == ["/a"]


def test_an_error_takes_the_form_of_its_protocol() -> None:
    denial = Denial("Nope", "a < b", 403)
    ec2 = error_reply(Call("POST", "/", {**signed("ec2"), **FORM}), denial).get_data(as_text=True)
    query = error_reply(Call("POST", "/", {**signed("iam"), **FORM}), denial).get_data(as_text=True)
    rest = error_reply(Call("GET", "/clusters", signed("eks")), denial)
    assert "<Response><Errors><Error><Code>Nope</Code><Message>a &lt; b</Message>" in ec2
    assert query.startswith("<ErrorResponse><Error>")
    assert json.loads(rest.get_data())["message"] == "a < b"
    assert rest.headers["x-amzn-ErrorType"] == "Nope"


def key_pair() -> tuple[str, str]:
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def test_a_token_signed_with_any_of_the_issuers_keys_is_good_and_with_another_clusters_is_not() -> None:
    (old, old_public), (new, new_public), (foreign, foreign_public) = key_pair(), key_pair(), key_pair()
    claims = {"iss": "https://issuer/id/A", "sub": "s", "aud": "sts", "exp": time.time() + 60}

    def check(private: str, public: str) -> str:
        token = jwt.encode(claims, private, "RS256", headers={"kid": key_id(public)})
        identity = verify(token, {"issuer/id/A": ["sts"]}, lambda _: old_public + new_public, time.time())
        return identity.subject

    assert [check(old, old_public), check(new, new_public)] == ["s", "s"]
    with pytest.raises(Refusal, match="verification key"):
        check(foreign, foreign_public)
    with pytest.raises(Refusal, match="verification key"):
        check(foreign, new_public)


def test_an_issuer_that_is_gone_verifies_nothing() -> None:
    private, public = key_pair()
    claims = {"iss": "https://issuer/id/A", "sub": "s", "aud": "sts", "exp": time.time() + 60}
    token = jwt.encode(claims, private, "RS256", headers={"kid": key_id(public)})
    with pytest.raises(Refusal, match="verification key"):
        verify(token, {"issuer/id/A": ["sts"]}, lambda _: None, time.time())


CLUSTER = {"name": "demo", "resourcesVpcConfig": {"clusterSecurityGroupId": "sg-cluster"}}
GROUP = {
    "nodegroupName": "main",
    "instanceTypes": ["t3.medium"],
    "resources": {"autoScalingGroups": [{"name": "eks-main"}]},
}


def test_a_node_carries_the_clusters_group_unless_its_template_names_others() -> None:
    plain = instance_options(CLUSTER, GROUP, {}, "subnet-1")
    beside = instance_options(CLUSTER, GROUP, {"SecurityGroupIds": ["sg-1"]}, "subnet-1")
    inside = instance_options(CLUSTER, GROUP, {"NetworkInterfaces": [{"Groups": ["sg-2"]}]}, "subnet-1")
    assert [o["nics"][0]["Groups"] for o in (plain, beside, inside)] == [["sg-cluster"], ["sg-1"], ["sg-2"]]


def test_a_nodes_volumes_go_with_it() -> None:
    template = {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 50}}]}
    devices = instance_options(CLUSTER, GROUP, template, "subnet-1")["block_device_mappings"]
    assert devices == [
        {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 50, "VolumeType": "gp3", "DeleteOnTermination": True}}
    ]


def test_taints_are_known_by_key_and_effect() -> None:
    before = [{"key": "a", "value": "1", "effect": "NO_SCHEDULE"}, {"key": "a", "value": "1", "effect": "NO_EXECUTE"}]
    after = merge_taints(
        before,
        {
            "removeTaints": [{"key": "a", "effect": "NO_EXECUTE"}],
            "addOrUpdateTaints": [{"key": "a", "value": "2", "effect": "NO_SCHEDULE"}],
        },
    )
    assert after == [{"key": "a", "value": "2", "effect": "NO_SCHEDULE"}]


def test_moto_answers_the_same_but_finds_the_names_of_a_member_once(monkeypatch: pytest.MonkeyPatch) -> None:
    operation, asked = get_service_model("elbv2").operation_model("DescribeTargetHealth"), list[str]()
    states = [{"state": "healthy"}, {"State": "draining", "Reason": "<&>"}, {"state": None}]
    held = [{"target": {"Id": f"10.0.0.{n}", "port": n}, "TargetHealth": states[n % 3]} for n in range(250)]

    def answer() -> Any:
        picker = serialize.XFormedAttributePicker(
            response_transformers={"TargetHealth.Reason": lambda value: value and value.upper()}
        )
        return serialize.QuerySerializer(operation, value_picker=picker).serialize({"TargetHealthDescriptions": held})

    before = answer()
    for owner, name in _FASTER:
        monkeypatch.setattr(owner, name, vars(owner)[name])  # restored at the end
    monkeypatch.setattr(serialize.NoAlias, "has_alias", lambda _, key: not asked.append(key))
    serializing.install()
    assert answer() == before
    assert asked.count("Id") == 1


def test_equal_structures_are_serialized_once_and_a_changed_one_again(monkeypatch: pytest.MonkeyPatch) -> None:
    operation = get_service_model("ec2").operation_model("DescribeInstances")
    addresses: list[dict[str, Any]] = [{"PrivateIpAddress": f"10.0.0.{n}", "Primary": False} for n in range(100)]
    interface = {"NetworkInterfaceId": "eni-1", "PrivateIpAddresses": addresses}
    held = {"Reservations": [{"Instances": [{"NetworkInterfaces": [interface]}]}]}
    serialized = list[str]()
    leaf: Any = vars(serialize.BaseXMLSerializer)["_serialize_type_string"]

    def string(self: Any, into: Any, value: Any, shape: Any, key: str) -> None:
        serialized.append(value)
        leaf(self, into, value, shape, key)

    def answer() -> Any:
        serializer = serialize.EC2Serializer(operation, value_picker=serialize.XFormedAttributePicker())
        return serializer.serialize(held)

    plain = [answer()]
    addresses[7]["Primary"] = True
    plain.append(answer())
    addresses[7]["Primary"] = False
    for owner, name in (*_FASTER, (serialize.BaseXMLSerializer, "_serialize_type_string")):
        monkeypatch.setattr(owner, name, vars(owner)[name])  # restored at the end
    monkeypatch.setattr(serialize.BaseXMLSerializer, "_serialize_type_string", string)
    serializing.install()
    assert answer() == plain[0]
    addresses[7]["Primary"] = True
    del serialized[:]
    assert answer() == plain[1]
    assert [value for value in serialized if value.startswith("10.")] == ["10.0.0.7"]


_NAMES = st.text(string.ascii_letters, min_size=1, max_size=5)
_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=9)
)
_ELEMENTS = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner.filter(lambda one: not isinstance(one, list))) | st.dictionaries(_NAMES, inner),
)


@given(
    value=_ELEMENTS,
    attributes=st.dictionaries(_NAMES.map("@{}".format), st.text(string.printable[:95])),
    short=st.booleans(),
)
def test_an_element_is_written_as_xmltodict_writes_it(value: Any, attributes: dict[str, str], *, short: bool) -> None:
    element = {**attributes, **value} if isinstance(value, dict) else value
    assert serializing.xml("a", element, short=short) == xmltodict.unparse(
        {"a": element}, full_document=False, short_empty_elements=short
    )


def test_tags_and_timestamps_are_read_as_moto_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    backend: Any = SimpleNamespace(tags={"sg-1": {"a": "1", "b": "2"}, "sg-11": {"a": "3"}})
    group: Any = SimpleNamespace(id="sg-1", ec2_backend=backend)
    backend.describe_tags = functools.partial(TagBackend.describe_tags, backend)
    backend.VALID_TAG_FILTERS = TagBackend.VALID_TAG_FILTERS
    dates = ["2026-01-02T03:04:05Z", "2026-01-02 03:04:05.678+02:00", datetime(2026, 1, 2, tzinfo=UTC), 1767000000]

    def read() -> Any:
        stamps = serialize.TimestampSerializer("iso8601")
        forms = ("iso8601", "iso8601_zeroed", "rfc822")
        return TaggedEC2Resource.get_tags(group), [stamps._convert_timestamp_to_str(d, f) for d in dates for f in forms]  # pyright: ignore[reportPrivateUsage]

    before = read()
    for owner, name in _FASTER:
        monkeypatch.setattr(owner, name, vars(owner)[name])
    serializing.install()
    assert read() == read() == before


def test_a_cluster_shows_its_endpoint_when_it_is_active_and_not_before() -> None:
    cluster = Cluster({"name": "a", "status": "CREATING"}, creator="", bootstrap_admin=True)
    for phase, endpoint in (("CREATING", None), ("ACTIVE", "https://127.0.0.1:1")):
        cluster.status = {"phase": phase, "endpoint": "https://127.0.0.1:1", "ca": "Y2E="}
        settle_cluster(cluster)
        assert (cluster.document["status"], cluster.document.get("endpoint")) == (phase, endpoint)
