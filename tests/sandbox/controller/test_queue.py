import itertools
import threading
import time

from sandbox.controller.queue import Later, WorkQueue
from sandbox.processes import wait_until


def test_a_key_that_waits_is_worked_on_once() -> None:
    queue: WorkQueue[str] = WorkQueue("q", 1.0)
    done: list[str] = []
    for _ in range(3):
        queue.add("a")
    queue.add("b")
    queue.start(2, done.append)
    assert wait_until(lambda: len(done) == 2, 2)
    assert sorted(done) == ["a", "b"]
    queue.close()


def test_a_key_added_while_it_is_worked_on_comes_once_more_and_never_twice_at_once() -> None:
    queue: WorkQueue[str] = WorkQueue("q", 1.0)
    begun, go_on = threading.Event(), threading.Event()
    at_once, most, count = 0, 0, 0

    def work(_: str) -> None:
        nonlocal at_once, most, count
        at_once += 1
        most, count = max(most, at_once), count + 1
        begun.set()
        go_on.wait(2)
        at_once -= 1

    queue.start(3, work)
    queue.add("a")
    assert begun.wait(2)
    queue.add("a")
    queue.add("a")
    go_on.set()
    assert wait_until(lambda: count == 2, 2)
    assert most == 1
    queue.close()


def test_a_failing_key_comes_back_later_and_later_and_harms_no_other() -> None:
    queue: WorkQueue[str] = WorkQueue("q", 10.0)
    times: list[float] = []
    others: list[str] = []

    def work(key: str) -> None:
        if key != "bad":
            others.append(key)
            return
        times.append(time.monotonic())
        raise RuntimeError("boom")

    queue.start(1, work)
    queue.add("bad")
    assert wait_until(lambda: len(times) == 6, 5)
    queue.add("good")
    assert wait_until(lambda: others == ["good"], 2)
    queue.close()
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert waits[-1] > waits[0] * 4


def test_later_is_no_failure() -> None:
    queue: WorkQueue[str] = WorkQueue("q", 10.0)
    times: list[float] = []

    def work(_: str) -> None:
        times.append(time.monotonic())
        if len(times) < 4:
            raise Later("not yet", 0.02)

    queue.start(1, work)
    queue.add("a")
    assert wait_until(lambda: len(times) == 4, 2)
    queue.close()
    assert times[3] - times[0] < 1


def test_of_several_waits_the_shortest_counts() -> None:
    queue: WorkQueue[str] = WorkQueue("q", 10.0)
    done: list[float] = []
    began = time.monotonic()
    queue.start(1, lambda _: done.append(time.monotonic() - began))
    queue.add("a", 0.3)
    queue.add("a", 0.05)
    assert wait_until(lambda: bool(done), 2)
    assert done[0] < 0.25
    assert not wait_until(lambda: len(done) > 1, 0.5)
    queue.close()
