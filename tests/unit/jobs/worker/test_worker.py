"""A worker works on whatever else fails, and stops whenever it is told to."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs
from tests.drafts import draft, weighted
from tests.patience import until
from tests.unit.jobs.worker.test_retention import MONTH, is_kept, trained
from tests.workers import Shop, small_dataset, training_process

from perfcast.jobs import Plan, Schedules, Submissions
from perfcast.jobs.run._studies import studies_folder
from perfcast.jobs.schedules import Retrain, Scheduler
from perfcast.jobs.worker import Worker
from perfcast.jobs.worker._chore import Chore
from perfcast.jobs.worker._retention import EVERY_SECONDS, Retention
from perfcast.settings import load_settings
from perfcast.storage import schema
from perfcast.workloads import builtin_workloads


@contextmanager
def at_work(worker: Worker) -> Iterator[None]:
    """A worker in a thread of this process."""
    thread = Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()


def scheduler(shop: Shop) -> Scheduler:
    submissions = Submissions(shop.datasets, shop.registry, builtin_workloads())
    return Scheduler(Schedules(shop.database, submissions, ZoneInfo("UTC")), shop.jobs)


def old_studies(shop: Shop) -> Chore:
    return Chore("old studies", Retention(shop.settings, shop.database).look, every_seconds=EVERY_SECONDS)


def test_a_stored_schedule_that_can_not_be_read_keeps_it_from_nothing_else(shop: Shop) -> None:
    workload = builtin_workloads()["cpu-utilization"]
    shop.registry.add("cpu-utilization", draft(workload, weighted(workload, request_rate=0.25)))
    looks = scheduler(shop)
    looks.schedules.put("cpu-utilization", Plan(drift=True, request=Retrain()))
    with shop.database.begin() as connection:
        connection.execute(schema.schedule.update().values(request={"n_trials": "many"}))
    old = trained(shop, ended=MONTH)
    worker = Worker(
        shop.settings,
        shop.jobs,
        shop.transport,
        threads=1,
        chores=[Chore("schedules", looks.look, every_seconds=0.5), old_studies(shop)],
    )
    with capture_logs() as logs, at_work(worker):
        until(lambda: not is_kept(shop, old))
        job = shop.submit(families=("polynomial",), n_trials=1)
        shop.wait(job, "succeeded")
    failures = [line for line in logs if line["event"] == "a chore failed"]
    assert [(line["chore"], "n_trials" in line["reason"]) for line in failures] == [("schedules", True)]


def test_a_journal_that_can_not_be_deleted_keeps_it_from_nothing_else(shop: Shop) -> None:
    stuck, old = trained(shop, ended=MONTH), trained(shop, ended=MONTH)
    folder = studies_folder(shop.settings)
    in_the_way = folder / f"{stuck.id}.journal"
    in_the_way.unlink(missing_ok=True)
    in_the_way.mkdir(parents=True)
    os.utime(in_the_way, (0, 0))
    worker = Worker(shop.settings, shop.jobs, shop.transport, threads=1, chores=[old_studies(shop)])
    with capture_logs() as logs, at_work(worker):
        until(lambda: not is_kept(shop, old))
        job = shop.submit(families=("polynomial",), n_trials=1)
        shop.wait(job, "succeeded")
    assert len([line for line in logs if str(in_the_way) in str(line)]) == 1


def test_it_looks_around_every_second_though_its_queue_is_gone_and_it_polls_seldom(tmp_path: Path) -> None:
    shop = Shop(load_settings(data_dir=tmp_path, redis_url="redis://127.0.0.1:1/0", job_poll_seconds=60))
    shop.datasets.add(small_dataset(200))
    with capture_logs() as logs, at_work(Worker(shop.settings, shop.jobs, shop.transport, threads=1)):
        until(lambda: [line for line in logs if "can't be reached" in line["event"]])
        job = shop.submit(families=("polynomial",), n_trials=1)
        shop.wait(job, "running")
    shop.close()


@pytest.mark.parametrize("_time", range(3))
def test_a_training_process_that_is_stopped_together_with_its_worker_costs_no_attempt(shop: Shop, _time: int) -> None:
    roomy = shop.settings.model_copy(update={"worker_concurrency": 2, "job_poll_seconds": 1.0})
    worker = Worker(roomy, shop.jobs, shop.transport, threads=1)
    with at_work(worker):
        job = shop.submit(n_trials=1000)
        process = until(lambda: training_process(job))
        worker.stop()
        os.kill(process, signal.SIGTERM)  # as a service manager does, which stops all processes of a service
    back = shop.jobs.find(job.id)
    assert (back.status, back.attempt, back.tries, back.error) == ("queued", 1, 0, None)


INTERRUPTED = """
import signal, sys
from pathlib import Path
from perfcast.jobs import Jobs, make_transport
from perfcast.jobs.worker import Worker
from perfcast.jobs.worker._process import stop_at_signals
from perfcast.settings import load_settings
from perfcast.storage import Database

settings = load_settings()
database, transport = Database(settings.database_address), make_transport(settings)
watched = ("threading.py", "_worker.py", "_process.py", "_stopping.py", "_chore.py")

def trace(frame, event, argument):
    global left
    if Path(frame.f_code.co_filename).name not in watched:
        return None
    if event == "line":
        left -= 1
        if left == 0:
            signal.raise_signal(signal.SIGTERM)
    return trace

for moment in range(1, 160):
    worker, left = Worker(settings, Jobs(database), transport, threads=1), moment
    stop_at_signals(worker)
    sys.settrace(trace)
    worker.run()
    sys.settrace(None)
    print(moment, flush=True)
"""


def test_a_signal_stops_it_at_whatever_line_it_is(shop: Shop) -> None:
    nowhere = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "JOB_POLL_SECONDS": "0.001"}
    environment = os.environ | shop.settings.environment | nowhere | {"PYTHONPATH": os.pathsep.join(sys.path)}
    told = (shop.settings.data_dir / "told").open("w+")
    program = subprocess.Popen([sys.executable, "-c", INTERRUPTED], env=environment, stdout=told)
    try:
        assert program.wait(90) == 0
    finally:
        program.kill()
        program.wait()
