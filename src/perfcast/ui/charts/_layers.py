"""Where a network's time goes: a bar a layer as they run, and one bar for all operators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from perfcast.palette import Palette
from perfcast.ui._look import faded
from perfcast.ui.charts._dress import dress

_KINDS: Mapping[str, frozenset[str]] = {
    "convolutions": frozenset({"convolution"}),
    "matrix products": frozenset({"linear", "matmul"}),
    "pools": frozenset({"max_pool", "average_pool", "global_average_pool"}),
    "copies": frozenset(
        {
            *("concat", "resize", "pad", "slice", "to_channels_last", "to_channels_first", "transpose"),
            *("reorder_in", "reorder_out"),
        }
    ),
}
ELSE = "value by value"
"""The kind of all other operators: normalisations, activations, sums."""
_CLOSE = 120
"""From so many bars on there is no gap between them."""
_NAMED = 0.07
"""Least share whose name has room in its part of the bar."""


@dataclass(frozen=True)
class LayerBar:
    """One layer: `told` is what is said of it where it is pointed at."""

    name: str
    operator: str
    ms: float
    share: float
    told: str = ""


def kind_of(operator: str) -> str:
    """The kind of an operator; operators of a kind have one colour."""
    return next((kind for kind, operators in _KINDS.items() if operator in operators), ELSE)


def colours(palette: Palette) -> Mapping[str, str]:
    """By kind: what computes most in the accent, what only moves in grey."""
    return {
        "convolutions": palette.accent,
        "matrix products": faded(palette.accent, 0.55),
        ELSE: palette.quiet,
        "pools": palette.measured,
        "copies": faded(palette.measured, 0.5),
    }


def layers(palette: Palette, shown: Sequence[LayerBar]) -> go.Figure:
    """Standing bars in the order in which the layers run, coloured by what kind they are.

    Args:
        palette: Colours.
        shown: One each bar, any number.
    """
    figure = go.Figure()
    for kind, colour in colours(palette).items():
        places = [at for at, one in enumerate(shown) if kind_of(one.operator) == kind]
        if places:
            figure.add_bar(
                x=[at + 1 for at in places], y=[shown[at].ms for at in places], name=kind,
                width=1.0 if len(shown) >= _CLOSE else 0.8, marker={"color": colour, "line": {"width": 0}},
                customdata=[(shown[at].name, shown[at].told, 100 * shown[at].share) for at in places],
                hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{y:,.4g} ms, %{customdata[2]:.1f} %"
                "<extra></extra>",
            )  # fmt: skip
    return dress(
        figure, palette, height=300, hovermode="closest", barmode="overlay", bargap=0,
        xaxis={"title": {"text": "Layers, as they run"}, "range": [0.4, len(shown) + 0.6], "nticks": 8},
        yaxis={"title": {"text": "Time (ms)"}, "nticks": 6},
    )  # fmt: skip


def dearest(palette: Palette, shown: Sequence[LayerBar]) -> go.Figure:
    """Lying bars with their names, the first on top, coloured as in `layers`.

    Args:
        palette: Colours.
        shown: One each bar.
    """
    tints = colours(palette)
    figure = go.Figure(
        go.Bar(
            x=[one.ms for one in shown], y=list(range(len(shown))), orientation="h", width=0.62,
            marker={"color": [tints[kind_of(one.operator)] for one in shown], "line": {"width": 0}},
            text=[f"{one.ms:,.3g}" for one in shown], textposition="outside", cliponaxis=False,
            textfont={"color": palette.quiet},
            customdata=[(one.name, one.told, 100 * one.share) for one in shown],
            hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{x:,.4g} ms, %{customdata[2]:.1f} %"
            "<extra></extra>",
        )
    )  # fmt: skip
    most = max((one.ms for one in shown), default=0.0) * 1.15 or 1.0
    names = [_shortened(one.name) for one in shown]
    return dress(
        figure, palette, height=84 + 26 * len(shown), hovermode="closest", showlegend=False, bargap=0,
        xaxis={"title": {"text": "Time (ms)"}, "range": [0, most], "nticks": 6},
        yaxis={"autorange": "reversed", "ticks": "", "tickfont": {"color": palette.ink}, "showgrid": False,
               "tickmode": "array", "tickvals": list(range(len(shown))), "ticktext": names},
    )  # fmt: skip


def _shortened(name: str, longest: int = 26) -> str:
    """A name that leaves room for its bar: its end says more than its beginning."""
    return name if len(name) <= longest else f"…{name[1 - longest :]}"


def operators(palette: Palette, shown: Mapping[str, float]) -> go.Figure:
    """One lying bar: what each operator takes of the whole.

    Args:
        palette: Colours.
        shown: Share by operator, 0 to 1, the greatest first.
    """
    figure, tints = go.Figure(), colours(palette)
    for operator, share in shown.items():
        kind = kind_of(operator)
        text = f"{operator.replace('_', ' ')} {100 * share:.0f} %" if share >= _NAMED else ""
        figure.add_bar(
            x=[100 * share], y=[""], orientation="h", name=operator, text=[text], textposition="inside",
            insidetextanchor="middle", constraintext="inside", textangle=0,
            marker={"color": tints[kind], "line": {"color": palette.ground, "width": 1.5}},
            textfont={"color": palette.ground if kind in ("convolutions", ELSE) else palette.ink},
            hovertemplate=f"{operator} %{{x:.1f}} %<extra></extra>",
        )  # fmt: skip
    whole = max(100.0, 100 * sum(share for share in shown.values() if share > 0))
    return dress(
        figure, palette, height=112, hovermode="closest", barmode="stack", showlegend=False, bargap=0.1,
        xaxis={"title": {"text": "Share of the time (%)"}, "range": [0, whole], "nticks": 6, "showgrid": False},
        yaxis={"showticklabels": False, "ticks": "", "showgrid": False},
    )  # fmt: skip
