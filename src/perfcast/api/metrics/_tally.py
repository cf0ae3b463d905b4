"""What one process counts, and where every answer is put down."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar

from perfcast.api.http._problems import Overloaded
from perfcast.api.metrics._histogram import Durations, Histogram, Sizes
from perfcast.errors import BrokenVersion, InvalidInput, NotFound, NoUsableModel
from perfcast.monitoring import PredictionLog, Record
from perfcast.serving import Arm, Shadows

_MOST = 1000
"""Histograms of arms, of which each version makes new ones; those that began first leave."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
Labels: TypeAlias = tuple[str, str, int]
"""Who answered: model, arm and version."""
Kind: TypeAlias = Literal["invalid", "unknown_model", "no_model", "overloaded", "internal"]
"""Why a prediction failed."""
Reason: TypeAlias = Literal["key", "scope", "rate", "overload"]
"""Why a request was refused before it was looked at."""
_KINDS: tuple[tuple[type[Exception], Kind], ...] = (
    (InvalidInput, "invalid"),
    (NotFound, "unknown_model"),
    (NoUsableModel, "no_model"),
    (BrokenVersion, "no_model"),
    (Overloaded, "overloaded"),
)
_Label = TypeVar("_Label")
_Histogram = TypeVar("_Histogram", bound=Histogram)


@dataclass(slots=True)
class Tally:
    """All that one process counts.

    Labels come from route templates, known methods and known models only, so that their number stays bounded. Shadows
    are counted on a thread of their own, networks on that which writes the records.
    """

    in_flight: int = 0
    requests: dict[tuple[str, str, int], int] = field(default_factory=dict)
    request_seconds: dict[str, Durations] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    predictions: dict[tuple[str, str], int] = field(default_factory=dict)
    prediction_seconds: dict[str, Durations] = field(default_factory=dict)
    errors: dict[tuple[str, str], int] = field(default_factory=dict)
    extrapolated: dict[str, int] = field(default_factory=dict)
    batches: dict[str, Sizes] = field(default_factory=dict)
    feedback: dict[str, int] = field(default_factory=dict)
    presets: dict[tuple[str, str], int] = field(default_factory=dict)
    arms: dict[Labels, Durations] = field(default_factory=dict)
    shadows: dict[Labels, Durations] = field(default_factory=dict)
    workloads: dict[str, str] = field(default_factory=dict)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a finished request."""
        key = (route, method if method in METHODS else "other", status)
        self.requests[key] = self.requests.get(key, 0) + 1
        (self.request_seconds.get(route) or _new(self.request_seconds, route, Durations)).observe(seconds)

    def refuse(self, reason: Reason) -> None:
        """Count a request that was refused before it was looked at."""
        self.refused[reason] = self.refused.get(reason, 0) + 1

    def predicted(self, labels: Labels, seconds: float, rows: int = 1) -> None:
        """Count an answer of a model's arm: each of its rows is a prediction, all of them together take one time."""
        model = labels[0]
        key = (model, "success")
        self.predictions[key] = self.predictions.get(key, 0) + rows
        (self.prediction_seconds.get(model) or _new(self.prediction_seconds, model, Durations)).observe(seconds)
        (self.arms.get(labels) or _new(self.arms, labels, Durations)).observe(seconds, rows)

    def outside(self, model: str, rows: int = 1) -> None:
        """Count answers beyond what the model was trained on."""
        if rows:
            self.extrapolated[model] = self.extrapolated.get(model, 0) + rows

    def batch(self, form: str, rows: int) -> None:
        """Count a batch; `form` is one of a few names."""
        (self.batches.get(form) or _new(self.batches, form, Sizes)).observe(rows)

    def failed(self, model: str, kind: Kind, count: int = 1) -> None:
        """Count predictions that failed; `model` is a known model's name or `unknown`."""
        if count:
            self.predictions[model, "error"] = self.predictions.get((model, "error"), 0) + count
            self.errors[model, kind] = self.errors.get((model, kind), 0) + count

    def fed_back(self, results: Mapping[str, int]) -> None:
        """Count true costs that callers told, by what became of them."""
        add_counts(self.feedback, results)

    def shadowed(self, labels: Labels, seconds: float) -> None:
        """Count a row that a shadow was asked for."""
        (self.shadows.get(labels) or _new(self.shadows, labels, Durations)).observe(seconds)

    def add(self, other: "Tally") -> None:
        """Add another process's."""
        self.in_flight += other.in_flight
        self.workloads |= other.workloads
        for name in ("requests", "refused", "predictions", "errors", "extrapolated", "feedback", "presets"):
            add_counts(getattr(self, name), getattr(other, name))
        for name in ("request_seconds", "prediction_seconds", "arms", "shadows"):
            _add_histograms(getattr(self, name), getattr(other, name), Durations)
        _add_histograms(self.batches, other.batches, Sizes)


@dataclass(frozen=True)
class Ledger:
    """Where every answer is put down: counted, recorded (unless `PREDICTION_LOG` is off), offered to shadows."""

    tally: Tally
    records: PredictionLog | None
    shadows: Shadows

    def enter(self, arm: Arm, record: Record) -> None:
        """Record an answer of that arm, and offer its row to the arm's shadow; never waits."""
        if self.records is not None:
            self.records.append(record)
        if arm.shadow is not None:
            self.shadows.offer(arm.shadow, record.id, record.row, record.at)

    def enter_all(self, arm: Arm, records: Sequence[Record]) -> None:
        """As `enter`; where too many records wait already, waits until those are written rather than lose any."""
        if self.records is not None:
            self.records.extend(records)
        if arm.shadow is not None:
            for record in records:
                self.shadows.offer(arm.shadow, record.id, record.row, record.at)


def kind_of(error: Exception) -> Kind:
    """Why a prediction failed."""
    return next((kind for error_type, kind in _KINDS if isinstance(error, error_type)), "internal")


def add_counts(counts: dict[_Label, Any], more: Mapping[_Label, Any]) -> None:
    """Add counts by their labels, in place."""
    for label, count in more.items():
        counts[label] = counts.get(label, 0) + count


def _add_histograms(
    held: dict[Any, _Histogram], more: Mapping[Any, _Histogram], kind: Callable[[], _Histogram]
) -> None:
    for label, histogram in more.items():
        (held.get(label) or _new(held, label, kind)).add(histogram)


def _new(held: dict[_Label, _Histogram], label: _Label, kind: Callable[[], _Histogram]) -> _Histogram:
    while isinstance(label, tuple) and len(held) >= _MOST:  # routes and models are few, and their counts never fall
        del held[next(iter(held))]
    return held.setdefault(label, kind())
