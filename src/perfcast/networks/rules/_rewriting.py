"""A graph whose nodes are merged step by step, as runtimes do it."""

from collections.abc import Iterator, Sequence

from perfcast.networks._graph import Graph, Node, Shape


class Rewriting:
    """The nodes of a graph while some of them become one.

    Args:
        graph: What it starts from, and whose shapes and weights it knows.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._nodes: dict[int, Node] = dict(enumerate(graph.nodes))
        self._places = {node.name: place for place, node in self._nodes.items()}
        self._covered: dict[str, tuple[str, ...]] = {node.name: (node.name,) for node in graph.nodes}
        self._makers: dict[str, Node] = {}
        self._readers: dict[str, dict[str, Node]] = {}
        for node in graph.nodes:
            self._link(node)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """In an order in which they can run."""
        return tuple(self._nodes[place] for place in sorted(self._nodes))

    def each(self, *operators: str) -> Iterator[Node]:
        """The nodes of some operators, in order, each as it is by then."""
        for place in sorted(self._nodes):
            node = self._nodes.get(place)
            if node is not None and node.operator in operators:
                yield node

    def covered(self, node: Node) -> tuple[str, ...]:
        """The names of all nodes of the graph that a node now does the work of."""
        return self._covered[node.name]

    def shape(self, tensor: str) -> Shape:
        """Of a tensor, for a batch of one."""
        return self.graph.shapes[tensor]

    def constant(self, tensor: str) -> bool:
        """Whether a tensor doesn't depend on the network's input."""
        return tensor in self.graph.weights

    def scalar(self, tensor: str) -> bool:
        """Whether a tensor is one number that doesn't depend on the network's input."""
        return self.constant(tensor) and self.graph.elements(tensor) == 1

    def maker(self, tensor: str, *operators: str) -> Node | None:
        """The node that makes a tensor, if it is one of these operators (or any, where none are named)."""
        node = self._makers.get(tensor)
        return node if node is not None and (not operators or node.operator in operators) else None

    def readers(self, tensor: str) -> tuple[Node, ...]:
        """All nodes that read a tensor, each once."""
        return tuple(self._readers.get(tensor, {}).values())

    def uses(self, tensor: str) -> int:
        """How often a tensor is read; what the caller gets counts as one more."""
        reads = sum(node.inputs.count(tensor) for node in self.readers(tensor))
        return reads + (tensor in self.graph.outputs)

    def follower(self, node: Node, *operators: str) -> Node | None:
        """The one node that reads what a node makes, if nothing else needs it and it is one of these operators."""
        readers = self.readers(node.outputs[0])
        alone = len(readers) == 1 and len(node.outputs) == 1 and node.outputs[0] not in self.graph.outputs
        return readers[0] if alone and (not operators or readers[0].operator in operators) else None

    def merge(self, parts: Sequence[Node], into: Node, *, first: bool = False) -> Node:
        """One node stands for several, where the last of them stood, or the first where they only read the same."""
        places = [self._places[part.name] for part in parts]
        place = min(places) if first else max(places)
        covered = tuple(dict.fromkeys(name for part in parts for name in self._covered[part.name]))
        for part in parts:
            self._unlink(part)
        self._nodes[place], self._places[into.name], self._covered[into.name] = into, place, covered
        self._link(into)
        return into

    def unite(self, kept: Node, node: Node) -> None:
        """One node stands for another that does the same; those that read the other's output read its output."""
        self._covered[kept.name] += self._covered[node.name]
        self._unlink(node)
        renamed = dict(zip(node.outputs, kept.outputs, strict=True))
        for name in node.outputs:
            for reader in self.readers(name):
                inputs = tuple(renamed.get(tensor, tensor) for tensor in reader.inputs)
                into = Node(reader.name, reader.operator, inputs, reader.outputs, reader.attributes)
                self.merge([reader], into)

    def _link(self, node: Node) -> None:
        for name in node.outputs:
            self._makers[name] = node
        for name in node.inputs:
            self._readers.setdefault(name, {})[node.name] = node

    def _unlink(self, node: Node) -> None:
        del self._nodes[self._places.pop(node.name)]
        for name in node.outputs:
            del self._makers[name]
        for name in dict.fromkeys(node.inputs):
            del self._readers[name][node.name]
