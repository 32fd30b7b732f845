"""AWS's refusals: code, message and status, as each service's protocol has them.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from sandbox.iam.language.evaluate import Decision, Kind
from sandbox.iam.wire.credentials import CredentialError
from sandbox.iam.wire.replies import Denial

_QUERY = {"autoscaling", "elasticloadbalancing", "iam", "route53", "sts"}
_REST = {"eks", "eks-auth"}
# By the fault of the credentials: the code for EC2, for the query protocol, for JSON.
_CODES = {
    "missing": ("AuthFailure", "MissingAuthenticationToken", "MissingAuthenticationTokenException"),
    "unknown": ("AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException"),
    "expired": ("RequestExpired", "ExpiredToken", "ExpiredTokenException"),
    "late": ("RequestExpired", "SignatureDoesNotMatch", "InvalidSignatureException"),
    "signature": ("AuthFailure", "SignatureDoesNotMatch", "InvalidSignatureException"),
}
_EC2_MESSAGES = {
    "AuthFailure": "AWS was not able to validate the provided access credentials",
    "RequestExpired": "Request has expired.",
}


def unproven(service: str, error: CredentialError) -> Denial:
    """The answer to a request without valid credentials."""
    ec2, query, json = _CODES[error.reason]
    if service == "ec2":
        return Denial(ec2, _EC2_MESSAGES[ec2], 401 if ec2 == "AuthFailure" else 400)
    if service in _QUERY:
        return Denial(query, str(error), 403)
    return Denial(json, str(error), 403 if service in _REST else 400)


def refused(service: str, caller: str, action: str, resource: str, why: str, *, encoded: str = "") -> Denial:
    """The answer to a caller without permission; EC2's contains all details, encoded."""
    on = f" on resource: {resource}" if resource != "*" else ""
    text = f"User: {caller} is not authorized to perform: {action}{on} {why}"
    if service == "ec2":
        more = f". Encoded authorization failure message: {encoded}" if encoded else ""
        return Denial("UnauthorizedOperation", f"You are not authorized to perform this operation. {text}{more}", 403)
    if service in _QUERY:
        return Denial("AccessDenied", text, 403)
    return Denial("AccessDeniedException", text, 403 if service in _REST else 400)


def reason(action: str, decision: Decision) -> str:
    """The reason for the refusal, in AWS's words."""
    if decision.explicit:
        article = "an" if decision.kind is Kind.IDENTITY else "a"
        return f"with an explicit deny in {article} {decision.kind}"
    return f"because no {decision.kind} allows the {action} action"
