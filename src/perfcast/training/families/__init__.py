"""The learning algorithm families: each fits model inputs to a target and emits itself as an ONNX graph.

`_family` says what a family is; each other module is one family, or a piece that several share: `_tree_graph` makes one
ONNX node of trees, `_line` lies beneath trees, `_smooth_inputs` takes logarithms and scales, `_spread` tells how far
members disagree, `_on_base` starts from an older version. `_gaussian_process` is in no search: it learns what such a
version leaves over of some tens of rows. Heavy libraries are imported when a family fits.
"""

from perfcast.training.families._family import Family, Fitted, Lesson, Report, Settings, Space, Stop, Trial, never
from perfcast.training.families._gaussian_process import FittedProcess, fit_process
from perfcast.training.families._on_base import ON_BASE, Beneath, FittedOnBase, OnBase
from perfcast.training.families._soft_inputs import SoftInputs, soft_inputs
from perfcast.training.families._spread import spread_node

__all__ = [
    "ON_BASE",
    "Beneath",
    "Family",
    "Fitted",
    "FittedOnBase",
    "FittedProcess",
    "Lesson",
    "OnBase",
    "Report",
    "Settings",
    "SoftInputs",
    "Space",
    "Stop",
    "Trial",
    "families",
    "fit_process",
    "never",
    "soft_inputs",
    "spread_node",
]


def families() -> dict[str, Family]:
    """Every family there is, by name, in the order in which a search tries them."""
    from perfcast.training.families._neural_network import NeuralNetwork
    from perfcast.training.families._polynomial import Polynomial
    from perfcast.training.families._random_forest import RandomForest
    from perfcast.training.families._xgboost import XGBoost

    known: tuple[Family, ...] = (XGBoost(), NeuralNetwork(), Polynomial(), RandomForest())
    return {family.name: family for family in known}
