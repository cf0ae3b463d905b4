"""From a dataset to versions that can be registered.

`train` is the one call: it parts the rows, searches across families and their settings (`search/`, one Optuna study),
fits the best of each family on all training rows, and makes each a `draft`: evaluated on rows that nothing has seen,
calibrated, exported to one graph and checked against the native model. `judging/` has metrics, calibration and the
promotion gate, `fits/` is where fits run, `families/` holds the learning algorithms, whose libraries are imported when
a fit begins, not before, and `variants/` makes smaller forms of a version.
"""

from perfcast.training._clock import Budget
from perfcast.training._draft import Trained, draft, left_out, parity_rows, proven
from perfcast.training._ensemble import ENSEMBLE, mix
from perfcast.training._final import warm_start
from perfcast.training._train import Training, fit_best, train
from perfcast.training.fits import (
    GRACE_SECONDS,
    Executor,
    FitResult,
    FitTask,
    Here,
    Inner,
    inner_validation,
    make_executor,
)
from perfcast.training.judging import Verdict, calibrate, conformal_quantile, evaluate, judge, score
from perfcast.training.search import Search, TrialReport, make_study_tables

__all__ = [
    "ENSEMBLE",
    "GRACE_SECONDS",
    "Budget",
    "Executor",
    "FitResult",
    "FitTask",
    "Here",
    "Inner",
    "Search",
    "Trained",
    "Training",
    "TrialReport",
    "Verdict",
    "calibrate",
    "conformal_quantile",
    "draft",
    "evaluate",
    "fit_best",
    "inner_validation",
    "judge",
    "left_out",
    "make_executor",
    "make_study_tables",
    "mix",
    "parity_rows",
    "proven",
    "score",
    "train",
    "warm_start",
]
