"""Errors of EC2 and Elastic Load Balancing that moto lacks or words differently."""

from moto.core.exceptions import ServiceException


class Refusal(ServiceException):
    """AWS's refusal: code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)


def depends(what: str) -> Refusal:
    """`what` cannot be deleted while something depends on it."""
    return Refusal("DependencyViolation", what)
