"""The Optuna study behind a search: where it is kept, how it continues, what is noted of each trial."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from perfcast.training._fitting import FitResult
from perfcast.training._proposal import Proposal

if TYPE_CHECKING:
    import optuna

ABANDONED = "abandoned"
INDEX = "index"
KEPT_POINTS = 12
"""Most points of a trial's curve that are kept."""


def open_study(storage: str | Path | None, name: str | None) -> "optuna.Study":
    """Open or begin a study.

    A trial that a killed process left running, or noted but not yet begun, is marked as abandoned, so that it is run
    again.

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
    )
    states = optuna.trial.TrialState
    for _ in study.get_trials(deepcopy=False, states=(states.WAITING,)):
        study.ask()  # only a running trial can be ended; this makes the oldest that waits one
    for trial in study.get_trials(deepcopy=False, states=(states.RUNNING,)):
        optuna.Trial(study, trial._trial_id).set_user_attr(ABANDONED, value=True)  # noqa: SLF001
        study.tell(trial.number, state=states.FAIL)
    return study


def finished_trials(study: "optuna.Study") -> "dict[int, optuna.trial.FrozenTrial]":
    """Trials that ended, by their index in the search, without abandoned ones."""
    ended = [t for t in study.get_trials(deepcopy=False) if t.state.is_finished() and ABANDONED not in t.user_attrs]
    indexed = {int(t.user_attrs.get(INDEX, position)): t for position, t in enumerate(ended)}
    return dict(sorted(indexed.items()))


def begin(study: "optuna.Study", index: int, proposal: Proposal) -> "optuna.Trial":
    """Note that a trial runs."""
    study.enqueue_trial(dict(proposal.params), user_attrs={INDEX: index})
    return study.ask(fixed_distributions=dict(proposal.distributions))


def end(study: "optuna.Study", trial: "optuna.Trial", result: FitResult) -> "optuna.trial.FrozenTrial":
    """Note what became of a trial."""
    import optuna

    states = optuna.trial.TrialState
    for step, error in _thinned(result.curve):
        trial.report(error, step)
    trial.set_user_attr("seconds", round(result.seconds, 3))
    if result.state == "complete":
        trial.set_user_attr("settings", dict(result.settings))
        return study.tell(trial, result.score)
    if result.error:
        trial.set_user_attr("error", result.error[:500])
    return study.tell(trial, state=states.PRUNED if result.state == "pruned" else states.FAIL)


def _thinned(curve: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most `KEPT_POINTS` points, the last one among them, each with the best error so far."""
    best = np.minimum.accumulate([error for _, error in curve]).tolist() if curve else []
    kept = sorted({round(at) for at in np.linspace(0, len(curve) - 1, KEPT_POINTS)}) if curve else []
    return [(curve[at][0], best[at]) for at in kept]


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


def _storage(storage: str | Path | None) -> "optuna.storages.BaseStorage | str | None":
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    if storage is None or "://" in str(storage):
        return None if storage is None else str(storage).replace("postgresql://", "postgresql+psycopg://", 1)
    path = Path(storage)
    path.parent.mkdir(parents=True, exist_ok=True)
    return JournalStorage(JournalFileBackend(str(path)))
