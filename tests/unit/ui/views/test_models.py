"""Models: the registry at a glance, one version's page, and everything that can be moved."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from tests.drafts import weighted
from tests.stocked import CNN, CPU
from tests.unit.ui.conftest import KEY, Open, refusals, running, words

from perfcast.discovery import Records
from perfcast.discovery._records import Record
from perfcast.storage import Database
from perfcast.workloads import builtin_workloads
from perfcast_client import Client

NUMBERS = count(1)
READER = "another-key-of-24-letters"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose state these tests may change."""
    with running(tmp_path_factory.mktemp("moved")) as address:
        yield address


@pytest.fixture
def api(address: str, stocked_address: str, request: pytest.FixtureRequest) -> str:
    """What pages ask: the server that may be changed where the test makes a model, else the one with trained models."""
    return address if "model" in request.fixturenames else stocked_address


@pytest.fixture(scope="module")
def stocked_address(stocked: Path) -> Iterator[str]:
    with running(stocked) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    with Client(address) as client:
        yield client


@pytest.fixture
def model(client: Client) -> str:
    """A new model with three uploaded versions, the first of which is champion."""
    name = f"moved-{next(NUMBERS)}"
    for weight in (0.25, 0.5, 0.75):
        client.models.upload(name, graph(weight), manifest={"workload": CPU})
    client.models.activate(f"{name}:1")
    return name


def graph(weight: float) -> bytes:
    return weighted(builtin_workloads()[CPU], request_rate=weight)


def column(page: AppTest, name: str) -> list[object]:
    """A column of the first table that has it."""
    table = next(one.value for one in page.dataframe if name in one.value)
    return list(table[name])


def confirm(page: AppTest) -> AppTest:
    return page.button("do it").click().run()


def test_each_model_stands_with_its_error_in_the_terms_of_its_cost(open_page: Open) -> None:
    page = open_page("models")
    assert refusals(page) == []
    errors = dict(zip(column(page, "Model"), column(page, "Held-out error"), strict=True))
    assert str(errors[CPU]).startswith("MAE ")
    assert str(errors[CPU]).endswith("points")
    assert str(errors[CNN]).startswith("MAPE ")
    assert set(column(page, "State")) == {"answers"}


def test_a_trained_version_is_explained_and_plotted(open_page: Open) -> None:
    page = open_page("models", model=CPU)
    assert refusals(page) == []
    assert [one.label for one in page.metric][:2] == ["Mean error (MAE)", "RMSE"]
    assert len(page.get("plotly_chart")) == 2
    assert page.header[0].value.startswith("Version 1 · polynomial · champion")
    facts = "\n".join(str(table.value.to_dict()) for table in page.table)
    assert "simulated" in facts
    assert "opset" in facts
    assert "No live accuracy yet" in words(page)


def test_a_version_without_held_out_rows_says_why_there_are_no_plots(open_page: Open, model: str) -> None:
    page = open_page("models", model=model)
    assert refusals(page) == []
    assert not page.get("plotly_chart")
    assert "There are no plots" in words(page)
    assert "was uploaded or imported" in words(page)


def test_what_the_address_names_but_is_not_there_is_told(open_page: Open, model: str) -> None:
    assert "There is no model `nobody`" in words(open_page("models", model="nobody"))
    page = open_page("models", model=model, version="9")
    assert f"{model} has no version `9`" in words(page)
    assert page.selectbox("version").value == "1"


def test_another_model_begins_with_its_own_champion(open_page: Open, client: Client, model: str) -> None:
    other = f"{model}-other"
    client.models.upload(other, graph(0.1), manifest={"workload": CPU})
    page = open_page("models", model=model, version="3")
    assert page.selectbox("version").value == "3"
    page.selectbox("model").set_value(other).run()
    assert refusals(page) == []
    assert page.selectbox("version").value == "1"


def test_a_version_is_activated_after_a_question_and_rolled_back(open_page: Open, client: Client, model: str) -> None:
    page = open_page("models", model=model, version="2")
    page.button("activate").click().run()
    assert client.models.get(model).champion == 1  # asked, nothing more
    assert "in place of version 1" in words(page)
    confirm(page)
    assert refusals(page) == []
    assert client.models.get(model).champion == 2
    assert f"Version 2 is the champion of {model}" in page.toast[0].value
    page.button("roll back").click().run()
    confirm(page)
    assert client.models.get(model).champion == 1


def test_who_was_faster_is_told_and_nothing_changes(open_page: Open, client: Client, model: str) -> None:
    page = open_page("models", model=model, version="2")
    page.button("activate").click().run()
    client.models.activate(f"{model}:3")
    confirm(page)
    assert any("version 3 now" in one for one in refusals(page))
    assert client.models.get(model).champion == 3


def test_a_challenger_gets_its_share_of_the_callers(open_page: Open, client: Client, model: str) -> None:
    page = open_page("models", model=model, version="3")
    page.button("make challenger").click().run()
    confirm(page)
    assert client.models.get(model).aliases == {"champion": 1, "challenger": 3}
    page = open_page("models", model=model, view="Who answers")
    page.slider(f"{model} share").set_value(25).run()
    page.button("set the split").click().run()
    confirm(page)
    assert refusals(page) == []
    assert client.models.get(model).traffic == {"champion": 75, "challenger": 25}
    assert column(page, "Share of callers") == ["75\u202f%", "25\u202f%"]
    page.button("clear challenger").click().run()
    confirm(page)
    assert client.models.get(model).aliases == {"champion": 1}


