"""What every page says when the API is away, asks for a key, has no model, or can't answer."""

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.unit.ui.conftest import KEY, PAGES, Open, refusals, running, words

each_page = pytest.mark.parametrize("name", PAGES)
WITH_LOADS = ("predict", "capacity")


class Overloaded(BaseHTTPRequestHandler):
    """A proxy in front of the API that has none to pass requests to."""

    def do_GET(self) -> None:
        self.send_response(503)
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(b"<html>no upstream</html>")

    def log_message(self, *_: object) -> None:
        """Nothing: tests need no log."""


@pytest.fixture
def overloaded() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Overloaded)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_where_the_api_is_away_each_page_says_what_to_do_and_goes_on_when_it_is_back(
    open_page: Open, nobody: str, stocked: Path
) -> None:
    pages = [open_page(name, api=nobody, what="CPU utilisation of a service", request_rate="70") for name in PAGES]
    for page in pages:
        (told,) = refusals(page)
        assert nobody in told
        assert "perfcast up" in told
        assert "API_URL" in told
        (told,) = refusals(page.button("try again").click().run())
        assert nobody in told
    with running(stocked, API_PORT=str(urlsplit(nobody).port)):
        for name, page in zip(PAGES, pages, strict=True):
            page.button("try again").click().run()
            assert refusals(page) == []
            assert page.metric
            values = [one.value for one in (*page.number_input, *page.slider) if one.key == "request_rate"]
            assert values == [70] * (name in WITH_LOADS)  # what the address says still holds


def test_an_api_that_goes_away_while_a_page_is_open_leaves_what_was_typed(
    open_page: Open, nobody: str, stocked: Path
) -> None:
    with running(stocked, API_PORT=str(urlsplit(nobody).port)):
        page = open_page("predict", api=nobody, batch_size="64")
        assert refusals(page) == []
    page.number_input("batch_size").set_value(65).run()
    assert any(nobody in one for one in refusals(page))
    assert page.number_input("batch_size").value == 65


@each_page
def test_where_a_key_is_needed_it_is_asked_for_and_a_wrong_one_told(open_page: Open, keyed_api: str, name: str) -> None:
    page = open_page(name, api=keyed_api)
    assert refusals(page) == []
    assert "This API asks for a key" in words(page)
    page.text_input[0].set_value("wrong")
    page.button[0].click().run()
    assert refusals(page) == ["The API doesn't know this key."]
    page.text_input[0].set_value(KEY)
    page.button[0].click().run()
    assert refusals(page) == []
    assert page.metric


def test_a_key_that_can_not_be_sent_is_told_and_blanks_around_one_are_left_out(open_page: Open, keyed_api: str) -> None:
    page = open_page("predict", api=keyed_api)
    page.text_input[0].set_value("ключ")
    page.button[0].click().run()
    (told,) = refusals(page)
    assert "ASCII" in told
    page.text_input[0].set_value(f" {KEY} ")
    page.button[0].click().run()
    assert refusals(page) == []
    assert page.metric


def test_whoever_runs_the_pages_lends_nobody_a_key(
    open_page: Open, keyed_api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERFCAST_API_KEY", KEY)
    page = open_page("predict", api=keyed_api)
    assert "This API asks for a key" in words(page)
    assert not page.metric


@each_page
def test_a_key_is_the_tabs_alone(open_page: Open, keyed_api: str, name: str) -> None:
    page = open_page(name, api=keyed_api)
    page.text_input[0].set_value(KEY)
    page.button[0].click().run()
    assert page.metric
    assert KEY not in str(page.query_params)
    other = open_page(name, api=keyed_api)
    assert not other.metric
    assert "This API asks for a key" in words(other)


@each_page
def test_where_there_is_no_model_it_says_how_to_train_one(open_page: Open, empty_api: str, name: str) -> None:
    page = open_page(name, api=empty_api)
    assert refusals(page) == []
    assert "`perfcast train" in words(page)
    assert not page.metric


@each_page
def test_a_proxy_without_an_api_behind_it_is_told(open_page: Open, overloaded: str, name: str) -> None:
    told = refusals(open_page(name, api=overloaded))
    assert len(told) == 1
    assert "503" in words(open_page(name, api=overloaded))


@pytest.mark.parametrize("name", WITH_LOADS)  # the page Networks then has no device to ask about
def test_an_api_whose_models_can_not_be_loaded_says_so_in_its_words(
    open_page: Open, stocked: Path, tmp_path: Path, name: str
) -> None:
    shutil.copytree(stocked, tmp_path, dirs_exist_ok=True)
    for kept in (tmp_path / "artifacts").glob("*/*"):
        kept.write_bytes(b"nothing of the kind")
    with running(tmp_path) as address:
        page = open_page(name, api=address)
        assert refusals(page)
        assert "HTTP 503" in words(page)
