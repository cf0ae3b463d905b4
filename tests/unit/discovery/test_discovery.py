"""What is found becomes versions: once for each content, the newest answering."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier, Thread

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from perfcast.discovery import Discovery, Records, make_converter
from perfcast.export import run
from perfcast.registry import CHAMPION, Registry
from perfcast.settings import Settings, load_settings
from perfcast.storage import Blobs, Database
from perfcast.workloads import builtin_workloads

NAME = "nn_prediction-training-t4"
FILE = "prediction-training-t4/best_nn_model.onnx"


def graph(weight: float, width: int = 7) -> bytes:
    """The weighted sum of the inputs."""
    nodes = [helper.make_node("MatMul", ["X", "weights"], ["Y"])]
    inputs = [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, width])]
    outputs = [helper.make_tensor_value_info("Y", TensorProto.FLOAT, [None, 1])]
    constants = [onnx.numpy_helper.from_array(np.full((width, 1), weight, dtype=np.float32), "weights")]
    model = helper.make_model(
        helper.make_graph(nodes, "sum", inputs, outputs, constants),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    return bytes(model.SerializeToString())


@dataclass(frozen=True)
class Place:
    """A folder of models and an installation."""

    folder: Path
    settings: Settings
    database: Database
    registry: Registry
    records: Records

    def put(self, path: str, data: bytes) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(data)

    def discovery(self) -> Discovery:
        workloads = dict(builtin_workloads())
        converter = make_converter(self.settings, workloads)
        return Discovery(self.folder, self.registry, self.records, converter, workloads)

    def look(self, discovery: Discovery | None = None) -> dict[str, str]:
        """What a look says of each file."""
        return {result.record.path: result.news for result in (discovery or self.discovery()).look()}

    def champion(self, model: str = NAME) -> int | None:
        return self.registry.model(model).aliases.get(CHAMPION)

    def answer(self, reference: str = NAME) -> float:
        row = np.array([[1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 0]], dtype=np.float32)
        return float(run(self.registry.graph(self.registry.resolve(reference)), row)[0])


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    url = "" if request.param == "sqlite" else str(request.getfixturevalue("new_postgres_url")())
    settings = load_settings(data_dir=tmp_path / "var", database_url=url)
    database = Database(settings.database_address)
    database.migrate()
    folder = tmp_path / "models"
    folder.mkdir()
    yield Place(folder, settings, database, Registry(database, Blobs(settings.artifacts_address)), Records(database))
    database.close()


def test_a_file_becomes_an_uncalibrated_champion_once(place: Place) -> None:
    place.put(FILE, graph(2))
    discovery = place.discovery()
    assert place.look(discovery) == {FILE: "converted"}
    version = place.registry.resolve(NAME)
    manifest = version.manifest
    assert (version.number, version.type, version.label) == (1, "neural_network", None)
    assert (manifest.calibration, manifest.metrics) == (None, None)
    assert manifest.inputs[0] == "batch_size"
    assert len(manifest.inputs) == 7
    assert manifest.settings["file"] == FILE
    assert place.answer() == 14
    assert place.look(discovery) == {FILE: "unchanged"}
    assert place.look() == {FILE: "unchanged"}  # another worker, or the same one started again
    assert place.registry.model(NAME).versions == (1,)
    assert place.registry.defaults()["cnn-execution-time"] == NAME


def test_a_changed_file_becomes_the_next_version_and_an_older_content_the_older_one(place: Place) -> None:
    for weight, number in ((2, 1), (3, 2), (2, 1)):
        place.put(FILE, graph(weight))
        assert place.look() == {FILE: "converted"}
        assert place.champion() == number
        assert place.answer() == 7 * weight
    assert place.registry.model(NAME).versions == (1, 2)


def test_a_deleted_file_changes_nothing_and_an_operators_choice_stays(place: Place) -> None:
    place.put(FILE, graph(2))
    place.look()
    place.put(FILE, graph(3))
    place.look()
    place.registry.point(NAME, CHAMPION, 1)
    (place.folder / FILE).unlink()
    assert place.look() == {}
    place.put(FILE, graph(3))
    assert place.look() == {FILE: "unchanged"}
    assert place.champion() == 1


def test_release_folders_become_labels_and_the_present_file_answers(place: Place) -> None:
    folder = "prediction-training-t4"
    place.put(f"{folder}/models/v1.2.0/best_nn_model.onnx", graph(3))
    place.put(f"{folder}/models/v1.1.0/best_nn_model.onnx", graph(2))
    place.put(FILE, graph(3))  # the README's: cp best_model.pth models/v1.2.0/
    place.look()
    assert [version.label for version in place.registry.versions(NAME)] == ["v1.1.0", "v1.2.0"]
    assert place.answer(f"{NAME}:v1.1.0") == 14
    assert place.champion() == 2
    place.put(f"{folder}/models/v1.1.0/best_nn_model.onnx", graph(9))
    assert place.look()[f"{folder}/models/v1.1.0/best_nn_model.onnx"] == "failed"
    assert "labels never change hands" in place.records.failed()[0].reason


def test_a_failure_is_told_until_the_file_is_mended_or_gone(place: Place) -> None:
    other = "prediction-training-t4/best_poly_model.onnx"
    place.put(FILE, graph(2, width=5))
    place.put(other, b"junk")
    assert place.look() == {FILE: "failed", other: "failed"}
    reasons = {record.path: record.reason for record in place.records.failed()}
    assert "reads 5 inputs" in reasons[FILE]
    assert "no ONNX file" in reasons[other]
    assert place.registry.models() == []
    place.put(FILE, graph(2))
    (place.folder / other).unlink()
    assert place.look() == {FILE: "converted"}
    assert place.records.failed() == []


def test_a_failure_beside_a_good_file_does_not_hold_it_up(place: Place) -> None:
    place.put("prediction-training-a/best_nn_model.onnx", b"junk")
    place.put(FILE, graph(2))
    assert place.look()[FILE] == "converted"
    assert place.answer() == 14


def test_a_dry_run_registers_and_records_nothing(place: Place) -> None:
    place.put(FILE, graph(2))
    place.put("prediction-training-a/best_nn_model.onnx", b"junk")
    results = list(place.discovery().look(dry_run=True))
    assert [result.news for result in results] == ["failed", "converted"]
    assert place.registry.models() == []
    assert place.records.all() == {}


def test_a_worker_that_died_before_it_moved_the_alias_is_made_up_for(place: Place) -> None:
    place.put(FILE, graph(2))
    place.look()
    place.registry.point(NAME, CHAMPION, None)
    with place.database.begin() as connection:
        from perfcast.storage import schema

        connection.execute(schema.discovery.update().values(state="registered"))
    assert place.look() == {FILE: "converted"}
    assert place.champion() == 1


def test_two_workers_at_once_make_one_version(place: Place) -> None:
    place.put(FILE, graph(2))
    both, news = Barrier(2), []

    def work() -> None:
        discovery = place.discovery()
        both.wait()
        news.append(place.look(discovery))

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert news == [{FILE: "converted"}] * 2
    assert place.registry.model(NAME).versions == (1,)
    assert place.champion() == 1
