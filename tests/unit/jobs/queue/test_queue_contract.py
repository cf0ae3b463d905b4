"""What a queue and its rows must do, whatever carries them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import msgspec
import pytest
from tests.drafts import draft, weighted
from tests.patience import until
from tests.workers import Shop

from perfcast.errors import Conflict, Fenced, UnknownJob
from perfcast.jobs import Job, Jobs
from perfcast.jobs.queue import Fence, Progress, job_figures
from perfcast.jobs.queue._jobs import GATE_ATTEMPTS
from perfcast.jobs.run import make_lesson
from perfcast.jobs.worker._child import judged, registered
from perfcast.storage import now, schema
from perfcast.workloads import builtin_workloads


@pytest.fixture
def running(shop: Shop) -> Job:
    shop.submit()
    job = shop.jobs.claim("one")
    assert job is not None
    return job


def test_a_submitted_job_is_queued_and_its_id_is_the_message(shop: Shop) -> None:
    job = shop.submit(n_trials=7)
    assert (job.status, job.request.n_trials, job.attempt) == ("queued", 7, 0)
    assert until(lambda: shop.transport.receive(1)) == job.id
    assert shop.transport.receive(0) is None


def test_ids_sort_by_time_and_the_oldest_job_is_claimed_first(shop: Shop) -> None:
    submitted = [shop.submit(model_name="model-1").id]
    while len(submitted) < 4:
        new = shop.submit(model_name=f"model-{len(submitted) + 1}").id
        if new[:13] > submitted[-1][:13]:
            submitted.append(new)
        else:  # in the same millisecond
            shop.jobs.cancel(new)
    claimed = [job.id for _ in submitted if (job := shop.jobs.claim("one"))]
    assert claimed == submitted
    assert shop.jobs.claim("one") is None


def test_many_workers_racing_get_each_job_once(shop: Shop) -> None:
    submitted = {shop.submit(model_name=f"model-{number}").id for number in range(6)}

    def work(worker: str) -> list[str]:
        jobs = Jobs(shop.database)
        return [job.id for _ in range(12) if (job := jobs.claim(worker))]

    with ThreadPoolExecutor(4) as pool:
        claims = [job for claimed in pool.map(work, "abcd") for job in claimed]
    assert sorted(claims) == sorted(submitted)


def test_jobs_of_one_model_run_one_after_another_while_others_pass(shop: Shop) -> None:
    first, second, other = (shop.submit(model_name=name) for name in ("one", "one", "another"))
    claims = [shop.jobs.claim("worker") for _ in range(3)]
    assert [job.id for job in claims if job] == [first.id, other.id]
    assert claims[0] is not None
    shop.jobs.fail(claims[0].fence, "not trained in this test")
    later = shop.jobs.claim("worker")
    assert later is not None
    assert later.id == second.id


def test_of_many_workers_racing_for_jobs_of_one_model_one_gets_one(shop: Shop) -> None:
    barrier = Barrier(4)

    def work(worker: str) -> Job | None:
        jobs = Jobs(shop.database)
        barrier.wait(10)
        return jobs.claim(worker)

    for _ in range(15):
        for _ in range(4):
            shop.submit()
        with ThreadPoolExecutor(4) as pool:
            claimed = [job for job in pool.map(work, "abcd") if job]
        assert len(claimed) == 1
        assert len(shop.jobs.running()) == 1
        shop.jobs.fail(claimed[0].fence, "not trained in this test")


def test_a_lost_or_doubled_message_changes_nothing(shop: Shop) -> None:
    job = shop.submit()
    while shop.transport.receive(0):
        pass
    shop.transport.send(job.id)
    shop.transport.send(job.id)
    assert shop.jobs.claim("one") is not None
    assert shop.jobs.claim("two") is None


def test_progress_is_in_the_row(shop: Shop, running: Job) -> None:
    trials = ({"trial": 1, "family": "xgboost", "state": "complete", "score": 2.5, "seconds": 0.1},)
    progress = Progress("searching", 0.4, 3, 2.5, "xgboost", 12.5, trials)
    shop.jobs.beat(running.fence, spent_seconds=4.0, progress=progress)
    shown = shop.jobs.find(running.id)
    assert (shown.progress.trial, shown.progress.best_family, shown.spent_seconds) == (3, "xgboost", 4.0)
    assert shown.trials() == [dict(trials[0])]
    assert shown.document()["eta_seconds"] == 12.5


@pytest.mark.parametrize(
    "stranger", [("one", 2), ("two", 1), ("one", 0)], ids=["a later attempt", "another worker", "an earlier attempt"]
)
def test_only_the_present_claim_may_write(shop: Shop, running: Job, stranger: tuple[str, int]) -> None:
    fence = Fence(running.id, stranger[1], stranger[0])
    for write in (
        lambda: shop.jobs.beat(fence, spent_seconds=1),
        lambda: shop.jobs.succeed(fence, version=1, outcome=""),
        lambda: shop.jobs.fail(fence, "no"),
        lambda: shop.jobs.finish_cancelled(fence),
        lambda: shop.jobs.hand_back(fence),
        lambda: shop.jobs.retry(fence, "no"),
        lambda: shop.jobs.is_cancelled(fence),
    ):
        with pytest.raises(Fenced):
            write()
    assert shop.jobs.find(running.id) == running


def test_a_worker_taken_for_dead_is_shut_out_after_the_next_claim(shop: Shop, running: Job) -> None:
    assert shop.jobs.retry(running.fence, "it stopped answering", at_once=True) == "queued"
    with pytest.raises(Fenced):
        shop.jobs.beat(running.fence, spent_seconds=1)
    again = shop.jobs.claim("one")
    assert again is not None
    assert again.attempt == 2
    with pytest.raises(Fenced):
        shop.jobs.succeed(running.fence, version=1, outcome="")
    shop.jobs.succeed(again.fence, version=1, outcome="promoted")
    assert shop.jobs.find(running.id).status == "succeeded"


def test_after_three_attempts_a_job_has_failed_and_says_why(shop: Shop) -> None:
    shop.submit()
    for expected in ("queued", "queued", "failed"):
        job = until(lambda: shop.jobs.claim("one"))
        assert shop.jobs.retry(job.fence, "its worker died") == expected
    last = shop.jobs.find(job.id)
    assert (last.tries, last.error) == (3, "its worker died; given up after 3 attempts")
    assert last.finished_at


def test_what_broke_is_begun_again_after_a_pause_and_says_when(shop: Shop, running: Job) -> None:
    jobs = Jobs(shop.database, retry_seconds=0.5)
    assert jobs.retry(running.fence, "the store can't be read") == "queued"
    waiting = jobs.find(running.id)
    assert jobs.claim("two") is None
    assert waiting.retry_at is not None
    assert waiting.error == f"the store can't be read; it is tried again at {waiting.retry_at[:19]}Z"
    assert waiting.document()["retry_at"] == waiting.retry_at
    again = until(lambda: jobs.claim("two"))
    assert now() >= waiting.retry_at
    assert (again.id, again.tries, again.error, again.retry_at) == (running.id, 2, None, None)


@pytest.mark.parametrize("how", ["broken", "killed"])
def test_pauses_grow_from_attempt_to_attempt(shop: Shop, running: Job, how: str) -> None:
    at_once, pauses = how == "killed", [10, 40, 160, 600, 600] if how == "broken" else [0, 10, 40, 160, 600]
    jobs = Jobs(shop.database, attempts=9, retry_seconds=10)
    for attempt, pause in enumerate(pauses, start=1):
        before = datetime.now(UTC)
        jobs.retry(Fence(running.id, attempt, "one"), "it broke", at_once=at_once)
        retry_at = jobs.find(running.id).retry_at
        assert (retry_at is None) == (pause == 0)
        if retry_at:
            paused = timedelta(seconds=pause)
            assert before + paused <= datetime.fromisoformat(retry_at) <= datetime.now(UTC) + paused
        with shop.database.begin() as connection:
            connection.execute(schema.job.update().values(retry_at=None))
        assert jobs.claim("one") is not None


def test_a_job_that_waits_for_its_next_attempt_is_cancelled_at_once(shop: Shop, running: Job) -> None:
    Jobs(shop.database, retry_seconds=60).retry(running.fence, "the store can't be read")
    cancelled = shop.jobs.cancel(running.id)
    assert (cancelled.status, cancelled.error, cancelled.document()["retry_at"]) == ("cancelled", None, None)


def test_later_jobs_of_its_model_wait_for_one_that_is_tried_again_while_others_pass(shop: Shop, running: Job) -> None:
    Jobs(shop.database, retry_seconds=60).retry(running.fence, "the store can't be read")
    later, other = shop.submit(), shop.submit(model_name="another")
    claimed = shop.jobs.claim("two")
    assert claimed is not None
    assert claimed.id == other.id
    assert shop.jobs.claim("two") is None
    shop.jobs.cancel(running.id)
    claimed = shop.jobs.claim("two")
    assert claimed is not None
    assert claimed.id == later.id


def drafted(shop: Shop, job: Job) -> tuple[int, ...]:
    workload = builtin_workloads()["cpu-utilization"]
    return registered(shop.registry, shop.jobs, job, [draft(workload, weighted(workload, request_rate=0.15))])


def test_a_job_that_has_registered_its_versions_is_tried_more_often_and_never_fails(shop: Shop, running: Job) -> None:
    numbers, job = drafted(shop, running), running
    jobs = Jobs(shop.database, attempts=1, retry_seconds=0)
    for _ in range(GATE_ATTEMPTS - 1):
        assert jobs.retry(job.fence, "the store can't be read") == "queued"
        again = jobs.claim("one")
        assert again is not None
        job = again
    assert jobs.retry(job.fence, "the store can't be read") == "succeeded"
    ended = jobs.find(running.id)
    assert (ended.model_version, ended.progress.share, ended.error) == (numbers[-1], 1.0, None)
    assert "the gate did not finish: the store can't be read; given up after 10 attempts" in ended.outcome


def test_a_job_that_has_registered_its_versions_does_not_fail_for_good_either(shop: Shop, running: Job) -> None:
    numbers = drafted(shop, running)
    shop.jobs.fail(running.fence, "the champion can't be read")
    ended = shop.jobs.find(running.id)
    assert (ended.status, ended.model_version) == ("succeeded", numbers[-1])


def test_a_job_that_waits_with_its_versions_registered_can_not_be_cancelled(shop: Shop, running: Job) -> None:
    drafted(shop, running)
    shop.jobs.hand_back(running.fence)
    with pytest.raises(Conflict, match="has registered its versions"):
        shop.jobs.cancel(running.id)
    assert shop.jobs.find(running.id).status == "queued"


def test_after_the_last_attempt_a_cancelled_job_is_cancelled_not_failed(shop: Shop) -> None:
    shop.submit()
    for _ in range(2):
        shop.jobs.retry(until(lambda: shop.jobs.claim("one")).fence, "its worker died")
    job = until(lambda: shop.jobs.claim("one"))
    shop.jobs.cancel(job.id)
    assert shop.jobs.retry(job.fence, "its worker died") == "cancelled"


def test_handing_back_burns_no_attempt_and_wakes_a_worker(shop: Shop) -> None:
    submitted = shop.submit()
    until(lambda: shop.transport.receive(1))
    for _ in range(5):
        job = shop.jobs.claim("one")
        assert job is not None
        shop.jobs.hand_back(job.fence)
        assert until(lambda: shop.transport.receive(1)) == submitted.id
    back = shop.jobs.find(submitted.id)
    assert (back.status, back.tries, back.attempt) == ("queued", 0, 5)


def test_a_waiting_job_is_cancelled_at_once(shop: Shop) -> None:
    job = shop.jobs.cancel(shop.submit().id)
    assert job.status == "cancelled"
    assert shop.jobs.claim("one") is None


def test_a_running_job_is_asked_and_ends_when_its_worker_says_so(shop: Shop, running: Job) -> None:
    assert not shop.jobs.is_cancelled(running.fence)
    assert shop.jobs.cancel(running.id).status == "running"
    assert shop.jobs.is_cancelled(running.fence)
    shop.jobs.finish_cancelled(running.fence)
    with pytest.raises(Conflict, match="has cancelled"):
        shop.jobs.cancel(running.id)


def test_a_cancelled_job_whose_worker_is_gone_is_not_run_again(shop: Shop, running: Job) -> None:
    shop.jobs.cancel(running.id)
    assert shop.jobs.retry(running.fence, "its worker died") == "cancelled"
    assert shop.jobs.claim("two") is None


def test_an_unknown_job_is_an_error_that_names_it(shop: Shop) -> None:
    for ask in (shop.jobs.find, shop.jobs.cancel, shop.jobs.end_overdue):
        with pytest.raises(UnknownJob, match="nowhere"):
            ask("nowhere")


def test_jobs_are_listed_newest_first_filtered_and_in_pages(shop: Shop) -> None:
    ids = [shop.submit(model_name=f"model-{number % 2}").id for number in range(5)]
    shop.jobs.cancel(ids[0])
    jobs, total = shop.jobs.page(limit=2, offset=1)
    assert ([job.id for job in jobs], total) == ([ids[3], ids[2]], 5)
    jobs, total = shop.jobs.page(status="queued", model="model-0")
    assert ([job.id for job in jobs], total) == ([ids[4], ids[2]], 2)


def test_versions_are_registered_once_with_the_row_that_names_them(shop: Shop, running: Job) -> None:
    workload = builtin_workloads()["cpu-utilization"]
    drafts = [draft(workload, weighted(workload, request_rate=weight)) for weight in (0.15, 0.3)]
    assert registered(shop.registry, shop.jobs, running, drafts) == (1, 2)
    assert shop.jobs.find(running.id).versions == (1, 2)
    with pytest.raises(Conflict, match="has registered"):
        shop.jobs.cancel(running.id)
    shop.jobs.retry(running.fence, "its worker died", at_once=True)
    again = shop.jobs.claim("two")
    assert again is not None
    assert again.versions == (1, 2)


def test_a_cancelled_or_fenced_out_job_registers_nothing(shop: Shop, running: Job) -> None:
    workload = builtin_workloads()["cpu-utilization"]
    drafts = [draft(workload, weighted(workload, request_rate=0.15))]
    shop.jobs.cancel(running.id)
    with pytest.raises(Fenced):
        registered(shop.registry, shop.jobs, running, drafts)
    assert shop.registry.models() == []


def test_promoting_again_after_a_kill_changes_nothing(shop: Shop, running: Job) -> None:
    workload, dataset = builtin_workloads()["cpu-utilization"], shop.datasets.load(shop.datasets.list()[0])
    made = draft(workload, weighted(workload, request_rate=0.15))
    search = {"left_out": {"polynomial": "not tried: no time was left for it"}}
    drafts = [replace(made, manifest=msgspec.structs.replace(made.manifest, search=search))]
    numbers = registered(shop.registry, shop.jobs, running, drafts)
    first = judged(shop.registry, running, numbers[-1], make_lesson(dataset, None))
    assert first[0] == 1
    assert first[1].startswith("promoted")
    assert first[1].endswith("; polynomial: not tried: no time was left for it")
    shop.registry.annotate(shop.registry.version("cpu-utilization", 1), "")  # as if killed before the note
    second = judged(shop.registry, running, numbers[-1], make_lesson(dataset, None))
    third = judged(shop.registry, running, numbers[-1], make_lesson(dataset, None))
    assert first == second == third
    assert len(shop.registry.history("cpu-utilization")) == 1


@pytest.mark.parametrize(
    "spoilt_columns",
    [
        *({"request": request} for request in (None, {}, [], "text", {"model": "m", "n_trials": "many"})),
        {"versions": 5},
        {"trials": [1]},
    ],
    ids=str,
)
def test_a_job_whose_row_cannot_be_read_fails_and_holds_up_nobody(
    shop: Shop, spoilt_columns: dict[str, object]
) -> None:
    spoilt, next_one = shop.submit(), shop.submit()
    with shop.database.begin() as connection:
        connection.execute(schema.job.update().where(schema.job.c.id == spoilt.id).values(**spoilt_columns))
    assert "can't be read" in str(shop.jobs.find(spoilt.id).error)
    assert {job.id for job in shop.jobs.page()[0]} == {spoilt.id, next_one.id}
    assert shop.jobs.claim("one") is None
    failed = shop.jobs.find(spoilt.id)
    assert (failed.status, failed.request.model) == ("failed", spoilt.request.model)
    assert "can't be read" in str(failed.error)
    claimed = shop.jobs.claim("one")
    assert claimed is not None
    assert claimed.id == next_one.id


def test_a_job_whose_row_cannot_be_read_has_succeeded_where_its_versions_are_registered(shop: Shop) -> None:
    job = shop.submit()
    with shop.database.begin() as connection:
        connection.execute(schema.job.update().values(request={}, versions=[1, 2]))
    assert shop.jobs.claim("one") is None
    ended = shop.jobs.find(job.id)
    assert (ended.status, ended.model_version) == ("succeeded", 2)
    assert "can't be read" in ended.outcome


def test_outcomes_are_counted_from_a_models_first_job_on(shop: Shop) -> None:
    shop.submit(model_name="one")
    with shop.database.read() as connection:
        before = job_figures(connection)
    assert before.outcomes == {("one", status): 0 for status in ("succeeded", "failed", "cancelled")}
    job = shop.jobs.claim("worker")
    assert job is not None
    shop.jobs.fail(job.fence, "not trained in this test")
    with shop.database.read() as connection:
        assert job_figures(connection).outcomes == before.outcomes | {("one", "failed"): 1}
