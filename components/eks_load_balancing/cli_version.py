"""The Pulumi CLI that the components need: its engine must support hooks and `Stash`."""

from typing import Final

import pulumi

OLDEST_CLI: Final = "3.259.0"
"""The oldest version that the components were tested with."""


def require_cli() -> None:
    """Fail with one line if the Pulumi CLI that runs the program is too old.

    Raises:
        pulumi.RunError: it is too old, or does not report its version.
    """
    try:
        pulumi.require_pulumi_version(f">={OLDEST_CLI}")
    except Exception as error:  # noqa: BLE001 - the SDK raises no other; the line below has what it said
        said = " ".join(str(error).split())
        raise pulumi.RunError(
            f"the Pulumi CLI must be {OLDEST_CLI} or later ({said}): https://www.pulumi.com/docs/install/"
        ) from None
