"""From a dataset to versions that can be registered.

`train` is the one call: it parts the rows, searches across families and their settings (`search`, one Optuna study),
fits the best of each family on all training rows, and makes each a `draft`: evaluated on rows that nothing has seen
(`evaluate`), calibrated (`calibrate`), exported to one graph and checked against the native model. `judge` is the
promotion gate. `families/` holds the learning algorithms, whose libraries are imported when a fit begins, not before.
"""

from perfcast.training._calibration import calibrate, conformal_quantile
from perfcast.training._clock import Budget
from perfcast.training._draft import Trained, draft, parity_rows
from perfcast.training._ensemble import ENSEMBLE, FittedEnsemble, Mixture, mix
from perfcast.training._executor import GRACE_SECONDS, Executor, Here, make_executor
from perfcast.training._final import final_fits, warm_start
from perfcast.training._fitting import FitResult, FitTask
from perfcast.training._gate import Verdict, judge
from perfcast.training._inner import Inner, full_lesson, inner_validation
from perfcast.training._metrics import evaluate, score
from perfcast.training._search import Candidate, Search, TrialReport, search
from perfcast.training._study import make_study_tables
from perfcast.training._target import target_kind, to_cost, to_target
from perfcast.training._train import Training, fit_best, train

__all__ = [
    "ENSEMBLE",
    "GRACE_SECONDS",
    "Budget",
    "Candidate",
    "Executor",
    "FitResult",
    "FitTask",
    "FittedEnsemble",
    "Here",
    "Inner",
    "Mixture",
    "Search",
    "Trained",
    "Training",
    "TrialReport",
    "Verdict",
    "calibrate",
    "conformal_quantile",
    "draft",
    "evaluate",
    "final_fits",
    "fit_best",
    "full_lesson",
    "inner_validation",
    "judge",
    "make_executor",
    "make_study_tables",
    "mix",
    "parity_rows",
    "score",
    "search",
    "target_kind",
    "to_cost",
    "to_target",
    "train",
    "warm_start",
]
