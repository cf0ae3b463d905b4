"""Following the registry without a gap."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.drafts import draft, weighted
from tests.patience import until

from perfcast.errors import InvalidInput, NotFound, NoUsableModel, Unavailable
from perfcast.registry import Registry, Version
from perfcast.serving import Follower, Predictor
from perfcast.serving._routes import Routes
from perfcast.storage import Blobs, Database, schema
from perfcast.workloads import Workload, builtin_workloads

Follow = Callable[[], Follower]


def add(registry: Registry, workload: Workload, name: str, weight: float, *, label: str | None = None) -> Version:
    feature = workload.feature_names[0]
    return registry.add(name, draft(workload, weighted(workload, **{feature: weight})), label=label)


def answering(routes: Routes, reference: str | None, workload: str) -> Predictor:
    predictor = routes.pick(reference, workload).slot.predictor
    assert predictor is not None
    return predictor


def corrupt(tmp_path: Path, version: Version) -> None:
    digest = version.manifest.graph.sha256
    (path,) = (path for path in (tmp_path / "artifacts").rglob(digest) if path.is_file())
    path.chmod(0o644)
    path.write_bytes(b"rotten")


def test_an_empty_registry_says_what_to_do(follow: Follow) -> None:
    with pytest.raises(NoUsableModel, match="perfcast up"):
        answering(follow().routes, None, "cpu-utilization")


def test_a_model_without_a_champion_says_what_to_do(registry: Registry, cpu: Workload, follow: Follow) -> None:
    add(registry, cpu, "m", 1)
    with pytest.raises(NoUsableModel, match="perfcast models activate m:VERSION"):
        answering(follow().routes, None, "cpu-utilization")


def test_the_champion_answers_to_its_name_its_version_its_alias_and_its_label(
    registry: Registry, cpu: Workload, follow: Follow
) -> None:
    add(registry, cpu, "m", 1, label="v1.2.0")
    registry.point("m", "champion", 1)
    routes = follow().routes
    found = {id(answering(routes, reference, cpu.name)) for reference in ("m", "m:1", "m@champion", "m:v1.2.0", None)}
    assert len(found) == 1


def test_a_moved_champion_is_followed_and_an_unchanged_one_keeps_its_session(
    registry: Registry, cpu: Workload, cnn: Workload, follow: Follow
) -> None:
    for workload, name in ((cpu, "a"), (cnn, "b")):
        add(registry, workload, name, 1)
        registry.point(name, "champion", 1)
    add(registry, cpu, "a", 2)
    follower = follow()
    kept = answering(follower.routes, "b", "")
    registry.point("a", "champion", 2)
    until(lambda: answering(follower.routes, "a", "").number == 2)
    assert answering(follower.routes, "b", "") is kept
    assert follower.routes.arm("a:1") is None


def test_a_version_that_can_not_be_loaded_leaves_the_former_one_answering(
    registry: Registry, cpu: Workload, follow: Follow, tmp_path: Path
) -> None:
    add(registry, cpu, "m", 1)
    registry.point("m", "champion", 1)
    follower = follow()
    corrupt(tmp_path, add(registry, cpu, "m", 2))
    registry.point("m", "champion", 2)
    until(lambda: bool(follower.routes.problems))
    assert answering(follower.routes, "m", cpu.name).number == 1
    assert "version 1 still answers" in follower.routes.problems["m"]
    registry.point("m", "champion", 1)
    until(lambda: not follower.routes.problems)


def test_a_version_that_no_alias_holds_is_loaded_when_asked_and_kept(
    registry: Registry, cpu: Workload, follow: Follow
) -> None:
    for weight in (1, 2, 3):
        add(registry, cpu, "m", weight)
    registry.point("m", "champion", 1)
    follower = follow()
    assert follower.reach("m:2").number == 2
    assert follower.reach("v3").number == 3
    before = answering(follower.routes, "m:2", "")
    registry.point("m", "champion", 3)
    until(lambda: answering(follower.routes, "m", "").number == 3)
    assert answering(follower.routes, "m:2", "") is before
    registry.delete("m", 2)
    until(lambda: follower.routes.arm("m:2") is None)


def test_an_unknown_reference_names_the_closest(registry: Registry, cpu: Workload, follow: Follow) -> None:
    add(registry, cpu, "cpu-utilization", 1)
    with pytest.raises(NotFound, match="did you mean 'cpu-utilization'"):
        follow().reach("cpu-utilisation")


def test_a_reference_to_a_rotten_version_is_not_usable(
    registry: Registry, cpu: Workload, follow: Follow, tmp_path: Path
) -> None:
    add(registry, cpu, "m", 1)
    corrupt(tmp_path, add(registry, cpu, "m", 2))
    with pytest.raises(NoUsableModel, match="can't answer"):
        follow().reach("m:2")


def test_while_the_database_is_gone_what_is_loaded_keeps_answering(cpu: Workload, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'perfcast.db'}")
    database.migrate()
    registry = Registry(database, Blobs(str(tmp_path / "artifacts")))
    add(registry, cpu, "m", 2)
    registry.point("m", "champion", 1)
    follower = Follower(registry, zone=UTC, refresh_seconds=2, workloads=builtin_workloads)
    follower.start()
    database.close()
    for part in tmp_path.glob("perfcast.db*"):
        part.unlink()
    (tmp_path / "perfcast.db").mkdir()
    with pytest.raises(Unavailable):
        follower.refresh()
    with pytest.raises(Unavailable):
        follower.reach("m:2")
    assert answering(follower.routes, "m", cpu.name).answer([5.0] + [0.0] * 7).cost == 10.0
    follower.close()


def statements(registry: Registry) -> list[str]:
    """Grows by each statement that the registry's database is sent from now on."""
    seen: list[str] = []
    sa.event.listen(registry._database._engine, "before_cursor_execute", lambda *event: seen.append(event[2]))
    return seen


