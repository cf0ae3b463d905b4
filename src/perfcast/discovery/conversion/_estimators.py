"""scikit-learn's regressors as nodes, and what they are called here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.discovery.conversion._original import Doubles, Stage, chain, constant
from perfcast.discovery.conversion._transformers import inverse, pulled_back, transformer
from perfcast.discovery.conversion._trees import Tree, shape_of, special, sum_of_trees
from perfcast.errors import Refused


@dataclass(frozen=True)
class Regressor:
    """A fitted regressor's stage, from its inputs to [rows, 1].

    Attributes:
        family: As in a manifest.
        stage: The nodes.
        special: As of an `Original`, on its own inputs.
    """

    family: str
    stage: Stage
    special: Mapping[int, Doubles] = field(default_factory=dict)


def regressor(model: Any) -> Regressor:
    """How to convert a fitted regressor.

    Raises:
        Refused: It is of a kind that can't be converted.
    """
    name = type(model).__name__
    if name in _KNOWN:
        return _KNOWN[name](model)
    if hasattr(model, "coef_") and hasattr(model, "intercept_") and _is_linear(model):
        return _linear(model)
    raise Refused(
        f"{type(model).__module__.partition('.')[0]}'s {name} can't be converted; known are linear models, "
        f"{', '.join(sorted(_KNOWN))} and XGBoost; convert it to ONNX yourself and save it as best_…_model.onnx"
    )


def _is_linear(model: Any) -> bool:
    return ".linear_model." in type(model).__module__ and type(model).__name__ not in _LINKED


_LINKED = ("GammaRegressor", "PoissonRegressor", "TweedieRegressor")


def _linear(model: Any) -> Regressor:
    weights = np.asarray(model.coef_, dtype=np.float64)
    if weights.ndim > 1 and weights.shape[0] > 1:
        raise Refused("it predicts several targets; a model has one cost")
    column, constant_term = weights.reshape(-1, 1), np.asarray(model.intercept_, dtype=np.float64).reshape(-1)[0]
    return Regressor(
        "polynomial", lambda rows: op.add(op.matmul(rows, constant(column)), constant(float(constant_term)))
    )


def _log_linear(model: Any) -> Regressor:
    if type(model).__name__ == "TweedieRegressor" and type(model._base_loss.link).__name__ != "LogLink":  # noqa: SLF001  # it tells nowhere else
        return _linear(model)
    return Regressor("polynomial", chain([_linear(model).stage, op.exp]))


def _forest(model: Any) -> Regressor:
    return _averaged([estimator.tree_ for estimator in model.estimators_])


def _single(model: Any) -> Regressor:
    return _averaged([model.tree_])


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
    activation = _ACTIVATIONS[model.activation]
    stages: list[Stage] = []
    layers = list(zip(model.coefs_, model.intercepts_, strict=True))
    for position, (weights, bias) in enumerate(layers):
        stages.append(layer(weights, bias))
        if position < len(layers) - 1:
            stages.append(activation)
    if layers[-1][0].shape[1] != 1:
        raise Refused("it predicts several targets; a model has one cost")
    if model.out_activation_ != "identity":
        stages.append(op.exp)
    return Regressor("neural_network", chain(stages))


def layer(weights: Any, bias: Any) -> Stage:
    """A dense layer: weights [in, out], bias [out]."""
    return lambda rows: op.add(op.matmul(rows, constant(weights)), constant(bias))


def _pipeline(model: Any) -> Regressor:
    *steps, last = [step for _, step in model.steps]
    end = regressor(last)
    begin = [transformer(step) for step in steps]
    return Regressor(end.family, chain([*begin, end.stage]), pulled_back(end.special, steps))


def _transformed_target(model: Any) -> Regressor:
    inner = regressor(model.regressor_)
    step = model.transformer_
    return Regressor(inner.family, chain([inner.stage, inverse(step)]), inner.special)


def _search(model: Any) -> Regressor:
    return regressor(model.best_estimator_)


def _xgboost(model: Any) -> Regressor:
    from perfcast.discovery.conversion._boosters import from_regressor

    original = from_regressor(model)
    return Regressor("xgboost", original.stage, original.special)


def _unchanged(value: spox.Var) -> spox.Var:
    return value


_ACTIVATIONS: Mapping[str, Stage] = {
    "identity": _unchanged,
    "logistic": lambda value: op.div(constant(1.0), op.add(constant(1.0), op.exp(op.neg(value)))),
    "relu": lambda value: op.max([value, constant(0.0)]),
    "tanh": op.tanh,
}
_KNOWN: Mapping[str, Callable[[Any], Regressor]] = {
    "DecisionTreeRegressor": _single,
    "ExtraTreeRegressor": _single,
    "ExtraTreesRegressor": _forest,
    "GammaRegressor": _log_linear,
    "GradientBoostingRegressor": _gradient_boosting,
    "GridSearchCV": _search,
    "HistGradientBoostingRegressor": _histogram_boosting,
    "MLPRegressor": _network,
    "Pipeline": _pipeline,
    "PoissonRegressor": _log_linear,
    "RandomForestRegressor": _forest,
    "RandomizedSearchCV": _search,
    "TransformedTargetRegressor": _transformed_target,
    "TweedieRegressor": _log_linear,
    "XGBRFRegressor": _xgboost,
    "XGBRegressor": _xgboost,
}
