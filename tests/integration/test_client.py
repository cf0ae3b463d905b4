"""Every call of both clients against a real server with a real worker."""

import asyncio
import inspect
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from tests.contract.conftest import fill, start
from tests.drafts import draft, weighted
from tests.patience import PATIENCE_SECONDS, until
from tests.services import free_port
from tests.workers import QUICK, Shop, small_dataset, start_worker, stop

from perfcast.settings import Settings, load_settings
from perfcast.workloads import builtin_workloads
from perfcast_client import AsyncClient, AsyncJob, Client, Conflict, InvalidRequest, NotFound, answers, calls

MODEL = "cpu-utilization"
LOAD = {"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"}
COLUMNS = {name: [value] * 5 for name, value in LOAD.items()}
COLUMNS["request_rate"] = [100, 110, 120, 130, 140]
COSTS = [25.0, 27.5, 30.0, 32.5, 35.0]


class Waiting:
    """An `AsyncClient`, or something of it, whose methods are waited for: what one client is asked, so is the other."""

    def __init__(self, inner: Any, run: Callable[[Any], Any]) -> None:
        self._inner, self._run = inner, run

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return Waiting(found, self._run) if type(found).__module__.startswith("perfcast_client._async") else found
        return lambda *words, **given: self._given(found(*words, **given))

    def _given(self, found: Any) -> Any:
        if inspect.iscoroutine(found):
            found = self._run(found)
        if isinstance(found, AsyncIterator):
            return self._each(found)
        return Waiting(found, self._run) if isinstance(found, AsyncClient | AsyncJob) else found

    def _each(self, found: AsyncIterator[Any]) -> Iterator[Any]:
        while True:
            try:
                yield self._run(anext(found))
            except StopAsyncIteration:
                return


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of a server with models, and with rows to learn from."""
    settings = load_settings(data_dir=tmp_path_factory.mktemp("asked"), api_port=free_port(), **QUICK)
    fill(settings.data_dir)
    shop = Shop(settings)
    shop.datasets.add(small_dataset(300))
    shop.close()
    return settings


class Running:
    """A server that can be stopped and started again at the same address."""

    def __init__(self, settings: Settings) -> None:
        self._folder, self._port = settings.data_dir, str(settings.api_port)
        self.start()

    def start(self) -> None:
        self._process, self.url = start(self._folder, API_PORT=self._port)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[Running]:
    running = Running(settings)
    worker = start_worker(settings)
    yield running
    stop(worker)
    running.stop()


@pytest.fixture(params=["blocking", "awaited"])
def client(request: pytest.FixtureRequest, server: Running, loop: asyncio.AbstractEventLoop) -> Iterator[Any]:
    """Either client, asked alike."""
    if request.param == "blocking":
        with Client(server.url, timeout=PATIENCE_SECONDS) as client:
            yield client
        return

    def run(what: Any) -> Any:
        async def whole() -> Any:
            return await what

        return asyncio.run_coroutine_threadsafe(whole(), loop).result(PATIENCE_SECONDS)

    asking = AsyncClient(server.url, timeout=PATIENCE_SECONDS)
    yield Waiting(asking, run)
    run(asking.close())


def test_what_the_service_says_of_itself(client: Any) -> None:
    assert client.about().service == "perfcast"
    assert client.live().status == "alive"
    assert client.ready().ready
    assert client.health().models_loaded >= 2
    assert "ml_models_loaded_total" in client.metrics()


def test_a_prediction_its_benchmark_and_what_it_turned_out_to_be(client: Any) -> None:
    predicted = client.predict(LOAD, model=f"{MODEL}:1", coverage=0.8)
    assert (predicted.cost, predicted.cost_name, predicted.coverage) == (30.0, "cpu_utilization", 0.8)
    assert predicted.lower < 30 < predicted.upper
    assert (predicted.model_version, predicted.prediction_timestamp.utcoffset().total_seconds()) == (1, 0)
    told = client.feedback(31, prediction_id=predicted.prediction_id)
    assert (told.accepted, told.results[0].prediction_id) == (1, predicted.prediction_id)
    items = [{"prediction_id": predicted.prediction_id, "actual": 31}, {"actual": "much"}]
    assert [result.status for result in client.feedback_batch(items).results] == ["repeated", "refused"]
    assert client.benchmark(MODEL, iterations=20, fresh=True).iterations == 20


def test_features_with_an_actual_count_once_for_each_request(client: Any) -> None:
    def told(key: str | None) -> str:
        asked = client.with_options(idempotency_key=key)
        return asked.feedback(40, features=LOAD, model=MODEL).results[0].status  # type: ignore[no-any-return]

    named = f"told by {type(client).__name__}"
    assert [told(None), told(None), told(named), told(named)] == ["accepted", "accepted", "accepted", "repeated"]


def pandas(columns: dict[str, Any]) -> pd.DataFrame:
    """Whose rows have numbers of their own, and whose times are pandas'."""
    frame = pd.DataFrame(columns, index=range(3, 8))
    return frame.assign(timestamp=pd.to_datetime(frame["timestamp"]))


