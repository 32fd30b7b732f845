"""The sections of the page, and who waits for them to change."""

import asyncio
import json
from typing import Any


class Board:
    """Holds each section as JSON, with a version that counts on whenever any of them says something new."""

    def __init__(self) -> None:
        self._sections: dict[str, tuple[int, str]] = {}
        self._version = 0
        self._changed = asyncio.Event()

    def put(self, section: str, document: Any) -> None:
        """Say what a section is now; the same again wakes nobody."""
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
        if section in self._sections and self._sections[section][1] == text:
            return
        self._version += 1
        self._sections[section] = (self._version, text)
        self._changed.set()
        self._changed = asyncio.Event()

    def since(self, version: int) -> tuple[int, dict[str, str]]:
        """The board's version, and the sections that changed after `version` (0: all of them)."""
        return self._version, {name: text for name, (at, text) in self._sections.items() if at > version}

    async def until_changed(self, version: int) -> None:
        """Return as soon as the board's version is not `version`."""
        while self._version == version:
            await self._changed.wait()
