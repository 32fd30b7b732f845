"""The certificate that the controller's webhooks serve with, kept in Pulumi's state.

The chart would make a new authority at every rendering, which changes three resources at every `up` and breaks the
webhooks in between (docs/adr/0011). Here an authority and a leaf are resources of their own, the same until they are
due.

A certificate is renewed by an `up` that finds it within its renewal time, and by nothing else. The times are wide for
that reason: a stack that sees one `up` a year never serves an expired certificate. The controller picks a renewed leaf
up from its mounted Secret without a restart.
"""

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_tls as tls
from pulumi import Input

from eks_load_balancing.controller.values import WebhookCertificate
from eks_load_balancing.outputs import applied

_YEAR: Final = 365 * 24
"""Hours."""
AUTHORITY_YEARS: Final = 10
AUTHORITY_RENEWAL_YEARS: Final = 4
LEAF_YEARS: Final = 2
LEAF_RENEWAL_YEARS: Final = 1


def serving_certificate(name: str, dns_names: Input[Sequence[str]], parent: pulumi.Resource) -> WebhookCertificate:
    """Declare an authority and a leaf for some DNS names.

    Args:
        name: what the resources' names begin with.
        dns_names: the names that a client asks for; the first is the subject's common name too.
        parent: the component that the resources belong to.
    """
    child = pulumi.ResourceOptions(parent=parent)
    authority_key = tls.PrivateKey(f"{name}-authority-key", algorithm="ECDSA", ecdsa_curve="P256", opts=child)
    authority = tls.SelfSignedCert(
        f"{name}-authority",
        private_key_pem=authority_key.private_key_pem,
        subject={"common_name": f"{name} authority"},
        is_ca_certificate=True,
        set_subject_key_id=True,
        allowed_uses=["cert_signing", "crl_signing", "digital_signature"],
        validity_period_hours=AUTHORITY_YEARS * _YEAR,
        early_renewal_hours=AUTHORITY_RENEWAL_YEARS * _YEAR,
        opts=child,
    )
    leaf_key = tls.PrivateKey(f"{name}-key", algorithm="ECDSA", ecdsa_curve="P256", opts=child)
    request = tls.CertRequest(
        f"{name}-request",
        private_key_pem=leaf_key.private_key_pem,
        subject={"common_name": applied(lambda names: names[0], dns_names)},
        dns_names=dns_names,
        opts=child,
    )
    leaf = tls.LocallySignedCert(
        f"{name}-certificate",
        cert_request_pem=request.cert_request_pem,
        ca_private_key_pem=authority_key.private_key_pem,
        ca_cert_pem=authority.cert_pem,
        allowed_uses=["digital_signature", "server_auth"],
        validity_period_hours=LEAF_YEARS * _YEAR,
        early_renewal_hours=LEAF_RENEWAL_YEARS * _YEAR,
        opts=child,
    )
    return WebhookCertificate(
        ca=authority.cert_pem, certificate=leaf.cert_pem, key=pulumi.Output.secret(leaf_key.private_key_pem)
    )
