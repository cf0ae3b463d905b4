"""ONNX files that others made."""

from collections.abc import Mapping

import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.discovery.conversion._original import Doubles, Original, flat
from perfcast.errors import BrokenVersion, Refused
from perfcast.export import open_session

_FLOATS: Mapping[int, type[np.floating]] = {
    int(onnx.TensorProto.FLOAT): np.float32,
    int(onnx.TensorProto.DOUBLE): np.float64,
}


def read_graph(data: bytes) -> Original:
    """A graph from one input, float or double [rows, inputs], to one output, [rows] or [rows, 1].

    Raises:
        Refused: It isn't one.
    """
    try:
        model = onnx.load_model_from_string(data)
        onnx.checker.check_model(model)
        session = open_session(data)
    except BrokenVersion as error:
        raise Refused(str(error)) from None
    except Exception as error:  # noqa: BLE001 - protobuf and the checker share no base class
        text = str(error).strip().splitlines()
        raise Refused(f"it is no ONNX graph: {text[0][:300] if text else type(error).__name__}") from None
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in model.graph.initializer):
        raise Refused("its weights lie in another file; save it with the weights inside")
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [item for item in model.graph.input if item.name not in constants]
    if len(inputs) != 1 or len(model.graph.output) != 1:
        raise Refused(f"it has {len(inputs)} inputs and {len(model.graph.output)} outputs; expected one of each")
    kind, width = _kind_and_width(inputs[0])
    name = inputs[0].name

    def predict(rows: Doubles) -> Doubles:
        (answer,) = session.run(None, {name: rows.astype(kind)})
        if np.size(answer) != len(rows):
            raise Refused(f"it gives {np.size(answer)} numbers for {len(rows)} rows; expected one cost a row")
        return flat(answer)

    def stage(rows: spox.Var) -> spox.Var:
        (answer,) = spox.inline(model)(op.cast(rows, to=kind)).values()
        return op.cast(answer, to=np.float64)

    producer = f" by {model.producer_name}" if model.producer_name else ""
    return Original(family=None, kind=f"ONNX graph{producer}", inputs=width, predict=predict, stage=stage)


def _kind_and_width(item: onnx.ValueInfoProto) -> tuple[type[np.floating], int]:
    tensor = item.type.tensor_type
    shape = tensor.shape.dim
    if tensor.elem_type not in _FLOATS or len(shape) != 2 or shape[1].dim_value < 1:
        raise Refused(f"its input '{item.name}' must be float or double of shape [rows, inputs] with a fixed width")
    return _FLOATS[tensor.elem_type], int(shape[1].dim_value)
