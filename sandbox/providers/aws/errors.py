"""AWS's errors: what they mean to a provider, and their message."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.providers.aws.kind import Kind, State
from sandbox.providers.aws.session import Aws

GOING_AWAY: Final = (
    "DependencyViolation",
    "ResourceInUseException",
    "ResourceInUse",
    "DeleteConflict",
    "InvalidIPAddress.InUse",
    "TrustStoreInUse",
)
"""Error codes of a deletion that must wait until something else is gone."""


def found_live(kind: Kind, aws: Aws, resource_id: str, state: State) -> dict[str, Any] | None:
    """A resource as AWS has it; None if it does not exist."""
    try:
        return kind.calls.read(aws, resource_id, state)
    except Exception as error:
        if _is_missing(error):
            return None
        raise


def delete_or_wait(kind: Kind, aws: Aws, resource_id: str, state: State) -> bool:
    """Whether AWS accepted the deletion: not while something else must be deleted first."""
    try:
        kind.calls.delete(aws, resource_id, state)
    except Exception as error:
        if _is_missing(error):
            return True
        if _code(error) in GOING_AWAY:
            return False
        raise
    return True


def _code(error: Exception) -> str:
    response: Mapping[str, Any] = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))


def _is_missing(error: Exception) -> bool:
    code = _code(error)
    return code.startswith("NoSuch") or "NotFound" in code or code == "404"  # a HEAD request's, which has no body


def message(error: Exception) -> str:
    """AWS's message in one line: the operation, the code, the message."""
    code = _code(error)
    if not code:
        return f"{type(error).__name__}: {error}".replace("\n", " ")
    details = getattr(error, "response", {})["Error"]
    return f"{getattr(error, 'operation_name', 'a call')}: {code}: {details.get('Message', '')}".replace("\n", " ")
