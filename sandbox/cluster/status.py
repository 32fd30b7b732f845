"""status.json: the agent's report to the AWS process about its cluster."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.run.state import write_json

CREATING, FAILED = "CREATING", "FAILED"


@dataclass
class Status:
    """The document; written only when it changes."""

    path: Path
    phase: str = CREATING
    endpoint: str = ""
    ca: str = ""
    message: str = ""
    parts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    ready_nodes: list[str] = field(default_factory=list[str])
    _written: dict[str, Any] | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        """The document in its written form."""
        return {
            "phase": self.phase,
            "endpoint": self.endpoint,
            "ca": self.ca,
            "message": self.message,
            "parts": self.parts,
            "ready_nodes": self.ready_nodes,
        }

    def write(self) -> None:
        """Write it, if it has changed."""
        document = self.to_json()
        if document != self._written:
            write_json(self.path, document)
            self._written = document
