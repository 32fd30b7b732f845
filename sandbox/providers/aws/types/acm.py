"""ACM certificates: imported ones, and such as DNS records prove (sandbox/aws/corrections/certificates.py)."""

from typing import Any

from sandbox.providers.aws.kind import (
    Calls,
    Kind,
    State,
    Wanted,
    deleting,
    is_ours,
    known,
    retagging,
    tag_list,
    tag_map,
)
from sandbox.providers.aws.session import Aws
from sandbox.providers.aws.types.eks.clusters import timestamp
from sandbox.providers.common.fields import Field, each, same_by, same_set
from sandbox.providers.common.server import ProviderError

_same_text = same_by(lambda given: str(given).strip())


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
    if wanted.get("domainName"):
        return acm.request_certificate(
            DomainName=wanted["domainName"],
            ValidationMethod=wanted.get("validationMethod", "DNS"),
            Tags=tag_list(wanted.all_tags),
            **wanted.parameters("subjectAlternativeNames"),
        )["CertificateArn"]
    return acm.import_certificate(**_parts(wanted), Tags=tag_list(wanted.all_tags))["CertificateArn"]


def _reimport(aws: Aws, arn: str, wanted: Wanted, changed: set[str]) -> None:
    if changed:
        aws.client("acm").import_certificate(CertificateArn=arn, **_parts(wanted))


def _read(aws: Aws, arn: str, _state: State) -> dict[str, Any] | None:
    acm = aws.client("acm")
    about = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    return {
        **_texts(acm, arn, about),
        "arn": arn,
        "domainName": about.get("DomainName") or "",
        "subjectAlternativeNames": about.get("SubjectAlternativeNames") or [],
        "notBefore": timestamp(about.get("NotBefore")),
        "notAfter": timestamp(about.get("NotAfter")),
        "status": about["Status"],
        "type": about["Type"],
        "tagsAll": tag_map(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]),
    }


def _texts(acm: Any, arn: str, about: dict[str, Any]) -> dict[str, Any]:
    if about["Type"] != "IMPORTED":
        options = [
            {
                "domainName": one["DomainName"],
                "resourceRecordName": one["ResourceRecord"]["Name"],
                "resourceRecordType": one["ResourceRecord"]["Type"],
                "resourceRecordValue": one["ResourceRecord"]["Value"],
            }
            for one in sorted(about["DomainValidationOptions"], key=lambda one: one["DomainName"])
        ]
        return {"validationMethod": "DNS", "domainValidationOptions": options}
    texts = acm.get_certificate(CertificateArn=arn)
    chain = known(certificateChain=texts.get("CertificateChain"))
    return {"certificateBody": texts["Certificate"], **chain, "domainValidationOptions": []}


def _has_options(aws: Aws, arn: str) -> bool:
    """The real provider waits until it knows how a certificate is to be proved."""
    about = aws.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    return about["Type"] == "IMPORTED" or bool(about.get("DomainValidationOptions"))


def _is_issued(aws: Aws, arn: str) -> bool:
    status = aws.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]["Status"]
    if status not in ("ISSUED", "PENDING_VALIDATION"):
        raise ProviderError(f"the certificate {arn} is {status}")
    return status == "ISSUED"


CERTIFICATE = Kind(
    type="aws:acm/certificate:Certificate",
    inputs={
        "certificateBody": Field(same=_same_text),
        "privateKey": Field(),
        "certificateChain": Field(same=_same_text),
        **each("domainName", "validationMethod", replaces=True),
        "subjectAlternativeNames": Field(replaces=True, same=same_set),
    },
    outputs=("arn", "domainValidationOptions", "notBefore", "notAfter", "status", "type"),
    volatile=("notBefore", "notAfter"),
    ready=_has_options,
    calls=Calls(_import, _read, _reimport, deleting("acm", "delete_certificate", "CertificateArn")),
    retag=retagging(
        "acm",
        lambda acm, arn, keys: acm.remove_tags_from_certificate(
            CertificateArn=arn, Tags=[{"Key": key} for key in keys]
        ),
        lambda acm, arn, tags: acm.add_tags_to_certificate(CertificateArn=arn, Tags=tag_list(tags)),
    ),
    secrets=("privateKey",),
)

VALIDATION = Kind(
    type="aws:acm/certificateValidation:CertificateValidation",
    inputs={
        "certificateArn": Field(required=True, replaces=True),
        "validationRecordFqdns": Field(replaces=True, same=same_set),
    },
    calls=Calls(
        lambda _, wanted: wanted["certificateArn"],
        lambda _, arn, state: {**state, "certificateArn": arn},
        None,
        lambda _, __, ___: None,
    ),
    ready=_is_issued,
    deleted_unseen=True,
    minutes=75,
)

KINDS = (CERTIFICATE, VALIDATION)
