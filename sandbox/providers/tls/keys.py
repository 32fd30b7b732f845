"""Private keys: created, read, and written in all of the provider's formats."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sandbox.providers.common.server import ProviderError

CURVES: Final = {"P224": ec.SECP224R1, "P256": ec.SECP256R1, "P384": ec.SECP384R1, "P521": ec.SECP521R1}
DEFAULT_CURVE: Final = "P224"
DEFAULT_RSA_BITS: Final = 2048

SECRETS: Final = ("privateKeyPem", "privateKeyOpenssh", "privateKeyPemPkcs8")

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_NONE = serialization.NoEncryption()


def new_key(inputs: Mapping[str, Any]) -> PrivateKey:
    """A key with `algorithm`, `rsaBits`, `ecdsaCurve`.

    Raises:
        ProviderError: The algorithm or curve is unknown.
    """
    algorithm, curve = inputs["algorithm"], inputs.get("ecdsaCurve") or DEFAULT_CURVE
    match algorithm:
        case "RSA":
            return rsa.generate_private_key(65537, inputs.get("rsaBits") or DEFAULT_RSA_BITS)
        case "ECDSA" if curve in CURVES:
            return ec.generate_private_key(CURVES[curve]())
        case "ECDSA":
            raise ProviderError(f"ecdsaCurve {curve!r} is not one of {', '.join(CURVES)}")
        case "ED25519":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            raise ProviderError(f"algorithm {algorithm!r} is not one of RSA, ECDSA, ED25519")


def key_of(pem: str, where: str) -> PrivateKey:
    """A key from its PEM.

    Raises:
        ProviderError: It is not a key that can sign certificates; the message does not show it.
    """
    try:
        key = serialization.load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError) as error:
        raise ProviderError(
            f"`{where}` is not a private key in PEM; give one such as PrivateKey.private_key_pem"
        ) from error
    if not isinstance(key, PrivateKey):
        raise ProviderError(f"`{where}` is not an RSA, ECDSA or ED25519 key")
    return key


def algorithm_of(key: PrivateKey) -> str:
    """The provider's name of a key's algorithm."""
    match key:
        case rsa.RSAPrivateKey():
            return "RSA"
        case ec.EllipticCurvePrivateKey():
            return "ECDSA"
        case _:
            return "ED25519"


def written(key: PrivateKey) -> tuple[str, dict[str, Any]]:
    """A key's id and all its formats."""
    formats = serialization.PrivateFormat
    traditional = formats.PKCS8 if isinstance(key, ed25519.Ed25519PrivateKey) else formats.TraditionalOpenSSL
    pem = serialization.Encoding.PEM
    public = key.public_key()
    encoding, spki = serialization.Encoding, serialization.PublicFormat.SubjectPublicKeyInfo
    # OpenSSH knows no P224: https://datatracker.ietf.org/doc/html/rfc5656#section-10.1
    in_openssh = not (isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP224R1))
    line = public.public_bytes(encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode() if in_openssh else ""
    blob = base64.b64decode(line.split(" ")[1]) if line else b""
    md5 = hashlib.md5(blob, usedforsecurity=False).digest().hex(":") if blob else ""
    sha256 = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=") if blob else ""
    key_id = hashlib.sha1(public.public_bytes(encoding.DER, spki), usedforsecurity=False).hexdigest()
    return key_id, {
        "privateKeyPem": key.private_bytes(pem, traditional, _NONE).decode(),
        "privateKeyPemPkcs8": key.private_bytes(pem, formats.PKCS8, _NONE).decode(),
        "privateKeyOpenssh": key.private_bytes(pem, formats.OpenSSH, _NONE).decode() if in_openssh else "",
        "publicKeyPem": public.public_bytes(pem, spki).decode(),
        "publicKeyOpenssh": f"{line}\n" if line else "",
        "publicKeyFingerprintMd5": md5,
        "publicKeyFingerprintSha256": f"SHA256:{sha256}" if sha256 else "",
    }
