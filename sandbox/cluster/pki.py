"""The cluster's keys: one CA, the certificates it signs, and the key pair for service account tokens.

Everything is created once and reused: clients must still trust a cluster that comes back, and AWS verifies service
account tokens against `sa.pub` as long as the cluster lives.
"""

import base64
import datetime as dt
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFETIME = dt.timedelta(days=3650)
_BACKDATED = dt.timedelta(minutes=5)


@dataclass(frozen=True)
class Subject:
    """The user in a client certificate: Kubernetes takes CN as the user and O as its groups."""

    user: str
    groups: tuple[str, ...] = ()


MASTERS = "system:masters"
CLIENTS = {
    "admin": Subject("kubernetes-admin", (MASTERS,)),
    "agent": Subject("sandbox-agent", (MASTERS,)),
    "kwok": Subject("kwok", (MASTERS,)),
    "controller-manager": Subject("system:kube-controller-manager"),
    "scheduler": Subject("system:kube-scheduler"),
    "front-proxy": Subject("front-proxy-client"),
    "kube-proxy": Subject("system:kube-proxy"),
    "cloud-controller-manager": Subject("eks:cloud-controller-manager"),
    # kube-apiserver's own identity for webhooks and kubelets.
    "apiserver-client": Subject("kube-apiserver-client", (MASTERS,)),
}


@dataclass(frozen=True)
class Pki:
    """The files of one cluster's keys, all in one folder."""

    folder: Path

    def cert(self, name: str) -> Path:
        """The certificate of `name`, PEM."""
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        """The private key of `name`, PEM."""
        return self.folder / f"{name}.key"

    @property
    def ca(self) -> Path:
        """The CA's certificate."""
        return self.cert("ca")

    @property
    def service_account_key(self) -> Path:
        """What signs service account tokens."""
        return self.folder / "sa.key"

    @property
    def service_account_public_key(self) -> Path:
        """Verifies service account tokens, here and in AWS."""
        return self.folder / "sa.pub"

    def ca_data(self) -> str:
        """The CA in the format of DescribeCluster and kubeconfigs: base64 of its PEM."""
        return base64.b64encode(self.ca.read_bytes()).decode()


def ensure(folder: Path, serving_names: list[str]) -> Pki:
    """The cluster's keys: existing ones, and new ones for those that are missing.

    Args:
        folder: their folder; created with mode 0700.
        serving_names: kube-apiserver's DNS names and addresses.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    pki = Pki(folder)
    if not pki.ca.exists():
        _make_ca(pki)
    ca_key = serialization.load_pem_private_key(pki.key("ca").read_bytes(), None)
    ca_cert = x509.load_pem_x509_certificate(pki.ca.read_bytes())
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{pki.key('ca')} is not the key this module made: remove {folder} to make new keys")
    issuer = _Issuer(ca_cert, ca_key)
    for name, subject in CLIENTS.items():
        if not pki.cert(name).exists():
            issuer.issue(pki, name, subject)
    for name in ("apiserver", "webhooks"):
        if not pki.cert(name).exists():
            issuer.issue(pki, name, Subject(name), serving_names)
    if not pki.service_account_public_key.exists():
        _make_service_account_keys(pki)
    return pki


def _write(path: Path, data: bytes) -> None:
    draft = path.with_suffix(path.suffix + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    draft.replace(path)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    _write(path, pem)


def _name(subject: Subject) -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in subject.groups]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, subject.user)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + _LIFETIME)
    )


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _make_ca(pki: Pki) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(Subject("kubernetes"))
    cert = (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write_key(pki.key("ca"), key)
    _write(pki.ca, cert.public_bytes(serialization.Encoding.PEM))


def _make_service_account_keys(pki: Pki) -> None:
    # RSA, as on EKS: relying parties of IRSA know RS256.
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    _write_key(pki.service_account_key, key)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    _write(pki.service_account_public_key, public)


def _alternative_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@dataclass(frozen=True)
class _Issuer:
    cert: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def issue(self, pki: Pki, name: str, subject: Subject, serving_names: list[str] | None = None) -> None:
        """Create a key and a certificate: for a server if it has names, otherwise for a client."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if serving_names else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            _builder(_name(subject), self.cert.subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        if serving_names:
            names = [_alternative_name(n) for n in serving_names]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        cert = builder.sign(self.key, hashes.SHA256())
        _write_key(pki.key(name), key)
        _write(pki.cert(name), cert.public_bytes(serialization.Encoding.PEM))
