"""Records of predictions leave when they are too old or too many, never before they were looked at and written away."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from tests.services import free_port

from perfcast.errors import InvalidSetting, Unavailable
from perfcast.monitoring import Archive, Record, Retention, read_records, write_records
from perfcast.storage import Database, alone, schema, time_text

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
FEATURES = {("shop", 1): ["request_rate", "cost"]}


def write(database: Database, day: int, *, seen: bool = True, count: int = 3, model: str = "shop") -> list[str]:
    """A block of that many days ago; gives its records' ids."""
    at = NOW - timedelta(days=day)
    names = [f"{int(at.timestamp() * 1000):011x}aaaaaaaa{number:07x}" for number in range(count)]
    records = [Record(name, model, 1, [float(day), 2.0], 3.0, 2.5, None, time_text(at)) for name in names]
    with database.begin() as connection:
        write_records(connection, records)
        if seen:
            connection.execute(schema.prediction_block.update().values(observed=True))
    return names


def kept(database: Database) -> list[int]:
    """How many days ago what is left was predicted, oldest first; each once."""
    with database.read() as connection:
        return list(dict.fromkeys(int(record.row[0]) for record in read_records(connection)))


def retention(
    database: Database, *, days: float = 30, most_bytes: int = 0, archive: Archive | None = None
) -> Retention:
    def features_of(model: str, version: int) -> list[str] | None:
        return FEATURES.get((model, version))

    return Retention(database, days=days, most_bytes=most_bytes, archive=archive, features_of=features_of)


def bytes_held(database: Database) -> int:
    with database.read() as connection:
        return int(connection.scalar(sa.select(sa.func.sum(schema.prediction_block.c.bytes))) or 0)


def test_what_is_older_than_so_many_days_leaves(database: Database) -> None:
    for day in (40, 31, 29, 1):
        write(database, day)
    assert retention(database).look(NOW) == 2
    assert kept(database) == [29, 1]
    assert retention(database).look(NOW) == 0


def test_the_oldest_leave_where_there_are_too_many_bytes_and_no_more_than_must(database: Database) -> None:
    for day in range(20, 0, -1):
        write(database, day)
    most = bytes_held(database) // 2
    assert retention(database, most_bytes=most).look(NOW) > 0
    assert 0.8 * most < bytes_held(database) <= most
    assert kept(database) == list(range(len(kept(database)), 0, -1))
    assert retention(database, most_bytes=most).look(NOW) == 0


def test_what_nobody_has_looked_at_stays_whatever_its_age(database: Database) -> None:
    write(database, 50)
    write(database, 40, seen=False)
    assert retention(database, days=1, most_bytes=1).look(NOW) == 1
    assert kept(database) == [40]


def test_what_a_true_cost_waits_for_stays_until_it_was_joined(database: Database) -> None:
    write(database, 41)
    name = write(database, 40)[1]
    waiting = {"key": name, "prediction": name, "value": 1.0, "received_at": time_text(NOW), "state": "waiting"}
    with database.begin() as connection:
        connection.execute(schema.actual.insert().values(**waiting))
    assert retention(database).look(NOW) == 1
    assert kept(database) == [40]
    with database.begin() as connection:
        connection.execute(schema.actual.update().values(state="joined"))
    assert retention(database).look(NOW) == 1
    assert kept(database) == []


def test_what_leaves_is_written_away_first_whole_days_of_each_model(database: Database, tmp_path: Path) -> None:
    for day in (41, 40, 40, 30):
        write(database, day)
    write(database, 40, model="gone")
    assert retention(database, archive=Archive(str(tmp_path))).look(NOW) == 4
    assert kept(database) == [30]  # of a day that isn't over
    days = ["2026-02-18", "2026-02-19"]
    assert sorted(path.parent.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.parquet")) == [
        f"gone/{days[1]}",
        *(f"shop/{day}" for day in days),
    ]
    (path,) = (tmp_path / "shop" / days[1]).iterdir()
    table = pq.read_table(path)
    assert table.column_names == ["id", "at", "model", "version", "arm", "request_rate", "feature_cost", "cost",
                                  "lower", "upper", "coverage"]  # fmt: skip
    assert table.num_rows == 6
    first = table.to_pylist()[0]
    assert (first["at"], first["model"], first["version"], first["arm"]) == (
        NOW - timedelta(days=40),
        "shop",
        1,
        "champion",
    )
    assert [first[name] for name in table.column_names[5:]] == [40.0, 2.0, 3.0, 2.5, None, 0.9]
    (path,) = (tmp_path / "gone" / days[1]).iterdir()
    assert pq.read_schema(path).names[5:7] == ["feature_1", "feature_2"]


def test_what_stands_in_a_file_already_is_not_written_again(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a worker dies between the file and the deletion."""
    for day in (40, 40):
        write(database, day)

    def die(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Retention, "_delete", die)
        with pytest.raises(KeyboardInterrupt):
            retention(database, archive=Archive(str(tmp_path))).look(NOW)
    write(database, 40)
    assert retention(database, archive=Archive(str(tmp_path))).look(NOW) == 3
    assert sum(pq.read_metadata(path).num_rows for path in tmp_path.rglob("*.parquet")) == 9
    assert len(list(tmp_path.rglob("*.parquet"))) == 2


def test_nothing_leaves_while_it_can_not_be_written_away(database: Database, tmp_path: Path) -> None:
    write(database, 40)
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="PREDICTION_EXPORT_URL can't be"):
        retention(database, archive=Archive(str(tmp_path / "file"))).look(NOW)
    assert kept(database) == [40]


def test_an_address_that_no_store_has_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="PREDICTION_EXPORT_URL"):
        Archive("nosuch://bucket")


def test_a_store_that_is_away_is_told_when_something_leaves_not_before(database: Database) -> None:
    write(database, 40)
    archive = Archive(f"ftp://127.0.0.1:{free_port()}/records")
    with pytest.raises(Unavailable, match="PREDICTION_EXPORT_URL can't be"):
        retention(database, archive=archive).look(NOW)
    assert kept(database) == [40]


def test_of_several_workers_one_deletes(database: Database) -> None:
    write(database, 40)
    with alone(database, "retention") as mine:
        assert mine
        assert retention(database).look(NOW) == 0
    assert retention(database).look(NOW) == 1
