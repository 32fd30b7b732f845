"""An authority and certificates for the webhooks."""

import datetime as dt
import functools

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.unit.doctor.healthy_aws import NOW, WEBHOOK_HOST


@functools.cache
def certificates(host: str = WEBHOOK_HOST, days: int = 700) -> tuple[str, str]:
    """An authority and a certificate of it for a host, as PEM."""
    authority, key = _certificate("authority")
    leaf, _ = _certificate(host, by=("authority", key), days=days)
    return authority, leaf


@functools.cache
def chained() -> tuple[str, str, str]:
    """An authority, an intermediate of it, and the intermediate's certificate for the webhooks, as PEM."""
    authority, key = _certificate("authority")
    intermediate, its_key = _certificate("intermediate", by=("authority", key))
    leaf, _ = _certificate(WEBHOOK_HOST, by=("intermediate", its_key))
    return authority, intermediate, leaf


def _certificate(
    subject: str, by: tuple[str, ec.EllipticCurvePrivateKey] | None = None, days: int = 700
) -> tuple[str, ec.EllipticCurvePrivateKey]:
    """A certificate as PEM, signed by another or by itself, and its key."""
    own = ec.generate_private_key(ec.SECP256R1())
    issuer, key = by or (subject, own)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject[:64])]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(days=100))
        .not_valid_after(NOW + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode(), own
