"""The controller's webhooks: somebody answers, with a certificate that is believed."""

import base64
import datetime as dt
from collections.abc import Iterator
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.lookups import ready_addresses, webhook_services
from eks_load_balancing.doctor.registry import Trouble, check

_TROUBLE: Final = (
    "https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#contacting-the-webhook"
)
_INSTALL: Final = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/"
EXPIRES_SOON: Final = dt.timedelta(days=30)


@check(
    "webhooks-have-endpoints",
    demand="The Service of the controller's webhooks has ready endpoints.",
    severity="high",
    link=_TROUBLE,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """Webhooks without a controller refuse every new Service: "no endpoints available for service"."""
    for (namespace, name), webhooks in webhook_services(facts).items():
        if not ready_addresses(facts, namespace, name):
            yield Trouble(
                f"Service {namespace}/{name}",
                f"it has no ready endpoint, and {len(webhooks)} webhooks are called through it",
                f"bring the controller's pods up (kubectl get pods -n {namespace}); if it was removed,"
                " delete its webhook configurations",
                namespace,
            )


@check(
    "webhook-certificate-is-believed",
    demand=f"The webhooks' certificate is the caBundle's, names their Service, and has {EXPIRES_SOON.days} days to go.",
    severity="high",
    link=_INSTALL,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """Else every Service and gated pod is refused: "x509: certificate signed by unknown authority".

    A chart that is rendered twice has two authorities; a certificate that nobody renews expires.
    """
    for (namespace, name), webhooks in webhook_services(facts).items():
        what = list(dict.fromkeys(_wrong(facts, f"{name}.{namespace}.svc", webhooks)))
        if what:
            yield Trouble(
                f"webhooks of Service {namespace}/{name}",
                "; ".join(what),
                "pulumi up renews it; with Helm: helm upgrade with webhookTLS values (or keepTLSSecret: true), then"
                f" kubectl rollout restart -n {namespace} deployment/aws-load-balancer-controller",
                namespace,
            )


def _wrong(facts: Facts, host: str, webhooks: list[Object]) -> Iterator[str]:
    if facts.serving_certificate is None:
        yield "the Secret with the certificate is not there"
        return
    certificate, *chain = x509.load_pem_x509_certificates(facts.serving_certificate.encode())
    if certificate.not_valid_after_utc <= facts.now:
        yield f"the certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    elif certificate.not_valid_after_utc <= facts.now + EXPIRES_SOON:
        yield f"the certificate expires on {certificate.not_valid_after_utc:%Y-%m-%d}"
    if host not in _names(certificate):
        yield f"the certificate is for {', '.join(_names(certificate)) or 'no name'}, not for {host}"
    for webhook in webhooks:
        if not _vouches(webhook["clientConfig"].get("caBundle", ""), [certificate, *chain]):
            yield f"caBundle of {webhook['name']} does not vouch for the certificate that is served"


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.DNSName)


def _vouches(bundle: str, chain: list[x509.Certificate]) -> bool:
    """Return whether one of a bundle's authorities signed a link of the chain up to which all is signed by the next."""
    trusted = _authorities(bundle)
    for certificate, following in zip(chain, [*chain[1:], None], strict=True):
        if any(authority == certificate or _signed(certificate, authority) for authority in trusted):
            return True
        if following is None or not _signed(certificate, following):
            return False
    return False


def _signed(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _authorities(bundle: str) -> list[x509.Certificate]:
    """Return the certificates of a `caBundle`, none if it holds none."""
    try:
        return x509.load_pem_x509_certificates(base64.b64decode(bundle))
    except ValueError:
        return []
