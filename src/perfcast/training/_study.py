"""The Optuna study behind a search: where it is kept, how it continues, and when a trial is given up."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perfcast.training.families import Settings

if TYPE_CHECKING:
    import optuna

FAMILY = "family"
ABANDONED = "abandoned"
RANDOM_TRIALS = 4
"""Finished trials before the sampler models the space: the families' starts, which are known to be good."""
TRIALS_TO_COMPARE = 3
"""Finished trials of a family before one of its trials can be given up."""


def open_study(storage: str | Path | None, name: str | None) -> "optuna.Study":
    """Open or begin a study.

    A trial that a killed process left running is marked as abandoned, so that it is run again.

    Args:
        storage: An SQLAlchemy address, a path for a journal file, or None for memory.
        name: Of the study; a kept study of this name is continued.
    """
    import optuna

    study = optuna.create_study(
        storage=_storage(storage),
        study_name=name,
        load_if_exists=True,
        direction="minimize",
        pruner=family_pruner(),
    )
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        optuna.Trial(study, trial._trial_id).set_user_attr(ABANDONED, value=True)  # noqa: SLF001
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


def finished_trials(study: "optuna.Study") -> "list[optuna.trial.FrozenTrial]":
    """Trials that ended, in order, without abandoned ones."""
    return [t for t in study.get_trials(deepcopy=False) if t.state.is_finished() and ABANDONED not in t.user_attrs]


def ask(study: "optuna.Study", seed: int, index: int, start: Mapping[str, Any] | None) -> "optuna.Trial":
    """The next trial.

    The sampler is made anew from seed and index, so that a continued study goes on as an uninterrupted one would.

    Args:
        study: The study.
        seed: Of the search.
        index: How many trials have finished.
        start: Parameters to try, or None to let the sampler decide.
    """
    import optuna

    drawn = int(np.random.SeedSequence([seed, index]).generate_state(1)[0])
    study.sampler = optuna.samplers.TPESampler(
        seed=drawn, multivariate=True, group=True, n_startup_trials=RANDOM_TRIALS
    )
    if start is not None:
        study.enqueue_trial(dict(start))
    return study.ask()


def parameters(family: str, settings: Settings) -> dict[str, Any]:
    """A family's settings as the parameters of a trial."""
    return {FAMILY: family, **{f"{family}.{name}": value for name, value in settings.items()}}


def family_pruner() -> "optuna.pruners.BasePruner":
    """Gives a trial up when its best error so far is worse than the median of its own family's at the same progress."""
    import optuna

    class FamilyPruner(optuna.pruners.BasePruner):
        def prune(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
            step, family = trial.last_step, trial.params.get(FAMILY)
            if step is None:
                return False
            peers = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
            reached = [_best_until(peer, step) for peer in peers if peer.params.get(FAMILY) == family]
            known = [value for value in reached if value is not None]
            own = _best_until(trial, step)
            return len(known) >= TRIALS_TO_COMPARE and own is not None and own > float(np.median(known))

    return FamilyPruner()


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Silence Optuna's log lines and its warnings that `multivariate` and `group` are experimental."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        try:
            yield
        finally:
            optuna.logging.set_verbosity(before)


def _best_until(trial: "optuna.trial.FrozenTrial", step: int) -> float | None:
    values = [value for at, value in trial.intermediate_values.items() if at <= step]
    return min(values) if values else None


def _storage(storage: str | Path | None) -> "optuna.storages.BaseStorage | str | None":
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    if storage is None or "://" in str(storage):
        return None if storage is None else str(storage).replace("postgresql://", "postgresql+psycopg://", 1)
    path = Path(storage)
    path.parent.mkdir(parents=True, exist_ok=True)
    return JournalStorage(JournalFileBackend(str(path)))
