"""The page of a sandbox that carries traffic: it sends requests and draws what the kernel saw."""

from pathlib import Path

import pytest

from tests.sandbox.network.conftest import Traffic
from tests.sandbox.observe.view.browser import HAS, serving, showing

pytestmark = pytest.mark.sandbox


def test_a_request_sent_from_the_page_is_drawn_as_it_was_measured(traffic: Traffic, tmp_path: Path) -> None:
    traffic.until_answering(traffic.output("albHostName"))
    with serving(traffic.sandbox) as address, showing(address, tmp_path) as page:
        page.until("document.querySelectorAll('#ip .hop').length > 1")
        page.press("4", "t")
        page.until(HAS, "#ip .badge[data-mood=good]", "measured")
        page.until(HAS, "#ip .said", "HTTP 200")
        kinds = page.ask(
            "[...document.querySelectorAll('#ip > li:first-child .hops > .hop')].map((e) => e.dataset.kind)"
        )
        assert kinds == ["client", "router", "balancer", "router", "node", "pod"]
        assert not page.complaints()
