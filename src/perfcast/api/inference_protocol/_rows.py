"""Input tensors as rows of a workload, and what a workload's tensors are called."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from perfcast.api.inference_protocol._tensor import BYTES, Tensor, wrong
from perfcast.errors import FieldError, InvalidInput
from perfcast.serving import Reader
from perfcast.tables import ColumnReader
from perfcast.workloads import Feature, Rows, Workload

MATRIX = "features"
"""The one tensor that holds all features, [rows, features], in declared order: the graph's own input."""
_MATRIX_TYPES = ("FP32", "FP64")


def rows_of(reader: Reader, inputs: Sequence[Tensor]) -> Rows:
    """Lay out and check the inputs of a request.

    Args:
        reader: Of the model's workload.
        inputs: Either one tensor for each feature, named as it, of shape [rows] or [rows, 1], or one named `features`
            of shape [rows, features], float32 or float64; its last columns may be left out where they have defaults.

    Returns:
        float32 [rows, features], in declared order, at least one row.

    Raises:
        InvalidInput: Names each tensor or feature that is wrong and its first rows.
    """
    if not inputs:
        raise InvalidInput.of("inputs", f"give one tensor for each feature, or one named '{MATRIX}'")
    if any(tensor.name == MATRIX for tensor in inputs) and MATRIX not in reader.names:
        rows = _matrix(reader.columns, inputs)
    else:
        _check_names(reader, inputs)
        rows = reader.columns.read({tensor.name: _column(tensor) for tensor in inputs})
    if not len(rows):
        raise InvalidInput.of("inputs", "give at least one row")
    return rows


def inputs_of(workload: Workload) -> list[dict[str, Any]]:
    """The inputs as the model's metadata describes them; the parameter `style` tells the two ways apart."""
    matrix: list[dict[str, Any]] = []
    if MATRIX not in workload.feature_names:
        style = {"style": "matrix", "columns": ",".join(workload.feature_names)}
        shape = [-1, len(workload.features)]
        matrix = [{"name": MATRIX, "datatype": "FP32", "shape": shape, "parameters": style}]
    return matrix + [_described(feature) for feature in workload.features]


def _check_names(reader: Reader, inputs: Sequence[Tensor]) -> None:
    workload = reader.workload
    further = sorted(reader.accepted - reader.names)
    matrix = "" if MATRIX in reader.names else f"'{MATRIX}' [rows, {len(workload.features)}], or "
    known = f"{matrix}one each for {', '.join(workload.feature_names)}"
    told = f"is no input of {workload.name}; give {known}{''.join(f' (or {name})' for name in further)}"
    unknown = [FieldError(tensor.name, told) for tensor in inputs if tensor.name not in reader.accepted]
    if unknown:
        raise InvalidInput(unknown)


def _matrix(columns: ColumnReader, inputs: Sequence[Tensor]) -> Rows:
    if len(inputs) > 1:
        raise wrong(MATRIX, "holds all features, so no other tensor may stand beside it")
    (tensor,) = inputs
    width = len(columns.workload.features)
    if tensor.datatype not in _MATRIX_TYPES:
        raise wrong(MATRIX, f"must be {' or '.join(_MATRIX_TYPES)}, got {tensor.datatype}")
    shape = tensor.values.shape
    if len(shape) != 2 or shape[1] > width or any(one.required for one in columns.workload.features[shape[1] :]):
        names = ", ".join(columns.workload.feature_names)
        raise wrong(MATRIX, f"must have shape [rows, {width}] ({names}), got {list(shape)}")
    with np.errstate(over="ignore"):  # what becomes infinite is refused with its row
        rows = np.full((len(tensor.values), width), np.nan, dtype=np.float32)
        rows[:, : shape[1]] = tensor.values
    if shape[1] < width and not np.isnan(tensor.values).any():
        columns.fill(rows)
    columns.check(rows)
    return rows


def _column(tensor: Tensor) -> npt.NDArray[Any]:
    shape = tensor.values.shape
    if len(shape) == 1 or (len(shape) == 2 and shape[1] == 1):
        return tensor.values.reshape(-1)
    raise wrong(tensor.name, f"must have shape [rows] or [rows, 1], got {list(shape)}")


def _described(feature: Feature) -> dict[str, Any]:
    facts: dict[str, Any] = {"style": "columns", "required": feature.required}
    if values := feature.declaration.values:
        datatype, facts = BYTES, facts | {"values": ",".join(map(str, values))}
    else:
        datatype = "INT64" if feature.whole else "FP32"
        facts |= {"unit": feature.declaration.unit, "minimum": feature.minimum, "maximum": feature.maximum}
    return {"name": feature.name, "datatype": datatype, "shape": [-1], "parameters": facts}