def still(registry: Registry) -> Follower:
    """A follower that looks only when it is told to."""
    follower = Follower(registry, zone=UTC, refresh_seconds=2, workloads=builtin_workloads)
    follower.refresh()
    return follower


@pytest.mark.parametrize("reference", ["nowhere", "m:9", "m@shadow", "m"])
def test_what_was_refused_costs_no_query_until_the_registry_changes(
    registry: Registry, cpu: Workload, reference: str
) -> None:
    add(registry, cpu, "m", 1)
    follower = still(registry)
    with pytest.raises((NotFound, NoUsableModel)) as first:
        follower.reach(reference)
    seen = statements(registry)
    with pytest.raises(type(first.value)) as second:
        follower.reach(reference)
    assert (str(second.value), seen) == (str(first.value), [])
    add(registry, cpu, "nowhere", 1)
    for number in range(2, 10):
        add(registry, cpu, "m", number)
    for name, alias, number in (("nowhere", "champion", 1), ("m", "champion", 9), ("m", "shadow", 1)):
        registry.point(name, alias, number)
    follower.refresh()
    assert follower.reach(reference).model in reference


def test_a_text_that_is_no_reference_is_refused_without_a_query(registry: Registry) -> None:
    follower = still(registry)
    seen = statements(registry)
    for text in ("a b", "x" * 10_000, "m:", "@"):
        with pytest.raises(InvalidInput):
            follower.reach(text)
    assert seen == []


def test_each_spelling_of_a_version_means_the_same_predictor(registry: Registry, cpu: Workload) -> None:
    add(registry, cpu, "m", 1, label="v1.2.0")
    follower = still(registry)
    predictor = follower.reach("m:1")
    seen = statements(registry)
    for reference in ("m:1", "m:01", "m:v1", "m:v001", "m:v1.2.0", "1", "v1", "v1.2.0"):
        assert answering(follower.routes, reference, cpu.name) is predictor
    assert seen == []


def test_spellings_do_not_displace_each_other(registry: Registry, cpu: Workload) -> None:
    add(registry, cpu, "m", 1)
    add(registry, cpu, "m", 2)
    follower = still(registry)
    kept = follower.reach("m:2")
    for zeros in range(100):
        follower.reach(f"m:{'0' * zeros}1")
    assert answering(follower.routes, "m:2", "") is kept


def test_a_manifest_that_can_not_be_read_keeps_no_other_model_from_changing(
    registry: Registry, cpu: Workload, cnn: Workload
) -> None:
    for workload, name in ((cpu, "a"), (cnn, "b")):
        add(registry, workload, name, 1)
        add(registry, workload, name, 2)
        registry.point(name, "champion", 1)
    follower = still(registry)
    registry.point("a", "champion", 2)
    registry.point("b", "champion", 2)
    with registry._database.begin() as connection:
        table = schema.version
        connection.execute(table.update().where(table.c.model == "a", table.c.number == 2).values(manifest='{"typ'))
    follower.refresh()
    assert (follower.routes.champions["a"].number, follower.routes.champions["b"].number) == (1, 2)
    assert "manifest can't be read" in follower.routes.problems["a"]
    assert "version 1 still answers" in follower.routes.problems["a"]
    with pytest.raises(NoUsableModel, match="manifest can't be read"):
        follower.reach("a:2")


def test_bytes_that_can_not_be_reached_keep_no_other_model_from_changing(
    registry: Registry, cpu: Workload, cnn: Workload, tmp_path: Path
) -> None:
    for workload, name in ((cpu, "a"), (cnn, "b")):
        version = add(registry, workload, name, 1)
        registry.point(name, "champion", 1)
        if name == "a":
            (path,) = (path for path in (tmp_path / "artifacts").rglob(version.manifest.graph.sha256) if path.is_file())
            graph = path.read_bytes()
            path.unlink()
            path.mkdir()
    follower = still(registry)
    assert list(follower.routes.champions) == ["b"]
    assert "can't be read" in follower.routes.problems["a"]
    path.rmdir()
    path.write_bytes(graph)
    follower.refresh()
    assert list(follower.routes.champions) == ["a", "b"]
    assert not follower.routes.problems


def test_a_default_model_without_a_champion_is_told(registry: Registry, cpu: Workload, cnn: Workload) -> None:
    for workload, name in ((cpu, "a"), (cnn, "b")):
        add(registry, workload, name, 1)
    registry.point("a", "champion", 1)
    follower = still(registry)
    assert list(follower.routes.unanswered) == ["b"]
    assert "perfcast models activate b:VERSION" in follower.routes.unanswered["b"]


def test_an_unknown_reference_does_not_wait_for_what_is_being_loaded(registry: Registry, cpu: Workload) -> None:
    add(registry, cpu, "m", 1)
    follower = still(registry)
    with follower._lock, ThreadPoolExecutor(1) as caller:
        asked = caller.submit(follower.reach, "nowhere")
        assert isinstance(asked.exception(timeout=5), NotFound)


def test_what_was_refused_is_known_without_asking(registry: Registry) -> None:
    follower = still(registry)
    assert follower.refusal("nowhere") is None
    with pytest.raises(NotFound):
        follower.reach("nowhere")
    assert isinstance(follower.refusal("nowhere"), NotFound)
