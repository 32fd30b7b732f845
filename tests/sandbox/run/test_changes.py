"""Changes of a file that another process replaces."""

import asyncio
from pathlib import Path

from sandbox.run.changes import changes
from sandbox.run.state import write_json

_SECONDS = 20.0


def test_a_change_before_the_first_wait_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "nodes.json"

    async def change_between_two_looks() -> None:
        write_json(file, {"nodes": []})
        seen = changes(file)
        await anext(seen)
        write_json(file, {"nodes": ["n"]})
        await asyncio.wait_for(anext(seen), _SECONDS)

    asyncio.run(change_between_two_looks())


def test_every_later_change_is_seen_and_other_files_are_none(tmp_path: Path) -> None:
    file = tmp_path / "nodes.json"

    async def follow() -> None:
        seen = changes(file)
        await anext(seen)
        for count in range(3):
            waiting = asyncio.ensure_future(anext(seen))
            write_json(tmp_path / "other.json", {"count": count})
            done, _ = await asyncio.wait([waiting], timeout=0.3)
            assert not done
            write_json(file, {"count": count})
            await asyncio.wait_for(waiting, _SECONDS)
        file.unlink()
        await asyncio.wait_for(anext(seen), _SECONDS)

    asyncio.run(follow())
