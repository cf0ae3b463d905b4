"""A plan's steps as nodes of a graph: quantities lie one below another, so that a step is one node for all of them."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.workloads import Operator, Plan, Step, Term

_NODES: Mapping[Operator, Callable[..., spox.Var]] = {
    "add": op.add,
    "subtract": op.sub,
    "multiply": op.mul,
    "divide": op.div,
    "floor": op.floor,
    "ceil": op.ceil,
    "minimum": lambda left, right: op.min([left, right]),
    "maximum": lambda left, right: op.max([left, right]),
}


def in_bulk(plan: Plan, features: spox.Var, names: Sequence[str]) -> spox.Var:
    """The nodes that compute what is planned.

    Args:
        plan: What to compute.
        features: float32 [rows, features].
        names: The features', in the order of their columns.

    Returns:
        float32 [rows, outputs].
    """
    blocks = _Blocks(plan, features, names)
    for step in plan.steps:
        blocks.run(step)
    return op.transpose(blocks.gather(plan.outputs, blocks.where(plan.outputs)), perm=[1, 0])


class _Blocks:
    """What has been computed, block after block, each float32 [terms, rows]."""

    def __init__(self, plan: Plan, features: spox.Var, names: Sequence[str]) -> None:
        self._constants = plan.constants
        self._blocks: list[spox.Var] = []
        self._sizes: list[int] = []
        self._places: dict[Term, tuple[int, int]] = {}
        self._joined: dict[tuple[int, ...], spox.Var] = {}
        columns = [plan.columns.get(name, -1) for name in names]
        among = [term for terms in (*self._mixed(plan), plan.outputs) for term in terms if term in self._constants]
        self._begin(features, columns, list(dict.fromkeys(among)))

    def run(self, step: Step) -> None:
        """Apply the operator to all of the step's terms at once."""
        where = [self.where(terms) for terms in step.arguments]
        together = tuple(sorted({block for blocks in where if len(blocks) > 1 for block in blocks}))
        read = [together if len(blocks) > 1 else blocks for blocks in where]
        arguments = map(self._take, step.arguments, read)
        self._add(_NODES[step.operator](*arguments), step.terms)

    def where(self, terms: Sequence[Term]) -> tuple[int, ...]:
        """In which blocks terms stand."""
        return tuple(sorted({self._places[term][0] for term in terms if term in self._places}))

    def gather(self, terms: Sequence[Term], read: tuple[int, ...]) -> spox.Var:
        """These terms in this order, float32 [terms, rows], from these blocks."""
        ends = np.cumsum([0, *(self._sizes[block] for block in read)]).tolist()
        start = dict(zip(read, ends, strict=False))
        rows = [start[block] + at for block, at in (self._places[term] for term in terms)]
        block = self._join(read)
        return block if rows == list(range(ends[-1])) else op.gather(block, _indices(rows), axis=0)

    def _take(self, terms: Sequence[Term], read: tuple[int, ...]) -> spox.Var:
        """The same, but constants alone as float32 [terms, 1], or [1, 1] where they are equal."""
        if not self._are_constant(terms):
            return self.gather(terms, read)
        values = [self._constants[term] for term in terms]
        return _numbers(values[:1] if len(set(values)) == 1 else values)

    def _begin(self, features: spox.Var, columns: Sequence[Term], constants: Sequence[Term]) -> None:
        """The first block: features, and for every row the constants that stand among other terms."""
        block = op.transpose(features, perm=[1, 0])
        if constants:
            shape = op.concat([_indices([len(constants)]), op.shape(features, start=0, end=1)], axis=0)
            values = _numbers([self._constants[term] for term in constants])
            block = op.concat([block, op.expand(values, shape)], axis=0)
        self._add(block, (*columns, *constants))

    def _mixed(self, plan: Plan) -> list[tuple[Term, ...]]:
        return [terms for step in plan.steps for terms in step.arguments if not self._are_constant(terms)]

    def _are_constant(self, terms: Sequence[Term]) -> bool:
        return all(term in self._constants for term in terms)

    def _add(self, block: spox.Var, terms: Sequence[Term]) -> None:
        self._places |= {term: (len(self._blocks), at) for at, term in enumerate(terms)}
        self._blocks.append(block)
        self._sizes.append(len(terms))

    def _join(self, read: tuple[int, ...]) -> spox.Var:
        if len(read) == 1:
            return self._blocks[read[0]]
        if read not in self._joined:
            self._joined[read] = op.concat([self._blocks[block] for block in read], axis=0)
        return self._joined[read]


def _numbers(values: Sequence[float]) -> spox.Var:
    return op.constant(value=np.array(values, np.float32)[:, None])


def _indices(values: Sequence[int]) -> spox.Var:
    return op.constant(value=np.array(values, np.int64))
