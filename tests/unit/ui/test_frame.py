"""The frame: every page is in the navigation, and its foot says which API this is and how it is."""

import pytest
from streamlit.testing.v1 import AppTest
from tests.unit.ui.conftest import Open, words

from perfcast.ui._run import APP

FILES = sorted(file.name for file in (APP.parent / "views").glob("*.py") if file.name != "__init__.py")


def foot(app: AppTest) -> str:
    return "\n".join(str(one.value) for one in app.sidebar.caption)


@pytest.mark.parametrize("file", FILES)
def test_every_page_opens_in_the_frame(open_app: Open, file: str) -> None:
    app = open_app().switch_page(f"views/{file}").run()
    assert not app.exception
    assert len(app.title) == 1
    assert "healthy" in foot(app)


def test_the_foot_names_the_api_its_version_and_its_documentation(open_app: Open, api: str) -> None:
    shown = foot(open_app())
    assert api in shown
    assert f"({api}/docs)" in shown
    assert "Grafana" not in shown


def test_browsers_may_find_the_api_elsewhere_and_grafana_is_linked_where_it_is_known(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_PUBLIC_URL", "https://perfcast.example")
    monkeypatch.setenv("GRAFANA_URL", "https://grafana.example")
    shown = foot(open_app())
    assert "(https://perfcast.example/docs)" in shown
    assert "[Grafana](https://grafana.example)" in shown


def test_where_the_api_is_away_the_foot_says_so_and_the_navigation_stays(open_app: Open, nobody: str) -> None:
    app = open_app(api=nobody)
    assert "no answer" in foot(app)
    assert not app.exception


def test_where_a_key_is_needed_the_foot_is_no_error(open_app: Open, keyed_api: str) -> None:
    app = open_app(api=keyed_api)
    assert not app.exception
    assert "This API asks for a key" in words(app)
