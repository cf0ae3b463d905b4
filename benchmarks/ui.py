"""Page load, interaction and memory of the web UI, with 1 and with 20 people at it.

    .venv/bin/python benchmarks/ui.py [--minutes 60] [--people 20] [--url http://127.0.0.1:8501 --process PID]

Without --url it starts a `perfcast up` of its own, with small models, on free ports. Each person is a context of
one Chromium, which opens Predict, then types another batch size once every few seconds and waits for the answer; so
Chromium's own work counts, and on a small machine is most of it. Memory is what the UI's process has to itself (USS).
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page
from tests.browser import chromium
from tests.stacks import up
from tests.stocked import stock

_THINKING_SECONDS = 2.0
_LOADS = 5
_PATIENCE_MS = 120_000


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    with _pages(arguments) as (url, process), chromium() as browser:
        print(
            "| people | page load p50 s | p95 s | interaction p50 s | p95 s | samples | memory before MB | after MB |"
        )
        print("|---|---|---|---|---|---|---|---|", flush=True)
        for people in (1, arguments.people):
            _measure(browser, url, process, people=people, seconds=60 * arguments.minutes)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60, help="for each number of people (60)")
    parser.add_argument("--people", type=int, default=20, help="at once, after one alone (20)")
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


def _measure(browser: Browser, url: str, process: psutil.Process, *, people: int, seconds: float) -> None:
    contexts = [browser.new_context() for _ in range(people)]
    pages = [context.new_page() for context in contexts]
    for page in pages:
        page.set_default_timeout(_PATIENCE_MS)
    loads = [_load(page, url) for page in pages for _ in range(_LOADS if people == 1 else 1)]
    before, interactions, round_number = _memory(process), [], 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        round_number += 1
        interactions += _all_ask(pages, 2 + round_number % 60)
    for context in contexts:
        context.close()
    shown = (*_spread(loads), *_spread(interactions))
    figures = " | ".join(f"{value:.2f}" for value in shown)
    print(f"| {people} | {figures} | {len(interactions)} | {before:.0f} | {_memory(process):.0f} |", flush=True)


def _load(page: Page, url: str) -> float:
    """Seconds until the first answer is on the page."""
    begun = time.monotonic()
    page.goto(url)
    page.get_by_test_id("stMetricValue").wait_for()
    return time.monotonic() - begun


def _all_ask(pages: Sequence[Page], batch: int) -> list[float]:
    """Seconds from each person's key to the changed answer; all press at once, then think."""
    shown = [page.get_by_test_id("stMetricValue") for page in pages]
    before, begun = [one.inner_text() for one in shown], []
    for page in pages:
        field = page.get_by_role("spinbutton", name="Batch size (images)")
        field.fill(str(batch))
        begun.append(time.monotonic())
        field.press("Enter")
    took = []
    changed = "([old]) => document.querySelector('[data-testid=stMetricValue]')?.innerText !== old"
    for page, old, start in zip(pages, before, begun, strict=True):
        page.wait_for_function(changed, arg=[old], polling=20)
        took.append(time.monotonic() - start)
    time.sleep(_THINKING_SECONDS)
    return took


def _spread(seconds: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    ordered = sorted(seconds)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]


def _memory(process: psutil.Process) -> float:
    return float(process.memory_full_info().uss) / 1e6


if __name__ == "__main__":
    main()
