"""Page load, interaction and memory of the web UI, with 1 and with 20 people at it.

    .venv/bin/python benchmarks/ui.py [--minutes 2] [--people 1 20] [--pause 5] [--url URL --process PID]

Without --url it starts a `perfcast up` of its own, with small models, on free ports. Each person is a context of
one Chromium, which opens Predict, then types another batch size every few seconds, one person after the other; the
page itself stamps the key and the changed answer. Chromium's own work counts, and on a small machine is most of it.
Memory is what the UI's process has to itself (USS).
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.browser import chromium
from tests.stacks import up
from tests.stocked import stock

_LOADS = 5
_PATIENCE_MS = 120_000
_STAMP = """() => {
  const answer = () => document.querySelector("[data-testid=stMetricValue]")?.innerText;
  window.took = [];
  let shown = answer(), pressed;
  document.addEventListener("keydown", event => { if (event.key === "Enter") pressed = performance.now(); }, true);
  new MutationObserver(() => {
    const now = answer();
    if (pressed === undefined || now === undefined || now === shown) return;
    window.took.push((performance.now() - pressed) / 1000);
    shown = now; pressed = undefined;
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
"""Seconds from each key to the changed answer, gathered in `window.took`."""


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    with _pages(arguments) as (url, process), chromium() as browser:
        print(
            "| people | page load p50 s | p95 s | interaction p50 s | p95 s | answered | memory before MB | after MB |"
        )
        print("|---|---|---|---|---|---|---|---|", flush=True)
        for people in arguments.people:
            _measure(browser, url, process, people=people, arguments=arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=2, help="for each number of people (2)")
    parser.add_argument("--people", type=int, nargs="+", default=[1, 20], help="at once, one run each (1 20)")
    parser.add_argument("--pause", type=float, default=5, help="seconds from one key of a person to the next (5)")
    parser.add_argument("--url", help="a UI that runs already")
    parser.add_argument("--process", type=int, help="its process, for its memory")
    return parser.parse_args()


@contextmanager
def _pages(arguments: argparse.Namespace) -> Iterator[tuple[str, psutil.Process]]:
    if arguments.url:
        yield arguments.url, psutil.Process(arguments.process)
        return
    with tempfile.TemporaryDirectory() as name:
        stock(Path(name))
        with up(Path(name)) as stack:
            stack.wait_for_api()
            stack.wait_for_ui()
            yield stack.ui, psutil.Process(stack.ui_process())


def _measure(
    browser: Browser, url: str, process: psutil.Process, *, people: int, arguments: argparse.Namespace
) -> None:
    contexts = [browser.new_context() for _ in range(people)]
    pages = [context.new_page() for context in contexts]
    for page in pages:
        page.set_default_timeout(_PATIENCE_MS)
    loads = [_load(page, url) for page in pages for _ in range(_LOADS if people == 1 else 1)]
    for page in pages:
        page.evaluate(_STAMP)
    before, round_number, pressed = _memory(process), 0, 0
    until = time.monotonic() + 60 * arguments.minutes
    while time.monotonic() < until:
        round_number += 1
        for page in pages:
            due = time.monotonic() + arguments.pause / people
            _type(page, 2 + round_number % 60)
            pressed += 1
            time.sleep(max(0.0, due - time.monotonic()))
    time.sleep(arguments.pause)
    interactions = [took for page in pages for took in page.evaluate("window.took")]
    for context in contexts:
        context.close()
    figures = " | ".join(f"{value:.2f}" for value in (*_spread(loads), *_spread(interactions)))
    answered = f"{len(interactions)} of {pressed}"
    print(f"| {people} | {figures} | {answered} | {before:.0f} | {_memory(process):.0f} |", flush=True)


def _load(page: Page, url: str) -> float:
    """Seconds until the first answer is on the page."""
    begun = time.monotonic()
    page.goto(url)
    page.get_by_test_id("stMetricValue").wait_for()
    return time.monotonic() - begun


def _type(page: Page, batch: int) -> None:
    field = page.get_by_role("spinbutton", name="Batch size (images)")
    field.fill(str(batch))
    field.press("Enter")


def _spread(seconds: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    ordered = sorted(seconds)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]


def _memory(process: psutil.Process) -> float:
    return float(process.memory_full_info().uss) / 1e6


if __name__ == "__main__":
    main()
