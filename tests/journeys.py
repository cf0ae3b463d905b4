"""What a person does on a page of the web UI, and when a page has come to rest."""

from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as Late
from tests.patience import until

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 400, "height": 800}
Visit = Callable[..., Page]

_SHORT = 3_000
"""Milliseconds after which a list is looked for again."""
QUIET = """() => {
  const app = document.querySelector("[data-test-script-state]");
  if (app?.dataset.testScriptState !== "notRunning") { window.quietSince = undefined; return false; }
  window.quietSince ??= performance.now();
  return performance.now() - window.quietSince > 500;
}"""
"""Between two runs of a page's script nothing runs either, so it is to be so for half a second."""


def settle(page: Page) -> None:
    """Wait until the page has been drawn and nothing runs for it."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_function(QUIET)


def number(page: Page, label: str, value: str) -> None:
    """Type a value, as a person would."""
    field = page.get_by_role("spinbutton", name=label)
    field.fill(value)
    field.press("Enter")


def choose(page: Page, label: str, option: str) -> None:
    """Choose from a list; one that the page draws anew meanwhile has closed, and is opened again."""
    settle(page)
    field, wanted = page.get_by_role("combobox", name=label), page.get_by_role("option", name=option, exact=True)

    def chosen() -> bool:
        with suppress(Late):
            if not wanted.is_visible():
                field.click(timeout=_SHORT)
            wanted.click(timeout=_SHORT)
        page.wait_for_function(QUIET)
        return field.input_value() == option and not wanted.is_visible()

    until(chosen)


def add(page: Page, label: str, option: str) -> None:
    """Choose one more from a list that takes several."""
    settle(page)
    several = page.get_by_test_id("stMultiSelect").filter(has=page.get_by_role("combobox", name=label))
    taken = several.locator(f"[data-tag][aria-label='{option}']:visible")

    def added() -> bool:
        with suppress(Late):
            several.get_by_role("combobox").click(timeout=_SHORT)
            page.get_by_role("option", name=option, exact=True).click(timeout=_SHORT)
        page.wait_for_function(QUIET)
        return taken.count() > 0

    until(added)


def answers_of(page: Page) -> list[str]:
    """The page's figures in words, such as `35.2 ms`."""
    return [text.replace("\u202f", " ") for text in page.get_by_test_id("stMetricValue").all_inner_texts()]


def asked(page: Page) -> str:
    """What stands in the page's address."""
    return urlsplit(page.url).query
