"""The journal: every call that may change something, written before it is executed.

moto keeps everything in memory. The journal has the calls in order, each with the seed of its random numbers and its
time. From these a new process creates the same ids, ARNs, addresses and keys, so Pulumi's state and `spec.providerID`
stay true. A line is written with one `write` and no fsync: it survives a killed process, but not a power failure.
"""

import json
import os
import zlib
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.iam.wire.call import Call

FORMAT = 1


class JournalError(RuntimeError):
    """The journal cannot be replayed; the message is one line and explains how to start again."""


@dataclass(frozen=True)
class Entry:
    """One call, the seed of its random numbers, and its time (seconds since 1970)."""

    call: Call
    seed: int
    time: float

    def to_json(self) -> dict[str, Any]:
        """The entry as a line stores it."""
        return {"seed": self.seed, "time": self.time, **self.call.to_json()}

    @staticmethod
    def from_json(data: dict[str, Any]) -> "Entry":
        """The entry from the output of `to_json`."""
        return Entry(Call.from_json(data), data["seed"], data["time"])


def to_line(document: dict[str, Any]) -> bytes:
    """One line: a checksum and the document."""
    text = json.dumps(document, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def from_line(line: bytes) -> dict[str, Any] | None:
    """The document of a line, or None if `to_line` did not write it."""
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        return None
    return json.loads(text)


class Journal:
    """An append-only file of entries after one header line."""

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        """Open the journal at `path`, or start one with `header`.

        Raises:
            JournalError: the file is damaged, or another version wrote it.
        """
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._cut_half_line()
        first = next(self._lines(), None)
        if first is None:
            self.header = {"journal": FORMAT, **header}
            os.write(self._file, to_line(self.header))
        else:
            self.header = first
        if self.header.get("journal") != FORMAT or self.header.get("moto") != header.get("moto"):
            raise JournalError(
                f"{path} was written by another version (journal {self.header.get('journal')}, moto"
                f" {self.header.get('moto')}): start again with `sandbox down` and `sandbox up`"
            )

    def append(self, entry: Entry) -> None:
        """Write an entry; after this returns, the entry survives the end of this process."""
        os.write(self._file, to_line(entry.to_json()))

    def entries(self) -> Generator[Entry]:
        """Every entry, in order.

        Raises:
            JournalError: a line is damaged.
        """
        for number, document in enumerate(self._lines()):
            if number:
                yield Entry.from_json(document)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _cut_half_line(self) -> None:
        """Drop an incomplete last line: its call was never executed, because that comes after the write."""
        data = self.path.read_bytes()
        if data and not data.endswith(b"\n"):
            os.ftruncate(self._file, data.rfind(b"\n") + 1)

    def _lines(self) -> Generator[dict[str, Any]]:
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                document = from_line(line)
                if document is None:
                    raise JournalError(
                        f"{self.path} is damaged at line {number}: start again with `sandbox down` and `sandbox up`"
                    )
                yield document
