"""A study's journal survives a process that was killed while it wrote."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
import psycopg
import pytest
from tests.services import PostgresServer, postgres_server
from tests.workers import Shop

from perfcast.errors import Unavailable
from perfcast.jobs.run._studies import prepared_study
from perfcast.settings import load_settings
from perfcast.training.families import Lesson
from perfcast.training.families import families as builtin_families
from perfcast.training.fits import FitResult
from perfcast.training.search import _study
from perfcast.training.search._proposal import propose
from perfcast.training.search._study import begin, end, finished_trials, open_study, quiet_optuna

LESSON = Lesson(np.zeros((2, 1), np.float32), np.zeros(2, np.float32), ("size",), (0,))


def test_a_half_written_line_and_a_lock_left_behind_are_removed(tmp_path: Path) -> None:
    shop = Shop(load_settings(data_dir=tmp_path))
    with quiet_optuna():
        with prepared_study("job", shop.settings, shop.database) as address:
            open_study(address, "job").optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
        with Path(address).open("ab") as journal:
            journal.write(b'{"op_code": 4, "work')
        Path(f"{address}.lock").symlink_to(address)
        with prepared_study("job", shop.settings, shop.database):
            study = open_study(address, "job")
            study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
            assert len(finished_trials(open_study(address, "job"))) == 5
    shop.close()


def test_on_postgresql_a_study_stands_beside_the_state_in_its_own_schema(
    new_postgres_url: Callable[[], str], tmp_path: Path
) -> None:
    shop = Shop(load_settings(data_dir=tmp_path, database_url=new_postgres_url()))
    with quiet_optuna():
        for expected in (2, 4):
            with prepared_study("job", shop.settings, shop.database) as address:
                study = open_study(address, "job")
            study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
            assert len(finished_trials(study)) == expected
    assert shop.database.is_current()
    shop.close()


def test_trials_are_noted_once_though_postgresql_is_restarted_between_any_two_of_them(tmp_path: Path) -> None:
    family = builtin_families()["polynomial"]
    with postgres_server() as server, quiet_optuna():
        shop = Shop(load_settings(data_dir=tmp_path, database_url=server.url))
        with prepared_study("job", shop.settings, shop.database) as address:
            study = open_study(address, "job")
        for index in range(2):
            proposal = propose([], {"polynomial": family}, LESSON, seed=0, index=index, start=None)
            server.stop()
            with started_again(server):
                trial = begin(study, index, proposal)
            server.stop()
            with started_again(server):
                end(
                    study,
                    trial,
                    FitResult(index, "polynomial", "complete", seconds=1.0, score=float(index), curve=((1, 2.0),)),
                )
        server.stop()
        with started_again(server):
            found = finished_trials(study)
        assert list(found) == [0, 1]
        assert [trial.value for trial in found.values()] == [0.0, 1.0]
        shop.close()


def test_a_trial_that_was_noted_twice_counts_once(tmp_path: Path) -> None:
    family = builtin_families()["polynomial"]
    with quiet_optuna():
        study = open_study(tmp_path / "job.journal", "job")
        for index in range(2):
            proposal = propose([], {"polynomial": family}, LESSON, seed=0, index=index, start=None)
            begin(study, index, proposal)  # nobody was told that it took place
            trial = begin(study, index, proposal)
            assert (trial.params, trial.user_attrs) == (proposal.params, {"index": index})
            end(study, trial, FitResult(index, "polynomial", "complete", score=float(index)))
        again = open_study(tmp_path / "job.journal", "job")
        for opened in (study, again):
            assert {index: trial.value for index, trial in finished_trials(opened).items()} == {0: 0.0, 1: 1.0}
    assert [trial.state.name for trial in again.get_trials()] == ["FAIL", "COMPLETE"] * 2


@contextmanager
def started_again(server: PostgresServer) -> Iterator[None]:
    """Start the server in a moment, while something waits for it."""
    timer = Timer(0.7, server.start)
    timer.start()
    yield
    timer.join()


def test_a_trial_that_a_kill_left_running_is_abandoned_and_one_that_waits_is_left_alone(tmp_path: Path) -> None:
    address = tmp_path / "job.journal"
    with quiet_optuna():
        study = open_study(address, "job")
        study.ask()
        study.enqueue_trial({"x": 0.7})
        study = open_study(address, "job")
        assert [trial.state.name for trial in study.get_trials()] == ["FAIL", "WAITING"]
        assert finished_trials(study) == {}


PREPARE = """
import sys
from perfcast.jobs.run._studies import prepared_study
from perfcast.settings import load_settings
from perfcast.storage import Database
from perfcast.training.search._study import open_study, quiet_optuna
import optuna.storages
settings = load_settings()
database = Database(settings.database_address, pool_size=2)
print("ready", flush=True)
sys.stdin.readline()
with quiet_optuna(), prepared_study(sys.argv[1], settings, database) as address:
    open_study(address, sys.argv[1])
    print("open", flush=True)
    sys.stdin.readline()
