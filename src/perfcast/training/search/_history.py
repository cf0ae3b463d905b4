"""What a search tried, and which settings mattered, as plain data of bounded size for a manifest."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from perfcast.training.fits._fitting import State
from perfcast.training.search._proposal import FAMILY, completed

if TYPE_CHECKING:
    import optuna

MOST_TRIALS = 100
"""Trials that are kept: the best, and of the others the last."""
KEPT_BEST = 50
FEWEST_TRIALS = 8
"""Completed trials of a family before its settings' importance means anything."""
_STATES: dict[str, State] = {"COMPLETE": "complete", "PRUNED": "pruned"}


def state_of(trial: "optuna.trial.FrozenTrial") -> State:
    """How a finished trial ended."""
    return _STATES.get(trial.state.name, "failed")


def history(trials: "Mapping[int, optuna.trial.FrozenTrial]") -> list[dict[str, Any]]:
    """Number, family, state, score, seconds and settings of each trial, in order; of many, `MOST_TRIALS` of them.

    From finished trials by their index in the search.
    """
    ranked = sorted((t.value, index) for index, t in trials.items() if completed(t))
    kept = {index for _, index in ranked[:KEPT_BEST]}
    others = [index for index in trials if index not in kept]
    kept |= set(others[-(MOST_TRIALS - len(kept)) :])
    return [_row(index + 1, trials[index]) for index in sorted(kept)]


def importances(trials: "Sequence[optuna.trial.FrozenTrial]") -> dict[str, dict[str, float]]:
    """For each family with enough completed trials the share of each setting in what made scores differ, most first.

    By PED-ANOVA (Watanabe, Bansal and Hutter 2023), which is quick: how far the settings of the best tenth differ from
    those of all.
    """
    import optuna

    found = {}
    for family in sorted({trial.params[FAMILY] for trial in trials if FAMILY in trial.params}):
        own = [_without_family(t) for t in trials if t.params.get(FAMILY) == family and completed(t)]
        if len(own) < FEWEST_TRIALS or len({trial.value for trial in own}) < 2:
            continue
        study = optuna.create_study(direction="minimize")
        study.add_trials(own)
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()  # loads much, so only where it is needed
        shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
        found[family] = {name.removeprefix(f"{family}."): round(share, 4) for name, share in shares.items()}
    return found


def _without_family(trial: "optuna.trial.FrozenTrial") -> "optuna.trial.FrozenTrial":
    import optuna

    params = {name: value for name, value in trial.params.items() if name != FAMILY}
    distributions = {name: kind for name, kind in trial.distributions.items() if name != FAMILY}
    return optuna.trial.create_trial(params=params, distributions=distributions, value=trial.value)


def _row(number: int, trial: "optuna.trial.FrozenTrial") -> dict[str, Any]:
    family = trial.params.get(FAMILY, "")
    settings = {name.removeprefix(f"{family}."): v for name, v in trial.params.items() if name != FAMILY}
    row: dict[str, Any] = {
        "trial": number,
        "family": family,
        "state": state_of(trial),
        "score": _short(trial.value) if completed(trial) else None,
        "seconds": _short(trial.user_attrs.get("seconds")),
        "settings": {name: _short(value) for name, value in settings.items()},
    }
    return row | ({"error": trial.user_attrs["error"]} if "error" in trial.user_attrs else {})


def _short(value: Any) -> Any:
    """Numbers with 5 digits: enough to read, not to repeat the trial by; the version's own settings are exact."""
    return float(f"{value:.5g}") if isinstance(value, float) else value
