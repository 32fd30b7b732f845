"""The error of a failed start or removal."""


class LifecycleError(Exception):
    """The sandbox cannot be started or removed; the message is one line with the remedy."""
