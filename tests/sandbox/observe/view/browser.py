"""Debian's Chromium, driven from the keyboard alone, and what it complained of."""

import json
import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.ui import WebDriverWait

from tests.conftest import REPOSITORY, Sandbox

HAS = "[...document.querySelectorAll(arguments[0])].some((e) => e.textContent.includes(arguments[1]))"
"""Whether an element of a selector has a text."""
CHROMIUM, DRIVER = "chromium", "chromedriver"
_OWN = {"chrome", "data"}
"""What needs no network: the pages that the browser itself brings, such as its first tab, and data in a page."""
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def missing() -> str | None:
    """What there is to install before a browser can be had."""
    lack = [name for name in (CHROMIUM, DRIVER) if shutil.which(name) is None]
    return f"no {' and no '.join(lack)} here: make packages" if lack else None


class Browser:
    """One window."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        """Go to a page."""
        self.driver.get(url)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other: on whatever has the focus."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def ask(self, expression: str, *arguments: Any) -> Any:
        """The value of a JavaScript expression."""
        return self.driver.execute_script(f"return {expression}", *arguments)

    def focused(self) -> str:
        """The text of what has the focus."""
        return self.ask("document.activeElement.textContent")

    def texts(self, selector: str) -> list[str]:
        """What stands in the elements of a selector, seen or folded away."""
        return self.ask("[...document.querySelectorAll(arguments[0])].map((e) => e.textContent)", selector)

    def until(self, expression: str, *arguments: Any, seconds: float = 20) -> Any:
        """Wait until an expression holds; its value."""
        wait = WebDriverWait(self.driver, seconds, poll_frequency=0.05)
        return wait.until(lambda _: self.ask(expression, *arguments), f"{expression} {arguments}")

    def complaints(self) -> list[str]:
        """What the console said since it was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def hosts(self) -> set[str]:
        """The hosts that it sent requests to since it was last asked."""
        told = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        sent = [each["params"]["request"]["url"] for each in told if each["method"] == "Network.requestWillBeSent"]
        return {urlsplit(url).hostname or "" for url in sent if urlsplit(url).scheme not in _OWN}


@contextmanager
def browser(profile: Path, width: int = 1280, height: int = 1000) -> Generator[Browser]:
    """A browser with a new profile in `profile`, for as long as the context lives."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which(CHROMIUM) or ""
    for flag in (*_FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which(DRIVER) or ""))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


@contextmanager
def serving(sandbox: Sandbox, *options: str) -> Generator[str]:
    """`sandbox view` of the cluster that the sandbox asks; the page's address."""
    command = [str(REPOSITORY / ".venv/bin/sandbox"), "view", "--cluster", sandbox.cluster, *options]
    own = os.environ | {"SANDBOX_STATE_DIR": str(sandbox.state.root)}
    with subprocess.Popen(command, env=own, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.terminate()


@contextmanager
def showing(address: str, profile: Path) -> Generator[Browser]:
    """A browser with the page, live."""
    lack = missing()
    if lack:
        pytest.fail(lack)
    with browser(profile) as window:
        window.open(address)
        window.until(HAS, "#live", "live")
        yield window
