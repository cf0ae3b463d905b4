"""Small ONNX files of networks."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def small_network(side: int | str = 32, *, unknown: str = "") -> bytes:
    """A convolution 3 × 3 of 3 to 16 channels with ReLU, a global pool and a linear layer of 10.

    Args:
        side: Height and width of its images, or what these are called where the file leaves them open, as their number.
        unknown: An operator between the convolution and ReLU that nobody has measured, such as `Softsign`.
    """
    random = np.random.default_rng(0)
    weights = {
        "kernel": random.standard_normal((16, 3, 3, 3)), "matrix": random.standard_normal((10, 16)),
        "bias": random.standard_normal(10),
    }  # fmt: skip
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["convolved"], "conv", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", [unknown or "convolved"], ["positive"], "relu"),
        helper.make_node("GlobalAveragePool", ["positive"], ["mean"], "pool"),
        helper.make_node("Flatten", ["mean"], ["flat"], "flatten"),
        helper.make_node("Gemm", ["flat", "matrix", "bias"], ["classes"], "fc", transB=1),
    ]
    if unknown:
        nodes.insert(1, helper.make_node(unknown, ["convolved"], [unknown], "odd"))
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["images", 3, side, side])],
        [helper.make_tensor_value_info("classes", TensorProto.FLOAT, ["images", 10])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())
