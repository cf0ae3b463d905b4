"""The figure that autoscalers read: the upper bound of the cost at the newest load."""

import time
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._numbers import shown_values
from perfcast.capacity import coverage_for, named, newest_rows
from perfcast.datasets import Datasets, moment_texts
from perfcast.errors import Conflict, Refused, Unavailable
from perfcast.serving import Follower, Predictor, read_reaching, short
from perfcast.workloads import Rows, Workload, same_rows

_AHEAD_SECONDS = 120.0
"""How far clocks may be apart."""
_KEPT = 100
"""Newest rows that are remembered, by dataset."""


class _Newest(NamedTuple):
    """The newest row of a dataset, float32 [features], when it was measured, and how to read it."""

    row: Rows
    moment: np.datetime64
    workload: Workload


class Autoscale:
    """Answers `GET /autoscale/{model}`; remembers the newest row of each dataset until another one is newer."""

    def __init__(self, follower: Follower, datasets: Datasets) -> None:
        self._follower, self._datasets = follower, datasets
        self._known: dict[str, _Newest] = {}
        self._reading = Lock()

    def answer(self, model: str, body: bytes | None, confidence: float, max_age_seconds: float) -> dict[str, Any]:
        """The bound at the newest load of the dataset that the model learns from, or at a load that is given.

        Args:
            model: NAME, NAME:VERSION or NAME@ALIAS.
            body: As `/predict` takes it, with the load to answer for; None for the newest load.
            confidence: That the cost stays below the bound.
            max_age_seconds: How old the newest load may be.

        Raises:
            NotFound: There is no such model.
            InvalidInput: A feature or the confidence is wrong.
            Conflict: There is no load to answer for.
            Unavailable: The newest load is too old, or the model can't answer just now.
            Refused: The version promises no interval.
        """
        coverage = coverage_for(confidence)
        predictor = self._follower.reach(model)
        arm = self._follower.routes.arm(model)
        if body is not None:
            row, moment, source = read_reaching(self._follower, body).row, timestamp(), "query"
        else:
            newest, source = self._newest(predictor)
            _require_fresh(newest, source, max_age_seconds)
            row, moment = newest.row.tolist(), moment_texts(np.array([newest.moment]))[0]
        found = predictor.answer(row, coverage, None if arm is None else arm.slot.calibration)
        if found.upper is None:
            raise Refused(f"{predictor.name} promises no interval, so it has no upper bound; train the model")
        features = predictor.workload.features
        columns = np.array([row], dtype=np.float32).T
        return {
            "value": short(found.upper),
            "prediction": short(found.cost),
            "confidence": confidence,
            "model_name": predictor.model,
            "model_version": predictor.number,
            "cost": predictor.workload.cost.name,
            "unit": predictor.workload.cost.unit,
            "observed_at": moment,
            "source": source,
            "features": {
                feature.name: shown_values(feature, column)[0]
                for feature, column in zip(features, columns, strict=True)
            },
            "timestamp": timestamp(),
        }

    def _newest(self, predictor: Predictor) -> tuple[_Newest, str]:
        """The newest row, and where it is from."""
        record = newest_rows(self._datasets, predictor.version)
        source = named(record)
        with self._reading:
            known = self._known.get(record.digest)
            if known is None:
                dataset = self._datasets.load(record)
                if dataset.measured_at is None:
                    raise Conflict(
                        f"the rows of {source} have no times, so none is the newest; give the load in the query"
                    )
                last = int(np.argmax(dataset.measured_at))
                known = _Newest(dataset.features[last], dataset.measured_at[last], dataset.workload)
                self._known = dict([*self._known.items(), (record.digest, known)][-_KEPT:])
        if not same_rows(known.workload, predictor.workload):
            raise Conflict(f"{source} has other features by now than {predictor.name} reads; train it again")
        return known, source


def _require_fresh(newest: _Newest, source: str, max_age_seconds: float) -> None:
    age = time.time() - float(newest.moment.astype("datetime64[us]").astype(np.int64)) / 1e6
    if age > max_age_seconds:
        raise Unavailable(
            f"the newest load, of {source}, was measured {age:,.0f} s ago, more than the {max_age_seconds:g} s "
            "that are allowed; is `perfcast collect follow` running?"
        )
    if age < -_AHEAD_SECONDS:
        raise Unavailable(f"the newest load, of {source}, is {-age:,.0f} s ahead of this clock; look at its times")
