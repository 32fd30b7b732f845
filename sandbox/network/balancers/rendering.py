"""A node's plan as HAProxy's configuration. Pure, but for the template that lies beside."""

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
"""Pool -> the names of its targets that new connections go to."""


def configuration(node: Node, receiving: Receiving, folder: Path, *, targets: bool = True) -> str:
    """HAProxy's configuration.

    Args:
        node: the plan.
        receiving: who gets new connections; all others wait, disabled.
        folder: where the certificates' lists lie.
        targets: false to leave the targets out: what is left wants a reload when it differs.
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
        # An Application Load Balancer speaks HTTP/2 on top of TLS only.
        return " ".join([*words, *(["proto h1"] if listener.mode == "http" else [])])
    words += ["ssl", "crt-list", str(certificate_list(folder, listener))]
    words += ["ssl-min-ver", tls.protocols[0], "ssl-max-ver", tls.protocols[-1]]
    if tls.ciphers:
        # What AWS still offers of old protocols, OpenSSL wants to be asked for.
        level = ":@SECLEVEL=0" if _WEAK & set(tls.protocols) else ""
        words += ["ciphers", ":".join(tls.ciphers) + level]
    if tls.suites:
        words += ["ciphersuites", ":".join(tls.suites)]
    if tls.alpn:
        words += ["alpn", tls.alpn]
    return " ".join(words)
