"""The Optuna study behind a search: where it is kept, how it continues, what is noted of each trial.

Whatever asks its database raises `Unavailable` where that doesn't answer for a minute.
"""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from perfcast.errors import Unavailable
from perfcast.training.fits import FitResult
from perfcast.training.search._proposal import Proposal

if TYPE_CHECKING:
    import optuna

ABANDONED = "abandoned"
INDEX = "index"
KEPT_POINTS = 12
"""Most points of a trial's curve that are kept."""
PATIENCE_SECONDS = 60.0
"""How long a search waits for a database that doesn't answer, before what it has found is given up."""
_T = TypeVar("_T")


def open_study(storage: str | Path | None, name: str | None) -> "optuna.Study":
    """Open or begin a study at an SQLAlchemy address, in a journal file, or in memory.

    A trial that a killed process left running is marked as abandoned, so that it is run again.
    """
    import optuna

    running = (optuna.trial.TrialState.RUNNING,)

    def attempt() -> "optuna.Study":
        study = optuna.create_study(storage=_storage(storage), study_name=name, load_if_exists=True)
        for trial in study.get_trials(deepcopy=False, states=running):
            _abandon(study, optuna.Trial(study, trial._trial_id))  # noqa: SLF001
        return study

    return _patiently(attempt)


def make_study_tables(address: str) -> None:
    """Make the tables of studies in a database, unless they are there. Not for several processes at a time."""
    from optuna.storages import RDBStorage

    def attempt() -> None:
        storage = _storage(address)
        assert isinstance(storage, RDBStorage)
        storage.remove_session()
        storage.engine.dispose()

    with quiet_optuna():
        _patiently(attempt)


def finished_trials(study: "optuna.Study") -> "dict[int, optuna.trial.FrozenTrial]":
    """Trials that ended, by their index in the search, without abandoned ones."""
    trials = _patiently(lambda: study.get_trials(deepcopy=False))
    ended = [t for t in trials if t.state.is_finished() and ABANDONED not in t.user_attrs]
    indexed = {int(t.user_attrs.get(INDEX, position)): t for position, t in enumerate(ended)}
    return dict(sorted(indexed.items()))


def begin(study: "optuna.Study", index: int, proposal: Proposal) -> "optuna.Trial":
    """Note that a trial runs.

    One noted twice, since nobody was told that it took place the first time, runs on in vain until it is abandoned.
    """
    import optuna

    noted = optuna.trial.create_trial(
        state=optuna.trial.TrialState.RUNNING,
        params=dict(proposal.params),
        distributions=dict(proposal.distributions),
        user_attrs={INDEX: index},
    )
    storage, number = study._storage, study._study_id  # noqa: SLF001
    return _patiently(lambda: optuna.Trial(study, storage.create_new_trial(number, noted)))


def end(study: "optuna.Study", trial: "optuna.Trial", result: FitResult) -> "optuna.trial.FrozenTrial":
    """Note what became of a trial."""
    from optuna.trial import TrialState

    def attempt() -> "optuna.trial.FrozenTrial":
        kept = study.get_trials(deepcopy=False)[trial.number]
        if kept.state.is_finished():
            return kept
        for step, error in _thinned(result.curve):
            trial.report(error, step)
        trial.set_user_attr("seconds", round(result.seconds, 3))
        if result.state == "complete":
            trial.set_user_attr("settings", dict(result.settings))
            return study.tell(trial, result.score)
        if result.error:
            trial.set_user_attr("error", result.error[:500])
        return study.tell(trial, state=TrialState.PRUNED if result.state == "pruned" else TrialState.FAIL)

    return _patiently(attempt)


def _abandon(study: "optuna.Study", trial: "optuna.Trial") -> None:
    """End a running trial so that it counts for nothing; one that has ended just now is left as it is."""
    from optuna.exceptions import UpdateFinishedTrialError
    from optuna.trial import TrialState

    with suppress(UpdateFinishedTrialError):  # by a process that is shut out, but still runs
        trial.set_user_attr(ABANDONED, value=True)
        study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)


def _patiently(call: Callable[[], _T]) -> _T:
    """Try again while the study's database doesn't answer: what a search has found is worth a minute."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return call()
        except Exception as error:
            if not _is_outage(error):
                raise
            if time.monotonic() > deadline:
                raise Unavailable(f"the database of the trials can't be used: {error}") from error
            time.sleep(0.5)


def _is_outage(error: BaseException) -> bool:
    """Whether a database could not be reached; Optuna wraps what its driver raised, but only in commits."""
    from sqlalchemy.exc import InterfaceError, OperationalError

    causes = (error, error.__cause__, error.__context__)
    return any(isinstance(cause, OperationalError | InterfaceError) for cause in causes)


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


def _storage(storage: str | Path | None) -> "optuna.storages.BaseStorage | None":
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    if storage is None:
        return None
    if "://" in str(storage):
        address = str(storage).replace("postgresql://", "postgresql+psycopg://", 1)
        return RDBStorage(address, engine_kwargs={"pool_pre_ping": True})
    path = Path(storage)
    path.parent.mkdir(parents=True, exist_ok=True)
    return JournalStorage(JournalFileBackend(str(path)))
