"""How an ONNX file is read: its parts, the shapes of its tensors, what in it is constant, what its nodes are called.

Needs the onnx package, so `read_onnx` imports this room only when it is called.
"""

from perfcast.networks.reading._file import File, load, wrong
from perfcast.networks.reading._fold import Folded, Kept, fold
from perfcast.networks.reading._inputs import input_types
from perfcast.networks.reading._names import name_nodes

__all__ = ["File", "Folded", "Kept", "fold", "input_types", "load", "name_nodes", "wrong"]
