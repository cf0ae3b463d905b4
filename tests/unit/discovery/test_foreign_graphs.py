"""A graph that can't be served is told in the same words, whether it is uploaded or found in a folder."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.unit.discovery.conftest import Convert

from perfcast.errors import InvalidInput
from perfcast.serving._upload import examine
from perfcast.workloads import builtin_workloads

PARTS = {"rows": "rows", "flat": -1, "domain": "", "external": False}
CASES = {
    "external data": ({"external": True}, "must hold its data itself, but some tensor's data stands in another file"),
    "one row": ({"rows": 1}, "must take any number of rows, but its input '{name}' takes 1 only; export it with"),
    "one row inside": ({"flat": 1}, "can't answer 2 rows at once: "),
    "foreign operator": ({"domain": "com.microsoft"}, "must use ONNX's own operators (ai.onnx, ai.onnx.ml) only, but"),
}


def graph(name: str, cost: str, width: int, *, rows: str | int, flat: int, domain: str, external: bool) -> bytes:
    weights = numpy_helper.from_array(np.ones((width, 1), dtype=np.float32), "weights")
    if external:
        weights.ClearField("raw_data")
        weights.data_location = TensorProto.EXTERNAL
        entry = weights.external_data.add()
        entry.key, entry.value = "location", "model.onnx.data"
    nodes = [
        helper.make_node("FusedMatMul" if domain else "MatMul", [name, "weights"], ["column"], domain=domain),
        helper.make_node("Reshape", ["column", "flat"], [cost]),
    ]
    faces = [helper.make_tensor_value_info(name, 1, [rows, width]), helper.make_tensor_value_info(cost, 1, [rows])]
    constants = [weights, numpy_helper.from_array(np.array([flat]), "flat")]
    whole = helper.make_graph(nodes, "sum", faces[:1], faces[1:], constants)
    opsets = [helper.make_opsetid("", 21), *([helper.make_opsetid(domain, 1)] if domain else [])]
    return bytes(helper.make_model(whole, opset_imports=opsets, ir_version=10).SerializeToString())


@pytest.mark.parametrize("case", CASES)
def test_what_can_not_be_served_is_told_in_the_same_words(case: str, to_graph: Convert) -> None:
    parts, words = CASES[case]
    with pytest.raises(InvalidInput) as uploaded:
        examine(graph("features", "cost", 15, **PARTS | parts), builtin_workloads()["cnn-execution-time"])
    with pytest.raises(InvalidInput) as found:
        to_graph("best_nn_model.onnx", graph("X", "y", 7, **PARTS | parts))
    assert f"graph: {words}".format(name="features") in str(uploaded.value)
    assert f"graph: {words}".format(name="X") in str(found.value)


def test_what_is_no_graph_is_told_in_the_same_words(to_graph: Convert) -> None:
    with pytest.raises(InvalidInput, match="graph: it is no ONNX file"):
        to_graph("best_model.onnx", b"junk")
