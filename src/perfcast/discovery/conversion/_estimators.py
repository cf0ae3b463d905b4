"""scikit-learn's regressors as nodes, and what they are called here."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import spox.opset.ai.onnx.v21 as op

from perfcast.discovery.conversion._boosters import from_regressor
from perfcast.discovery.conversion._original import Regressor, Stage, chain, constant, dense, unchanged
from perfcast.discovery.conversion._transformers import inverse, pulled_back, transformer
from perfcast.discovery.conversion._trees import Tree, shape_of, special, sum_of_trees
from perfcast.errors import Refused


def regressor(model: Any) -> Regressor:
    """How to convert a fitted regressor."""
    name, library = type(model).__name__, type(model).__module__
    if name in _KNOWN:
        return _KNOWN[name](model)
    if hasattr(model, "coef_") and hasattr(model, "intercept_") and ".linear_model." in library:
        return _linear(model)
    raise Refused(
        f"{library.partition('.')[0]}'s {name} can't be converted; known are linear models, "
        f"{', '.join(sorted(_KNOWN))} and XGBoost; convert it to ONNX yourself and save it as best_…_model.onnx"
    )


def _linear(model: Any) -> Regressor:
    weights = np.asarray(model.coef_, dtype=np.float64)
    if weights.ndim > 1 and weights.shape[0] > 1:
        raise Refused("it predicts several targets; a model has one cost")
    intercept = np.asarray(model.intercept_, dtype=np.float64).reshape(-1)[:1]
    return Regressor("polynomial", dense([(weights.reshape(-1, 1), intercept)], unchanged))


def _log_linear(model: Any) -> Regressor:
    if type(model).__name__ == "TweedieRegressor" and type(model._base_loss.link).__name__ != "LogLink":  # noqa: SLF001  # it tells nowhere else
        return _linear(model)
    return Regressor("polynomial", chain([_linear(model).stage, op.exp]))


def _averaged(grown: list[Any]) -> Regressor:
    if grown[0].value.shape[1] > 1:
        raise Refused("it predicts several targets; a model has one cost")
    trees = [Tree(**shape_of(tree), leaf=tree.value[:, 0, 0] / len(grown)) for tree in grown]
    return Regressor("random_forest", sum_of_trees(trees, 0.0, "BRANCH_LEQ"), special(trees))


def _gradient_boosting(model: Any) -> Regressor:
    grown = [row[0].tree_ for row in model.estimators_]
    trees = [Tree(**shape_of(tree), leaf=model.learning_rate * tree.value[:, 0, 0]) for tree in grown]
    if isinstance(model.init_, str):
        base = 0.0
    elif type(model.init_).__name__ == "DummyRegressor":
        base = float(model.init_.constant_.reshape(-1)[0])
    else:
        raise Refused("its first estimate is a model of its own, which can't be converted")
    return Regressor("gradient_boosting", sum_of_trees(trees, base, "BRANCH_LEQ"), special(trees))


def _histogram_boosting(model: Any) -> Regressor:
    trees = [_histogram_tree(row[0].nodes) for row in model._predictors]  # noqa: SLF001  # there is no public way
    base = float(np.asarray(model._baseline_prediction).reshape(-1)[0])  # noqa: SLF001
    total = sum_of_trees(trees, base, "BRANCH_LEQ", in_float32=False)
    link = [op.exp] if model.loss in ("poisson", "gamma") else []
    return Regressor("gradient_boosting", chain([total, *link]), special(trees))


def _histogram_tree(nodes: Any) -> Tree:
    if nodes["is_categorical"].any():
        raise Refused("it splits by categories; only numeric splits can be converted")
    leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        left=np.where(leaf, -1, nodes["left"].astype(np.int64)),
        right=np.where(leaf, -1, nodes["right"].astype(np.int64)),
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        leaf=nodes["value"].astype(np.float64),
        missing_left=nodes["missing_go_to_left"].astype(np.bool_),
    )


def _network(model: Any) -> Regressor:
    if model.n_outputs_ != 1:
        raise Refused("it predicts several targets; a model has one cost")
    layers = zip(map(np.float64, model.coefs_), map(np.float64, model.intercepts_), strict=True)
    link = [op.exp] if model.out_activation_ != "identity" else []
    return Regressor("neural_network", chain([dense(layers, _ACTIVATIONS[model.activation]), *link]))


def _pipeline(model: Any) -> Regressor:
    *steps, last = [step for _, step in model.steps]
    end = regressor(last)
    begin = [transformer(step) for step in steps]
    return Regressor(end.family, chain([*begin, end.stage]), pulled_back(end.special, steps))


def _transformed_target(model: Any) -> Regressor:
    inner = regressor(model.regressor_)
    return Regressor(inner.family, chain([inner.stage, inverse(model.transformer_)]), inner.special)


_ACTIVATIONS: Mapping[str, Stage] = {
    "identity": unchanged,
    "logistic": lambda value: op.div(constant(1.0), op.add(constant(1.0), op.exp(op.neg(value)))),
    "relu": lambda value: op.max([value, constant(0.0)]),
    "tanh": op.tanh,
}
_KNOWN: Mapping[str, Callable[[Any], Regressor]] = {
    **dict.fromkeys(("DecisionTreeRegressor", "ExtraTreeRegressor"), lambda model: _averaged([model.tree_])),
    **dict.fromkeys(
        ("ExtraTreesRegressor", "RandomForestRegressor"),
        lambda model: _averaged([estimator.tree_ for estimator in model.estimators_]),
    ),
    **dict.fromkeys(("GammaRegressor", "PoissonRegressor", "TweedieRegressor"), _log_linear),
    **dict.fromkeys(("GridSearchCV", "RandomizedSearchCV"), lambda model: regressor(model.best_estimator_)),
    **dict.fromkeys(("XGBRFRegressor", "XGBRegressor"), from_regressor),
    "GradientBoostingRegressor": _gradient_boosting,
    "HistGradientBoostingRegressor": _histogram_boosting,
    "MLPRegressor": _network,
    "Pipeline": _pipeline,
    "TransformedTargetRegressor": _transformed_target,
}
