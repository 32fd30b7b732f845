"""EKS's errors: https://docs.aws.amazon.com/eks/latest/APIReference/CommonErrors.html and each action's page."""


class EksError(Exception):
    """An error that the caller sees."""

    status = 400

    @property
    def code(self) -> str:
        """The name that AWS gives it."""
        return type(self).__name__.removesuffix("Error") + "Exception"


class InvalidParameterError(EksError):
    """A parameter's value is not allowed."""


class InvalidRequestError(EksError):
    """The state of the cluster does not allow it."""


class ResourceInUseError(EksError):
    """It exists already, or something uses it."""

    status = 409


class ResourceNotFoundError(EksError):
    """Nothing has that name."""

    status = 404


class UnsupportedOperationError(EksError):
    """The sandbox does not support this."""

    status = 501
