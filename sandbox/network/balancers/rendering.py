"""A node's plan as HAProxy's configuration. Pure, except for the template file."""

from collections.abc import Mapping
from pathlib import Path

import jinja2

from sandbox.network.balancers.plan import Listener, Node

_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - not HTML; `patterns` writes what users wrote so that it ends no word
)
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
        node=node if targets else node.bare(), receiving=receiving, bind=lambda listener: bind(node, listener, folder)
    )


def certificate_list(folder: Path, listener: Listener) -> Path:
    """The file that lists a listener's certificates, the default one first."""
    return folder / f"{listener.name}.crt-list"


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
    return " ".join(words)
