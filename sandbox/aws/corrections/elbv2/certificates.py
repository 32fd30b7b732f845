"""Certificates of listeners: the default one, which DescribeListeners returns, and the others, selected by SNI.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListenerCertificates.html
"""

import re
from typing import Any

from moto.acm.models import AWSCertificateManagerBackend, CertBundle
from moto.core.responses import ActionResult, EmptyResult
from moto.elb.models import elb_backends
from moto.elbv2.models import ELBv2Backend, elbv2_backends
from moto.elbv2.responses import ELBV2Response

from sandbox.aws.corrections.elbv2.limits import CERTIFICATES, check_room
from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal

Certificates = list[dict[str, Any]]


def install() -> None:
    """Install the corrections."""
    for action in (add_listener_certificates, describe_listener_certificates, remove_listener_certificates):
        replace(ELBV2Response, action.__name__, action)
    delete = AWSCertificateManagerBackend.delete_certificate

    def delete_certificate(self: Any, arn: str) -> None:
        if arn in self._certificates and users(self._certificates[arn]):
            raise Refusal("ResourceInUseException", f"Certificate {arn} in account {self.account_id} is in use.")
        delete(self, arn)

    replace(AWSCertificateManagerBackend, "delete_certificate", delete_certificate)
    # moto appends to a list and never removes anything from it, so compute it again.
    CertBundle.in_use_by = property(users, lambda self, value: None)  # noqa: ARG005  # pyright: ignore[reportAttributeAccessIssue] - a plain attribute of moto's


def users(certificate: Any) -> list[str]:
    """The load balancers that use an ACM certificate: ARNs, and names of Classic ones."""
    _, _, _, region, account, _ = certificate.arn.split(":", 5)
    arns = [
        balancer.arn
        for balancer in elbv2_backends[account][region].load_balancers.values()
        for listener in balancer.listeners.values()
        if certificate.arn in {getattr(listener, "certificate", None), *getattr(listener, "extra_certificates", ())}
    ]
    classic: Any = elb_backends[account][region].load_balancers
    names = [
        balancer.name
        for balancer in classic.values()
        if any(listener.ssl_certificate_id == certificate.arn for listener in balancer.listeners)
    ]
    return list(dict.fromkeys([*arns, *names]))


def check_default(backend: ELBv2Backend, protocol: str | None, wanted: Certificates | None, held: str | None) -> str:
    """The ARN of a secure listener's default certificate, which must exist."""
    if not wanted:
        if held:
            return held
        raise Refusal("CertificateNotFound", f"A certificate must be specified for {protocol} listeners")
    if len(wanted) > 1:
        text = f"Up to '1' certificate ARNs can be specified, but '{len(wanted)}' were specified"
        raise Refusal("ValidationError", text)
    return checked(backend, wanted)[0]


def checked(backend: ELBv2Backend, certificates: Certificates) -> list[str]:
    """The ARNs of existing certificates."""
    for one in certificates:
        if "IsDefault" in one:
            raise Refusal("ValidationError", "IsDefault cannot be specified")
        if not one.get("CertificateArn"):
            raise Refusal("ValidationError", "A certificate ARN must be specified")
        arn = one["CertificateArn"]
        if not re.match(rf"arn:[a-z-]+:(acm:{backend.region_name}|iam:):", arn):
            raise Refusal("ValidationError", f"Certificate ARN '{arn}' is not valid")
        if not backend._certificate_exists(arn):
            raise Refusal("CertificateNotFound", f"Certificate '{arn}' not found")
    return [one["CertificateArn"] for one in certificates]


def listener_of(self: ELBV2Response) -> Any:
    """The listener of the request."""
    return self.elbv2_backend.describe_listeners(None, [self._get_param("ListenerArn")])[0]


def add_listener_certificates(self: ELBV2Response) -> ActionResult:
    """AddListenerCertificates: existing ones are not added again."""
    listener = listener_of(self)
    if listener.certificate is None:
        text = f"A certificate cannot be specified for {listener.protocol} listeners"
        raise Refusal("ValidationError", text)
    new = checked(self.elbv2_backend, self._get_param("Certificates"))
    both = list(dict.fromkeys([*listener.extra_certificates, *new]))
    balancer: Any = self.elbv2_backend.load_balancers[listener.load_balancer_arn]
    others = {arn for one in balancer.listeners.values() if one is not listener for arn in one.extra_certificates}
    what = f"certificates on load balancer '{balancer.arn}'"
    check_room("TooManyCertificates", what, len({*both, *others}), CERTIFICATES)
    listener.extra_certificates = both
    return ActionResult({"Certificates": [{"CertificateArn": arn, "IsDefault": False} for arn in new]})


def describe_listener_certificates(self: ELBV2Response) -> ActionResult:
    """DescribeListenerCertificates: the default one first, and again if it was also added."""
    listener = listener_of(self)
    default = [{"CertificateArn": listener.certificate, "IsDefault": True}] if listener.certificate else []
    others = [{"CertificateArn": arn, "IsDefault": False} for arn in listener.extra_certificates]
    return ActionResult({"Certificates": [*default, *others]})


def remove_listener_certificates(self: ELBV2Response) -> ActionResult:
    """RemoveListenerCertificates: never the default one."""
    listener = listener_of(self)
    gone = {one.get("CertificateArn") for one in self._get_param("Certificates")}
    if listener.certificate in gone - set(listener.extra_certificates):
        raise Refusal("OperationNotPermitted", "The default certificate of a listener cannot be removed")
    listener.extra_certificates = [arn for arn in listener.extra_certificates if arn not in gone]
    return EmptyResult()
