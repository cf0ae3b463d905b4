"""What batches are made of: cutting lists, writing numbers, records that wait for room."""

import json
import re
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perfcast.api.batch._json_columns import pieces
from perfcast.api.http._numbers import rounded
from perfcast.monitoring import PredictionLog, Record
from perfcast.storage import Database

BETWEEN = re.compile(rb"\}\s*,\s*\{")
ITEMS = st.lists(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=5), max_size=3), max_size=20)


@given(ITEMS, st.integers(1, 40), st.sampled_from(["", " ", "\n\t"]))
def test_pieces_that_are_lists_join_to_the_list(items: list[object], size: int, blank: str) -> None:
    text = blank + json.dumps(items, ensure_ascii=False) + blank
    found: list[object] = []
    for piece in pieces(text.encode(), BETWEEN, size):
        try:
            found += json.loads(piece)
        except ValueError:  # cut inside a text such as "},{": the caller then reads the list whole
            return
    assert found == items


def test_items_are_cut_apart() -> None:
    assert list(pieces(b' [{"a":1} , {"b":2},{"c":3}] ', BETWEEN, 1)) == [b'[{"a":1} ]', b'[ {"b":2}]', b'[{"c":3}]']


def test_what_is_not_in_brackets_is_given_back_whole() -> None:
    assert list(pieces(b'{"a":1},{', BETWEEN, 1)) == [b'{"a":1},{']


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_costs_are_written_as_predict_writes_them(values: list[float]) -> None:
    assert rounded(np.array(values, dtype=np.float32)) == [float(f"{value:.7g}") for value in values]


@given(st.lists(st.floats(-1e30, 1e30)))
def test_bounds_are_written_as_predict_writes_them(values: list[float]) -> None:
    assert rounded(np.array(values)) == [float(f"{value:.7g}") for value in values]


def test_many_records_are_written_rather_than_dropped(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'perfcast.db'}")
    database.migrate()
    records = PredictionLog(database, seconds=1.0, capacity=100)
    for start in range(0, 1000, 40):
        names = [f"{number:04}" for number in range(start, start + 40)]
        records.extend([Record(name, "m", 1, (1.0,), 2.0, None, None, "2026-01-01T00:00:00Z") for name in names])
    records.flush()
    assert (records.written, records.dropped) == (1000, 0)
    database.close()
