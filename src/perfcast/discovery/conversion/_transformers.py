"""scikit-learn's transformers as nodes that compute in float64, as they do themselves."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.discovery.conversion._original import Stage, chain, constant
from perfcast.errors import Refused


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


def _minus(value: Any) -> Stage:
    return _unchanged if value is None else lambda rows: op.sub(rows, constant(value))


def _plus(value: Any) -> Stage:
    return _unchanged if value is None else lambda rows: op.add(rows, constant(value))


def _times(value: Any) -> Stage:
    return _unchanged if value is None else lambda rows: op.mul(rows, constant(value))


def _over(value: Any) -> Stage:
    return _unchanged if value is None else lambda rows: op.div(rows, constant(value))


def _standard(step: Any) -> Stage:
    return chain([_minus(step.mean_ if step.with_mean else None), _over(step.scale_ if step.with_std else None)])


def _standard_back(step: Any) -> Stage:
    return chain([_times(step.scale_ if step.with_std else None), _plus(step.mean_ if step.with_mean else None)])


def _min_max(step: Any) -> Stage:
    stages = [_times(step.scale_), _plus(step.min_)]
    if step.clip:
        low, high = step.feature_range
        stages.append(lambda rows: op.clip(rows, constant(low), constant(high)))
    return chain(stages)


def _robust(step: Any) -> Stage:
    return chain(
        [_minus(step.center_ if step.with_centering else None), _over(step.scale_ if step.with_scaling else None)]
    )


def _robust_back(step: Any) -> Stage:
    return chain(
        [_times(step.scale_ if step.with_scaling else None), _plus(step.center_ if step.with_centering else None)]
    )


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
    return chain([_minus(step.mean_), lambda rows: op.matmul(rows, constant(step.components_.T))])


_FUNCTIONS: Mapping[str, Stage] = {
    "log": op.log,
    "exp": op.exp,
    "sqrt": op.sqrt,
    "square": lambda value: op.mul(value, value),
    "log1p": lambda value: op.log(op.add(value, constant(1.0))),
    "expm1": lambda value: op.sub(op.exp(value), constant(1.0)),
}
_FORWARD: Mapping[str, Callable[[Any], Stage]] = {
    "FunctionTransformer": _function,
    "MaxAbsScaler": lambda step: _over(step.scale_),
    "MinMaxScaler": _min_max,
    "PCA": _projection,
    "PolynomialFeatures": _polynomial,
    "RobustScaler": _robust,
    "SelectFromModel": _selection,
    "SelectKBest": _selection,
    "StandardScaler": _standard,
    "VarianceThreshold": _selection,
}
_BACKWARD: Mapping[str, Callable[[Any], Stage]] = {
    "FunctionTransformer": lambda step: elementwise(getattr(step.inverse_func, "__name__", None), step.inv_kw_args),
    "MaxAbsScaler": lambda step: _times(step.scale_),
    "MinMaxScaler": lambda step: chain([_minus(step.min_), _over(step.scale_)]),
    "RobustScaler": _robust_back,
    "StandardScaler": _standard_back,
}
