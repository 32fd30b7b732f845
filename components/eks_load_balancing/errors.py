"""A component's errors about plain values that cannot work."""

import re

import pulumi


class InvalidInputError(ValueError, pulumi.RunError):
    """One line that names the thing, the value and what to give instead.

    It is also a `pulumi.RunError`, so in a program the engine shows only the line, without a traceback.

    Args:
        line: the message.
        key: the argument with the error, if there is one, so that a caller can use its own name for it.
    """

    def __init__(self, line: str, *, key: str | None = None) -> None:
        super().__init__(line)
        self.key = key


# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
# https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
_CLUSTER_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}")
# Of the forms that Kubernetes takes: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_MEMORY = re.compile(r"[1-9][0-9]*(Mi|Gi)")


_NAME = "a name that Kubernetes takes: give {}, beginning and ending with a letter or digit"


def _matching(form: re.Pattern[str], value: str, what: str, is_not: str) -> str:
    if not form.fullmatch(value):
        raise InvalidInputError(f"{what} {value!r} is not {is_not}")
    return value


def label(value: str, what: str) -> str:
    """Return a valid name of a Kubernetes namespace or Service, or explain why it is invalid."""
    return _matching(_LABEL, value, what, _NAME.format("1 to 63 small letters, digits and dashes"))


def namespace(value: str) -> str:
    """Return the name of a Kubernetes namespace, or explain why it is invalid."""
    return label(value, "namespace")


def subdomain(value: str, what: str) -> str:
    """Return a name that is valid for most Kubernetes objects, or explain why it is invalid."""
    return _matching(_SUBDOMAIN, value, what, _NAME.format("at most 253 small letters, digits, dashes and dots"))


def service_account(value: str) -> str:
    """Return the name of a Kubernetes service account, or explain why it is invalid."""
    return _matching(
        _SUBDOMAIN,
        value,
        "service account",
        "a service account's name: give at most 253 small letters, digits, dashes and dots, beginning and ending with a"
        " letter or digit; wildcards are not for a role's trust",
    )


def cluster_name(value: str) -> str:
    """Return the name of an EKS cluster, or explain why it is invalid."""
    takes = "1 to 100 letters, digits, dashes and underscores, beginning with a letter or digit"
    return _matching(_CLUSTER_NAME, value, "cluster name", f"one that EKS takes: give {takes}")


def memory(value: str, what: str) -> str:
    """Return an amount of memory in whole Mi or Gi, or explain why it is invalid."""
    return _matching(_MEMORY, value, what, "an amount of memory: give one such as 512Mi or 2Gi")


def one_of(value: str, allowed: tuple[str, ...], what: str, *, key: str | None = None) -> str:
    """Return a value that is one of the allowed ones, or list them all."""
    if value not in allowed:
        raise InvalidInputError(f"{what} {value!r} is not known: give one of {', '.join(allowed)}", key=key)
    return value


def at_least(value: float, least: int, what: str, *, key: str | None = None) -> int:
    """Return a whole number that is not below `least`.

    A plugin's plain integers arrive as floats (SDK 3.272), so both are accepted.
    """
    if value != int(value) or value < least:
        raise InvalidInputError(f"{what} {value} is too small or not whole: give {least} or more", key=key)
    return int(value)
