"""Studies of jobs that finished long ago are deleted, wherever they are kept, and nothing else is."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa
from tests.patience import until
from tests.workers import Shop

from perfcast.jobs import Job
from perfcast.jobs.run._studies import prepared_study, study_address
from perfcast.jobs.worker import Worker
from perfcast.jobs.worker._chore import Chore
from perfcast.jobs.worker._retention import Retention
from perfcast.settings import Settings
from perfcast.storage import schema, time_text
from perfcast.training.search._study import finished_trials, open_study, quiet_optuna

MONTH = timedelta(days=31)


def trained(shop: Shop, *, ended: timedelta | None) -> Job:
    """A job with a study of two trials that ended so long ago, or that has not ended."""
    job = shop.submit(model_name=f"model-{time.monotonic_ns()}", dataset="simulated")
    with quiet_optuna(), prepared_study(job.id, shop.settings, shop.database) as address:
        study = open_study(address, job.id)
        study.set_user_attr("origin", "test")
        study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    if ended is not None:
        at = time_text(datetime.now(UTC) - ended)
        with shop.database.begin() as connection:
            connection.execute(
                schema.job.update().where(schema.job.c.id == job.id).values(status="failed", finished_at=at)
            )
    return job


def trials(settings: Settings, job: Job) -> int:
    """How many trials there are of a job; a study that is gone has none, and is begun by looking."""
    with quiet_optuna():
        return len(finished_trials(open_study(study_address(job.id, settings), job.id)))


def is_kept(shop: Shop, job: Job) -> bool:
    """Whether there is anything of a study, told without opening it."""
    address = study_address(job.id, shop.settings)
    if "://" not in address:
        return Path(address).exists()
    with shop.database.read() as connection:
        query = sa.text("SELECT 1 FROM optuna.studies WHERE study_name = :job")
        return connection.execute(query, {"job": job.id}).first() is not None


def test_only_what_finished_long_ago_is_deleted(shop: Shop) -> None:
    old, recent, waiting = (trained(shop, ended=ended) for ended in (MONTH, timedelta(days=29), None))
    assert Retention(shop.settings, shop.database).look() == [old.id]
    assert [trials(shop.settings, job) for job in (old, recent, waiting)] == [0, 2, 2]
    assert shop.jobs.find(old.id).status == "failed"


def test_journals_that_belong_to_no_job_are_left_alone(shop: Shop) -> None:
    folder = Path(shop.settings.data_dir) / "studies"
    folder.mkdir()
    for name in ("mine-0123abcd", "019aa9c1-7d2e-7c40-9b55-0f3a5d2c8e11"):
        (folder / f"{name}.journal").touch()
    assert Retention(shop.settings, shop.database).look() == []
    assert len(list(folder.iterdir())) == 2


def test_more_than_fit_into_one_look_follow_in_the_next(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perfcast.jobs.worker._retention.MOST_AT_ONCE", 2)
    old = {trained(shop, ended=MONTH).id for _ in range(3)}
    retention = Retention(shop.settings, shop.database)
    looks = [retention.look() for _ in range(3)]
    assert {job for deleted in looks for job in deleted} == old


def test_a_worker_deletes_them_while_it_works(shop: Shop) -> None:
    old = trained(shop, ended=MONTH)
    chore = Chore("old studies", Retention(shop.settings, shop.database).look, every_seconds=60)
    worker = Worker(shop.settings, shop.jobs, shop.transport, threads=1, chores=[chore])
    thread = Thread(target=worker.run)
    thread.start()
    try:
        until(lambda: not is_kept(shop, old))
    finally:
        worker.stop()
        thread.join()
