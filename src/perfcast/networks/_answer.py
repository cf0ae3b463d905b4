"""What a network costs on a device, as an answer: of `POST /networks/predict` and `perfcast network`."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from perfcast.errors import InvalidInput
from perfcast.networks._call import Call, Plan
from perfcast.networks._devices import Device
from perfcast.networks._estimate import Ask, Column, Sum, add_up, by_layer, hold_spared
from perfcast.networks._graph import FLOAT_BYTES, Graph
from perfcast.networks._memory import memory_bytes
from perfcast.networks._plan import plan
from perfcast.networks._whole import Whole

_MOST_MISSING = 0.02
"""Of all moved bytes: where the time of more isn't known, nobody can say between which bounds the whole lies."""


def answer_network(
    network: Graph | Plan, device: Device, batch_size: int, ask: Ask, whole: Whole | None, coverage: float = 0.9
) -> dict[str, Any]:
    """What one call of a network takes, and of what that is the sum.

    Args:
        network: A network, or the calls of layers that nobody fuses.
        device: Where it runs.
        batch_size: Images a call.
        ask: The device's models.
        whole: What networks measured there have taught; the sum of the calls alone where there is none.
        coverage: Of the interval.

    Raises:
        InvalidInput: Nothing of the network is known.
    """
    calls = network if isinstance(network, Plan) else plan(network, device.runtime)
    found = add_up(calls, batch_size, ask)
    if not found.calls:
        raise InvalidInput.of("network", f"has nothing whose time is known on {device.name}")
    if isinstance(network, Plan):
        whole = None  # nobody measured lists of layers
    times = hold_spared(found.calls, whole.each(found.terms)) if whole else found.ms
    total = float(times.sum())
    lower, upper = _bounds(found, total, whole, coverage)
    layers = _layers(found, times)
    missing = _missing_share(found, sum(layer["megabytes"] for layer in layers))
    if missing > _MOST_MISSING:
        lower = upper = None
    return {
        "network": "layers" if isinstance(network, Plan) else network.name,
        "device": device.name,
        "batch_size": batch_size,
        "execution_time_ms": total,
        "lower_ms": lower,
        "upper_ms": upper,
        "coverage": coverage if lower is not None else None,
        "images_per_second": 1e3 * batch_size / total if total > 0 else None,
        "calibrated_on": whole.networks if whole else 0,
        "parameters": _parameters(network),
        "gigaflops": sum(layer["gigaflops"] for layer in layers),
        "memory_mb": _memory_bytes(network, batch_size) / 1e6,
        "calls": sum(call.sign > 0 and not call.inside for call in found.calls),
        "layers": layers,
        "extrapolated": [layer["name"] for layer in layers if layer["extrapolated"]],
        "not_modelled": _not_modelled(found),
        "not_modelled_share": missing,
    }


def _parameters(network: Graph | Plan) -> int:
    if isinstance(network, Plan):
        return sum(call.weight_bytes for call in network.calls) // FLOAT_BYTES
    return network.parameters


def _memory_bytes(network: Graph | Plan, batch_size: int) -> int:
    """Of layers all weights, and what the largest one reads and writes."""
    if isinstance(network, Graph):
        return memory_bytes(network, batch_size)
    largest = max((call.moved_bytes for call in network.calls), default=0)
    return FLOAT_BYTES * _parameters(network) + batch_size * largest


def _bounds(found: Sum, total: float, whole: Whole | None, coverage: float) -> tuple[float | None, float | None]:
    """By what measured networks teach; else as if the errors of all calls had one sign, since they are alike."""
    if whole is not None:
        factor = whole.spread(found.terms.sum(axis=0), coverage)
        return total / factor, total * factor
    if found.lower is None or found.upper is None:
        return None, None
    return float(np.clip(found.lower.sum(), 0.0, total)), max(float(found.upper.sum()), total)


def _layers(found: Sum, times: Column) -> list[dict[str, Any]]:
    """A row a node that calls are named after; what one of its nodes is spared is taken off its time."""
    total = max(float(times.sum()), 1e-12)
    rows = []
    for name, own in by_layer(found.calls).items():
        calls = [found.calls[at] for at in own]
        ms = float(times[own].sum())
        rows.append({**_described(name, calls, found.batch_size), "execution_time_ms": ms, "share": ms / total})
        rows[-1]["extrapolated"] = bool(found.extrapolated[own].any())
    return rows


def _described(name: str, calls: Sequence[Call], batch_size: int) -> dict[str, Any]:
    made = [call for call in calls if call.sign > 0] or list(calls)
    first = made[0]
    return {
        "name": name,
        "operator": first.operator,
        "nodes": [node for call in made for node in call.nodes],
        "input_shape": [batch_size * first.input_shape[0], *first.input_shape[1:]],
        "output_shape": [batch_size * first.output_shape[0], *first.output_shape[1:]],
        "gigaflops": sum(call.flops for call in made) / 1e9,
        "megabytes": sum(call.moved_bytes + call.weight_bytes for call in made) / 1e6,
    }


def _not_modelled(found: Sum) -> list[dict[str, Any]]:
    """By operator and reason: how often, and how much is moved."""
    counted = Counter((item.operator, item.reason) for item in found.unmodelled)
    moved: Counter[tuple[str, str]] = Counter()
    names: dict[tuple[str, str], list[str]] = {}
    for item in found.unmodelled:
        moved[item.operator, item.reason] += item.moved_bytes * found.batch_size
        names.setdefault((item.operator, item.reason), []).append(item.name)
    return [
        {
            "operator": operator,
            "reason": reason,
            "count": count,
            "megabytes": moved[operator, reason] / 1e6,
            "nodes": names[operator, reason],
        }
        for (operator, reason), count in counted.most_common()
    ]


def _missing_share(found: Sum, moved: float) -> float:
    """Share of all moved bytes whose time isn't known."""
    missing = sum(item.moved_bytes for item in found.unmodelled) * found.batch_size / 1e6
    return missing / (missing + moved) if missing else 0.0
