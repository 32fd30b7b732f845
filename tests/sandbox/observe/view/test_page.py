"""The page in a real browser, from the keyboard alone; and who may ask its server for anything."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

from sandbox.observe.view.server import guard
from tests.conftest import Sandbox
from tests.sandbox.observe.view.browser import HAS, Browser, serving, showing


def test_only_the_page_itself_may_ask() -> None:
    assert guard("127.0.0.1:80", None, "none", 80) is None
    assert guard("rebound.test:80", None, None, 80)
    assert guard("127.0.0.1:80", "http://other.test", None, 80)
    assert guard("127.0.0.1:80", None, "cross-site", 80)


@pytest.fixture(scope="module")
def address(stack: Sandbox) -> Iterator[str]:
    """The page of the stack's cluster."""
    with serving(stack) as url:
        yield url


@pytest.fixture(scope="module")
def page(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser that shows it."""
    with showing(address, tmp_path_factory.mktemp("profile")) as window:
        yield window


@pytest.mark.sandbox
def test_the_page_shows_what_is_watched_called_and_provisioned(page: Browser) -> None:
    page.until(HAS, "#kind-Service .title", "/")
    page.until(HAS, "#kind-Pod .title", "/")
    page.until("document.querySelectorAll('#recent .title').length > 1")
    page.until("document.querySelectorAll('#balancers details').length > 0")
    page.until("document.querySelectorAll('#ip .hop').length > 1")
    page.until("/^[0-9:]{8}$/.test(document.querySelector('#recent time').textContent)")


@pytest.mark.sandbox
def test_the_picture_and_the_way_of_a_request_are_seen_without_scrolling(page: Browser) -> None:
    boxes = "document.querySelectorAll(`#whole > li ${'> ul > li '.repeat(arguments[0])}> .card`).length"
    assert [page.ask(boxes, column) for column in range(4)] >= [1, 2, 2, 4]
    assert page.ask("document.querySelector('.picture').getBoundingClientRect().bottom + scrollY") < 500
    lowest = "document.querySelector('#paths details[open] .hops').getBoundingClientRect().bottom + scrollY"
    assert page.ask(lowest) < 800


@pytest.mark.sandbox
def test_what_comes_and_goes_shows_by_itself(stack: Sandbox, page: Browser) -> None:
    stack.run("kubectl", "create", "service", "clusterip", "seen-live", "--tcp=80", "-n", "default")
    page.until(HAS, "#kind-Service .title", "default/seen-live")
    page.until(HAS, "#events .title", "default/seen-live")
    stack.run("kubectl", "delete", "service", "seen-live", "-n", "default")
    page.until(f"!{HAS}", "#kind-Service .title", "default/seen-live")


@pytest.mark.sandbox
def test_the_keyboard_reaches_opens_and_filters(page: Browser) -> None:
    page.press("3")
    assert page.ask("document.activeElement.closest('section').id") == "provisions"
    page.press("1")
    assert page.ask("document.activeElement.closest('section').id") == "watches"
    page.press("/", "no such word")
    page.until("[...document.querySelectorAll('#kinds li')].every((e) => !e.checkVisibility())")
    page.press(Keys.ESCAPE)
    page.until("[...document.querySelectorAll('#kind-Pod li')].some((e) => e.checkVisibility())")


@pytest.mark.sandbox
def test_nothing_comes_from_elsewhere_and_nothing_is_complained_of(page: Browser, address: str) -> None:
    assert page.hosts() == {urlsplit(address).hostname} == {"127.0.0.1"}
    assert not page.complaints()


@pytest.mark.sandbox
def test_an_open_page_goes_on_when_its_server_is_started_again(
    stack: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with ExitStack() as ends:
        with serving(stack) as url:
            window = ends.enter_context(showing(url, tmp_path_factory.mktemp("profile")))
        window.until(HAS, "#live", "lost")
        with serving(stack, "--port", str(urlsplit(url).port)) as again:
            assert again == url
            window.until(HAS, "#live", "live")


@pytest.mark.sandbox
def test_who_does_not_know_the_address_is_shown_nothing(address: str) -> None:
    parts = urlsplit(address)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://{parts.netloc}/changes", timeout=5)
