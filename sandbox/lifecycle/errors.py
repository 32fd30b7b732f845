"""Why the sandbox cannot be brought up or taken down."""


class LifecycleError(Exception):
    """Why a sandbox cannot be brought up or taken down, in one line that names the remedy."""
