"""Which replica of the controller leads, by its log: in the lease all of them have this machine's host name."""

from pathlib import Path

_WORDS = "Successfully acquired lease"


def acquired(log: Path) -> str:
    """When the log last reports that its process became the leader, as `2026-11-28T22:01:44Z`; empty if never."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if _WORDS in line]
    return lines[-1].partition('"ts":"')[2].partition('"')[0] if lines else ""
