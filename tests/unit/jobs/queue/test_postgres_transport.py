"""Word of jobs through PostgreSQL alone: each once, soon, and also after connections were cut."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread

import psycopg
import pytest
from tests.patience import until
from tests.workers import Shop, small_dataset

from perfcast.errors import Unavailable
from perfcast.jobs import Jobs, make_transport
from perfcast.jobs.queue import Transport
from perfcast.settings import load_settings


@pytest.fixture
def url(new_postgres_url: Callable[[], str]) -> str:
    return new_postgres_url()


@pytest.fixture
def make(url: str, tmp_path: Path) -> Iterator[Callable[[], Transport]]:
    """Each a process's own."""
    opened: list[Transport] = []

    def new() -> Transport:
        opened.append(make_transport(load_settings(database_url=url, data_dir=tmp_path)))
        return opened[-1]

    yield new
    for transport in opened:
        transport.close()


def test_who_waits_is_woken_by_another_process(make: Callable[[], Transport]) -> None:
    sender, receiver, got = make(), make(), list[str | None]()
    sender.ping()
    waiting = Thread(target=lambda: got.append(until(lambda: receiver.receive(1))))
    waiting.start()
    sender.send("one")
    waiting.join()
    assert got == ["one"]


def test_several_that_begin_at_once_in_a_new_database_make_its_tables_once(make: Callable[[], Transport]) -> None:
    ready = Barrier(6)

    def work(number: int) -> None:
        transport = make()
        ready.wait()
        transport.send(f"job-{number}")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    receiver = make()
    assert {until(lambda: receiver.receive(1)) for _ in range(6)} == {f"job-{number}" for number in range(6)}


def test_each_message_goes_to_one_of_many(make: Callable[[], Transport]) -> None:
    sender = make()
    for number in range(40):
        sender.send(str(number))

    def work(_: int) -> list[str]:
        receiver, got = make(), []
        while (message := receiver.receive(0)) is not None:
            got.append(message)
        return got

    with ThreadPoolExecutor(4) as pool:
        got = Counter(message for some in pool.map(work, range(4)) for message in some)
    assert got == Counter({str(number): 1 for number in range(40)})


def test_a_cut_connection_loses_no_word(url: str, make: Callable[[], Transport]) -> None:
    sender, receiver = make(), make()
    sender.send("before")
    assert until(lambda: receiver.receive(1)) == "before"
    with psycopg.connect(url, autocommit=True) as connection:
        cut = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'perfcast-queue'"
            " AND datname = current_database()"
        ).fetchall()
    assert len(cut) >= 2
    sender.send("after")

    def received() -> str | None:
        try:
            return receiver.receive(1)
        except Unavailable:  # which the worker logs, and looks again
            return None

    assert until(received) == "after"


def test_jobs_whose_word_is_lost_or_doubled_run_once(url: str, tmp_path: Path) -> None:
    settings = load_settings(database_url=url, data_dir=tmp_path, job_poll_seconds=0.5)
    with closing(Shop(settings)) as shop:
        shop.datasets.add(small_dataset(200))
        jobs = [shop.submit(model_name=f"model-{number}").id for number in range(12)]
        for job in jobs[:4]:
            shop.transport.send(job)  # twice
        while (message := shop.transport.receive(0)) in jobs[:8]:
            assert message is not None  # and those of the first are lost

        def work(worker: str) -> list[str]:
            with closing(make_transport(settings)) as transport:
                mine, done = Jobs(shop.database, transport), []
                while True:
                    if job := mine.claim(worker):
                        done.append(job.id)
                        mine.finish_cancelled(job.fence)
                    elif transport.receive(0) is None:
                        break
            return done

        with ThreadPoolExecutor(3) as pool:
            done = Counter(job for some in pool.map(work, "abc") for job in some)
        assert done == Counter(jobs)
        assert {shop.jobs.find(job).attempt for job in jobs} == {1}


def test_a_role_that_may_not_make_tables_uses_those_that_are_there(
    url: str, make: Callable[[], Transport], tmp_path: Path
) -> None:
    make().send("one")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS plain")
        connection.execute("CREATE ROLE plain LOGIN")
        connection.execute("REVOKE CREATE ON SCHEMA public FROM public")
        connection.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON huey_task TO plain")
        connection.execute("GRANT USAGE ON SEQUENCE huey_task_id_seq TO plain")
    named = psycopg.conninfo.conninfo_to_dict(url)
    plain = f"postgresql://plain@{named['host']}:{named['port']}/{named['dbname']}"
    with closing(make_transport(load_settings(database_url=plain, data_dir=tmp_path))) as transport:
        assert until(lambda: transport.receive(1)) == "one"
        transport.send("two")
        assert until(lambda: transport.receive(1)) == "two"


def test_what_can_not_be_reached_is_told_without_its_password(tmp_path: Path) -> None:
    given = "postgresql://ann:hunter2@127.0.0.1:9/perfcast?application_name=x&password=hunter2"
    with closing(make_transport(load_settings(database_url=given, data_dir=tmp_path))) as transport:
        assert transport.address == "postgresql+psycopg://ann:***@127.0.0.1:9/perfcast"
        with pytest.raises(Unavailable, match="check DATABASE_URL") as failed:
            transport.send("job")
    assert "hunter2" not in str(failed.value)
