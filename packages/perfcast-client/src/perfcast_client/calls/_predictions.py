"""Single predictions, and what they turned out to be."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from perfcast_client._call import Call, Repeat, finite, given, json, reading
from perfcast_client.answers import Explanation, FeedbackTaken, Prediction
from perfcast_client.answers._predictions import read_prediction


def predict(
    features: Mapping[str, Any], *, model: str | None = None, coverage: float | None = None, device: str | None = None
) -> Call[Prediction]:
    """The cost of one set of features, its interval, and whether the model was asked beyond what it has seen.

    Args:
        features: By name.
        model: NAME, NAME:VERSION or NAME@ALIAS; the default model of the workload whose features these are, if None.
        coverage: Share of true costs that the interval shall hold: 0.5, 0.8, 0.9 (if None), 0.95, 0.99.
        device: For workloads that declare a `device`.
    """
    asked = given(model_name=model, features=finite(features), coverage=coverage, device=device)
    return Call("POST", "/predict", read_prediction, body=json(asked))


def explain(features: Mapping[str, Any], *, model: str | None = None) -> Call[Explanation]:
    """What each feature adds to a prediction: Shapley values against usual rows, which come to it together.

    Args:
        features: By name.
        model: As for `predict`.
    """
    asked = given(model_name=model, features=finite(features))
    return Call("POST", "/explain", reading(Explanation), body=json(asked))


def feedback(
    actual: float,
    *,
    prediction_id: str | None = None,
    features: Mapping[str, Any] | None = None,
    model: str | None = None,
    measured_at: datetime | str | None = None,
) -> Call[FeedbackTaken]:
    """Tell what a prediction turned out to be; each true cost counts once, however often it is told.

    Args:
        actual: The true cost, in the cost's unit.
        prediction_id: Of the prediction; or else `features` and `model`, which are then predicted.
        features: By name.
        model: As for `predict`.
        measured_at: When; the moment of the prediction if None.
    """
    told = given(prediction_id=prediction_id, model_name=model, features=features, measured_at=measured_at)
    return _told({"actual": actual, **told})


def feedback_batch(items: Sequence[Mapping[str, Any]]) -> Call[FeedbackTaken]:
    """Tell many true costs at once, 100,000 at most; a wrong one is refused in its place, the others count.

    Args:
        items: Each with `actual`, and `prediction_id` or else `features` and `model_name`; `measured_at` if known.
    """
    return _told(items)


def _told(body: Any) -> Call[FeedbackTaken]:
    return Call("POST", "/feedback", reading(FeedbackTaken), body=json(body), repeat=Repeat.KEYED)
