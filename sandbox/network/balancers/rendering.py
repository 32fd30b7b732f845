"""A node's plan as HAProxy's configuration. Pure, except for the template file."""

from collections.abc import Mapping
from pathlib import Path

import jinja2

from sandbox.network.balancers.plan import Clients, Listener, Node

_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - not HTML; `patterns` writes what users wrote so that it ends no word
)
_EXPIRED, _NO_REVOCATIONS = "10", "3"
"""OpenSSL's numbers of errors: an expired certificate, and an authority without a list of revocations.
https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/"""
_BEGIN, _END = "-----BEGIN%%20CERTIFICATE-----%%0A", "%%0A-----END%%20CERTIFICATE-----%%0A"
_WEAK = {"TLSv1.0", "TLSv1.1"}

Receiving = Mapping[str, frozenset[str]]
"""Pool -> the names of its targets that get new connections."""


def configuration(node: Node, receiving: Receiving, folder: Path, *, targets: bool = True) -> str:
    """HAProxy's configuration.

    Args:
        node: the plan.
        receiving: the targets that get new connections; all others are disabled.
        folder: the folder of the certificates' lists.
        targets: false to leave the targets out: if the rest differs, HAProxy must reload.
    """
    template = _environment.get_template("haproxy.cfg.j2")
    return template.render(
        node=node if targets else node.bare(),
        receiving=receiving,
        bind=lambda listener: bind(node, listener, folder),
        certificate_headers=certificate_headers,
    )


def certificate_list(folder: Path, listener: Listener) -> Path:
    """The file that lists a listener's certificates, the default one first."""
    return folder / f"{listener.name}.crt-list"


def certificate_headers(listener: Listener) -> list[tuple[str, str]]:
    """The headers that tell targets about a client's certificate, and HAProxy's expressions for their values.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html
    """
    if listener.tls is None or listener.tls.clients is None:
        return []
    # Lines of 64 characters, percent-encoded: no comma is in base64.
    body = '%[ssl_c_der,base64,regsub("(.{64})","\\1,",g),url_enc,regsub(%2C,%0A,g)]'
    pem = f"'{_BEGIN}{body}{_END}'"
    if not listener.tls.clients.store:
        return [("X-Amzn-Mtls-Clientcert", pem)]
    # Years have two digits.
    iso = r"""regsub("^(..)(..)(..)(..)(..)(..)Z$","20\1-\2-\3T\4:\5:\6Z")"""
    valid = f"NotBefore=%[ssl_c_notbefore,{iso}];NotAfter=%[ssl_c_notafter,{iso}]"
    return [
        ("X-Amzn-Mtls-Clientcert-Serial-Number", "%[ssl_c_serial,hex]"),
        ("X-Amzn-Mtls-Clientcert-Issuer", "'%[ssl_c_i_dn(\"\",0,rfc2253)]'"),
        ("X-Amzn-Mtls-Clientcert-Subject", "'%[ssl_c_s_dn(\"\",0,rfc2253)]'"),
        ("X-Amzn-Mtls-Clientcert-Validity", f"'{valid}'"),
        ("X-Amzn-Mtls-Clientcert-Leaf", pem),
    ]


def authorities(folder: Path, listener: Listener) -> Path:
    """The file with the authorities of a listener's clients."""
    return folder / f"{listener.name}.authorities.pem"


def revocations(folder: Path, listener: Listener) -> Path:
    """The file with the certificates that those authorities have revoked."""
    return folder / f"{listener.name}.revocations.pem"


def _asking(clients: Clients, listener: Listener, folder: Path) -> list[str]:
    """How a listener asks for certificates."""
    if not clients.store:
        return ["verify", "optional", "ca-file", "@system-ca", "ca-ignore-err", "all", "crt-ignore-err", "all"]
    ignored = [*([_NO_REVOCATIONS] if clients.revokes else []), *([_EXPIRED] if clients.expired else [])]
    return [
        *("verify", "required"),
        # Only the names in `ca-file` are told to clients.
        *("ca-file" if clients.advertises else "ca-verify-file", str(authorities(folder, listener))),
        *(["crl-file", str(revocations(folder, listener))] if clients.revokes else []),
        *(["crt-ignore-err", ",".join(ignored)] if ignored else []),
    ]


def bind(node: Node, listener: Listener, folder: Path) -> str:
    """The `bind` of a listener."""
    words = [f"{node.address}:{listener.port}"]
    tls = listener.tls
    if tls is None:
        # An Application Load Balancer supports HTTP/2 only over TLS.
        return " ".join([*words, *(["proto h1"] if listener.mode == "http" else [])])
    words += ["ssl", "crt-list", str(certificate_list(folder, listener))]
    words += ["ssl-min-ver", tls.protocols[0], "ssl-max-ver", tls.protocols[-1]]
    if tls.ciphers:
        # OpenSSL must be configured to support the old protocols that AWS still offers.
        level = ":@SECLEVEL=0" if _WEAK & set(tls.protocols) else ""
        words += ["ciphers", ":".join(tls.ciphers) + level]
    if tls.suites:
        words += ["ciphersuites", ":".join(tls.suites)]
    if tls.alpn:
        words += ["alpn", tls.alpn]
    if tls.clients:
        words += _asking(tls.clients, listener, folder)
    return " ".join(words)
