"""The contact sheet: every dashboard drawn from its own JSON, so that it can be looked at where no Grafana is.

Reads the committed files, asks a Prometheus each panel's queries, and draws what comes in the panel's unit, thresholds,
mappings and place. It is a likeness: colours, fonts and rounding are not Grafana's.
"""

from deploy.dashboards.sheet._asking import Prometheus, Series, Span, filled
from deploy.dashboards.sheet._sheet import draw

__all__ = ["Prometheus", "Series", "Span", "draw", "filled"]
