"""A real Chromium, and what it finds wrong with a page."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from tests.patience import PATIENCE_SECONDS

STREAMLITS_REQUESTS = {
    "/_stcore/health": "a page below the first looks for its server below itself before it looks where that is",
    "/_stcore/host-config": "the same",
}
"""Ends of addresses that Streamlit asks for in vain, and why; Chromium calls each an error."""
STREAMLITS_FINDINGS = {
    ("list", "stSidebarNavItems"): "the navigation's groups are headers among the items of its list",
    ("listitem", "stSidebarNavItems"): "the same: an item's parent is the group",
}
"""Findings of axe that are Streamlit's own: its rule, and a part of the page that is made by Streamlit alone."""
_GRAVE = ("serious", "critical")
_MILLISECONDS = 1_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        raise RuntimeError(
            "Chromium is not installed, and the tests of the web UI need it: run tests/install-services, "
            "or on Debian or Ubuntu: sudo apt-get install chromium"
        )
    expect.set_options(timeout=PATIENCE_SECONDS * _MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


class Faults:
    """What goes wrong in a page while a test looks at it, save what is Streamlit's own."""

    def __init__(self, page: Page) -> None:
        self.found: list[str] = []
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.found.append(f"uncaught: {error}"))

    def _listen(self, message: ConsoleMessage) -> None:
        address = message.location["url"]
        if message.type == "error" and not address.endswith(tuple(STREAMLITS_REQUESTS)):
            self.found.append(f"{message.text} {address}")


def barriers(page: Page) -> list[str]:
    """What axe finds that would keep people out, serious or critical, save what is Streamlit's own."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{finding['id']} ({finding['impact']}): {node['html']} {node['failureSummary']}"
        for finding in found
        if finding["impact"] in _GRAVE
        for node in finding["nodes"]
        if not _is_streamlits(page, finding["id"], node["target"][0])
    ]


def _is_streamlits(page: Page, rule: str, target: str) -> bool:
    parts = [part for known, part in STREAMLITS_FINDINGS if known == rule]
    inside = "(element, part) => !!element.closest(`[data-testid=${part}]`)"
    return any(page.locator(target).first.evaluate(inside, part) for part in parts)
