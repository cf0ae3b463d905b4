"""Recorded predictions come out as files, by model and time."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from perfcast.errors import InvalidData, InvalidSetting
from perfcast.monitoring import Record, Selection, export_predictions, write_records
from perfcast.storage import Database

EVERYTHING = Selection()
FEATURES = {("shop", 1): ["load"], ("shop", 2): ["load", "users"]}


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'perfcast.db'}")
    database.migrate()
    records = [
        Record(
            f"{number:04x}", "shop", 1 + number % 2, [1.0] * (1 + number % 2), 2.0, 1.0, 3.0, f"{day}T12:00:00.000000Z"
        )
        for first, day in ((10, "2026-03-01"), (20, "2026-03-02"), (30, "2026-03-03"))
        for number in range(first, first + 10)
    ]
    with database.begin() as connection:
        write_records(connection, records)
        write_records(connection, [Record("ffff", "other", 7, [5.0], 1.0, None, None, "2026-03-02T00:00:00.000000Z")])
    return database


def export(database: Database, target: Path, selection: Selection = EVERYTHING, form: str = "") -> int:
    told: list[tuple[int, int]] = []
    rows = export_predictions(
        database,
        target,
        selection,
        features_of=lambda *kind: FEATURES.get(kind),
        form=form,
        on_rows=lambda done, of: told.append((done, of)),
    )
    assert told[-1][0] == told[-1][1] >= rows
    assert [path.name for path in target.parent.iterdir() if "unfinished" in path.name] == []
    return rows


def test_each_feature_is_a_column_and_what_a_version_has_not_is_empty(database: Database, tmp_path: Path) -> None:
    assert export(database, tmp_path / "all.parquet") == 31
    rows = {row["id"]: row for row in pq.read_table(tmp_path / "all.parquet").to_pylist()}
    features = {name: (row["load"], row["users"], row["feature_1"]) for name, row in rows.items()}
    assert features["000a"] == (1.0, None, None)
    assert features["000b"] == (1.0, 1.0, None)
    assert features["ffff"] == (None, None, 5.0)  # its version is gone


def test_a_model_and_times_choose(database: Database, tmp_path: Path) -> None:
    two = Selection("shop", "2026-03-02T00:00:00.000000Z", "2026-03-03T00:00:00.000000Z")
    assert export(database, tmp_path / "two.parquet", two) == 10
    times = pq.read_table(tmp_path / "two.parquet")["at"].to_pylist()
    assert {str(time) for time in times} == {"2026-03-02 12:00:00+00:00"}


def test_it_is_written_as_csv_and_as_arrow_too(database: Database, tmp_path: Path) -> None:
    assert export(database, tmp_path / "all.csv") == 31
    assert pc.read_csv(tmp_path / "all.csv").column_names[-4:] == ["cost", "lower", "upper", "coverage"]
    assert export(database, tmp_path / "all.bin", form="arrow") == 31
    assert pa.ipc.open_file(tmp_path / "all.bin").read_all().num_rows == 31


def test_what_can_not_be_written_is_told(database: Database, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="parquet, csv, arrow, got 'xlsx'"):
        export(database, tmp_path / "all.xlsx")
    with pytest.raises(InvalidData, match=r"nothing\.csv: no prediction was recorded"):
        export(database, tmp_path / "nothing.csv", Selection("nobody"))
    assert not (tmp_path / "nothing.csv").exists()