"""


def preparing(job: str, database_url: str, folder: Path) -> "subprocess.Popen[bytes]":
    """A process that prepares a job's study at the first line it is given, and ends at the second."""
    environment = os.environ | {"DATABASE_URL": database_url, "DATA_DIR": str(folder)}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PREPARE, job]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def tell(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()


def heard(process: "subprocess.Popen[bytes]") -> bytes:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_the_first_jobs_of_a_new_postgresql_open_their_studies_at_once(
    new_postgres_url: Callable[[], str], tmp_path: Path
) -> None:
    shop = Shop(load_settings(data_dir=tmp_path, database_url=new_postgres_url()))
    processes = [preparing(f"job-{number}", shop.settings.database_url, tmp_path) for number in range(3)]
    assert [heard(process) for process in processes] == [b"ready"] * 3
    for process in processes:
        tell(process)
    assert [heard(process) for process in processes] == [b"open"] * 3
    assert [process.communicate()[0] for process in processes] == [b""] * 3
    shop.close()


def test_a_role_that_may_not_make_schemas_uses_the_one_that_was_made_for_it(
    new_postgres_url: Callable[[], str], tmp_path: Path
) -> None:
    url = new_postgres_url()
    Shop(load_settings(data_dir=tmp_path, database_url=url)).close()
    name = url.rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE plain_{name} LOGIN".encode())
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain_{name}".encode())
        connection.execute(f"CREATE SCHEMA optuna AUTHORIZATION plain_{name}".encode())
    shop = Shop(load_settings(data_dir=tmp_path, database_url=url.replace("perfcast:secret@", f"plain_{name}@")))
    with quiet_optuna(), prepared_study("job", shop.settings, shop.database) as address:
        assert finished_trials(open_study(address, "job")) == {}
    shop.close()


def test_a_training_process_waits_until_the_one_before_it_has_ended(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path / 'perfcast.db'}"
    shop = Shop(load_settings(data_dir=tmp_path, database_url=database_url))
    earlier, later = (preparing("job", database_url, tmp_path) for _ in range(2))
    assert [heard(earlier), heard(later)] == [b"ready"] * 2
    tell(earlier)
    assert heard(earlier) == b"open"
    tell(later)
    tell(earlier)
    assert earlier.communicate()[0] == b""
    assert heard(later) == b"open"
    later.communicate()
    shop.close()


def test_the_journal_of_a_process_that_does_not_end_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perfcast.jobs.run._studies.EARLIER_SECONDS", 0.3)
    shop = Shop(load_settings(data_dir=tmp_path))
    with prepared_study("job", shop.settings, shop.database) as address:
        with Path(address).open("ab") as journal:
            journal.write(b'{"op_code": 4, "work')
        Path(f"{address}.lock").symlink_to(address)
        again = prepared_study("job", shop.settings, shop.database)
        with pytest.raises(Unavailable, match="has not ended yet"), again:
            pass
        assert Path(address).read_bytes().endswith(b"work")
        assert Path(f"{address}.lock").is_symlink()
    shop.close()


def test_a_trial_that_a_shut_out_process_ends_while_the_next_one_opens_the_study_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"sqlite:///{tmp_path / 'studies.db'}"
    with quiet_optuna():
        shut_out = open_study(address, "job")
        trial = shut_out.ask()
        abandon = _study._abandon

        def abandon_just_too_late(*given: Any) -> None:
            shut_out.tell(trial, 1.0)
            abandon(*given)

        monkeypatch.setattr(_study, "_abandon", abandon_just_too_late)
        assert [found.value for found in finished_trials(open_study(address, "job")).values()] == [1.0]
