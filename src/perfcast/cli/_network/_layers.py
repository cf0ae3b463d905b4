"""Where a network's time goes: its dearest layers, and what each operator takes."""

from collections import Counter
from collections.abc import Sequence

from perfcast.cli._output import say, show_table
from perfcast_client.answers import NetworkAnswer, NetworkLayer

_SHOWN = 25
_BAR = 30
"""Letters of the longest bar."""


def show_layers(answer: NetworkAnswer) -> None:
    """The dearest layers as bars, then the operators."""
    say(f"\n{answer.device}, a batch of {answer.batch_size}: the dearest of {len(answer.layers)} layers")
    dearest = sorted(answer.layers, key=lambda layer: -layer.execution_time_ms)[:_SHOWN]
    most = max((layer.share for layer in dearest), default=0.0)
    rows = [(*_told(layer), bar(layer.share, most)) for layer in dearest]
    show_table(("layer", "operator", "makes", "GFLOP", "MB", "ms", "share", ""), rows)
    rest = sum(layer.execution_time_ms for layer in answer.layers) - sum(layer.execution_time_ms for layer in dearest)
    if len(answer.layers) > len(dearest):
        say(f"the other {len(answer.layers) - len(dearest)}: {rest:,.4g} ms")
    print()
    show_table(("operator", "layers", "ms", "share"), _operators(answer.layers))


def bar(share: float, most: float) -> str:
    """A bar as long as its share of the longest, in eighths of a letter."""
    eighths = round(8 * _BAR * max(0.0, share) / most) if most > 0 else 0
    whole, part = divmod(eighths, 8)
    return "█" * whole + (" ▏▎▍▌▋▊▉"[part] if part else "")


def _told(layer: NetworkLayer) -> tuple[object, ...]:
    shape = " x ".join(map(str, layer.output_shape))
    name = f"{layer.name} (beyond)" if layer.extrapolated else layer.name
    share = f"{100 * layer.share:.1f} %"
    return name, layer.operator, shape, layer.gigaflops, layer.megabytes, layer.execution_time_ms, share


def _operators(layers: Sequence[NetworkLayer]) -> list[tuple[object, ...]]:
    """What the layers of each operator take together, the dearest first."""
    count: Counter[str] = Counter(layer.operator for layer in layers)
    ms: dict[str, float] = dict.fromkeys(count, 0.0)
    share: dict[str, float] = dict.fromkeys(count, 0.0)
    for layer in layers:
        ms[layer.operator] += layer.execution_time_ms
        share[layer.operator] += layer.share
    order = sorted(count, key=lambda operator: -ms[operator])
    return [(operator, count[operator], ms[operator], f"{100 * share[operator]:.1f} %") for operator in order]
