"""The controller's webhooks: they are registered, they answer, and the API server trusts their certificate."""

import base64
import datetime as dt
from collections.abc import Iterator
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.faults import REFRESH, Fault, helm_upgrade, restart
from eks_load_balancing.doctor.lookups import (
    called,
    flags,
    image_version,
    ready_addresses,
    webhook_services,
    webhooks_of_the_controller,
)
from eks_load_balancing.doctor.paths.workloads import nothing_serves, service_of
from eks_load_balancing.doctor.registry import Trouble, check
from eks_load_balancing.versions import CONTROLLER_VERSIONS

_TROUBLE: Final = (
    "https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#contacting-the-webhook"
)
_INSTALL: Final = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/"
EXPIRES_SOON: Final = dt.timedelta(days=30)


@check(link=_INSTALL)
def webhooks_are_registered(facts: Facts) -> Iterator[Trouble]:
    """The API server has the webhook configurations of the controller's version.

    Without them pods start without readiness gates, Services get no class, and wrong objects are accepted.
    """
    names = {webhook["name"] for one in facts.webhooks for webhook in webhooks_of_the_controller(one)}
    for deployment in facts.deployments[:1]:
        given, entry = flags(deployment), CONTROLLER_VERSIONS.get(image_version(deployment))
        expected = {f"{name}.elbv2.k8s.aws" for name in entry.webhooks} if entry else set[str]()
        if given.get("enable-pod-readiness-gate-inject") != "false":
            expected.add("mpod.elbv2.k8s.aws")
        missing = sorted(expected - names)
        if missing:
            yield Trouble(
                called(deployment),
                f"its webhooks {', '.join(missing)} are in no webhook configuration",
                f"restore them: {REFRESH}, or, if Helm made them, {helm_upgrade(facts)}",
            )


@check(link=_TROUBLE)
def webhooks_have_endpoints(facts: Facts) -> Iterator[Trouble]:
    """The Service of the controller's webhooks has ready endpoints.

    If nobody answers the webhooks, the API server refuses new objects: "no endpoints available for service".
    """
    for (namespace, name), webhooks in webhook_services(facts).items():
        if not ready_addresses(facts, namespace, name):
            because = nothing_serves(facts, namespace, name)
            configurations = " ".join(sorted({f"{one['kind']}/{one['metadata']['name']}" for one in facts.webhooks}))
            yield Trouble(
                f"Service {namespace}/{name}",
                f"it has no ready endpoint, and {len(webhooks)} webhooks are called through it"
                + (f": {because.why}" if because else ""),
                f"{_started(facts, namespace, name, because)}; if the controller was removed for good:"
                f" `kubectl delete {configurations.lower()}`",
                namespace,
                because.see if because else "",
            )


def _started(facts: Facts, namespace: str, name: str, because: Fault | None) -> str:
    if service_of(facts, namespace, name) is None:
        return f"restore it: {REFRESH}, or, if Helm made it, {helm_upgrade(facts)}"
    return because.fix if because else "start the controller"


@check(
    demand=f"The webhooks' caBundle vouches for their certificate, which names their Service and is valid for"
    f" {EXPIRES_SOON.days} days more.",
    link=_INSTALL,
)
def webhook_certificate_is_believed(facts: Facts) -> Iterator[Trouble]:
    """Otherwise new Services and gated pods are refused: "x509: certificate signed by unknown authority".

    A chart that is rendered twice has two authorities; a certificate that is not renewed expires.
    """
    for (namespace, name), webhooks in webhook_services(facts).items():
        what = list(dict.fromkeys(_wrong(facts, f"{name}.{namespace}.svc", webhooks)))
        if what:
            yield Trouble(
                f"webhooks of Service {namespace}/{name}",
                "; ".join(what),
                f"renew it: {REFRESH}, or, if Helm made it, {helm_upgrade(facts)} and {restart(facts)}",
                namespace,
            )


def _wrong(facts: Facts, host: str, webhooks: list[Object]) -> Iterator[str]:
    if facts.serving_certificate is None:
        yield "the Secret with the certificate does not exist"
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
    """Return whether a bundle's authority signed a certificate of the chain, and the next signed each before it."""
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
    """Return the certificates in a `caBundle`; none if it holds none."""
    try:
        return x509.load_pem_x509_certificates(base64.b64decode(bundle))
    except ValueError:
        return []
