"""Follow a file that another process replaces."""

from collections.abc import AsyncGenerator
from pathlib import Path

from watchfiles import awatch

_SECOND = 1000


async def changes(file: Path) -> AsyncGenerator[None]:
    """Yield at once, and again whenever a file has been replaced, removed or written since the last time.

    `awatch` sees only what happens while it is asked. So the file itself is compared too: before every wait, and every
    second.
    """
    watch = awatch(
        file.parent,
        recursive=False,
        watch_filter=lambda _, path: path == str(file),
        rust_timeout=_SECOND,
        yield_on_timeout=True,
    )
    seen: object = changes
    while True:
        if (now := _version(file)) != seen:
            seen = now
            yield
        else:
            await anext(watch)


def _version(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
