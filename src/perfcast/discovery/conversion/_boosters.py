"""XGBoost models: native files, and the regressors that joblib files hold."""

import json
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.discovery.conversion._original import Doubles, Original, Stage, flat
from perfcast.discovery.conversion._trees import Tree, sum_of_trees, thresholds
from perfcast.errors import Refused

if TYPE_CHECKING:
    import xgboost

_PLAIN = ("reg:squarederror", "reg:linear", "reg:absoluteerror", "reg:pseudohubererror", "reg:squaredlogerror")
_LOG = ("reg:gamma", "reg:tweedie", "count:poisson")


def read_native(file: str, data: bytes) -> Original:
    """A booster from the bytes of a `.ubj` or `.json` file.

    Raises:
        Refused: They are none.
    """
    import xgboost

    try:
        if PurePosixPath(file).suffix.lower() == ".json":
            json.loads(data)
        booster = xgboost.Booster(model_file=bytearray(data))
        booster.num_features()
    except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
        raise Refused(f"XGBoost can't read it: {_in_short(error)}") from None
    # A regressor that reads such a file stops at its best round; a bare booster doesn't.
    best = booster.attr("best_iteration") if booster.attr("scikit_learn") else None
    return from_booster(booster if best is None else booster[: int(best) + 1])


def from_regressor(model: Any) -> Original:
    """What an `XGBRegressor` or `XGBRFRegressor` answers with: its rounds up to the best one."""
    booster = model.get_booster()
    try:
        best = int(model.best_iteration)
    except AttributeError:
        return from_booster(booster)
    return from_booster(booster[: best + 1])


def from_booster(booster: "xgboost.Booster") -> Original:
    """The trees of a booster.

    Raises:
        Refused: It has other parts than numeric trees for one target.
    """
    import xgboost

    booster.set_param({"nthread": 1, "device": "cpu"})
    learner = json.loads(booster.save_raw("json"))["learner"]
    trees = _trees(learner)
    objective = str(learner["objective"]["name"])
    base, link = _base(learner, objective), _link(objective)
    inputs = booster.num_features()
    names = tuple(booster.feature_names or ())

    def predict(rows: Doubles) -> Doubles:
        return flat(booster.inplace_predict(rows.astype(np.float32)))

    def exact(rows: Doubles) -> Doubles:
        matrix = xgboost.DMatrix(rows.astype(np.float32), feature_names=list(names) or None)
        leaves = np.asarray(booster.predict(matrix, pred_leaf=True), dtype=np.int64).reshape(len(rows), -1)
        parts = [tree.leaf[leaves[:, index]] for index, tree in enumerate(trees)]
        margin = base + np.sum(parts, axis=0)
        answer: Doubles = np.exp(margin) if objective in _LOG else margin
        return answer

    total = sum_of_trees(trees, base, "BRANCH_LT")
    return Original(
        family="xgboost",
        kind=f"XGBoost booster ({objective}, {len(trees)} trees)",
        inputs=inputs,
        names=names if any(name != f"f{position}" for position, name in enumerate(names)) else (),
        predict=predict,
        exact=exact,
        stage=lambda rows: link(total(rows)),
        thresholds=thresholds(trees),
    )


def _in_short(error: Exception) -> str:
    """XGBoost's message without its stack trace and the place in its source."""
    message = re.sub(r"^\[[^]]*\] \S+:\d+: ", "", str(error).strip())
    return message.splitlines()[0][:300] if message else type(error).__name__


def _trees(learner: dict[str, Any]) -> list[Tree]:
    booster = learner["gradient_booster"]
    if booster["name"] != "gbtree":
        raise Refused(f"it is a booster of kind {booster['name']}; only gbtree can be converted")
    if int(learner["learner_model_param"].get("num_target", "1")) > 1:
        raise Refused("it predicts several targets; a model has one cost")
    trees = booster["model"]["trees"]
    if not trees:
        raise Refused("it has no trees")
    if any(tree["categories"] for tree in trees):
        raise Refused("it splits by categories; only numeric splits can be converted")
    return [_tree(tree) for tree in trees]


def _tree(tree: dict[str, Any]) -> Tree:
    condition = np.asarray(tree["split_conditions"], dtype=np.float32).astype(np.float64)
    return Tree(
        left=np.asarray(tree["left_children"], dtype=np.int64),
        right=np.asarray(tree["right_children"], dtype=np.int64),
        feature=np.asarray(tree["split_indices"], dtype=np.int64),
        threshold=condition,
        leaf=condition,
    )


def _base(learner: dict[str, Any], objective: str) -> float:
    score = float(np.float32(learner["learner_model_param"]["base_score"].strip("[]")))
    return float(np.log(score)) if objective in _LOG else score


def _link(objective: str) -> Stage:
    if objective in _LOG:
        return op.exp
    if objective in _PLAIN:
        return _same
    raise Refused(f"its objective {objective} is not known here; known are {', '.join((*_PLAIN, *_LOG))}")


def _same(margin: spox.Var) -> spox.Var:
    return margin
