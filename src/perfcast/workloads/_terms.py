"""Expressions of many quantities as few steps: in each, one operator is applied to all that are ready for it.

What several expressions share is one term, and what has no names in it is computed at once. The order of steps comes
from a beam search (Lowerre 1976): of all beginnings those are followed that have made most of what is far from the end.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from perfcast.workloads._expressions import ArrayArithmetic, Expression, Name, Number, Operation, Operator

Term: TypeAlias = int
"""A term's number: it comes after those that it is made of."""
FOLLOWED = 16
"""How many beginnings of an order are followed at a time."""
FARTHER = 1.3
"""By how much more a term counts than one that is made of it."""
_SWAPPED: tuple[Operator, ...] = ("add", "multiply", "minimum", "maximum")


@dataclass(frozen=True)
class Step:
    """An operator, the terms that it makes, and its arguments' terms, one list for each argument."""

    operator: Operator
    terms: tuple[Term, ...]
    arguments: tuple[tuple[Term, ...], ...]


@dataclass(frozen=True)
class Plan:
    """How to compute many expressions.

    Attributes:
        columns: The term of each name that is read, by name.
        constants: The value of each constant term; float32 numbers.
        steps: In order.
        outputs: The term of each expression.
    """

    columns: Mapping[str, Term]
    constants: Mapping[Term, float]
    steps: tuple[Step, ...]
    outputs: tuple[Term, ...]


def plan(expressions: Mapping[str, Expression], wanted: Iterable[Expression]) -> Plan:
    """Plan what is wanted.

    Args:
        expressions: What a name stands for, over features and names before it; the others are features.
        wanted: Expressions over all these names.
    """
    terms = _Terms()
    for name, expression in expressions.items():
        terms.named[name] = terms.of(expression)
    outputs = tuple(terms.of(expression) for expression in wanted)
    return Plan(terms.columns, terms.constants, _Order(_needed(terms.operations, outputs)).steps(), outputs)


class _Terms:
    """Terms as they are met, each once."""

    def __init__(self) -> None:
        self.named: dict[str, Term] = {}
        self.columns: dict[str, Term] = {}
        self.constants: dict[Term, float] = {}
        self.operations: dict[Term, tuple[Operator, tuple[Term, ...]]] = {}
        self._known: dict[object, Term] = {}

    def of(self, expression: Expression) -> Term:
        """The term of an expression."""
        match expression:
            case Number(value):
                return self._constant(value)
            case Name(name):
                return self.named[name] if name in self.named else self._column(name)
            case Operation(operator, arguments):
                return self._operation(operator, tuple(self.of(argument) for argument in arguments))

    def _new(self, key: object) -> Term:
        return self._known.setdefault(key, len(self._known))

    def _constant(self, value: float) -> Term:
        exact = float(_NUMBERS.constant(value))
        term = self._new((exact, str(exact)))  # 0 and -0 are equal, but not the same
        self.constants[term] = exact
        return term

    def _column(self, name: str) -> Term:
        return self.columns.setdefault(name, self._new(name))

    def _operation(self, operator: Operator, arguments: tuple[Term, ...]) -> Term:
        if all(argument in self.constants for argument in arguments):
            values = [_NUMBERS.constant(self.constants[argument]) for argument in arguments]
            return self._constant(float(_NUMBERS.apply(operator, values)))
        if operator in _SWAPPED and arguments[0] in self.constants:
            arguments = arguments[::-1]  # so that constants stand on one side, where they need not be gathered
        term = self._new((operator, arguments))
        self.operations[term] = operator, arguments
        return term


_NUMBERS = ArrayArithmetic()
_Operations: TypeAlias = Mapping[Term, tuple[Operator, tuple[Term, ...]]]


def _needed(operations: _Operations, outputs: Sequence[Term]) -> _Operations:
    needed = set(outputs)
    for term in sorted(operations, reverse=True):
        if term in needed:
            needed.update(operations[term][1])
    return {term: operation for term, operation in sorted(operations.items()) if term in needed}


@dataclass(frozen=True)
class _Begun:
    """A beginning of an order.

    Attributes:
        weight: Of the terms that are made.
        ready: Which can be made next.
        waits: For each of the others, how many of its arguments have not been made.
        steps: The terms that each step makes.
    """

    weight: float
    ready: frozenset[Term]
    waits: Mapping[Term, int]
    steps: tuple[tuple[Term, ...], ...]


class _Order:
    """The search for an order of few steps."""

    def __init__(self, operations: _Operations) -> None:
        self.operations = operations
        self.users: defaultdict[Term, list[Term]] = defaultdict(list)
        for term, (_, arguments) in operations.items():
            for argument in set(arguments):
                self.users[argument].append(term)
        self.weights: dict[Term, float] = {}
        for term in sorted(operations, reverse=True):
            self.weights[term] = FARTHER * max((self.weights[user] for user in self.users[term]), default=1.0)

    def steps(self) -> tuple[Step, ...]:
        """Follow the most promising beginnings until one of them has made everything."""
        waits = {term: len(self.operations.keys() & set(args)) for term, (_, args) in self.operations.items()}
        ready = frozenset(term for term, count in waits.items() if not count)
        begun = [_Begun(0.0, ready, waits, ())]
        while begun[0].ready:
            longer = {after.ready: after for before in begun for after in self._after(before)}
            begun = sorted(longer.values(), key=lambda one: (bool(one.ready), -one.weight, one.steps))[:FOLLOWED]
        return tuple(map(self._step, begun[0].steps))

    def _after(self, begun: _Begun) -> Iterator[_Begun]:
        """The beginnings that are one step longer."""
        ready: defaultdict[Operator, list[Term]] = defaultdict(list)
        for term in sorted(begun.ready):
            ready[self.operations[term][0]].append(term)
        for made in ready.values():
            waits = dict(begun.waits)
            for user in (user for term in made for user in self.users[term]):
                waits[user] -= 1
            freed = {user for term in made for user in self.users[term] if not waits[user]}
            weight = begun.weight + sum(self.weights[term] for term in made)
            yield _Begun(weight, begun.ready.difference(made) | freed, waits, (*begun.steps, tuple(made)))

    def _step(self, terms: tuple[Term, ...]) -> Step:
        """The step that makes these terms."""
        arguments = zip(*(self.operations[term][1] for term in terms), strict=True)
        return Step(self.operations[terms[0]][0], terms, tuple(arguments))
