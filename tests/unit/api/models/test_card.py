"""Model cards over HTTP."""

from starlette.testclient import TestClient

from perfcast.registry import Registry
from perfcast.reports import card


def test_a_card_is_markdown_of_the_version_that_the_reference_names(client: TestClient, registry: Registry) -> None:
    for reference, number in (("cpu-utilization", 1), ("cpu-utilization:2", 2), ("cpu-utilization@champion", 1)):
        response = client.get(f"/models/{reference}/card")
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/markdown; charset=utf-8"
        assert response.text == card(registry.version("cpu-utilization", number))


def test_an_unknown_version_is_404(client: TestClient) -> None:
    assert client.get("/models/cpu-utilization:7/card").status_code == 404


def test_the_document_says_that_it_is_markdown(client: TestClient) -> None:
    said = client.get("/openapi.json").json()["paths"]["/models/{ref}/card"]["get"]["responses"]["200"]["content"]
    assert list(said) == ["text/markdown"]
    assert said["text/markdown"]["schema"] == {"type": "string"}
