"""Figures of plain lists, in the visual language of `_look`; they know no Streamlit.

Each takes a palette and gives a Plotly figure: `curve` (a swept parameter, its band, rows measured, a limit), `gauge`
(one answer on its scale), `difference` (with its bounds around nothing), `agreement` and `residuals` (predicted
against measured), `lines` (series over time), `trials` (a search), `bars` (amounts side by side), `contributions` (from
what is usual to a prediction), `layers`, `dearest` and `operators` (where a network's time goes).
"""

from perfcast.ui.charts._bars import Bar, bars
from perfcast.ui.charts._contributions import contributions
from perfcast.ui.charts._curve import Band, Curve, Points, curve
from perfcast.ui.charts._difference import difference
from perfcast.ui.charts._gauge import gauge
from perfcast.ui.charts._layers import LayerBar, dearest, layers, operators
from perfcast.ui.charts._lines import Meaning, Series, lines, trials
from perfcast.ui.charts._scale import nice_ceiling
from perfcast.ui.charts._scatter import agreement, residuals

__all__ = [
    "Band",
    "Bar",
    "Curve",
    "LayerBar",
    "Meaning",
    "Points",
    "Series",
    "agreement",
    "bars",
    "contributions",
    "curve",
    "dearest",
    "difference",
    "gauge",
    "layers",
    "lines",
    "nice_ceiling",
    "operators",
    "residuals",
    "trials",
]
