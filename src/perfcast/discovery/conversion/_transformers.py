"""scikit-learn's transformers as nodes that compute in float64, as they do themselves."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial, reduce
from typing import Any, TypeAlias

import numpy as np
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.discovery.conversion._original import Doubles, Stage, chain, constant, unchanged
from perfcast.errors import Refused

Node: TypeAlias = Callable[[spox.Var, spox.Var], spox.Var]


def transformer(step: Any) -> Stage:
    """The stage of a fitted transformer."""
    if step is None or step in ("passthrough", "drop"):
        return unchanged
    make = _FORWARD.get(type(step).__name__)
    if make is None:
        raise Refused(f"{type(step).__name__} can't be converted; known are {', '.join(sorted(_FORWARD))}")
    return make(step)


def inverse(step: Any) -> Stage:
    """The stage that undoes a fitted scaler; of none where there is none."""
    if step is None:
        return unchanged
    make = _BACKWARD.get(type(step).__name__)
    if make is None:
        raise Refused(f"{type(step).__name__} can't be undone here; known are {', '.join(sorted(_BACKWARD))}")
    return make(step)


def pulled_back(special: Mapping[int, Doubles], steps: Sequence[Any]) -> Mapping[int, Doubles]:
    """Special values behind scalers as values before them; none where other steps mix the inputs."""
    for step in reversed([step for step in steps if step not in (None, "passthrough")]):
        if type(step).__name__ not in _AFFINE:
            return {}
        wide = {place: np.repeat(values[:, None], step.n_features_in_, axis=1) for place, values in special.items()}
        special = {place: step.inverse_transform(values)[:, place] for place, values in wide.items()}
    return special


def _scaler(step: Any) -> Stage:
    stages = _affine(_AFFINE[type(step).__name__](step))
    if getattr(step, "clip", False):
        low, high = step.feature_range
        stages.append(lambda rows: op.clip(rows, constant(low), constant(high)))
    return chain(stages)


def _scaler_back(step: Any) -> Stage:
    return chain(_affine((_OPPOSITE[node], value) for node, value in reversed(_AFFINE[type(step).__name__](step))))


def _affine(operations: Iterable[tuple[Node, Any]]) -> list[Stage]:
    return [partial(_apply, node, value) for node, value in operations if value is not None]


def _apply(node: Node, value: Any, rows: spox.Var) -> spox.Var:
    return node(rows, constant(value))


def _polynomial(step: Any) -> Stage:
    """Each product of inputs as so many factors as the highest degree has, 1 where it has fewer."""
    powers = np.asarray(step.powers_, dtype=np.int64)
    table = np.zeros((max(1, powers.sum(axis=1).max(initial=0)), len(powers)), dtype=np.int64)
    for term, row in enumerate(powers):
        table[: row.sum(), term] = np.repeat(np.arange(1, len(row) + 1), row)

    def stage(rows: spox.Var) -> spox.Var:
        first = op.mul(op.gather(rows, op.constant(value=np.zeros(1, dtype=np.int64)), axis=1), constant([[0.0]]))
        columns = op.concat([op.add(first, constant([[1.0]])), rows], axis=1)
        return reduce(op.mul, [op.gather(columns, op.constant(value=places), axis=1) for places in table])

    return stage


def _selection(step: Any) -> Stage:
    kept = np.flatnonzero(step.get_support()).astype(np.int64)
    return lambda rows: op.gather(rows, op.constant(value=kept), axis=1)


def _elementwise(function: Any, arguments: Mapping[str, Any] | None) -> Stage:
    """A NumPy function by its name."""
    if function is None:
        return unchanged
    name = getattr(function, "__name__", "without a name")
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
    "FunctionTransformer": lambda step: _elementwise(step.func, step.kw_args),
    "PCA": _projection,
    "PolynomialFeatures": _polynomial,
    "SelectFromModel": _selection,
    "SelectKBest": _selection,
    "VarianceThreshold": _selection,
}
_BACKWARD: Mapping[str, Callable[[Any], Stage]] = {
    **dict.fromkeys(_AFFINE, _scaler_back),
    "FunctionTransformer": lambda step: _elementwise(step.inverse_func, step.inv_kw_args),
}