def dicts(columns: dict[str, Any]) -> list[dict[str, Any]]:
    return pandas(columns).to_dict("records")


def arrays(columns: dict[str, Any]) -> dict[str, Any]:
    found = {name: np.array(values) for name, values in columns.items()}
    return found | {"timestamp": np.array(["2026-03-02T14:05"] * 5, dtype="datetime64[ns]")}


@pytest.mark.parametrize("kind", [dict, pa.table, pl.DataFrame, pandas, dicts, arrays])
@pytest.mark.parametrize("rows", [2, 100_000])
def test_a_batch_is_answered_whole_however_it_comes_and_in_however_many_parts(
    client: Any, kind: Callable[[Any], Any], rows: int
) -> None:
    batch = client.predict_batch(kind(COLUMNS), model=MODEL, coverage=0.95, chunk_rows=rows)
    assert (list(batch.cost), len(batch), batch.cost_name) == (COSTS, 5, "cpu_utilization")
    assert (batch.model_name, batch.model_version, batch.coverage) == (MODEL, 1, 0.95)
    assert all(lower < cost < upper for lower, cost, upper in zip(batch.lower, COSTS, batch.upper, strict=True))
    assert [list(names) for names in batch.extrapolated] == [[]] * 5
    assert pa.table(batch.columns).num_rows == 5


def test_many_rows_of_lists_go_as_arrow(client: Any) -> None:
    many = {name: values * 2_000 for name, values in COLUMNS.items()}
    assert list(client.predict_batch(many, chunk_rows=6_000).cost) == COSTS * 2_000


def test_a_wrong_batch_names_what_is_wrong(client: Any) -> None:
    with pytest.raises(InvalidRequest, match="request_rate"):
        client.predict_batch(COLUMNS | {"request_rate": [-1] * 5})
    with pytest.raises(ValueError, match="column 'request_rate' has 4 values, others have 5"):
        client.predict_batch(COLUMNS | {"request_rate": [1] * 4})
    with pytest.raises(ValueError, match="got int"):
        client.predict_batch(7)


def test_models_and_their_versions_are_shown(client: Any) -> None:
    assert client.models.list().models[MODEL].champion == 1
    assert client.models.get(MODEL).versions[0].metrics.rows > 0
    assert client.models.metrics(f"{MODEL}:2").model_version == 2
    assert client.models.drift(MODEL).model_name == MODEL
    assert client.models.card(f"{MODEL}:2").startswith(f"# {MODEL}")
    with pytest.raises(NotFound, match=f"did you mean '{MODEL}'"):
        client.models.get("cpu-utilisation")


def test_versions_are_moved_only_from_where_they_are_expected(client: Any) -> None:
    models = client.models
    assert models.set_alias(MODEL, "challenger", 2).after == 2
    assert models.set_traffic(MODEL, {"champion": 90, "challenger": 10}).before == {"champion": 100, "challenger": 0}
    with pytest.raises(Conflict):
        models.set_traffic(MODEL, {"champion": 50, "challenger": 50}, expect="80:20")
    assert models.set_traffic(MODEL, {"champion": 100, "challenger": 0}, expect="90:10").champion == 100
    assert models.traffic(MODEL).arms["challenger"].version == 2
    with pytest.raises(Conflict):
        models.clear_alias(MODEL, "challenger", expect=1)
    assert models.clear_alias(MODEL, "challenger", expect=2).after is None
    with pytest.raises(Conflict):
        models.activate(f"{MODEL}:2", expect="none")
    moved = models.activate(f"{MODEL}:2", expect=1)
    assert (moved.before, moved.after) == (1, 2)
    assert models.deactivate(MODEL, expect=2).after == 1
    assert models.history(MODEL, limit=3).history[0].kind == "step_back"


def test_a_graph_is_uploaded_and_deleted(client: Any, tmp_path: Path) -> None:
    workload = builtin_workloads()[MODEL]
    graph = draft(workload, weighted(workload, request_rate=0.1)).graph
    added = client.models.upload("uploaded", graph, manifest={"workload": MODEL, "label": "v1.0.0"})
    assert (added.model_version, added.label, added.calibrated) == (added.model_version, "v1.0.0", False)
    file = tmp_path / "model.onnx"
    file.write_bytes(graph)
    client.models.upload("uploaded", file)
    assert client.models.delete("uploaded", "v1.0.0").model_version == added.model_version


