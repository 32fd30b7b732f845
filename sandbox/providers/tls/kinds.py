"""The table of types. Every input requires replacement, except the hours of early renewal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sandbox.providers.common.fields import Field, Fields, same_set

_SUBJECT: Fields = {
    name: Field()
    for name in (
        *("commonName", "country", "emailAddress", "locality", "organization", "organizationalUnit"),
        *("postalCode", "province", "serialNumber", "streetAddresses"),
    )
}

_NAMES: Fields = {
    "subject": Field(replaces=True, inside=_SUBJECT),
    **{name: Field(replaces=True, default=[]) for name in ("dnsNames", "ipAddresses", "uris")},
}

_CERTIFICATE: Fields = {
    "allowedUses": Field(replaces=True, required=True, same=same_set),
    "validityPeriodHours": Field(replaces=True, required=True),
    "earlyRenewalHours": Field(default=0),
    "isCaCertificate": Field(replaces=True, default=False),
    "maxPathLength": Field(replaces=True),
    "setSubjectKeyId": Field(replaces=True, default=False),
}

_VALIDITY = ("certPem", "validityStartTime", "validityEndTime", "readyForRenewal")


@dataclass(frozen=True, slots=True)
class Kind:
    """One type.

    Attributes:
        inputs: What a program may give.
        outputs: The names of its results.
        secrets: Properties that are encrypted in the state.
        renews: Whether it is replaced shortly before it expires.
    """

    inputs: Fields
    outputs: tuple[str, ...]
    secrets: tuple[str, ...] = ()
    renews: bool = False


KINDS: Final[Mapping[str, Kind]] = {
    "tls:index/privateKey:PrivateKey": Kind(
        {
            "algorithm": Field(replaces=True, required=True),
            "ecdsaCurve": Field(replaces=True, default="P224"),
            "rsaBits": Field(replaces=True, default=2048),
        },
        (
            *("privateKeyPem", "privateKeyOpenssh", "privateKeyPemPkcs8", "publicKeyPem", "publicKeyOpenssh"),
            *("publicKeyFingerprintMd5", "publicKeyFingerprintSha256"),
        ),
        ("privateKeyPem", "privateKeyOpenssh", "privateKeyPemPkcs8"),
    ),
    "tls:index/certRequest:CertRequest": Kind(
        {**_NAMES, "privateKeyPem": Field(replaces=True, required=True)},
        ("certRequestPem", "keyAlgorithm"),
        ("privateKeyPem",),
    ),
    "tls:index/selfSignedCert:SelfSignedCert": Kind(
        {
            **_NAMES,
            **_CERTIFICATE,
            "privateKeyPem": Field(replaces=True, required=True),
            "setAuthorityKeyId": Field(replaces=True, default=False),
        },
        (*_VALIDITY, "keyAlgorithm"),
        ("privateKeyPem",),
        renews=True,
    ),
    "tls:index/locallySignedCert:LocallySignedCert": Kind(
        {
            **_CERTIFICATE,
            "certRequestPem": Field(replaces=True, required=True),
            "caCertPem": Field(replaces=True, required=True),
            "caPrivateKeyPem": Field(replaces=True, required=True),
        },
        (*_VALIDITY, "caKeyAlgorithm"),
        ("caPrivateKeyPem",),
        renews=True,
    ),
}


def renewal_is_due(state: Mapping[str, Any], early_hours: float, now: datetime) -> bool:
    """Whether a certificate is in its renewal period."""
    return now >= datetime.fromisoformat(state["validityEndTime"]) - timedelta(hours=early_hours)
