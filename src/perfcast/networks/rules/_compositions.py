"""Operators that a file writes as several nodes: found by their form, and made one again.

The values of constants aren't kept in a graph; that a number is 0.5 or √2 follows from where it stands.
"""

from perfcast.networks._graph import Node
from perfcast.networks.rules._rewriting import Rewriting


def compose(rewriting: Rewriting) -> None:
    """Make SiLU, HardSwish, GELU, LayerNormalization and Gemm one node each where they are written as their parts."""
    for operator, form in (
        ("Mul", _gated), ("Erf", _error_gelu), ("ReduceMean", _layer_normalization), ("MatMul", _biased),
    ):  # fmt: skip
        for node in rewriting.each(operator):
            form(rewriting, node)


def compose_approximations(rewriting: Rewriting) -> None:
    """Make HardSwish and GELU by its approximation one node each where they are written in plain arithmetic."""
    for node in rewriting.each("Clip"):
        _clipped_swish(rewriting, node)
    for node in rewriting.each("Tanh"):
        _tanh_gelu(rewriting, node)


def compose_attention(rewriting: Rewriting) -> None:
    """Mark products that one kernel does together with the softmax between them (`attention`).

    That kernel, PyTorch's `scaled_dot_product_attention`, is written with queries and keys both multiplied by the root
    of the factor, which it does by itself.
    """
    for softmax in rewriting.each("Softmax"):
        values = rewriting.follower(softmax, "MatMul")
        masked = rewriting.maker(softmax.inputs[0], "Add")
        scores = [rewriting.maker(name, "MatMul") for name in (masked or softmax).inputs]
        score = next((node for node in scores if node), None)
        factors = [rewriting.maker(name, "Mul") for name in score.inputs] if score else []
        sources = tuple(by_scalar(rewriting, factor) for factor in factors)
        if values is None or score is None or not all(sources):
            continue
        parts = [factor for factor in factors if factor and rewriting.follower(factor) == score]
        if len(parts) == 2:
            rewriting.merge(
                [*parts, score], Node(score.name, "MatMul", sources, score.outputs, {"attention": "scores"})
            )
            rewriting.merge(
                [values], Node(values.name, "MatMul", values.inputs, values.outputs, {"attention": "values"})
            )


def other(node: Node, tensor: str) -> str:
    """The input of a node of two inputs that isn't this one; the same one where it reads it twice."""
    return node.inputs[1] if node.inputs[0] == tensor else node.inputs[0]


def by_scalar(rewriting: Rewriting, node: Node | None) -> str:
    """The tensor that a node computes with one constant number; empty if it does something else."""
    if node is None or len(node.inputs) != 2:
        return ""
    first, second = node.inputs
    if rewriting.scalar(second) and not rewriting.constant(first):
        return first
    return second if rewriting.scalar(first) and not rewriting.constant(second) else ""


def _gated(rewriting: Rewriting, product: Node) -> None:
    """SiLU is x · Sigmoid(x), HardSwish is x · HardSigmoid(x)."""
    for tensor in product.inputs:
        gate = rewriting.maker(tensor, "Sigmoid", "HardSigmoid")
        if gate and rewriting.follower(gate) == product and gate.inputs[0] == other(product, tensor):
            operator = "Silu" if gate.operator == "Sigmoid" else "HardSwish"
            rewriting.merge([gate, product], Node(product.name, operator, gate.inputs[:1], product.outputs))
            return


def _error_gelu(rewriting: Rewriting, error: Node) -> None:
    """GELU is x · (1 + Erf(x / √2)) / 2, whichever factor is halved."""
    scaled = rewriting.maker(error.inputs[0], "Div", "Mul")
    x = by_scalar(rewriting, scaled)
    if scaled and x and rewriting.follower(scaled) == error:
        _halved(rewriting, x, [scaled, error])


def _tanh_gelu(rewriting: Rewriting, tangent: Node) -> None:
    """GELU is about x · (1 + Tanh(√(2/π) · (x + 0.044715 · x³))) / 2."""
    scaled = rewriting.maker(tangent.inputs[0], "Mul")
    total = rewriting.maker(by_scalar(rewriting, scaled), "Add")
    if scaled is None or total is None:
        return
    for x in total.inputs:
        weighed = rewriting.maker(other(total, x), "Mul")
        cube = rewriting.maker(by_scalar(rewriting, weighed), "Pow", "Mul")
        if weighed is None or cube is None or cube.inputs[0] != x:
            continue
        square = rewriting.maker(cube.inputs[1], "Mul")
        squares = [square] if square and set(square.inputs) == {x} else []
        if squares or by_scalar(rewriting, cube) == x:
            _halved(rewriting, x, [*squares, cube, weighed, total, scaled, tangent])
            return


