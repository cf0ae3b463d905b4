"""XGBoost models: native files, and the regressors that joblib files hold."""

import json
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import spox.opset.ai.onnx.v21 as op

from perfcast.discovery.conversion._original import Doubles, Original, Stage, chain, flat, in_short, unchanged
from perfcast.discovery.conversion._trees import Tree, special, sum_of_trees
from perfcast.errors import Refused

if TYPE_CHECKING:
    import xgboost

_PLAIN = ("reg:squarederror", "reg:linear", "reg:absoluteerror", "reg:pseudohubererror", "reg:squaredlogerror")
_LOG = ("reg:gamma", "reg:tweedie", "count:poisson")


def read_native(file: str, data: bytes) -> Original:
    """A booster from the bytes of a `.ubj` or `.json` file."""
    import xgboost

    try:
        if PurePosixPath(file).suffix.lower() == ".json":
            json.loads(data)
        booster = xgboost.Booster(model_file=bytearray(data))
        booster.num_features()
    except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
        message = re.sub(r"^\[[^]]*\] \S+:\d+: ", "", str(error).strip())  # without the place in its source
        raise Refused(f"XGBoost can't read it: {in_short(message or error)}") from None
    if booster.attr("scikit_learn"):  # what a regressor that reads such a file answers with: it stops at its best round
        model = xgboost.XGBRegressor()
        model.load_model(bytearray(data))
        return from_regressor(model)
    return from_booster(booster)


def from_regressor(model: Any) -> Original:
    """An `XGBRegressor` or `XGBRFRegressor`: its rounds up to the best one, with its own mark for missing values."""
    booster, best = model.get_booster(), getattr(model, "best_iteration", None)
    used = booster if best is None else booster[: int(best) + 1]
    return _original(booster, used, float(model.missing), model.predict, model.apply)


def from_booster(booster: "xgboost.Booster") -> Original:
    """A bare booster: all of its rounds."""
    import xgboost

    def matrix(rows: Doubles) -> Any:
        return xgboost.DMatrix(rows, feature_names=booster.feature_names)

    return _original(
        booster,
        booster,
        np.nan,
        lambda rows: booster.predict(matrix(rows)),
        lambda rows: booster.predict(matrix(rows), pred_leaf=True),
    )


def _original(
    booster: "xgboost.Booster",
    used: "xgboost.Booster",
    missing: float,
    predict: Callable[[Doubles], Any],
    leaves: Callable[[Doubles], Any],
) -> Original:
    booster.set_param({"nthread": 1, "device": "cpu"})
    learner = json.loads(used.save_raw("json"))["learner"]
    trees = _trees(learner)
    objective = str(learner["objective"]["name"])
    base, link = _base_and_link(learner, objective)
    names = tuple(booster.feature_names or ())

    def exact(rows: Doubles) -> Doubles:
        places = np.asarray(leaves(rows), dtype=np.int64).reshape(len(rows), -1)
        margin = base + np.sum([tree.leaf[places[:, index]] for index, tree in enumerate(trees)], axis=0)
        return np.asarray(np.exp(margin) if objective in _LOG else margin)

    return Original(
        family="xgboost",
        kind=f"XGBoost booster ({objective}, {len(trees)} trees)",
        inputs=booster.num_features(),
        names=names if any(name != f"f{position}" for position, name in enumerate(names)) else (),
        predict=lambda rows: flat(predict(rows)),
        exact=exact,
        stage=chain([sum_of_trees(trees, base, "BRANCH_LT", missing=missing), link]),
        special=special(trees, missing),
    )


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
        missing_left=np.asarray(tree["default_left"], dtype=np.bool_),
    )


def _base_and_link(learner: dict[str, Any], objective: str) -> tuple[float, Stage]:
    score = float(np.float32(learner["learner_model_param"]["base_score"].strip("[]")))
    if objective in _LOG:
        return float(np.log(score)), op.exp
    if objective in _PLAIN:
        return score, unchanged
    raise Refused(f"its objective {objective} is not known here; known are {', '.join((*_PLAIN, *_LOG))}")
