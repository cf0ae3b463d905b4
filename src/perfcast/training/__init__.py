"""From a dataset to versions that can be registered.

`train` is the one call: it parts the rows, searches across families and their settings (`search/`, one Optuna study),
fits the best of each family on all training rows, and makes each a `draft`: evaluated on rows that nothing has seen,
calibrated, exported to one graph and checked against the native model. `adapt` makes a version of some tens of rows,
which `choose_rows` chose, on top of another one. `learning_curve` says what more rows would bring. `judging/` has
metrics, calibration and the promotion gate, `fits/` is where fits run, `families/` holds the learning algorithms, whose
libraries are imported when a fit begins, not before, and `variants/` makes smaller forms of a version.
"""

from perfcast.training._adapt import Adapted, adapt
from perfcast.training._base import Base, basis_of
from perfcast.training._clock import Budget
from perfcast.training._design import CANDIDATES, choose_rows
from perfcast.training._draft import Trained, draft, left_out
from perfcast.training._ensemble import ENSEMBLE
from perfcast.training._learning_curve import SHARES, learning_curve, shares_together
from perfcast.training._train import Training, train, warm_start
from perfcast.training.judging import Verdict, judge
from perfcast.training.search import TrialReport, make_study_tables

__all__ = [
    "CANDIDATES",
    "ENSEMBLE",
    "SHARES",
    "Adapted",
    "Base",
    "Budget",
    "Trained",
    "Training",
    "TrialReport",
    "Verdict",
    "adapt",
    "basis_of",
    "choose_rows",
    "draft",
    "judge",
    "learning_curve",
    "left_out",
    "make_study_tables",
    "shares_together",
    "train",
    "warm_start",
]
