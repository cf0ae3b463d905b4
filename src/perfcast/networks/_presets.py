"""Networks that everybody knows, as graphs that come with Perfcast."""

import gzip
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec

from perfcast.errors import UnknownNetwork
from perfcast.networks._graph import Graph, Shape

INDEX, SUFFIX = "index.json", ".json.gz"


class PresetFacts(msgspec.Struct, frozen=True):
    """What is told of a preset without reading its graph.

    Attributes:
        name: What it is asked for by.
        title: What people call it.
        family: Whose kind it is, for groups in a list.
        input_shape: Of its input, for a batch of one.
        parameters: How many numbers it learnt.
        gigaflops: Arithmetic of its convolutions and matrix products for a batch of one, in 10⁹; a multiply-add counted
            as two.
        year: When it was published.
        source: Whose definition it is, such as `torchvision resnet50`.
    """

    name: str
    title: str
    family: str
    input_shape: Shape
    parameters: int
    gigaflops: float
    year: int
    source: str


@cache
def presets() -> Mapping[str, PresetFacts]:
    """All presets by their names, families together."""
    data = (files("perfcast.networks") / "presets" / INDEX).read_bytes()
    return MappingProxyType({item.name: item for item in msgspec.json.decode(data, type=list[PresetFacts])})


@cache
def read_preset(name: str) -> Graph:
    """The graph of a preset.

    Raises:
        UnknownNetwork: There is none of that name; tells the closest ones.
    """
    if name not in presets():
        raise UnknownNetwork(name, presets())
    data = (files("perfcast.networks") / "presets" / f"{name}{SUFFIX}").read_bytes()
    return msgspec.json.decode(gzip.decompress(data), type=Graph)
