"""ACM issues a certificate when DNS proves its hosts, and not after a while.

https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
"""

from moto.acm.models import CertBundle
from moto.route53.models import route53_backends

from sandbox.aws.patching import replace


def install() -> None:
    """Install it."""
    check = CertBundle.check

    def checked(cert: CertBundle) -> None:
        if cert.type != "AMAZON_ISSUED" or cert.status != "PENDING_VALIDATION":
            check(cert)
        elif proved(cert):
            cert.status = "ISSUED"

    replace(CertBundle, "check", checked)


def proved(cert: CertBundle) -> bool:
    """Whether every record that proves a certificate's hosts is in a hosted zone of the account."""
    wanted = {
        (option["ResourceRecord"]["Name"].rstrip("."), option["ResourceRecord"]["Value"])
        for option in cert.describe()["Certificate"]["DomainValidationOptions"]
    }
    zones = route53_backends[cert.arn.split(":")[4]]["aws"].zones.values()
    there = {
        (one.name.rstrip("."), value if isinstance(value, str) else value["Value"])
        for zone in zones
        for one in zone.rrsets
        for value in one.records or ()
    }
    return wanted <= there
