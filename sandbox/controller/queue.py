"""Work queues: each key at most once in the queue and at most once in work; failures come back later and later."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

log = logging.getLogger(__name__)
K = TypeVar("K", bound=Hashable)
_FIRST_WAIT = 0.005


class Later(Exception):  # noqa: N818 - it is no error: work that is to be looked at again
    """Nothing failed: look at this key again after `seconds`."""

    def __init__(self, why: str, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds


class WorkQueue(Generic[K]):
    """Keys waiting for workers. A key added while it is worked on is worked on once more afterwards."""

    def __init__(self, name: str, longest_wait: float) -> None:
        """A queue whose failing keys come back after 5 ms, 10 ms, 20 ms ... `longest_wait` seconds."""
        self.name, self._longest = name, longest_wait
        self._ready: dict[K, None] = {}
        self._working: set[K] = set()
        self._again: set[K] = set()
        self._delayed: list[tuple[float, int, K]] = []
        self._due: dict[K, float] = {}
        self._failures: dict[K, int] = {}
        self._changed = threading.Condition()
        self._count = itertools.count()
        self._closed = False
        self._threads: list[threading.Thread] = []

    def add(self, key: K, after: float = 0.0) -> None:
        """Ask for work on a key, at once or `after` seconds."""
        with self._changed:
            if after > 0 and key not in self._ready:
                due = time.monotonic() + after
                if due < self._due.get(key, float("inf")):  # of several waits the shortest counts
                    self._due[key] = due
                    heapq.heappush(self._delayed, (due, next(self._count), key))
            elif key in self._working:
                self._again.add(key)
            else:
                self._ready[key] = None
                self._due.pop(key, None)
            self._changed.notify()

    def close(self) -> None:
        """Send the workers home."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def start(self, workers: int, work: Callable[[K], None]) -> None:
        """Start `workers` threads that call `work(key)`; it raises Later, or anything else for a failure."""
        for number in range(workers):
            name = f"{self.name}-{number}"
            thread = threading.Thread(target=self._loop, args=(work,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def join(self, seconds: float) -> None:
        """Wait, at most `seconds`, for workers that are on their way home."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _take(self) -> K | None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                while self._delayed and self._delayed[0][0] <= now:
                    due, _, key = heapq.heappop(self._delayed)
                    if self._due.get(key) != due:
                        continue
                    del self._due[key]
                    if key in self._working:
                        self._again.add(key)
                    else:
                        self._ready[key] = None
                if self._ready:
                    key = next(iter(self._ready))
                    del self._ready[key]
                    self._working.add(key)
                    return key
                self._changed.wait(self._delayed[0][0] - now if self._delayed else None)
            return None

    def _done(self, key: K, *, failed: bool) -> None:
        with self._changed:
            self._working.discard(key)
            if failed:
                failures = self._failures[key] = self._failures.get(key, 0) + 1
            else:
                failures = 0
                self._failures.pop(key, None)
            if key in self._again:
                self._again.discard(key)
                self._ready[key] = None
                self._changed.notify()
        if failed:
            self.add(key, min(_FIRST_WAIT * 2 ** min(failures - 1, 30), self._longest))

    def _loop(self, work: Callable[[K], None]) -> None:
        while (key := self._take()) is not None:
            log.debug("%s %s", self.name, key)
            try:
                work(key)
            except Later as later:
                self._done(key, failed=False)
                self.add(key, later.seconds)
            except Exception as error:
                # Whatever went wrong with one key, the worker lives on for the others and this one comes back.
                log.warning("%s %s failed: %s", self.name, key, error, exc_info=log.isEnabledFor(logging.DEBUG))
                self._done(key, failed=True)
            else:
                self._done(key, failed=False)
