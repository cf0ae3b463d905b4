"""The pages that show the OpenAPI document need nothing but this server."""

import re

import pytest
from starlette.testclient import TestClient


@pytest.mark.parametrize(("page", "files"), [("/docs", 3), ("/redoc", 2)])
def test_a_page_names_no_other_server_and_all_that_it_names_is_here(client: TestClient, page: str, files: int) -> None:
    html = client.get(page).text
    assert not re.findall(r"(?:https?:)?//[\w.-]+\.\w+", html)
    named = re.findall(r"""(?:src|href)=["']([^"']+)["']""", html)
    assert len(named) == files
    for place in named:
        response = client.get(place)
        assert response.status_code == 200, place
        assert len(response.content) > 1000, place
    assert "/openapi.json" in html


def test_a_page_behind_a_prefix_names_its_files_below_it(client: TestClient) -> None:
    behind = TestClient(client.app, root_path="/perf")
    html = behind.get("/docs").text
    assert 'src="/perf/docs/files/swagger-ui-bundle.js"' in html
    assert "/perf/openapi.json" in html


@pytest.mark.parametrize("name", ["../core.py", "..%2Fcore.py", "core.py", "nothing.js"])
def test_no_other_file_is_given_away(client: TestClient, name: str) -> None:
    assert client.get(f"/docs/files/{name}").status_code in (404, 422)


def test_the_pages_stand_in_no_document(client: TestClient) -> None:
    assert not [path for path in client.get("/openapi.json").json()["paths"] if path.startswith(("/docs", "/redoc"))]
