"""ACM certificates, only imported ones: nothing here requests one from a public authority."""

from typing import Any

from sandbox.providers.aws.kind import Kind, State, Wanted, is_ours, known, retagging, tag_list, tag_map
from sandbox.providers.aws.session import Aws
from sandbox.providers.aws.types.eks.clusters import timestamp
from sandbox.providers.common.fields import Field


def _same_text(one: Any, other: Any) -> bool:
    return str(one).strip() == str(other).strip()


def _parts(wanted: Wanted) -> dict[str, Any]:
    return known(
        Certificate=wanted["certificateBody"],
        PrivateKey=wanted["privateKey"],
        CertificateChain=wanted.get("certificateChain"),
    )


def _import(aws: Aws, wanted: Wanted) -> str:
    acm = aws.client("acm")
    for page in acm.get_paginator("list_certificates").paginate():
        for one in page["CertificateSummaryList"]:
            arn = one["CertificateArn"]
            if is_ours(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"], wanted):
                return arn
    return acm.import_certificate(**_parts(wanted), Tags=tag_list(wanted.all_tags))["CertificateArn"]


def _reimport(aws: Aws, arn: str, wanted: Wanted, changed: set[str]) -> None:
    if changed:
        aws.client("acm").import_certificate(CertificateArn=arn, **_parts(wanted))


def _read(aws: Aws, arn: str, _state: State) -> dict[str, Any] | None:
    acm = aws.client("acm")
    about = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    texts = acm.get_certificate(CertificateArn=arn)
    return {
        "certificateBody": texts["Certificate"],
        **known(certificateChain=texts.get("CertificateChain")),
        "arn": arn,
        "domainName": about.get("DomainName") or "",
        "subjectAlternativeNames": about.get("SubjectAlternativeNames") or [],
        "notBefore": timestamp(about.get("NotBefore")),
        "notAfter": timestamp(about.get("NotAfter")),
        "status": about["Status"],
        "type": about["Type"],
        "tagsAll": tag_map(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]),
    }


CERTIFICATE = Kind(
    type="aws:acm/certificate:Certificate",
    inputs={
        "certificateBody": Field(required=True, same=_same_text),
        "privateKey": Field(required=True),
        "certificateChain": Field(same=_same_text),
    },
    outputs=("arn", "domainName", "subjectAlternativeNames", "notBefore", "notAfter", "status", "type"),
    volatile=("domainName", "subjectAlternativeNames", "notBefore", "notAfter"),
    create=_import,
    read=_read,
    update=_reimport,
    delete=lambda aws, arn, _: aws.client("acm").delete_certificate(CertificateArn=arn),
    retag=retagging(
        "acm",
        lambda acm, arn, keys: acm.remove_tags_from_certificate(
            CertificateArn=arn, Tags=[{"Key": key} for key in keys]
        ),
        lambda acm, arn, tags: acm.add_tags_to_certificate(CertificateArn=arn, Tags=tag_list(tags)),
    ),
    secrets=("privateKey",),
)

KINDS = (CERTIFICATE,)
