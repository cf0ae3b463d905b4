"""Exact arithmetic over named quantities: one definition, run on numbers, on arrays and in a graph (rule R2).

An expression is text such as ``floor((width + 2 * padding - kernel_size) / stride) + 1``. It is parsed with Python's
own grammar and never evaluated by Python: only numbers, names (any text in backticks is one), ``+ - * / // %``,
``floor ceil min max abs`` and, in rules, one comparison are known. ``//``, ``%`` and ``abs`` are spelled out in the
other operations when parsed, so whoever runs an expression implements eight operations and nothing else. All eight are
exact or correctly rounded in IEEE 754, so training (NumPy) and serving (ONNX Runtime) get the same bits from the same
float32 features.
"""

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from perfcast.errors import InvalidDeclaration

Operator = Literal["add", "subtract", "multiply", "divide", "floor", "ceil", "minimum", "maximum"]
Quantity = TypeVar("Quantity")
Array: TypeAlias = npt.NDArray[np.float32]
Scalar: TypeAlias = Callable[[Sequence[float]], float]

_LONGEST = 2_000
_QUOTED = "quoted_0x"
"""Begins what stands for a name in backticks while Python parses it."""
_DEEPEST = 60
_MOST_DOUBLED = 4
"""How many `%` and `abs` may stand inside one another: each writes its operands twice, so their number doubles."""
_BINARY: dict[type[ast.operator], Operator] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
}
_COMPARISON: dict[type[ast.cmpop], Callable[..., Any]] = {
    ast.LtE: operator.le,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Name:
    """A feature or an earlier derived quantity."""

    name: str


@dataclass(frozen=True)
class Operation:
    """An operator with one argument (floor, ceil) or two (the others)."""

    operator: Operator
    arguments: tuple["Expression", ...]


Expression: TypeAlias = Number | Name | Operation


@dataclass(frozen=True)
class Comparison:
    """A rule that must hold: `relation(left, right)`, of numbers and of arrays."""

    left: Expression
    relation: Callable[..., Any]
    right: Expression


class Arithmetic(Protocol[Quantity]):
    """Whatever can run an expression: NumPy arrays here, graph variables in `perfcast.export`."""

    def constant(self, value: float) -> Quantity:
        """The number as a quantity."""

    def apply(self, operator: Operator, arguments: Sequence[Quantity]) -> Quantity:
        """The operator's result."""


class ArrayArithmetic:
    """Runs expressions on float32 arrays of shape [rows]."""

    _functions: Mapping[Operator, Callable[..., Array]] = {
        "add": np.add,
        "subtract": np.subtract,
        "multiply": np.multiply,
        "divide": np.divide,
        "floor": np.floor,
        "ceil": np.ceil,
        "minimum": np.minimum,
        "maximum": np.maximum,
    }

    def constant(self, value: float) -> Array:
        """A float32 array of shape []."""
        return np.asarray(value, dtype=np.float32)

    def apply(self, operator: Operator, arguments: Sequence[Array]) -> Array:
        """The operator on float32 arrays; dividing by zero gives an infinity or NaN, without a warning."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return self._functions[operator](*arguments)


def evaluate(expression: Expression, values: Mapping[str, Quantity], arithmetic: Arithmetic[Quantity]) -> Quantity:
    """Run an expression that `parse` returned; `values` has a quantity for each name in it."""
    match expression:
        case Number(value):
            return arithmetic.constant(value)
        case Name(name):
            return values[name]
        case Operation(operator, arguments):
            return arithmetic.apply(operator, [evaluate(a, values, arithmetic) for a in arguments])


def names(expression: Expression) -> Iterator[str]:
    """Every name in the expression, repeated as often as it stands there."""
    match expression:
        case Name(name):
            yield name
        case Operation(_, arguments):
            for argument in arguments:
                yield from names(argument)


def parse(text: str) -> Expression:
    """Read an arithmetic expression.

    Raises:
        InvalidDeclaration: It is not one; the text shows what is not understood.
    """
    return _expression(_tree(text), text)


def parse_comparison(text: str) -> Comparison:
    """Read a rule: two expressions with one of ``< <= > >= == !=`` between.

    Raises:
        InvalidDeclaration: It is not one.
    """
    tree = _tree(text)
    if not (isinstance(tree, ast.Compare) and len(tree.ops) == 1 and type(tree.ops[0]) in _COMPARISON):
        raise InvalidDeclaration(f"rule '{text}' must compare two expressions, as in 'a + b <= c'")
    relation = _COMPARISON[type(tree.ops[0])]
    return Comparison(_expression(tree.left, text), relation, _expression(tree.comparators[0], text))


def _tree(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise InvalidDeclaration(f"expression of {len(text)} characters; the most is {_LONGEST}")
    try:
        plain = re.sub(r"`([^`]+)`", lambda quoted: _QUOTED + quoted[1].encode().hex(), text.strip())
        return ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InvalidDeclaration(f"'{text}' is not an arithmetic expression") from None


def _expression(node: ast.expr, text: str, depth: int = 0, doubled: int = 0) -> Expression:
    if depth > _DEEPEST or doubled > _MOST_DOUBLED:
        raise InvalidDeclaration(
            f"'{text[:60]}…' is nested too deeply: at most {_DEEPEST} levels, and {_MOST_DOUBLED} of % and abs"
        )

    def inner(operand: ast.expr, *, twice: bool = False) -> Expression:
        return _expression(operand, text, depth + 1, doubled + twice)

    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return Number(float(value))
        case ast.Name(id=name):
            quoted = name.startswith(_QUOTED)
            return Name(bytes.fromhex(name.removeprefix(_QUOTED)).decode() if quoted else name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _negative(inner(operand))
        case ast.BinOp(left=left, op=operator, right=right):
            twice = isinstance(operator, ast.Mod)
            return _binary(operator, inner(left, twice=twice), inner(right, twice=twice), text)
        case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]):
            return _call(function, [inner(argument, twice=function == "abs") for argument in arguments], text)
    raise InvalidDeclaration(
        f"'{ast.unparse(node)}' in '{text}' is not known; known are numbers, names, + - * / // % "
        "and floor, ceil, min, max, abs"
    )


def _negative(operand: Expression) -> Expression:
    if isinstance(operand, Number):
        return Number(-operand.value)
    return Operation("subtract", (Number(0.0), operand))


def _binary(operator: ast.operator, left: Expression, right: Expression, text: str) -> Expression:
    if isinstance(operator, ast.Add | ast.Mult):
        return _in_pairs(_BINARY[type(operator)], left, right)
    if type(operator) in _BINARY:
        return Operation(_BINARY[type(operator)], (left, right))
    quotient = Operation("floor", (Operation("divide", (left, right)),))
    if isinstance(operator, ast.FloorDiv):
        return quotient
    if isinstance(operator, ast.Mod):
        return Operation("subtract", (left, Operation("multiply", (right, quotient))))
    raise InvalidDeclaration(f"operator {type(operator).__name__} in '{text}' is not known; known are + - * / // %")


def _in_pairs(operator: Operator, left: Expression, right: Expression) -> Expression:
    """A sum or product of several as a balanced tree: less deep, so that a graph has fewer steps."""
    parts = [part for side in (left, right) for part in _parts(operator, side)]
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        parts = [Operation(operator, pair) for pair in pairs] + parts[len(parts) // 2 * 2 :]
    return parts[0]


def _parts(operator: Operator, expression: Expression) -> Iterator[Expression]:
    if isinstance(expression, Operation) and expression.operator == operator:
        for argument in expression.arguments:
            yield from _parts(operator, argument)
    else:
        yield expression


def _call(function: str, arguments: Sequence[Expression], text: str) -> Expression:
    count = len(arguments)
    if function in ("floor", "ceil") and count == 1:
        return Operation("floor" if function == "floor" else "ceil", (arguments[0],))
    if function == "abs" and count == 1:
        return Operation("maximum", (arguments[0], _negative(arguments[0])))
    if function in ("min", "max") and count >= 2:
        operator: Operator = "minimum" if function == "min" else "maximum"
        return reduce(lambda left, right: Operation(operator, (left, right)), arguments)
    raise InvalidDeclaration(
        f"{function}() with {count} arguments in '{text}' is not known; known are floor(a), ceil(a), abs(a), "
        "min(a, b, …), max(a, b, …)"
    )
