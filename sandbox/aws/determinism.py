"""Randomness and time from a journal entry: a call creates the same ids now and when it is replayed."""

import base64
import sys
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import moto.core.base_backend
import moto.core.utils
from moto.moto_api._internal import mock_random

from sandbox.aws.patching import replace

_frozen: list[datetime] = []
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utcnow() -> datetime:
    """The entry's time while an entry is executed, otherwise the machine's; naive UTC, as in moto."""
    return (_frozen[-1] if _frozen else datetime.now(UTC)).replace(tzinfo=None)


def now() -> float:
    """`utcnow` in seconds since 1970."""
    return (utcnow().replace(tzinfo=UTC) - _EPOCH).total_seconds()


@contextmanager
def under(seed: int, time: float) -> Generator[None]:
    """Inside, ids come from `seed` and the time is `time` (seconds since 1970)."""
    before = mock_random.getstate()
    mock_random.seed(seed)
    _frozen.append(_EPOCH + timedelta(seconds=time))
    try:
        yield
    finally:
        _frozen.pop()
        mock_random.setstate(before)


def install(seed: int, time: float) -> None:
    """Make moto take time and randomness from this module.

    moto creates a region's backend (with its default VPC) at the first call that needs it, perhaps a read. So each
    backend is created with its own seed, and at `time`.
    """
    _replace_everywhere(moto.core.utils.utcnow, utcnow)
    make: Callable[..., Any] = moto.core.base_backend.AccountSpecificBackend.__getitem__

    def made_alike(backends: Any, region: str) -> Any:
        if region in backends.keys():  # noqa: SIM118 - `in` alone asks whether the region exists, not whether it is made
            return make(backends, region)
        name = f"{seed}/{backends.service_name}/{backends.account_id}/{region}"
        with under(zlib.crc32(name.encode()), time):
            return make(backends, region)

    replace(moto.core.base_backend.AccountSpecificBackend, "__getitem__", made_alike)


def random_bytes(count: int) -> bytes:
    """Replaces moto's `os.urandom`, with bytes from the entry's seed."""
    return mock_random.getrandbits(count * 8).to_bytes(count, "big")


def session_token() -> str:
    """A session token: opaque, as long as AWS's."""
    return "IQoJb3JpZ2luX2Vj" + base64.b64encode(random_bytes(264)).decode()


def _replace_everywhere(original: Any, replacement: Any) -> None:
    """Replace `original` with `replacement` in every loaded moto module that imported it by name."""
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("moto"):
            for name, value in list(vars(module).items()):
                if value is original:
                    setattr(module, name, replacement)
