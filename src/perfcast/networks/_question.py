"""What is asked of a network, and who answers: the body of `POST /networks/predict`."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from threading import Lock
from typing import Annotated, Any, Protocol

import msgspec

from perfcast.errors import Conflict, InvalidInput
from perfcast.manifest import COVERAGES
from perfcast.networks._answer import answer_network
from perfcast.networks._apart import read_onnx_apart, shown_name
from perfcast.networks._call import OPERATORS, Plan
from perfcast.networks._devices import Device, find_device, learn_device
from perfcast.networks._estimate import Ask, Costs
from perfcast.networks._graph import Graph, Shape
from perfcast.networks._layers import plan_of_layers
from perfcast.networks._presets import read_preset
from perfcast.networks._whole import Whole
from perfcast.workloads import Rows, Workload, builtin_workloads

MOST_IMAGES = 4096
_Size = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
_KEPT = 32
"""Devices whose whole networks are remembered, each with the versions that answered."""

_GRAPHS = 8
"""Files whose graphs are remembered: one is asked for at several batches and devices."""


class Model(Protocol):
    """A version that answers: its reference, what it was trained for, and how to ask it for many rows."""

    @property
    def name(self) -> str: ...
    @property
    def workload(self) -> Workload: ...
    def predict(self, rows: Rows, coverage: float = ...) -> Costs: ...


Find = Callable[[str], Model]
"""The version that answers for a model's name.

Raises:
    UnknownModel, NoUsableModel: There is none.
"""


class NetworkQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /networks/predict`: a network, and where it runs.

    Attributes:
        preset: The name of one.
        layers: Calls one after the other, each `operator` (`convolution` if left out) with its features, a `name` and
            a `count`.
        device: The suffix of the models that know it, such as `cpu-torch`.
        batch_size: Images a call.
        coverage: Of the interval.
        input_shape: Of an ONNX file's input, batch first, where the file leaves other sizes than the batch open.
    """

    preset: str | None = None
    layers: Sequence[Mapping[str, Any]] | None = None
    device: str = "cpu-torch"
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=MOST_IMAGES)] = 1
    coverage: float = 0.9
    input_shape: tuple[_Size, ...] | None = None


class Networks:
    """Answers for whole networks with the models of a place; remembers what measured networks teach about them."""

    def __init__(self) -> None:
        self._learnt: dict[tuple[str, ...], Whole | None] = {}
        self._learning, self._keeping = Lock(), Lock()
        self._graphs: OrderedDict[str, Graph] = OrderedDict()

    def read(self, content: bytes, name: str, input_shape: Shape | None = None) -> Graph:
        """What an ONNX file's content says, read in a process of its own; the last few are remembered.

        Raises:
            InvalidInput, MissingDependency: As of `read_onnx_apart`.
        """
        key = f"{sha256(content).hexdigest()} {input_shape}"
        graph = self._graphs.get(key) or read_onnx_apart(content, input_shape)
        with self._keeping:
            self._graphs[key] = graph
            self._graphs.move_to_end(key)
            while len(self._graphs) > _GRAPHS:
                self._graphs.popitem(last=False)
        return msgspec.structs.replace(graph, name=shown_name(name))

    def answer(
        self, question: NetworkQuestion, models: Sequence[str], find: Find, *, graph: Graph | None = None
    ) -> dict[str, Any]:
        """What a network costs.

        Args:
            question: What is asked.
            models: The names of all models that can answer.
            find: Who answers for one of them.
            graph: What was read of an ONNX file; the question then names no other network.

        Raises:
            InvalidInput: Names the field that is wrong.
            Conflict: A version was trained on other features than calls are described by.
        """
        if question.coverage not in COVERAGES:
            known = ", ".join(map(str, COVERAGES))
            raise InvalidInput.of("coverage", f"must be one of {known}, got {question.coverage}")
        network = _network_of(question, graph)
        device = find_device(question.device, models)
        used = {workload: find(name) for workload, name in device.models.items() if name in models}
        for workload, model in used.items():
            _check_features(workload, model)
        ask: Ask = {
            workload: lambda rows, model=model: model.predict(rows, question.coverage)  # type: ignore[misc]
            for workload, model in used.items()
        }
        whole = self._whole(device, used, ask)
        found = answer_network(network, device, question.batch_size, ask, whole, question.coverage)
        return {**found, "models": {workload: model.name for workload, model in used.items()}}

    def _whole(self, device: Device, used: Mapping[str, Model], ask: Ask) -> Whole | None:
        """What the device's measured networks teach its present versions; nothing without a model of operators."""
        if OPERATORS not in used:
            return None
        key = (device.name, *(used[workload].name for workload in sorted(used)))
        with self._learning:
            if key not in self._learnt:
                while len(self._learnt) >= _KEPT:
                    del self._learnt[next(iter(self._learnt))]
                self._learnt[key] = learn_device(device, ask)
            return self._learnt[key]


def _check_features(workload: str, model: Model) -> None:
    """Refuse a version of before its workload had all its features."""
    if model.workload.feature_names != builtin_workloads()[workload].feature_names:
        raise Conflict(f"{model.name} was trained on other features than {workload} has now; train it anew")


def _network_of(question: NetworkQuestion, graph: Graph | None) -> Graph | Plan:
    """The one network that is asked for."""
    given = {"preset": question.preset, "layers": question.layers, "network": graph}
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        raise InvalidInput.of(
            "preset", f"give one of preset, layers and an ONNX file, got {' and '.join(named) or 'none'}"
        )
    if graph is not None:
        return graph
    if question.input_shape is not None:
        raise InvalidInput.of("input_shape", "is of an ONNX file's input, and no file is given")
    return plan_of_layers(question.layers) if question.layers is not None else read_preset(question.preset or "")
