"""What a whole network costs: which kernels a runtime starts for it, and what they take together.

A network is a `Graph` of operators, read from an ONNX file (`read_onnx`) or one of the `presets`. `plan` turns it into
the calls that a runtime makes, after its rules of fusion; each call is a row of `cnn-execution-time` or of
`operator-execution-time`. `add_up` asks the models of a `Device` for all rows at once, and `Whole` makes of the sum
what a network takes, as networks that were measured there whole have taught. `Networks` answers a `NetworkQuestion`
with all of it: the answers of `POST /networks/predict`.
"""

from perfcast.networks._answer import answer_network
from perfcast.networks._apart import read_onnx_apart
from perfcast.networks._call import CONVOLUTIONS, OPERATORS, Call, Plan, Runtime, Unmodelled
from perfcast.networks._devices import (
    Device,
    MeasuredNetwork,
    devices_among,
    find_device,
    learn_device,
    measured_networks,
)
from perfcast.networks._estimate import TERMS, Ask, Sum, add_up
from perfcast.networks._graph import FLOAT_BYTES, Attribute, Graph, Node, Shape
from perfcast.networks._list import list_networks
from perfcast.networks._memory import memory_bytes
from perfcast.networks._onnx import read_onnx
from perfcast.networks._plan import plan
from perfcast.networks._presets import PresetFacts, presets, read_preset
from perfcast.networks._question import NetworkQuestion, Networks
from perfcast.networks._whole import Whole, learn_whole

__all__ = [
    "CONVOLUTIONS",
    "FLOAT_BYTES",
    "OPERATORS",
    "TERMS",
    "Ask",
    "Attribute",
    "Call",
    "Device",
    "Graph",
    "MeasuredNetwork",
    "NetworkQuestion",
    "Networks",
    "Node",
    "Plan",
    "PresetFacts",
    "Runtime",
    "Shape",
    "Sum",
    "Unmodelled",
    "Whole",
    "add_up",
    "answer_network",
    "devices_among",
    "find_device",
    "learn_device",
    "learn_whole",
    "list_networks",
    "measured_networks",
    "memory_bytes",
    "plan",
    "presets",
    "read_onnx",
    "read_onnx_apart",
    "read_preset",
]
