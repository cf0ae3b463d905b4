"""Model Performance: each model's speed, errors and truth, version by version."""

from deploy.dashboards._board import Board
from deploy.dashboards._panels import RED, YELLOW, figure, lines
from deploy.dashboards._queries import Query, now, quantile, rate, ratio, share
from deploy.dashboards.boards._shared import (
    COVERAGE_STEPS,
    ERROR_STEPS,
    LATENCY_STEPS,
    answered,
    beyond,
    corrections,
    versions,
)

_ARM = ("model_name", "arm", "version")
_LEGEND = "{{model_name}} {{version}} {{arm}}"
_OURS = 'kind=~"no_model|overloaded|internal"'


def _day(name: str) -> Query:
    """A figure of live accuracy, of the last day."""
    return now(name, *_ARM, where='window="24h"').called(_LEGEND)


_SPEED = [
    lines("Predictions", "Rows that each model answered a second.", answered("model_name"), unit="ops"),
    lines(
        "Failures of ours",
        "Share of a model's predictions that failed for another reason than the caller's input.",
        ratio(
            rate("ml_prediction_errors_total", "model_name", where=_OURS), rate("ml_predictions_total", "model_name")
        ),
        unit="percentunit",
        steps=ERROR_STEPS,
    ),
    lines(
        "Duration, p95",
        "95 of 100 predictions of a model took at most so long.",
        quantile(0.95, "ml_prediction_duration_seconds", "model_name"),
        unit="s",
        steps=LATENCY_STEPS,
        logarithmic=True,
    ),
    lines(
        "Duration, p99",
        "99 of 100 predictions of a model took at most so long.",
        quantile(0.99, "ml_prediction_duration_seconds", "model_name"),
        unit="s",
        steps=LATENCY_STEPS,
        logarithmic=True,
    ),
]
_ARMS = [
    lines(
        "Errors by kind",
        "Failed predictions a second: invalid input, unknown models, models without a version, overload, faults.",
        rate("ml_prediction_errors_total", "model_name", "kind"),
        unit="ops",
    ),
    lines(
        "Predictions by arm",
        "Who answered: the champion, the challenger's share of an A/B split, and what shadows answered to nobody.",
        rate("ml_arm_predictions_total", *_ARM).called(_LEGEND),
        unit="ops",
    ),
    lines(
        "Duration by arm, p95",
        "A challenger that is slower than its champion shows here before it is promoted.",
        quantile(0.95, "ml_arm_prediction_duration_seconds", *_ARM).called(_LEGEND),
        unit="s",
        logarithmic=True,
    ),
]
_MEMORY = [
    figure("Models in memory", "Models whose champion is loaded.", now("ml_models_loaded_total").called("models")),
    figure(
        "Graphs in memory", "Bytes of the loaded graphs.", now("ml_models_loaded_bytes").called("bytes"), unit="bytes"
    ),
    lines(
        "Loads, evictions, failures",
        "Graphs a second. Evictions that don't end mean that MODEL_CACHE_SIZE is too small for the models in use.",
        rate("ml_model_loads_total").called("loaded"),
        rate("ml_model_evictions_total").called("evicted"),
        rate("ml_model_load_failures_total").called("failed"),
        unit="ops",
    ),
    lines(
        "Shadow rows lost",
        "Rows a second that no shadow was asked for (too many waited), or that it had no answer for.",
        rate("ml_shadow_rows_dropped_total").called("dropped"),
        rate("ml_shadow_rows_failed_total").called("failed"),
        unit="ops",
    ),
]
_ERRORS = [
    lines(
        "Mean absolute error, one day",
        "Of the predictions whose truth came in, in the cost's own unit.",
        _day("ml_live_mae"),
    ),
    lines(
        "Mean error in percent, one day",
        "In percent of the true cost; actuals of 0 are left out.",
        _day("ml_live_mape_percent"),
        unit="percent",
    ),
    lines(
        "Bias, one day",
        "Mean of predicted minus true, in the cost's unit: above 0 the model says too much.",
        _day("ml_live_bias"),
    ),
]
_INTERVALS = [
    lines(
        "Coverage, one day",
        "Share of true costs inside the intervals that were to hold 90 %.",
        _day("ml_live_coverage_percent"),
        unit="percent",
        steps=COVERAGE_STEPS,
        below=RED,
        bottom=60,
        top=100,
    ),
    lines(
        "Width of the intervals, one day",
        "Mean of upper minus lower at 90 %, in the cost's unit. Wide intervals are honest, but of less use.",
        _day("ml_live_interval_width"),
    ),
    lines(
        "Actuals",
        "True costs that were joined with their prediction, a second.",
        rate("ml_live_actuals_total", *_ARM).called(_LEGEND),
        unit="ops",
    ),
]
_VERSIONS = [
    corrections(),
    lines(
        "Answers beyond the training range",
        "Share of a model's answers that had a feature outside what it has seen: less to be trusted.",
        share(rate("ml_extrapolated_predictions_total"), answered()).called("all chosen models"),
        beyond(),
        unit="percentunit",
        steps=((0.2, YELLOW),),
    ),
    versions("Versions"),
]

MODEL_PERFORMANCE = Board(
    name="model-performance",
    title="Model Performance",
    about="How fast, how reliably and how truly each model answers: champion, challenger and shadow side by side.",
    red=[_SPEED, _ARMS],
    use=[_MEMORY],
    model=[_ERRORS, _INTERVALS, _VERSIONS],
)
