"""A study's journal survives a process that was killed while it wrote."""

from pathlib import Path

from tests.workers import Shop

from perfcast.jobs._studies import prepare_study
from perfcast.settings import load_settings
from perfcast.training._study import finished_trials, open_study, quiet_optuna


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
