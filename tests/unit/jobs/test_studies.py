"""A study's journal survives a process that was killed while it wrote."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

from tests.services import PostgresServer, postgres_server
from tests.workers import Shop

from perfcast.jobs._studies import prepare_study
from perfcast.settings import load_settings
from perfcast.training import FitResult
from perfcast.training._proposal import propose
from perfcast.training._study import begin, end, finished_trials, open_study, quiet_optuna
from perfcast.training.families import families as builtin_families


def test_a_half_written_line_and_a_lock_left_behind_are_removed(tmp_path: Path) -> None:
    shop = Shop(load_settings(data_dir=tmp_path))
    with quiet_optuna():
        address = prepare_study("job", shop.settings, shop.database)
        open_study(address, "job").optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
        with Path(address).open("ab") as journal:
            journal.write(b'{"op_code": 4, "work')
        Path(f"{address}.lock").symlink_to(address)
        study = open_study(prepare_study("job", shop.settings, shop.database), "job")
        study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
        assert len(finished_trials(open_study(address, "job"))) == 5
    shop.close()


def test_on_postgresql_a_study_stands_beside_the_state_in_its_own_schema(
    new_postgres_url: object, tmp_path: Path
) -> None:
    assert callable(new_postgres_url)
    shop = Shop(load_settings(data_dir=tmp_path, database_url=new_postgres_url()))
    with quiet_optuna():
        for expected in (2, 4):
            study = open_study(prepare_study("job", shop.settings, shop.database), "job")
            study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
            assert len(finished_trials(study)) == expected
    assert shop.database.is_current()
    shop.close()


def test_trials_are_noted_once_though_postgresql_is_restarted_between_any_two_of_them(tmp_path: Path) -> None:
    family = builtin_families()["polynomial"]
    with postgres_server() as server, quiet_optuna():
        shop = Shop(load_settings(data_dir=tmp_path, database_url=server.url))
        study = open_study(prepare_study("job", shop.settings, shop.database), "job")
        for index in range(2):
            proposal = propose([], {"polynomial": family}, seed=0, index=index, start=None)
            server.stop()
            with started_again(server):
                trial = begin(study, index, proposal)
            server.stop()
            with started_again(server):
                end(study, trial, FitResult(index, "complete", seconds=1.0, score=float(index), curve=((1, 2.0),)))
        found = finished_trials(study)
        assert list(found) == [0, 1]
        assert [trial.value for trial in found.values()] == [0.0, 1.0]
        shop.close()


def test_a_trial_that_was_noted_twice_counts_once(tmp_path: Path) -> None:
    family = builtin_families()["polynomial"]
    with quiet_optuna():
        study = open_study(tmp_path / "job.journal", "job")
        for index in range(2):
            proposal = propose([], {"polynomial": family}, seed=0, index=index, start=None)
            study.enqueue_trial(
                dict(proposal.params), user_attrs={"index": index}
            )  # nobody was told that it took place
            trial = begin(study, index, proposal)
            end(study, trial, FitResult(index, "complete", score=float(index)))
        found = finished_trials(study)
    assert {index: trial.value for index, trial in found.items()} == {0: 0.0, 1: 1.0}


@contextmanager
def started_again(server: PostgresServer) -> Iterator[None]:
    """Start the server in a moment, while something waits for it."""
    timer = Timer(0.7, server.start)
    timer.start()
    yield
    timer.join()


def test_a_trial_that_a_kill_left_waiting_is_abandoned_like_one_that_ran(tmp_path: Path) -> None:
    address = tmp_path / "job.journal"
    with quiet_optuna():
        study = open_study(address, "job")
        study.enqueue_trial({"x": 0.5})
        study.ask()
        study.enqueue_trial({"x": 0.7})
        study = open_study(address, "job")
        assert [trial.state.name for trial in study.get_trials()] == ["FAIL", "FAIL"]
        assert finished_trials(study) == {}
