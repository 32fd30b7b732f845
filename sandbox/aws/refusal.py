"""AWS's refusals, as moto sends them."""

from moto.core.exceptions import ServiceException


class Refusal(ServiceException):
    """AWS's refusal: code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
