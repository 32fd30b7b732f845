"""S3 buckets and objects, as far as access logs and trust stores need them."""

from typing import Any

from sandbox.providers.aws.kind import Calls, Kind, State, Wanted, created_once, deleting, same_json, tag_list, tag_map
from sandbox.providers.aws.session import CREATION_TAG, Aws
from sandbox.providers.common.fields import Field, each

_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def _tags(aws: Aws, name: str) -> dict[str, str]:
    s3 = aws.client("s3")
    try:
        return tag_map(s3.get_bucket_tagging(Bucket=name)["TagSet"])
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchTagSet":
            raise
        return {}


def _create(aws: Aws, wanted: Wanted) -> str:
    s3, name = aws.client("s3"), wanted["bucket"]
    where = {} if aws.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
    with created_once(s3.exceptions.BucketAlreadyOwnedByYou, wanted, lambda: _tags(aws, name)):
        s3.create_bucket(Bucket=name, **where)
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(wanted.all_tags)})
    return name


def _read(aws: Aws, name: str, _state: State) -> dict[str, Any] | None:
    if name not in {bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]}:
        return None
    arn = f"arn:{aws.partition}:s3:::{name}"
    return {"bucket": name, "arn": arn, "tagsAll": _tags(aws, name)}


def _delete(aws: Aws, name: str, state: State) -> None:
    s3 = aws.client("s3")
    if state.get("forceDestroy"):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
            for one in page.get("Contents", ()):
                s3.delete_object(Bucket=name, Key=one["Key"])
    s3.delete_bucket(Bucket=name)


def _retag(aws: Aws, name: str, _state: State, new: dict[str, str], old: list[str]) -> None:
    aws.client("s3").put_bucket_tagging(Bucket=name, Tagging=_changed_tags(_tags(aws, name), new, old))


def _changed_tags(live: dict[str, str], new: dict[str, str], old: list[str]) -> dict[str, Any]:
    """All tags after a change; S3 replaces them together."""
    kept = {key: value for key, value in live.items() if key not in old or key == CREATION_TAG}
    return {"TagSet": tag_list({**kept, **new})}


BUCKET = Kind(
    type="aws:s3/bucket:Bucket",
    inputs={"bucket": Field(replaces=True), "forceDestroy": Field(default=False)},
    outputs=("arn",),
    calls=Calls(_create, _read, None, _delete),
    retag=_retag,
    naming=("bucket", 63),
)


def _put_policy(aws: Aws, wanted: Wanted) -> str:
    aws.client("s3").put_bucket_policy(Bucket=wanted["bucket"], Policy=wanted["policy"])
    return wanted["bucket"]


def _change_policy(aws: Aws, _name: str, wanted: Wanted, _changed: set[str]) -> None:
    _put_policy(aws, wanted)


def _read_policy(aws: Aws, name: str, _state: State) -> dict[str, Any] | None:
    return {"bucket": name, "policy": aws.client("s3").get_bucket_policy(Bucket=name)["Policy"]}


POLICY = Kind(
    type="aws:s3/bucketPolicy:BucketPolicy",
    inputs={"bucket": Field(required=True, replaces=True), "policy": Field(required=True, same=same_json)},
    calls=Calls(_put_policy, _read_policy, _change_policy, deleting("s3", "delete_bucket_policy", "Bucket")),
)


def _put_block(aws: Aws, wanted: Wanted) -> str:
    block = {name[:1].upper() + name[1:]: wanted.get(name, False) for name in _BLOCKS}
    aws.client("s3").put_public_access_block(Bucket=wanted["bucket"], PublicAccessBlockConfiguration=block)
    return wanted["bucket"]


def _change_block(aws: Aws, _name: str, wanted: Wanted, _changed: set[str]) -> None:
    _put_block(aws, wanted)


def _read_block(aws: Aws, name: str, _state: State) -> dict[str, Any] | None:
    block = aws.client("s3").get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    return {"bucket": name, **{key: block[key[:1].upper() + key[1:]] for key in _BLOCKS}}


ACCESS_BLOCK = Kind(
    type="aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    inputs={"bucket": Field(required=True, replaces=True), **each(*_BLOCKS, default=False)},
    calls=Calls(_put_block, _read_block, _change_block, deleting("s3", "delete_public_access_block", "Bucket")),
)


def _put_object(aws: Aws, wanted: Wanted) -> str:
    s3, place = aws.client("s3"), {"Bucket": wanted["bucket"], "Key": wanted["key"]}
    s3.put_object(**place, Body=wanted.get("content", "").encode(), **wanted.parameters("contentType"))
    s3.put_object_tagging(**place, Tagging={"TagSet": tag_list(wanted.all_tags)})
    return f"{wanted['bucket']}/{wanted['key']}"


def _change_object(aws: Aws, _name: str, wanted: Wanted, _changed: set[str]) -> None:
    _put_object(aws, wanted)


def _place(name: str) -> dict[str, str]:
    bucket, _, key = name.partition("/")
    return {"Bucket": bucket, "Key": key}


def _object_tags(aws: Aws, name: str) -> dict[str, str]:
    return tag_map(aws.client("s3").get_object_tagging(**_place(name))["TagSet"])


def _read_object(aws: Aws, name: str, _state: State) -> dict[str, Any] | None:
    place = _place(name)
    found = aws.client("s3").head_object(**place)
    return {
        "bucket": place["Bucket"],
        "key": place["Key"],
        "contentType": found["ContentType"],
        "arn": f"arn:{aws.partition}:s3:::{name}",
        "etag": found["ETag"].strip('"'),
        "tagsAll": _object_tags(aws, name),
    }


def _delete_object(aws: Aws, name: str, _state: State) -> None:
    aws.client("s3").delete_object(**_place(name))


def _retag_object(aws: Aws, name: str, _state: State, new: dict[str, str], old: list[str]) -> None:
    tagging = _changed_tags(_object_tags(aws, name), new, old)
    aws.client("s3").put_object_tagging(**_place(name), Tagging=tagging)


OBJECT = Kind(
    type="aws:s3/bucketObjectv2:BucketObjectv2",
    inputs={**each("bucket", "key", required=True, replaces=True), **each("content", "contentType")},
    outputs=("arn", "etag"),
    volatile=("etag",),
    calls=Calls(_put_object, _read_object, _change_object, _delete_object),
    retag=_retag_object,
)

KINDS = (BUCKET, POLICY, ACCESS_BLOCK, OBJECT)
