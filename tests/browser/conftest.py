"""A real browser, headless: Debian's Chromium, driven by Playwright's client."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
WHY = "the page is tested in a real browser: {missing}"


def found_browser() -> str | None:
    named = os.environ.get("SIMGAUGE_TEST_BROWSER")
    return named or next((path for path in map(shutil.which, CHROMIUM) if path), None)


@pytest.fixture(scope="module")
def browser():
    """Closed with the module: Playwright keeps a loop running that other tests must not meet."""
    path = found_browser()
    missing = ""
    if importlib.util.find_spec("playwright") is None:
        missing = "pip install playwright"
    elif path is None:
        missing = "apt-get install chromium, or SIMGAUGE_TEST_BROWSER=/path/to/it"
    if missing:
        if os.environ.get("CI"):
            pytest.fail(f"{WHY.format(missing=missing)} (with CI set, this is a failure and no skip)")
        pytest.skip(f"{WHY.format(missing=missing)}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as client:
        started = client.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield started
        started.close()


class Opened:
    """A page with everything that it reported."""

    def __init__(self, context, address):
        self.context, self.page = context, context.new_page()
        self.console, self.requests = [], []
        self.page.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.console.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.console.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(address)

    def list(self, item, point):
        """Names of the page's list of an item, by its own script."""
        return self.page.evaluate(
            """([item, point]) => {
                const gauge = point ? {center: point[0], power: point[1], norm_power: point[2]} : simgauge.shippedGauge;
                return simgauge.list(item, gauge).map((entry) => simgauge.data.names[entry.index]);
            }""",
            [item, point],
        )


@pytest.fixture
def open_page(browser):
    """Opens a file; keywords go to the context: viewport, color_scheme, java_script_enabled."""
    contexts = []

    def opened(path, **settings):
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **settings})
        contexts.append(context)
        return Opened(context, path.as_uri())

    yield opened
    for context in contexts:
        context.close()
