"""Installations on files alone, on PostgreSQL with and without Redis, and with the web UI; a browser."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from tests.browser import Faults, chromium
from tests.journeys import WIDE, Visit, settle
from tests.patience import PATIENCE_SECONDS
from tests.stacks import Stack, up
from tests.stocked import stock
from tests.workers import IMPATIENT, Shop, small_dataset

from perfcast.settings import load_settings


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Files alone."""
    shop = Shop(load_settings(data_dir=tmp_path, **IMPATIENT))
    shop.datasets.add(small_dataset())
    yield shop
    shop.close()


@pytest.fixture(params=["files", "postgres", "servers"])
def either_shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """One of each."""
    given: dict[str, str] = {}
    if request.param != "files":
        new: Callable[[], str] = request.getfixturevalue("new_postgres_url")
        given = {"database_url": new()}
    if request.param == "servers":
        given["redis_url"] = str(request.getfixturevalue("redis_url"))
    shop = Shop(load_settings(data_dir=tmp_path, **given, **IMPATIENT))
    shop.datasets.add(small_dataset())
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `DATA_DIR` that has what the pages show."""
    folder = tmp_path_factory.mktemp("stocked")
    stock(folder)
    return folder


@pytest.fixture(scope="module")
def stack(stocked: Path) -> Iterator[Stack]:
    """API, worker and UI on it."""
    with up(stocked) as stack:
        stack.wait_for_api()
        stack.wait_for_ui()
        yield stack
        assert "Traceback" not in stack.said()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Opens a page in a browser of its own, and waits until it is drawn; what it does wrong fails the test."""
    contexts, faults = [], []

    def visited(path: str = "", *, at: str = "", theme: str = "light", size: dict[str, int] = WIDE) -> Page:
        address = at or request.getfixturevalue("stack").ui
        context = browser.new_context(viewport=size, color_scheme=theme)  # type: ignore[arg-type]
        context.set_default_timeout(1_000 * PATIENCE_SECONDS)
        page = context.new_page()
        contexts.append(context)
        faults.append(Faults(page))
        page.goto(f"{address}/{path}")
        settle(page)
        return page

    yield visited
    for context in contexts:
        context.close()
    assert [found for one in faults for found in one.found] == []
