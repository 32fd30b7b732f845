"""Follow a file that another process replaces."""

from collections.abc import AsyncGenerator
from pathlib import Path

from watchfiles import awatch

_LOOK_MILLISECONDS = 1000


async def changes(file: Path) -> AsyncGenerator[None]:
    """Yield at once, and again whenever a file has been replaced, removed or written since the last time.

    `awatch` begins to watch when it is first asked. So the file is also compared every second: no change is lost.
    """
    watch = awatch(
        file.parent,
        recursive=False,
        watch_filter=lambda _, path: path == str(file),
        rust_timeout=_LOOK_MILLISECONDS,
        yield_on_timeout=True,
    )
    seen = _version(file)
    yield
    async for _ in watch:
        if (now := _version(file)) != seen:
            seen = now
            yield


def _version(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
