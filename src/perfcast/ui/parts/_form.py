"""The form of a workload's features, made of its declaration; what is typed stands in the page's address."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from perfcast.ui.parts._words import with_unit
from perfcast_client.answers import FeatureEntry, PresetEntry, WorkloadDetails

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONDAY = "2026-03-02"
"""Any Monday: of a time only the hour, the minute and the day of the week matter."""
_COLUMNS = 2
HOUR, DAY = "hour", "day"
_LAST_HOUR = 23.75
_OF_THE_PAGES = frozenset({HOUR, DAY, "what", "coverage", "service", "limit", "api key"})
"""Names in a page's address, and of what a tab keeps, that no feature can have."""


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
        if self.hour is None:
            return {**self.features, **changed}
        hour, day = changed.pop(HOUR, self.hour), changed.pop(DAY, self.day)
        return {**self.features, **changed, "timestamp": timestamp(hour, day)}


def timestamp(hour: float, day: int) -> str:
    """A moment at that hour of that day of the week, in the service's own time zone."""
    minutes = round(60 * hour) % (24 * 60)
    year_month, first = _MONDAY.rsplit("-", 1)
    return f"{year_month}-{int(first) + day:02d}T{minutes // 60:02d}:{minutes % 60:02d}:00"


def form(
    workload: WorkloadDetails,
    *,
    start: Mapping[str, Any] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> Scenario:
    """Inputs for all features.

    Args:
        workload: Declares them; those that follow from others unless they are given stand in a part that opens.
        start: What they begin with; those of the workload's first preset if not given.
        ranges: Least and greatest values to choose from with a slider, by feature; the others are typed.
    """
    stated = [feature for feature in workload.features if not feature.clock]
    if start is None:
        start = workload.presets[0].features if workload.presets else {}
    following = [feature for feature in stated if _computed(feature)]
    features = _inputs([feature for feature in stated if feature not in following], start, ranges or {})
    if following:
        with st.expander("More", icon=":material/tune:"):
            features |= _inputs(following, start, ranges or {})
    if len(stated) == len(workload.features):
        return Scenario(features)
    return Scenario(features, *_time())


def _inputs(
    asked: Sequence[FeatureEntry], start: Mapping[str, Any], ranges: Mapping[str, tuple[float, float]]
) -> dict[str, Any]:
    """What is put in, by feature; those that are left to their defaults are not among it."""
    beside, features = 1 if ranges else _COLUMNS, {}  # a slider wants the whole width
    columns: Sequence[DeltaGenerator] = ()
    for number, feature in enumerate(asked):
        if not number % beside:  # a row of its own each time: a narrow screen then keeps the declared order
            columns = st.columns(beside, gap="medium")
        with columns[number % beside]:
            value = _input(feature, start.get(feature.name), ranges.get(feature.name))
        if value is not None:
            features[feature.name] = value
    return features


def presets(workload: WorkloadDetails) -> None:
    """A choice of named rows; choosing one fills the form."""
    if workload.presets:
        titles, key = [preset.title for preset in workload.presets], f"{workload.name} preset"
        asked: dict[str, Any] = {"placeholder": "Fill in a preset …", "on_change": _fill, "args": (workload, key)}
        st.selectbox("Preset", titles, None, key=key, **asked)


def _fill(workload: WorkloadDetails, key: str) -> None:
    chosen = st.session_state[key]
    found: PresetEntry | None = next((preset for preset in workload.presets if preset.title == chosen), None)
    if found is None:
        return
    for feature in workload.features:
        if _computed(feature) and feature.name not in found.stated:
            st.session_state[_key(feature)] = None
        elif feature.name in found.features:
            st.session_state[_key(feature)] = _typed(feature, found.features[feature.name])
        elif feature.default is not None:
            st.session_state.pop(_key(feature), None)
    if moment := found.features.get("timestamp"):
        at = datetime.fromisoformat(str(moment))
        st.session_state[HOUR] = min(_LAST_HOUR, at.hour + round(at.minute / 15) / 4)
        st.session_state[DAY] = _DAYS[at.weekday()]


def _computed(feature: FeatureEntry) -> bool:
    """Whether its default is arithmetic over other features, which the server does."""
    return isinstance(feature.default, str) and feature.type in ("integer", "number")


def _key(feature: FeatureEntry) -> str:
    """What a feature is called in the address: its name, save where the page itself has one like it."""
    return f"feature_{feature.name}" if feature.name in _OF_THE_PAGES else feature.name


def _input(feature: FeatureEntry, start: Any, within: tuple[float, float] | None) -> Any:
    label = with_unit(feature.name, feature.unit)
    shared: dict[str, Any] = {"key": _key(feature), "help": feature.meaning or None, "bind": "query-params"}
    if feature.type == "choice":
        return st.selectbox(
            label, feature.values, feature.values.index(start) if start in feature.values else 0, **shared
        )
    if feature.type == "flag":
        return int(st.toggle(label, bool(start), **shared))
    if within is not None:
        return _slider(feature, label, start, within, shared)
    return _number(feature, label, start, shared)


def _number(feature: FeatureEntry, label: str, start: Any, shared: Mapping[str, Any]) -> Any:
    whole, computed = feature.type == "integer", _computed(feature)
    kind: Callable[[Any], Any] = int if whole else float
    bounds = (None if bound is None else kind(bound) for bound in (feature.minimum, feature.maximum))
    begin = start if start is not None else feature.default if feature.default is not None else feature.minimum
    value = None if computed else kind(begin or 0)
    step = {"step": 1} if whole else {"step": 1.0, "format": "%.6g"}
    box: Any = st.number_input  # its overloads tell whole numbers from others, which only the declaration knows
    return box(label, *bounds, value, placeholder="auto" if computed else None, **step, **shared)


def _slider(
    feature: FeatureEntry, label: str, start: Any, within: tuple[float, float], shared: Mapping[str, Any]
) -> Any:
    least, most, step = scale(feature, within)
    kind: Callable[[Any], Any] = int if feature.type == "integer" else float
    begin = start if start is not None and least <= start <= most else (least + most) / 2
    begin = min(max(round(begin / step) * step, least), most)
    shown = "%d" if kind is int else f"%.{max(0, -math.floor(math.log10(step)))}f"
    return st.slider(label, kind(least), kind(most), kind(begin), kind(step), shown, **shared)


def scale(feature: FeatureEntry, within: tuple[float, float]) -> tuple[float, float, float]:
    """Ends and step of a slider in the feature's unit: round numbers, none beyond what is declared."""
    step = max(1.0 if feature.type == "integer" else 0.0, _round_step(within[1] - within[0]))
    least, most = math.floor(within[0] / step) * step, math.ceil(within[1] / step) * step
    if feature.minimum is not None:
        least = max(least, feature.minimum)
    if feature.maximum is not None:
        most = min(most, feature.maximum)
    return least, most, step


def _round_step(span: float) -> float:
    """A step that divides a span into one or two hundred."""
    return float(10.0 ** math.floor(math.log10(span / 50))) if span > 0 else 1.0


def _typed(feature: FeatureEntry, value: Any) -> Any:
    if feature.type == "choice":
        return value
    return bool(value) if feature.type == "flag" else (int if feature.type == "integer" else float)(value)


def _time() -> tuple[float, int]:
    shared: dict[str, Any] = {"help": "In the service's own time zone", "bind": "query-params"}
    hour: float = st.slider("Hour of the day", 0.0, _LAST_HOUR, 12.0, 0.25, "%.2f h", HOUR, **shared)
    day = st.segmented_control(
        "Day of the week", _DAYS, default=_DAYS[0], key=DAY, required=True, width="stretch", bind="query-params"
    )
    return hour, _DAYS.index(day)


def sweepable(workload: WorkloadDetails) -> Sequence[FeatureEntry]:
    """Features that can be swept: numbers that are stated."""
    return [one for one in workload.features if one.type in ("integer", "number") and not one.clock]
