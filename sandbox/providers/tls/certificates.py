"""Requests and certificates: signing, and when to renew."""

import hashlib
import ipaddress
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from sandbox.providers.common.server import ProviderError
from sandbox.providers.tls.keys import PrivateKey, algorithm_of, key_of

KEY_USES: Final = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("cert_signing", "crl_signing", "encipher_only", "decipher_only"),
)
_X509_NAMES: Final = {"cert_signing": "key_cert_sign", "crl_signing": "crl_sign"}

EXTENDED_USES: Final[Mapping[str, ObjectIdentifier]] = {
    "any_extended": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server_auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code_signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email_protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp_signing": ExtendedKeyUsageOID.OCSP_SIGNING,
}

SUBJECT: Final[Mapping[str, ObjectIdentifier]] = {
    "commonName": NameOID.COMMON_NAME,
    "country": NameOID.COUNTRY_NAME,
    "emailAddress": NameOID.EMAIL_ADDRESS,
    "locality": NameOID.LOCALITY_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "postalCode": NameOID.POSTAL_CODE,
    "province": NameOID.STATE_OR_PROVINCE_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "streetAddresses": NameOID.STREET_ADDRESS,
}

SERIAL_BITS: Final = 128


def request(inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A signing request: its id and its outputs."""
    key = key_of(inputs["privateKeyPem"], "privateKeyPem")
    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(inputs))
    if names := _alternative_names(inputs):
        builder = builder.add_extension(names, critical=False)
    pem = _pem(builder.sign(key, _hash(key)))
    request_id = hashlib.sha1(pem.strip().encode(), usedforsecurity=False).hexdigest()
    return request_id, {"certRequestPem": pem, "keyAlgorithm": algorithm_of(key)}


def self_signed(inputs: Mapping[str, Any], now: datetime) -> tuple[str, dict[str, Any]]:
    """A certificate that its own key signed: its id and its outputs."""
    key = key_of(inputs["privateKeyPem"], "privateKeyPem")
    subject = _subject(inputs)
    builder = _builder(inputs, subject, key.public_key(), now).issuer_name(subject)
    if names := _alternative_names(inputs):
        builder = builder.add_extension(names, critical=not subject.rdns)
    if inputs.get("setAuthorityKeyId"):
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
        builder = builder.add_extension(identifier, critical=False)
    return _signed(builder, key, {"keyAlgorithm": algorithm_of(key)})


def locally_signed(inputs: Mapping[str, Any], now: datetime) -> tuple[str, dict[str, Any]]:
    """A certificate for a request, signed by an authority's key: its id and its outputs."""
    key = key_of(inputs["caPrivateKeyPem"], "caPrivateKeyPem")
    try:
        authority = x509.load_pem_x509_certificate(inputs["caCertPem"].encode())
        asked = x509.load_pem_x509_csr(inputs["certRequestPem"].encode())
    except ValueError as error:
        raise ProviderError(f"`caCertPem` or `certRequestPem` is invalid: {error}; give both as PEM") from error
    if _spki(authority.public_key()) != _spki(key.public_key()):
        raise ProviderError(
            "`caPrivateKeyPem` is not the key of `caCertPem`; give the key that belongs to this certificate"
        )
    builder = _builder(inputs, asked.subject, asked.public_key(), now).issuer_name(authority.subject)
    for extension in asked.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            # RFC 5280, 4.2.1.6: if it is the only name, the extension must be critical.
            builder = builder.add_extension(extension.value, critical=not asked.subject.rdns)
    for extension in authority.extensions:
        if isinstance(extension.value, x509.SubjectKeyIdentifier):
            issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(extension.value)
            builder = builder.add_extension(issuer, critical=False)
    return _signed(builder, key, {"caKeyAlgorithm": algorithm_of(key)})


def _builder(inputs: Mapping[str, Any], subject: x509.Name, key: Any, now: datetime) -> x509.CertificateBuilder:
    start = now.replace(microsecond=0)
    authority = bool(inputs.get("isCaCertificate"))
    serial = int.from_bytes(
        hashlib.sha256(f"{_spki(key).hex()} {now.isoformat()}".encode()).digest()[: SERIAL_BITS // 8]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(serial >> 1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(hours=inputs["validityPeriodHours"]))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=inputs.get("maxPathLength")), critical=True)
    )
    uses = inputs["allowedUses"]
    if wrong := [use for use in uses if use not in {*KEY_USES, *EXTENDED_USES}]:
        raise ProviderError(f"`allowedUses` has {wrong[0]!r}; known are {', '.join([*KEY_USES, *EXTENDED_USES])}")
    if bits := [use for use in uses if use in KEY_USES]:
        builder = builder.add_extension(_key_usage(bits), critical=True)
    if extended := [EXTENDED_USES[use] for use in uses if use in EXTENDED_USES]:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    if authority or inputs.get("setSubjectKeyId"):
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    return builder


def _signed(builder: x509.CertificateBuilder, key: PrivateKey, more: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    certificate = builder.sign(key, _hash(key))
    return str(certificate.serial_number), {
        "certPem": _pem(certificate),
        "validityStartTime": certificate.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "validityEndTime": certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "readyForRenewal": False,
        **more,
    }


def _subject(inputs: Mapping[str, Any]) -> x509.Name:
    said: Mapping[str, Any] = inputs.get("subject") or {}
    pairs = [(oid, value) for name, oid in SUBJECT.items() for value in _several(said.get(name))]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])


def _several(value: Any) -> list[str]:
    return [] if not value else value if isinstance(value, list) else [value]


def _alternative_names(inputs: Mapping[str, Any]) -> x509.SubjectAlternativeName | None:
    names = [
        *(x509.DNSName(name) for name in inputs.get("dnsNames") or ()),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in inputs.get("ipAddresses") or ()),
        *(x509.UniformResourceIdentifier(uri) for uri in inputs.get("uris") or ()),
    ]
    return x509.SubjectAlternativeName(names) if names else None


def _key_usage(uses: list[str]) -> x509.KeyUsage:
    return x509.KeyUsage(**{_X509_NAMES.get(use, use): use in uses for use in KEY_USES})


def _hash(key: PrivateKey) -> hashes.SHA256 | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def _spki(public: Any) -> bytes:
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _pem(signed: x509.Certificate | x509.CertificateSigningRequest) -> str:
    return signed.public_bytes(serialization.Encoding.PEM).decode()
