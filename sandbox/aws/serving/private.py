"""Endpoints for parts of the sandbox only, because no AWS API has them: keys, trust stores, the health of targets.

Everything that can read the state folder knows root's secret key, and sends it along.
"""

import hmac
import json
from typing import Any

from moto.acm.models import AWS_ROOT_CA, acm_backends
from moto.elbv2.models import elbv2_backends
from moto.iam.models import iam_backends

from sandbox.aws.corrections.elbv2 import trust_stores
from sandbox.aws.eks.store import Eks
from sandbox.aws.target_health import reports
from sandbox.iam.wire.call import Call

HEADER = "x-sandbox-key"
"""The header with root's secret key."""
CERTIFICATE, TRUST_STORE, TARGETS = "certificate", "trust-store", "targets"
QUESTIONS = {CERTIFICATE, TRUST_STORE, TARGETS}
TARGET_HEALTH = "target-health"
"""The service whose version changes with a new report (see `changes`): no AWS service has written."""


class NotAllowedError(Exception):
    """The caller does not know root's secret key."""


def check(call: Call, secret: str) -> None:
    """Raise NotAllowedError unless the call carries `secret`."""
    if not hmac.compare_digest(call.received.get(HEADER, "").encode(), secret.encode()):
        raise NotAllowedError(f"{call.path} needs the root's secret key (sandbox.json) in the header {HEADER}")


def certificate(call: Call, eks: Eks) -> dict[str, str]:
    """Answer `GET /_sandbox/certificate?arn=ARN`: `{"pem": certificate, chain and private key}`.

    Raises:
        ValueError: neither ACM nor IAM has such a certificate.
    """
    arn = call.query.get("arn", "")
    acm: Any = acm_backends[eks.account][eks.region]
    if arn in acm._certificates:  # noqa: SLF001 - moto's API hands out no private key
        found = acm._certificates[arn]  # noqa: SLF001
        return {"pem": _pem(found.cert, found.chain.replace(AWS_ROOT_CA, b""), found.key)}
    iam: Any = iam_backends[eks.account][eks.partition]
    for held in iam.certificates.values():
        if held.arn == arn:
            return {"pem": _pem(held.cert_body, held.cert_chain, held.private_key)}
    raise ValueError(f"no certificate {arn}: import one with `aws acm import-certificate`")


def trust_store(call: Call, eks: Eks) -> dict[str, str]:
    """Answer `GET /_sandbox/trust-store?arn=ARN`: `{"authorities", "revocations"}`, both PEM.

    Raises:
        ValueError: there is no such trust store.
    """
    arn, backend = call.query.get("arn", ""), elbv2_backends[eks.account][eks.region]
    store = trust_stores.trust_stores(backend).get(arn)
    if store is None:
        raise ValueError(f"no trust store {arn}: create one with `aws elbv2 create-trust-store`")
    return {
        "authorities": trust_stores.authorities(backend, store).decode(),
        "revocations": trust_stores.revocation_lists(backend, store).decode(),
    }


def _pem(*parts: bytes | str | None) -> str:
    texts = [part.decode() if isinstance(part, bytes) else part for part in parts if part]
    return "".join(f"{text.strip()}\n" for text in texts)


def report(call: Call) -> bool:
    """Take `POST /_sandbox/targets` (see `Reports.take`); return whether it contains something new.

    Raises:
        ValueError: the body is not a report.
    """
    return reports.take(json.loads(call.body))
