"""The form of a workload's features, made of its declaration; what is typed stands in the page's address."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st
from perfcast_client import Feature, Preset, Workload

from perfcast.ui.parts._words import with_unit

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONDAY = "2026-03-02"
"""Any Monday: of a time only the hour, the minute and the day of the week matter."""
_COLUMNS = 2
HOUR, DAY = "hour", "day"
OWN = "Own values"


@dataclass(frozen=True)
class Scenario:
    """What is asked: features by name, and a time of day in place of those that a clock gives.

    Attributes:
        features: As `/predict` takes them.
        hour: Of the day, 0 to 24; None where the workload has no clock.
        day: Of the week, 0 is Monday.
    """

    features: Mapping[str, Any]
    hour: float | None = None
    day: int = 0

    def row(self, **changed: Any) -> dict[str, Any]:
        """As `/predict` takes it, with some values changed; `hour` and `day` change the time."""
        hour, day = changed.pop(HOUR, self.hour), changed.pop(DAY, self.day)
        row = {**self.features, **changed}
        return row if hour is None else row | {"timestamp": timestamp(hour, day)}


def timestamp(hour: float, day: int) -> str:
    """A moment at that hour of that day of the week, in the service's own time zone."""
    minutes = round(60 * hour) % (24 * 60)
    year_month, first = _MONDAY.rsplit("-", 1)
    return f"{year_month}-{int(first) + day:02d}T{minutes // 60:02d}:{minutes % 60:02d}:00"


def form(workload: Workload, *, ranges: Mapping[str, tuple[float, float]] | None = None) -> Scenario:
    """Inputs for all features.

    Args:
        workload: Declares them.
        ranges: Least and greatest values to choose from with a slider, by feature; the others are typed.
    """
    stated = [feature for feature in workload.features if not feature.clock]
    columns, features = st.columns(_COLUMNS, gap="medium"), {}
    for number, feature in enumerate(stated):
        with columns[number % _COLUMNS]:
            value = _input(feature, (ranges or {}).get(feature.name))
        if value is not None:
            features[feature.name] = value
    if len(stated) == len(workload.features):
        return Scenario(features)
    return Scenario(features, *_time())


def presets(workload: Workload) -> None:
    """A choice of named rows; choosing one fills the form."""
    if workload.presets:
        names = [OWN, *(preset.title for preset in workload.presets)]
        key = f"{workload.name} preset"
        st.selectbox("Start from", names, key=key, on_change=_fill, args=(workload, key))


def _fill(workload: Workload, key: str) -> None:
    chosen = st.session_state[key]
    found: Preset | None = next((preset for preset in workload.presets if preset.title == chosen), None)
    if found is None:
        return
    for feature in workload.features:
        if feature.name in found.features:
            st.session_state[feature.name] = _typed(feature, found.features[feature.name])
        elif feature.default is not None:
            st.session_state.pop(feature.name, None)
    if moment := found.features.get("timestamp"):
        at = datetime.fromisoformat(str(moment))
        st.session_state[HOUR] = at.hour + round(at.minute / 15) / 4
        st.session_state[DAY] = _DAYS[at.weekday()]


def _input(feature: Feature, within: tuple[float, float] | None) -> Any:
    label, shared = with_unit(feature.name, feature.unit), {"key": feature.name, "help": feature.meaning or None}
    if feature.type == "choice":
        return st.selectbox(label, feature.values, bind="query-params", **shared)
    if feature.type == "flag":
        return int(st.toggle(label, bind="query-params", **shared))
    if within is not None:
        return _slider(feature, label, within, shared)
    return _number(feature, label, shared)


def _number(feature: Feature, label: str, shared: Mapping[str, Any]) -> Any:
    whole = feature.type == "integer"
    kind: Callable[[Any], float] = int if whole else float
    stated = feature.default is None or isinstance(feature.default, str)
    default = None if isinstance(feature.default, str) else feature.default
    bounds = {
        "min_value": None if feature.minimum is None else kind(feature.minimum),
        "max_value": None if feature.maximum is None else kind(feature.maximum),
    }
    start = (
        kind(default) if default is not None else (None if isinstance(feature.default, str) else kind(_start(feature)))
    )
    step = {"step": 1} if whole else {"step": 1.0, "format": "%.6g"}
    hint = {"placeholder": f"{feature.default}"} if stated and isinstance(feature.default, str) else {}
    return st.number_input(label, value=start, bind="query-params", **bounds, **step, **hint, **shared)


def _slider(feature: Feature, label: str, within: tuple[float, float], shared: Mapping[str, Any]) -> Any:
    least, most = within
    whole = feature.type == "integer"
    step = max(1.0, _round_step(most - least)) if whole else _round_step(most - least)
    least, most = math.floor(least / step) * step, math.ceil(most / step) * step
    kind: Callable[[Any], Any] = int if whole else float
    middle = kind(round((least + most) / 2 / step) * step)
    return st.slider(label, kind(least), kind(most), middle, kind(step), bind="query-params", **shared)


def _round_step(span: float) -> float:
    """A step that divides a span into one or two hundred."""
    return float(10.0 ** math.floor(math.log10(span / 50))) if span > 0 else 1.0


def _start(feature: Feature) -> float:
    """What an input without a default begins with: something possible."""
    return feature.minimum if feature.minimum is not None and feature.minimum > 0 else 0.0


def _typed(feature: Feature, value: Any) -> Any:
    if feature.type == "choice":
        return value
    return bool(value) if feature.type == "flag" else (int if feature.type == "integer" else float)(value)


def _time() -> tuple[float, int]:
    left, right = st.columns(_COLUMNS, gap="medium")
    with left:
        hour = st.slider(
            "Hour of the day", 0.0, 23.75, 12.0, 0.25, key=HOUR, format="%.2f h", bind="query-params",
            help="In the service's own time zone",
        )  # fmt: skip
    with right:
        day = st.segmented_control(
            "Day of the week", _DAYS, default=_DAYS[0], key=DAY, bind="query-params", required=True, width="stretch"
        )
    return float(hour), _DAYS.index(day or _DAYS[0])


def sweepable(workload: Workload) -> Sequence[Feature]:
    """Features that can be swept: numbers that are stated."""
    return [one for one in workload.features if one.type in ("integer", "number") and not one.clock]
