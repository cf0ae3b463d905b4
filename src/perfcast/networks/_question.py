"""What is asked of a network, and who answers: the body of `POST /networks/predict`."""

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Annotated, Any, Protocol

import msgspec

from perfcast.errors import InvalidInput
from perfcast.networks._answer import answer_network
from perfcast.networks._call import OPERATORS
from perfcast.networks._devices import Device, find_device, learn_device
from perfcast.networks._estimate import Ask, Costs
from perfcast.networks._graph import Graph
from perfcast.networks._layers import graph_of_layers
from perfcast.networks._presets import read_preset
from perfcast.networks._whole import Whole
from perfcast.workloads import Rows

MOST_IMAGES = 4096
_KEPT = 32
"""Devices whose whole networks are remembered, each with the versions that answered."""


class Model(Protocol):
    """A version that answers: its reference, and how to ask it for many rows."""

    @property
    def name(self) -> str: ...
    def predict(self, rows: Rows, coverage: float = ...) -> Costs: ...


Find = Callable[[str], Model]
"""The version that answers for a model's name.

Raises:
    UnknownModel, NoUsableModel: There is none.
"""


class NetworkQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /networks/predict`: a network in one of three forms, and where it runs.

    Attributes:
        preset: The name of one.
        layers: Calls one after the other, each `operator` (`convolution` if left out) with its features, a `name` and
            a `count`.
        graph: What `perfcast.networks.read_onnx` makes of an ONNX file.
        device: The suffix of the models that know it, such as `cpu-torch`.
        batch_size: Images a call.
        coverage: Of the interval.
    """

    preset: str | None = None
    layers: Sequence[Mapping[str, Any]] | None = None
    graph: Graph | None = None
    device: str = "cpu-torch"
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=MOST_IMAGES)] = 1
    coverage: float = 0.9


class Networks:
    """Answers for whole networks with the models of a place; remembers what measured networks teach about them."""

    def __init__(self) -> None:
        self._learnt: dict[tuple[str, ...], Whole | None] = {}
        self._learning = Lock()

    def answer(self, question: NetworkQuestion, models: Sequence[str], find: Find) -> dict[str, Any]:
        """What a network costs.

        Args:
            question: What is asked.
            models: The names of all models that can answer.
            find: Who answers for one of them.

        Raises:
            InvalidInput: Names the field that is wrong.
        """
        graph = _graph_of(question)
        device = find_device(question.device, models)
        used = {workload: find(name) for workload, name in device.models.items() if name in models}
        ask: Ask = {
            workload: lambda rows, model=model: model.predict(rows, question.coverage)  # type: ignore[misc]
            for workload, model in used.items()
        }
        whole = self._whole(device, used, ask)
        found = answer_network(graph, device, question.batch_size, ask, whole, question.coverage)
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


def _graph_of(question: NetworkQuestion) -> Graph:
    given = [name for name in ("preset", "layers", "graph") if getattr(question, name) is not None]
    if len(given) != 1:
        raise InvalidInput.of("preset", f"give one of preset, layers and an ONNX file, got {', '.join(given) or 'none'}")
    if question.preset is not None:
        return read_preset(question.preset)
    return question.graph if question.graph is not None else graph_of_layers(question.layers or ())
