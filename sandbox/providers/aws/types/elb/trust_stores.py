"""Elastic Load Balancing: trust stores, whose bundles of CA certificates are in S3."""

from typing import Any

from sandbox.providers.aws.kind import Calls, Kind, State, Wanted, deleting, tag_list
from sandbox.providers.aws.session import Aws
from sandbox.providers.aws.types.elb.attributes import retag, suffix, tags_of
from sandbox.providers.common.fields import Field, each

_BUNDLE = "caCertificatesBundleS3"


def _bundle(wanted: Wanted) -> dict[str, Any]:
    return wanted.parameters(*(_BUNDLE + part for part in ("Bucket", "Key", "ObjectVersion")))


def _create(aws: Aws, wanted: Wanted) -> str:
    # The same request again returns the same trust store.
    made = aws.client("elbv2").create_trust_store(
        Name=wanted["name"], **_bundle(wanted), Tags=tag_list(wanted.all_tags)
    )
    return made["TrustStores"][0]["TrustStoreArn"]


def _change(aws: Aws, arn: str, wanted: Wanted, _changed: set[str]) -> None:
    aws.client("elbv2").modify_trust_store(TrustStoreArn=arn, **_bundle(wanted))


def _read(aws: Aws, arn: str, _state: State) -> dict[str, Any] | None:
    elb = aws.client("elbv2")
    found = elb.describe_trust_stores(TrustStoreArns=[arn])["TrustStores"][0]
    return {"name": found["Name"], "arn": arn, "arnSuffix": suffix(arn), "tagsAll": tags_of(elb, arn)}


TRUST_STORE = Kind(
    type="aws:lb/trustStore:TrustStore",
    inputs={
        **each(f"{_BUNDLE}Bucket", f"{_BUNDLE}Key", required=True),
        f"{_BUNDLE}ObjectVersion": Field(),
        "name": Field(replaces=True),
    },
    outputs=("arn", "arnSuffix"),
    calls=Calls(_create, _read, _change, deleting("elbv2", "delete_trust_store", "TrustStoreArn")),
    retag=retag,
    naming=("name", 32),
)

KINDS = (TRUST_STORE,)
