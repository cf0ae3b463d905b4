"""What a whole network costs: which kernels a runtime starts for it, and what they take together.

A network is a `Graph` of operators, read from an ONNX file (`read_onnx`) or one of the `presets`. `plan` turns it into
the calls that a runtime makes, after its rules of fusion; each call is a row of `cnn-execution-time` or of
`operator-execution-time`. `estimate` asks the models of a device for all rows at once and adds up, calibrated on
networks that were measured whole.
"""

from perfcast.networks._call import CONVOLUTIONS, OPERATORS, Call, Plan, Runtime, Unmodelled
from perfcast.networks._graph import FLOAT_BYTES, Attribute, Graph, Node, Shape
from perfcast.networks._onnx import read_onnx
from perfcast.networks._presets import PresetFacts, presets, read_preset

__all__ = [
    "CONVOLUTIONS",
    "FLOAT_BYTES",
    "OPERATORS",
    "Attribute",
    "Call",
    "Graph",
    "Node",
    "Plan",
    "PresetFacts",
    "Runtime",
    "Shape",
    "Unmodelled",
    "presets",
    "read_onnx",
    "read_preset",
]