def test_without_a_challenger_there_is_nothing_to_split(open_page: Open, model: str) -> None:
    page = open_page("models", model=model, view="Who answers")
    assert refusals(page) == []
    assert not page.slider
    assert "on another version, a challenger" in words(page)


def test_a_candidate_can_be_deleted_and_a_champion_not(open_page: Open, client: Client, model: str) -> None:
    assert open_page("models", model=model, version="1").button("delete").disabled
    page = open_page("models", model=model, version="3")
    page.button("delete").click().run()
    page.button("leave it").click().run()
    assert len(client.models.get(model).versions) == 3
    page.button("delete").click().run()
    confirm(page)
    assert refusals(page) == []
    assert [one.version for one in client.models.get(model).versions] == [1, 2]
    assert page.selectbox("version").value == "1"


def test_the_history_has_every_move(open_page: Open, client: Client, model: str) -> None:
    client.models.set_alias(model, "shadow", 2)
    page = open_page("models", model=model, view="History")
    assert refusals(page) == []
    assert column(page, "What") == ["shadow: nobody → version 2", "champion: nobody → version 1"]


def test_versions_are_measured_and_stand_side_by_side(open_page: Open, model: str) -> None:
    page = open_page("models", model=model, view="Speed")
    assert "Nothing is measured yet" in words(page)
    page.multiselect(f"{model} measured").set_value([1, 2])
    page.button_group("rows").set_value(100)
    page.button("measure").click().run()
    assert refusals(page) == []
    assert column(page, "Version") == ["1", "2"]
    assert all(float(str(one)) > 0 for one in column(page, "p99 (ms)"))


def test_a_graph_is_uploaded_as_a_candidate(open_page: Open, client: Client, model: str) -> None:
    page = open_page("models", model=model, view="Upload")
    page.file_uploader("graph").set_value(("better.onnx", graph(0.9), "application/onnx"))
    page.text_input("upload label").set_value("v1.3.0")
    send(page)
    assert refusals(page) == []
    assert "Version 4" in page.toast[0].value
    added = client.models.get(model).versions[-1]
    assert (added.version, added.label, added.aliases) == (4, "v1.3.0", [])


@pytest.mark.parametrize(
    ("content", "manifest", "told"),
    [
        (b"nothing of the kind", b"", "**graph**: it is no ONNX file"),
        (graph(0.9), b"[1]", "**manifest**: must be a JSON object"),
        (graph(0.9), b'{"calibration": 1}', "**manifest**"),
    ],
)
def test_what_is_wrong_with_an_upload_is_told(
    open_page: Open, client: Client, model: str, content: bytes, manifest: bytes, told: str
) -> None:
    page = open_page("models", model=model, view="Upload")
    page.file_uploader("graph").set_value(("model.onnx", content, "application/onnx"))
    if manifest:
        page.file_uploader("manifest").set_value(("manifest.json", manifest, "application/json"))
    send(page)
    assert any(one.startswith(told) for one in refusals(page)), refusals(page)
    assert len(client.models.get(model).versions) == 3


def test_an_upload_without_a_file_says_so(open_page: Open, model: str) -> None:
    page = open_page("models", model=model, view="Upload")
    send(page)
    assert "Choose a graph" in words(page)


def send(page: AppTest) -> None:
    next(one for one in page.button if one.label == "Upload the version").click().run()


def test_without_a_model_it_says_how_to_get_one_and_takes_an_upload(open_page: Open, empty_api: str) -> None:
    page = open_page("models", api=empty_api)
    assert refusals(page) == []
    assert "`perfcast train" in words(page)
    assert page.file_uploader("graph").label == "Graph (.onnx)"


def test_what_could_not_be_read_or_loaded_is_named_with_the_reason(
    open_page: Open, stocked: Path, tmp_path: Path
) -> None:
    shutil.copytree(stocked, tmp_path, dirs_exist_ok=True)
    for kept in filter(Path.is_file, (tmp_path / "artifacts").rglob("*")):
        kept.write_bytes(b"nothing of the kind")
    database = Database(f"sqlite:///{tmp_path / 'perfcast.db'}")
    Records(database).keep(Record("old/model.pkl", "old", "0" * 64, "failed", "it needs a library of its own"))
    database.close()
    with running(tmp_path) as address:
        page = open_page("models", api=address)
    assert set(column(page, "State")) == {"broken"}
    assert any("can't answer" in one for one in refusals(page))
    assert page.expander[0].label == "Files that could not be read: 1"
    assert "it needs a library of its own" in str(page.table[0].value.to_dict())


def test_where_the_api_is_away_it_says_what_to_do(open_page: Open, nobody: str) -> None:
    (told,) = refusals(open_page("models", api=nobody))
    assert "perfcast up" in told


def test_a_key_that_only_reads_may_look_but_not_move(open_page: Open, stocked: Path) -> None:
    with running(stocked, API_KEY=f"{KEY}:admin,{READER}:read") as keyed:
        page = open_page("models", api=keyed, model=CPU)
        assert "This API asks for a key" in words(page)
        page.text_input[0].set_value(READER)
        page.button[0].click().run()
        assert refusals(page) == []
        page.button("roll back").click().run()
        confirm(page)
        assert any("This key may not do that" in one for one in refusals(page))
        with Client(keyed, api_key=KEY) as client:
            assert client.models.get(CPU).champion == 1
