"""What a browser shows of a load balancer that reaches no pod; from documents, without a sandbox."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest

from sandbox.network.elb.model import LoadBalancing
from sandbox.observe.view import calls, paths, picture, provisions, watches
from sandbox.observe.view.board import Board
from sandbox.observe.view.server import served
from tests.sandbox.observe.view.browser import HAS, Browser, showing
from tests.sandbox.observe.view.objects import cluster, pod, provisioned, rule, service
from tests.sandbox.observe.view.test_sections import entry

FOLD = 800


def fill(board: Board, found: LoadBalancing) -> None:
    """Put the sections of two pods, one of them failing, behind an ALB."""
    stuck = pod("web-2", "10.0.2.7", ready=False)
    stuck["status"]["containerStatuses"] = [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]
    known = cluster("Cluster", ("10.0.1.7", "node-a"))
    objects = {"Pod": [pod(), stuck], "Service": [service(hosts=("web.test",))]}
    about = {"cluster": "shop", "vpc": "vpc-1", "region": "us-west-2", "traffic": "", "why": ""}
    board.put("about", about)
    board.put("watches", watches.section(objects))
    board.put("events", [watches.line(1, 0.0, "ADDED", stuck, kind="Pod", before=None)])
    board.put("provisions", provisions.section(found, known.names()))
    board.put("paths", paths.section(found, known, {}))
    board.put("picture", picture.section(found, known, objects))
    board.put("calls", calls.section([entry(verdict="denied"), entry()], {}))


class Shown:
    """A page whose server runs in a thread of its own."""

    def __init__(self) -> None:
        self.address, self._board = "", Board()
        self._loop, self._up, self._over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def start(self) -> None:
        self._thread.start()
        assert self._up.wait(10)

    def put(self, found: LoadBalancing) -> None:
        self._loop.call_soon_threadsafe(fill, self._board, found)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        async def trace(_path: str) -> None: ...

        async with served(self._board, trace, socket.create_server(("127.0.0.1", 0)), "secret") as self.address:
            self._up.set()
            await self._over.wait()


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    made = Shown()
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def page(shown: Shown, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with the page of a load balancer whose target is not healthy."""
    shown.put(provisioned(rule("1"), states=("unhealthy",)))
    with showing(shown.address, tmp_path_factory.mktemp("profile")) as window:
        yield window


def color(page: Browser, selector: str) -> str:
    return page.ask("getComputedStyle(document.querySelector(arguments[0])).color", selector)


@pytest.mark.sandbox
def test_a_load_balancer_without_a_healthy_target_is_red_from_the_client_to_the_pod(page: Browser) -> None:
    page.until(HAS, "#verdict[data-mood=bad]", "1 of 1 broken: web (pods, 0 of 1 healthy)")
    assert page.texts("#whole li[data-mood=bad] > .card > .title") == ["client", "web", "tg-web", "shop/web-1"]
    red = color(page, "#verdict")
    assert color(page, "#whole ul .card") == red
    assert color(page, "#ip summary") == red


@pytest.mark.sandbox
def test_the_way_that_does_not_arrive_is_open_and_above_the_fold(page: Browser) -> None:
    assert page.texts("#ip details[open] .hop[data-kind=stop] .name") == ["no healthy target: unhealthy"]
    page.press("4")
    assert page.focused().startswith("ALB web HTTP:80")
    assert page.ask("document.querySelector('.hop[data-kind=stop]').getBoundingClientRect().bottom + scrollY") < FOLD


@pytest.mark.sandbox
def test_what_is_broken_is_the_first_of_its_list_and_times_have_a_column(page: Browser) -> None:
    assert page.texts("#kind-Pod .title") == ["shop/web-2", "shop/web-1"]
    assert page.texts("#denied time") == ["00:00:00"]
    assert page.texts("#events time") == ["00:00:00"]
    lefts = "new Set([...document.querySelectorAll('#recent time')].map((e) => e.getBoundingClientRect().left)).size"
    assert page.ask(lefts) == 1


@pytest.mark.sandbox
def test_what_recovers_turns_green_by_itself(shown: Shown, page: Browser) -> None:
    shown.put(provisioned(rule("1")))
    page.until(HAS, "#verdict[data-mood=good]", "the load balancer reaches its pods")
    assert page.ask("document.querySelector('#whole [data-mood=bad], .hop[data-kind=stop]')") is None
    assert page.focused().startswith("ALB web HTTP:80"), "what has the focus keeps it"
    shown.put(provisioned(rule("1"), states=("unhealthy",)))
    page.until(HAS, "#verdict[data-mood=bad]", "broken")
    assert page.focused().startswith("ALB web HTTP:80")
