"""Why nothing can be planned."""


class PlanError(Exception):
    """Why nothing can be planned, in one line that names the thing, the value and the remedy."""