def test_a_schedule_is_set_shown_and_removed(client: Any) -> None:
    schedules = client.schedules
    assert schedules.set(MODEL, cron="0 3 * * *", request={"n_trials": 5}).request.n_trials == 5
    assert schedules.get(MODEL).next_at.hour == 3
    assert [entry.model_name for entry in schedules.list().schedules] == [MODEL]
    assert schedules.history(MODEL, limit=5).events == []
    assert schedules.remove(MODEL) is None
    with pytest.raises(NotFound):
        schedules.get(MODEL)


def test_a_job_is_watched_to_its_end(client: Any) -> None:
    job = client.train(n_trials=2, families=["polynomial"], model="watched", promote="never", seed=1)
    states = list(job.watch())
    assert (states[0].finished, states[-1].succeeded, job.state) == (False, True, states[-1])
    assert isinstance(states[-1], answers.JobDetails)
    assert {trial.family for trial in states[-1].trials} == {"polynomial"}
    assert job.refresh().model_version == states[-1].model_version
    with pytest.raises(Conflict, match="has succeeded"):
        job.cancel()


def test_jobs_are_cancelled_listed_over_pages_and_found(client: Any) -> None:
    submitted = [client.train(n_trials=900, model="cancelled", timeout_seconds=600) for _ in range(3)]
    for job in submitted:
        job.cancel()
    assert {job.wait(timeout=PATIENCE_SECONDS).status for job in submitted} == {"cancelled"}
    ids = [job.id for job in submitted]
    found = [job.job_id for job in client.jobs.list(status="cancelled", model="cancelled", workload=MODEL, page=2)]
    assert found[:3] == ids[::-1]
    assert client.jobs.get(ids[0]).status == "cancelled"
    with pytest.raises(Conflict, match="has cancelled"):
        client.jobs.cancel(ids[0])


def test_a_job_is_listed_once_also_when_another_is_submitted_meanwhile(client: Any) -> None:
    jobs = iter(client.jobs.list(page=1))
    first = next(jobs)
    client.train(n_trials=1, model="cancelled").cancel()
    others = [job.job_id for job in jobs]
    assert first.job_id not in others
    assert len(others) == len(set(others)) > 1


def test_a_server_that_is_restarted_is_waited_for_by_who_watches(client: Any, server: Running) -> None:
    for number, end in enumerate((server.stop, server.kill)):
        job = client.train(n_trials=900, families=["polynomial"], model="restarted", timeout_seconds=600, seed=number)
        states = job.watch()
        assert not next(states).finished
        end()
        server.start()
        client.jobs.cancel(job.id)
        last = [state.status for state in states][-1]
        assert last == "cancelled"


def test_the_whole_answer_can_be_had(client: Any) -> None:
    answer = client.raw(calls.predict(LOAD))
    assert (answer.status, answer.retries, answer.value.cost) == (200, 0, 30.0)
    assert answer.request_id == answer.headers["x-request-id"]
    assert answer.elapsed > 0
    assert b'"cpu_utilization"' in answer.content


def test_a_frame_without_pyarrow_goes_as_lists(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perfcast_client.calls._tables._pyarrow", lambda: None)
    for frame in (pl.DataFrame(COLUMNS), pandas(COLUMNS)):
        assert list(client.predict_batch(frame).cost) == COSTS
    many = {name: values * 2_000 for name, values in COLUMNS.items()}
    assert len(client.predict_batch(many)) == 10_000


def test_it_has_been_cancelled_everywhere(client: Any) -> None:
    """Nothing of these tests is left to the worker."""
    until(lambda: all(job.finished for job in client.jobs.list()))


def test_the_demonstration_shows_all_and_trains_where_it_may(server: Running) -> None:
    asked = [sys.executable, str(Path(__file__).parents[2] / "client.py"), server.url]
    shown = subprocess.run([*asked, "--train"], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    for told in (
        ": healthy",
        f"{MODEL}: version 1 of 2",
        "30.0 %, in 90% of such cases",
        "240 requests/s",
        "succeeded",
    ):
        assert told in shown.stdout
    shown = subprocess.run(asked, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    assert "python client.py --train" in shown.stdout
    away = subprocess.run([*asked[:2], "http://127.0.0.1:9"], check=False, capture_output=True, text=True)
    assert (away.returncode, "is `perfcast up` running there?" in away.stderr) == (1, True)


def test_the_examples_of_the_documentation_run(
    server: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PERFCAST_URL", server.url)
    text = (Path(__file__).parents[2] / "docs/client.md").read_text()
    names: dict[str, Any] = {}
    for example in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(example, names)
    shown = capsys.readouterr().out
    for told in (
        "30.0 cpu_utilization",
        "[10.0, 20.0, 30.0, 40.0]",
        "succeeded",
        "True",
        "must be at least 0",
        " 200 ",
    ):
        assert told in shown
