"""scikit-learn's transformers as nodes that compute in float64, as they do themselves."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.discovery.conversion._original import Doubles, Stage, chain, constant
from perfcast.errors import Refused

Node: TypeAlias = Callable[[spox.Var, spox.Var], spox.Var]


def transformer(step: Any) -> Stage:
    """The stage of a fitted transformer.

    Raises:
        Refused: It is of a kind that can't be converted.
    """
    if step is None or step in ("passthrough", "drop"):
        return _unchanged
    make = _FORWARD.get(type(step).__name__)
    if make is None:
        raise Refused(f"{type(step).__name__} can't be converted; known are {', '.join(sorted(_FORWARD))}")
    return make(step)


def inverse(step: Any) -> Stage:
    """The stage that undoes a fitted scaler.

    Raises:
        Refused: It is of a kind that can't be undone here.
    """
    make = _BACKWARD.get(type(step).__name__)
    if make is None:
        raise Refused(f"{type(step).__name__} can't be undone here; known are {', '.join(sorted(_BACKWARD))}")
    return make(step)


def _unchanged(value: spox.Var) -> spox.Var:
    return value


def pulled_back(special: Mapping[int, Doubles], steps: Sequence[Any]) -> Mapping[int, Doubles]:
    """Special values behind scalers as values before them; none where other steps mix the inputs."""
    for step in reversed([step for step in steps if step not in (None, "passthrough")]):
        if type(step).__name__ not in _AFFINE:
            return {}
        wide = {place: np.repeat(values[:, None], step.n_features_in_, axis=1) for place, values in special.items()}
        special = {place: step.inverse_transform(values)[:, place] for place, values in wide.items()}
    return special


def _scaler(step: Any) -> Stage:
    stages = [_by(node, value) for node, value in _AFFINE[type(step).__name__](step) if value is not None]
    if getattr(step, "clip", False):
        low, high = step.feature_range
        stages.append(lambda rows: op.clip(rows, constant(low), constant(high)))
    return chain(stages)


def _scaler_back(step: Any) -> Stage:
    steps = reversed(_AFFINE[type(step).__name__](step))
    return chain([_by(_OPPOSITE[node], value) for node, value in steps if value is not None])


def _by(node: Node, value: Any) -> Stage:
    return lambda rows: node(rows, constant(value))


def _polynomial(step: Any) -> Stage:
    """Each product of inputs as so many factors as the highest degree has, 1 where it has fewer."""
    powers = np.asarray(step.powers_, dtype=np.int64)
    factors = [np.repeat(np.arange(1, powers.shape[1] + 1), row) for row in powers]
    degree = max((len(row) for row in factors), default=0)
    table = np.zeros((len(factors), max(1, degree)), dtype=np.int64)
    for row, positions in zip(table, factors, strict=True):
        row[: len(positions)] = positions

    def stage(rows: spox.Var) -> spox.Var:
        first = op.mul(op.gather(rows, op.constant(value=np.array([0], dtype=np.int64)), axis=1), constant([[0.0]]))
        columns = op.concat([op.add(first, constant([[1.0]])), rows], axis=1)
        product = op.gather(columns, op.constant(value=np.ascontiguousarray(table[:, 0])), axis=1)
        for position in range(1, table.shape[1]):
            factor = op.gather(columns, op.constant(value=np.ascontiguousarray(table[:, position])), axis=1)
            product = op.mul(product, factor)
        return product

    return stage


def _selection(step: Any) -> Stage:
    kept = np.flatnonzero(step.get_support()).astype(np.int64)
    return lambda rows: op.gather(rows, op.constant(value=kept), axis=1)


def _function(step: Any) -> Stage:
    function = getattr(step.func, "__name__", None)
    return elementwise(function, step.kw_args)


def elementwise(name: str | None, arguments: Mapping[str, Any] | None = None) -> Stage:
    """A NumPy function by its name.

    Raises:
        Refused: It is another function.
    """
    if name is None:
        return _unchanged
    if name not in _FUNCTIONS or arguments:
        raise Refused(f"function {name} can't be converted; known are {', '.join(sorted(_FUNCTIONS))}")
    return _FUNCTIONS[name]


def _projection(step: Any) -> Stage:
    if step.whiten:
        raise Refused("a whitening PCA can't be converted")
    return lambda rows: op.matmul(op.sub(rows, constant(step.mean_)), constant(step.components_.T))


_FUNCTIONS: Mapping[str, Stage] = {
    "log": op.log,
    "exp": op.exp,
    "sqrt": op.sqrt,
    "square": lambda value: op.mul(value, value),
    "log1p": lambda value: op.log(op.add(value, constant(1.0))),
    "expm1": lambda value: op.sub(op.exp(value), constant(1.0)),
}
_OPPOSITE: Mapping[Node, Node] = {op.add: op.sub, op.sub: op.add, op.mul: op.div, op.div: op.mul}
_AFFINE: Mapping[str, Callable[[Any], list[tuple[Node, Any]]]] = {
    "MaxAbsScaler": lambda step: [(op.div, step.scale_)],
    "MinMaxScaler": lambda step: [(op.mul, step.scale_), (op.add, step.min_)],
    "RobustScaler": lambda step: [(op.sub, step.center_), (op.div, step.scale_)],
    "StandardScaler": lambda step: [(op.sub, step.mean_ if step.with_mean else None), (op.div, step.scale_)],
}
"""What each scaler does, in its order; None where it leaves a step out."""
_FORWARD: Mapping[str, Callable[[Any], Stage]] = {
    **dict.fromkeys(_AFFINE, _scaler),
    "FunctionTransformer": _function,
    "PCA": _projection,
    "PolynomialFeatures": _polynomial,
    "SelectFromModel": _selection,
    "SelectKBest": _selection,
    "VarianceThreshold": _selection,
}
_BACKWARD: Mapping[str, Callable[[Any], Stage]] = {
    **dict.fromkeys(_AFFINE, _scaler_back),
    "FunctionTransformer": lambda step: elementwise(getattr(step.inverse_func, "__name__", None), step.inv_kw_args),
}
