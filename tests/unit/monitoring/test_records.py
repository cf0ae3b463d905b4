"""Records of predictions come back as they went in, whatever their order, and survive a database that refuses them."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from perfcast.errors import Unavailable
from perfcast.monitoring import PredictionLog, Record, read_records, write_records
from perfcast.storage import Database, schema

numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)
records = st.builds(
    Record,
    id=st.integers(0, 2**40).map(lambda number: f"{number:032x}"),
    model=st.sampled_from(["cpu-utilization", "xgb_prediction-training-gpul40s"]),
    version=st.integers(1, 3),
    row=st.lists(numbers, min_size=1, max_size=10),
    cost=numbers,
    lower=st.none() | numbers,
    upper=st.none() | numbers,
    at=st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    arm=st.sampled_from(["champion", "challenger", "shadow", "named"]),
    spread=st.none() | numbers,
)


def test_a_record_of_before_there_were_spreads_is_read() -> None:
    old = ["a", "m", 1, [1.0], 2.0, 1.0, 3.0, "2026-03-01T00:00:00.000000Z", "champion", 0.9]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(old), type=Record).spread is None


@given(st.lists(records, max_size=40))
def test_what_was_written_is_read(shared: Database, written: list[Record]) -> None:
    with shared.begin() as connection:
        connection.execute(schema.prediction_block.delete())
        write_records(connection, written)
        found = list(read_records(connection))
    assert sorted(map(repr, found)) == sorted(map(repr, written))


def test_a_block_tells_what_is_in_it(database: Database) -> None:
    written = [Record(f"{n:08x}", "m", 2, [float(n)], 1.0, None, None, f"2026-03-0{n}T00:00:00Z") for n in (3, 1, 2)]
    with database.begin() as connection:
        write_records(connection, written)
        (block,) = connection.execute(schema.prediction_block.select()).all()
    assert (block.model, block.version, block.arm, block._mapping["count"]) == ("m", 2, "champion", 3)
    assert (block.first_id, block.last_id) == ("00000001", "00000003")
    assert (block.first_at, block.last_at) == ("2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z")


def test_records_that_the_database_refuses_wait_in_order_for_the_next_time(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'perfcast.db'}")
    log = PredictionLog(database, seconds=1.0)
    for number in range(5):
        log.append(Record(f"{number:04x}", "m", 1, [1.0], 1.0, None, None, "2026-03-01T00:00:00Z"))
    with pytest.raises((Unavailable, OperationalError)):
        log.flush()  # there are no tables yet
    database.migrate()
    log.flush()
    with database.read() as connection:
        assert [record.id for record in read_records(connection)] == [f"{number:04x}" for number in range(5)]
    assert (log.written, log.dropped) == (5, 0)
    database.close()
