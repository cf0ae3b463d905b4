"""ONNX files that others made."""

from collections.abc import Mapping

import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.discovery.conversion._original import Doubles, Original, flat
from perfcast.errors import Refused
from perfcast.serving import open_foreign, try_rows

_FLOATS: Mapping[str, type[np.floating]] = {"tensor(float)": np.float32, "tensor(double)": np.float64}


def read_graph(data: bytes) -> Original:
    """A graph from one input, float or double [rows, inputs], to one output, [rows] or [rows, 1].

    Raises:
        InvalidInput: It couldn't be uploaded either.
        Refused: It isn't one.
    """
    _, session = open_foreign(data)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise Refused(f"it has {len(inputs)} inputs and {len(outputs)} outputs; expected one of each")
    name, kind, shape = inputs[0].name, _FLOATS.get(inputs[0].type), inputs[0].shape
    if kind is None or len(shape) != 2 or not isinstance(shape[1], int):
        raise Refused(f"its input '{name}' must be float or double of shape [rows, inputs] with a fixed width")
    try_rows(session, np.ones((2, shape[1]), dtype=kind))
    model = onnx.load_model_from_string(data)

    def predict(rows: Doubles) -> Doubles:
        (answer,) = session.run(None, {name: rows.astype(kind)})
        if np.size(answer) != len(rows):
            raise Refused(f"it gives {np.size(answer)} numbers for {len(rows)} rows; expected one cost a row")
        return flat(answer)

    def stage(rows: spox.Var) -> spox.Var:
        (answer,) = spox.inline(model)(op.cast(rows, to=kind)).values()
        return op.cast(answer, to=np.float64)

    producer = f" by {model.producer_name}" if model.producer_name else ""
    return Original(family=None, kind=f"ONNX graph{producer}", inputs=shape[1], predict=predict, stage=stage)
