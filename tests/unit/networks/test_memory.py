"""How much memory a network needs at least."""

import pytest

from perfcast.networks import Graph, Node, presets, read_preset
from perfcast.networks._memory import memory_bytes

IMAGE = (1, 10, 10, 10)


def test_weights_and_what_lives_at_one_time() -> None:
    """While the convolution runs, what the sum needs later lives beside its input and output."""
    nodes = (
        Node("first", "MaxPool", ("x",), ("a",)),
        Node("second", "Conv", ("a", "w"), ("b",)),
        Node("over", "Relu", ("b",), ("c",)),
        Node("sum", "Add", ("a", "c"), ("y",)),
    )
    shapes = dict.fromkeys("xabcy", IMAGE) | {"w": (10, 10, 1, 1)}
    graph = Graph("small", ("x",), ("y",), nodes, shapes, frozenset("w"))
    assert memory_bytes(graph, 1) == 4 * (100 + 3 * 1000)
    assert memory_bytes(graph, 8) == 4 * (100 + 8 * 3 * 1000)


def test_what_overwrites_its_input_needs_no_more() -> None:
    nodes = (Node("over", "Relu", ("x",), ("a",)), Node("again", "Reshape", ("a",), ("y",)))
    shapes = {"x": IMAGE, "a": IMAGE, "y": (1, 1000)}
    assert memory_bytes(Graph("flat", ("x",), ("y",), nodes, shapes), 1) == 4 * 1000
    kept = Graph("kept", ("x",), ("a", "y"), nodes, shapes)
    assert memory_bytes(kept, 1) == 4 * 2000


@pytest.mark.parametrize("name", presets())
def test_it_grows_with_the_batch_and_holds_all_weights(name: str) -> None:
    graph = read_preset(name)
    one, two, three = (memory_bytes(graph, batch) for batch in (1, 2, 3))
    assert two - one == three - two >= 4 * graph.elements(graph.inputs[0])
    assert 2 * one - two == 4 * graph.parameters
