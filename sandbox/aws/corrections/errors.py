"""Errors of EC2 and Elastic Load Balancing that moto lacks or says otherwise."""

from moto.core.exceptions import ServiceException


class Refusal(ServiceException):
    """AWS's refusal: code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)


def depends(what: str) -> Refusal:
    """`what` cannot go while something hangs on it."""
    return Refusal("DependencyViolation", what)
