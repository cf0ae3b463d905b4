"""Corrections are kept with what they go on from, begin anew with every activation, and are told to who answers."""

from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.drafts import draft, weighted

from perfcast.monitoring import CorrectionNews, Corrections, Judged, Record, read_corrections
from perfcast.registry import Registry
from perfcast.storage import Blobs, Database, now, schema
from perfcast.workloads import builtin_workloads

CPU = builtin_workloads()["cpu-utilization"]
KEY = ("m", 1)


@pytest.fixture
def registry(database: Database, tmp_path: Path) -> Registry:
    """A calibrated champion, a candidate and a version without intervals."""
    registry = Registry(database, Blobs(str(tmp_path)))
    graph = weighted(CPU, request_rate=0.25)
    registry.add_all("m", [draft(CPU, graph), draft(CPU, graph), draft(CPU, graph, calibrated=False)])
    registry.point("m", "champion", 1)
    return registry


def judged(count: int, error: float, *, version: int = 1, at: str | None = None, arm: str = "champion") -> list[Judged]:
    """So many actuals that lie that far above what was predicted just now."""
    moment = at or now()
    return [
        Judged(Record(f"{moment}-{number:06}", "m", version, [1.0], 40.0, 38.0, 42.0, moment, arm), 40 + error, moment)
        for number in range(count)
    ]


@pytest.fixture
def learn(database: Database, registry: Registry) -> Callable[[list[Judged]], None]:
    def learn(items: list[Judged]) -> None:
        with database.begin() as connection:
            Corrections(registry.version).judged(connection, items)

    return learn


Learn = Callable[[list[Judged]], None]


def test_actuals_beyond_the_interval_move_it_and_it_goes_on_from_what_it_knew(database: Database, learn: Learn) -> None:
    learn(judged(40, 10))
    with database.read() as connection:
        first = read_corrections(connection)[KEY]
    learn(judged(60, 10))
    with database.read() as connection:
        second = read_corrections(connection)[KEY]
    assert (first.actuals, second.actuals) == (40, 100)
    assert 0 < first.means["0.9"][1] < second.means["0.9"][1] == pytest.approx(8)
    assert second.since == first.since < first.updated_at < second.updated_at
    assert second.document(relative=False)["bounds"]["0.9"]["upper"] == pytest.approx(8)
    assert second.document(relative=True)["bounds"]["0.9"]["upper"] == pytest.approx(2981, rel=0.01)


def test_with_few_actuals_it_says_how_many_and_moves_nothing(database: Database, learn: Learn) -> None:
    learn(judged(29, 10))
    with database.read() as connection:
        correction = read_corrections(connection)[KEY]
    assert (correction.actuals, correction.moves) == (29, {})
    assert CorrectionNews(database).look() == {}


def test_an_activation_begins_anew_and_older_predictions_do_not_count_after_it(
    database: Database, registry: Registry, learn: Learn
) -> None:
    before = judged(100, 10)
    learn(judged(100, 10))
    registry.point("m", "champion", 2)
    registry.point("m", "champion", 1)
    with database.read() as connection:
        assert read_corrections(connection) == {}
    learn(judged(50, 10, at=before[0].at))  # late ones, of predictions from before
    with database.read() as connection:
        assert read_corrections(connection) == {}
    learn(judged(40, -5))
    with database.read() as connection:
        correction = read_corrections(connection)[KEY]
    assert correction.actuals == 40
    assert correction.means["0.9"][0] < 0


def test_shadow_and_challenger_are_corrected_by_their_own_errors(
    database: Database, registry: Registry, learn: Learn
) -> None:
    registry.point("m", "shadow", 2)
    learn([*judged(60, 10), *judged(60, -10, version=2, arm="shadow")])
    with database.read() as connection:
        found = read_corrections(connection)
        assert set(read_corrections(connection, [("m", 2)])) == {("m", 2)}
    assert found["m", 1].means["0.9"][1] > 5
    assert found["m", 2].means["0.9"][0] < -5


def test_a_version_that_is_its_own_shadow_learns_once_from_each_actual(database: Database, learn: Learn) -> None:
    learn([item._replace(again=again) for item in judged(50, 1) for again in (False, True)])
    with database.read() as connection:
        assert read_corrections(connection)[KEY].actuals == 50


def test_versions_without_intervals_without_an_alias_or_without_an_existence_get_none(
    database: Database, registry: Registry, learn: Learn
) -> None:
    registry.point("m", "challenger", 3)
    learn([*judged(50, 9, version=3), *judged(50, 9, version=2)])
    with database.begin() as connection:
        Corrections(lambda model, number: None).judged(connection, judged(50, 9, version=7))
        assert connection.execute(schema.correction.select()).all() == []


def test_news_are_told_once(database: Database, registry: Registry, learn: Learn) -> None:
    news = CorrectionNews(database)
    assert news.look() is None
    learn(judged(60, 10))
    told = news.look()
    assert told is not None
    assert told[KEY]["0.9"].above > 5
    assert news.look() is None
    registry.point("m", "shadow", 2)
    learn(judged(60, 3, version=2))
    both = news.look()
    assert both is not None
    assert (set(both), both[KEY]) == ({KEY, ("m", 2)}, told[KEY])
    registry.point("m", "champion", 2)
    assert news.look() == {}
    assert news.look() is None


def test_what_another_perfcast_wrote_is_left_out_and_begun_anew(database: Database, learn: Learn) -> None:
    learn(judged(60, 10))
    news = CorrectionNews(database)
    with database.begin() as connection:
        connection.execute(schema.correction.update().values(state={"shown": {"moves": "later"}}, updated_at=now()))
    with capture_logs() as logs:
        assert news.look() == {}
    assert [entry["event"] for entry in logs] == ["a correction can't be read"]
    learn(judged(40, 10))
    with database.read() as connection:
        assert read_corrections(connection)[KEY].actuals == 40
