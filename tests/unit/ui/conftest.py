"""Pages as a browser would get them (`AppTest`), against real server processes."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.runtime import context
from streamlit.testing.v1 import AppTest
from tests.contract.conftest import start
from tests.patience import PATIENCE_SECONDS
from tests.services import free_port
from tests.stocked import stock

from perfcast.ui import _place
from perfcast.ui._run import APP

Open = Callable[..., AppTest]
PAGES = ("predict", "networks", "capacity")
"""Pages that ask the API for a prediction; add a page's name for it to be put through the same failures."""
KEY = "a-key-of-sixteen-letters"


@contextmanager
def running(folder: Path, **environment: str) -> Iterator[str]:
    """A server process on what a folder holds; gives its address."""
    process, address = start(folder, **environment)
    try:
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `DATA_DIR` with rows and models (`tests/stocked.py`)."""
    folder = tmp_path_factory.mktemp("stocked")
    stock(folder)
    return folder


@pytest.fixture(scope="session")
def api(stocked: Path) -> Iterator[str]:
    """Address of a server that has models and asks for no key."""
    with running(stocked) as address:
        yield address


@pytest.fixture(scope="session")
def keyed_api(stocked: Path) -> Iterator[str]:
    """Address of a server that wants `KEY`."""
    with running(stocked, API_KEY=KEY) as address:
        yield address


@pytest.fixture(scope="session")
def empty_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server without a model."""
    with running(tmp_path_factory.mktemp("empty")) as address:
        yield address


@pytest.fixture
def nobody() -> str:
    """Address at which nobody listens."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Tell the UI where its API is; called again, another."""
    monkeypatch.setattr(context, "_get_client_context", lambda: None)  # AppTest's has no cookies, but a mock of them

    def tell(address: str) -> None:
        monkeypatch.setenv("API_URL", address)
        _place._settings.cache_clear()
        st.cache_data.clear()

    yield tell
    _place._settings.cache_clear()
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def open_page(at: Callable[[str], None], request: pytest.FixtureRequest) -> Open:
    """Opens a page by its name, such as `predict`, without the frame around it.

    `api` is the address it asks, that of the fixture `api` if not given; `theme` and the values of its address may be
    given too.
    """

    def opened(name: str, *, api: str | None = None, theme: str = "light", **address: Any) -> AppTest:
        at(api or str(request.getfixturevalue("api")))
        page = AppTest.from_file(APP.parent / "views" / f"{name}.py", default_timeout=PATIENCE_SECONDS)
        page.context["theme"] = theme
        page.query_params |= address
        return page.run()

    return opened


@pytest.fixture
def open_app(at: Callable[[str], None], request: pytest.FixtureRequest) -> Open:
    """Opens the app, which shows its first page in its frame; as `open_page` otherwise."""

    def opened(*, api: str | None = None) -> AppTest:
        at(api or str(request.getfixturevalue("api")))
        return AppTest.from_file(APP, default_timeout=PATIENCE_SECONDS).run()

    return opened


def words(page: AppTest) -> str:
    """All that a page tells in words."""
    kinds = (page.title, page.markdown, page.caption, page.info, page.warning, page.error, page.header)
    return "\n".join(str(one.value) for kind in kinds for one in kind)


def refusals(page: AppTest) -> list[str]:
    """What a page says went wrong; that it broke fails the test."""
    assert not page.exception, [one.value for one in page.exception]
    return [str(one.value) for one in page.error]
