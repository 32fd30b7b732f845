"""The serving certificate of the webhooks: the one that the values give, or a new one of a new CA."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sandbox.providers.kubernetes.chart.naming import Names

_VALID: Final = timedelta(days=3650)
_BITS: Final = 2048


@dataclass(frozen=True)
class Certificate:
    """A CA, a certificate of it and its key: base64 of PEM, as a Secret holds them."""

    ca: str
    cert: str
    key: str

    @property
    def data(self) -> dict[str, str]:
        """The data of a Secret of type `kubernetes.io/tls`."""
        return {"ca.crt": self.ca, "tls.crt": self.cert, "tls.key": self.key}


def given(values: Mapping[str, Any]) -> Certificate | None:
    """The certificate in the values; None unless all of its parts are there."""
    parts = [values["webhookTLS"][part] for part in ("caCert", "cert", "key")]
    return Certificate(*(_base64(str(part).encode()) for part in parts)) if all(parts) else None


def kept(secret: Mapping[str, Any] | None) -> Certificate | None:
    """The certificate of a Secret that is in the cluster already."""
    data = (secret or {}).get("data") or {}
    return Certificate(data["ca.crt"], data["tls.crt"], data["tls.key"]) if "ca.crt" in data else None


def generated(names: Names) -> Certificate:
    """A new certificate of a new CA: as with the chart, every rendering has another."""
    # Imported here: most programs give a certificate, and this takes 0.15 s.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    def named(common: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])

    now = datetime.now(UTC)
    ca_name, ca_key = named("aws-load-balancer-controller-ca"), rsa.generate_private_key(65537, _BITS)
    key = rsa.generate_private_key(65537, _BITS)
    host = f"{names.webhook_service}.{names.release.namespace}"
    hosts = (host, f"{host}.svc", f"{host}.svc.{names.values['cluster']['dnsDomain']}")

    def draft(subject: x509.Name, whose: rsa.RSAPublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .issuer_name(ca_name)
            .subject_name(subject)
            .public_key(whose)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + _VALID)
        )

    ca = (
        draft(ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    cert = (
        draft(named(names.full), key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in hosts]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    text = key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    return Certificate(_base64(ca.public_bytes(pem)), _base64(cert.public_bytes(pem)), _base64(text))


def _base64(text: bytes) -> str:
    return base64.b64encode(text).decode()