def _halved(rewriting: Rewriting, x: str, parts: list[Node]) -> None:
    """What is common to both forms: x · (1 + parts) / 2."""
    raised = rewriting.follower(parts[-1], "Add")
    product = rewriting.follower(raised, "Mul") if raised and by_scalar(rewriting, raised) else None
    if raised is None or product is None:
        return
    factor = other(product, raised.outputs[0])
    half = rewriting.maker(factor, "Mul", "Div")
    if factor == x:
        last = rewriting.follower(product, "Mul", "Div")
        found = [*parts, raised, product, last] if last and by_scalar(rewriting, last) else None
    else:
        last, found = product, [*parts, half, raised, product] if half and by_scalar(rewriting, half) == x else None
    if last and found:
        rewriting.merge(found, Node(last.name, "Gelu", (x,), last.outputs))


def _clipped_swish(rewriting: Rewriting, clip: Node) -> None:
    """HardSwish is x · Clip(x + 3, 0, 6) / 6, whichever factor is divided; without x it is HardSigmoid."""
    raised = rewriting.maker(clip.inputs[0], "Add")
    x = by_scalar(rewriting, raised)
    if raised is None or not x or rewriting.follower(raised) != clip:
        return
    chain = [raised, clip]
    while (step := rewriting.follower(chain[-1], "Mul", "Div")) and step not in chain:
        if by_scalar(rewriting, step) or other(step, chain[-1].outputs[0]) == x:
            chain.append(step)
        else:
            break
        if len(chain) == 4:
            break
    scalings = [bool(by_scalar(rewriting, step)) for step in chain[2:]]
    if sorted(scalings) == [False, True]:
        rewriting.merge(chain, Node(chain[-1].name, "HardSwish", (x,), chain[-1].outputs))
    elif scalings[:1] == [True]:
        rewriting.merge(chain[:3], Node(chain[2].name, "HardSigmoid", (x,), chain[2].outputs))


def _layer_normalization(rewriting: Rewriting, mean: Node) -> None:
    """(x - mean) / √(mean((x - mean)²) + ε), then · γ and + β."""
    centred = rewriting.follower(mean, "Sub")
    squares = rewriting.readers(centred.outputs[0]) if centred else ()
    squared = next((node for node in squares if node.operator in {"Pow", "Mul"}), None)
    if centred is None or squared is None or centred.inputs[0] != mean.inputs[0]:
        return
    chain = [mean, centred, squared]
    for operator in ("ReduceMean", "Add", "Sqrt", "Div"):
        following = rewriting.follower(chain[-1], operator)
        if following is None:
            return
        chain.append(following)
    if chain[-1].inputs[0] != centred.outputs[0]:
        return
    weights: list[str] = []
    for operator in ("Mul", "Add"):
        following = rewriting.follower(chain[-1], operator)
        weight = other(following, chain[-1].outputs[0]) if following else ""
        if following is None or not rewriting.constant(weight):
            break
        chain.append(following)
        weights.append(weight)
    inputs = (mean.inputs[0], *weights)
    rewriting.merge(chain, Node(chain[-1].name, "LayerNormalization", inputs, chain[-1].outputs, {"axis": -1}))


def _biased(rewriting: Rewriting, product: Node) -> None:
    """Gemm is x · W + b with constants, also of more than two dimensions."""
    x, weights = product.inputs[:2]
    if rewriting.constant(x) or not rewriting.constant(weights) or len(rewriting.shape(weights)) != 2:
        return
    added = rewriting.follower(product, "Add")
    bias = other(added, product.outputs[0]) if added else ""
    if added and rewriting.constant(bias) and rewriting.graph.elements(bias) == rewriting.shape(weights)[-1]:
        rewriting.merge([product, added], Node(product.name, "Gemm", (x, weights, bias), added.outputs))
    else:
        rewriting.merge([product], Node(product.name, "Gemm", (x, weights), product.outputs))
