"""Model Performance: each model's speed, errors and truth, version by version."""

from deploy.dashboards._board import Board
from deploy.dashboards._panels import RED, YELLOW, Ask, figure, lines, rows
from deploy.dashboards._queries import now, pick, quantile, rate
from deploy.dashboards.boards._shared import COVERAGE_STEPS, ERROR_STEPS, LATENCY_STEPS, share

_ARM = ("model_name", "arm", "version")
_LEGEND = "{{model_name}} {{version}} {{arm}}"
_OURS = 'kind=~"no_model|overloaded|internal"'
_ANSWERED = rate("ml_predictions_total", "model_name", where='status="success"')


def _live(name: str, window: str = "24h") -> Ask:
    where = f'window="{window}"'
    return Ask(now(name, *_ARM, where=where), _LEGEND)


MODEL_PERFORMANCE = Board(
    name="model-performance",
    title="Model Performance",
    about="How fast, how reliably and how truly each model answers: champion, challenger and shadow side by side.",
    red=[
        lines(
            "Predictions",
            "Rows that each model answered a second.",
            "ops",
            Ask(rate("ml_predictions_total", "model_name", where='status="success"'), "{{model_name}}"),
            width=6,
        ),
        lines(
            "Failures of ours",
            "Share of a model's predictions that failed for another reason than the caller's input.",
            "percentunit",
            Ask(
                f"{rate('ml_prediction_errors_total', 'model_name', where=_OURS)} / "
                f"{rate('ml_predictions_total', 'model_name')}",
                "{{model_name}}",
            ),
            steps=ERROR_STEPS,
            width=6,
        ),
        lines(
            "Duration, p95",
            "95 of 100 predictions of a model took at most so long.",
            "s",
            Ask(quantile(0.95, "ml_prediction_duration_seconds", "model_name"), "{{model_name}}"),
            steps=LATENCY_STEPS,
            logarithmic=True,
            width=6,
        ),
        lines(
            "Duration, p99",
            "99 of 100 predictions of a model took at most so long.",
            "s",
            Ask(quantile(0.99, "ml_prediction_duration_seconds", "model_name"), "{{model_name}}"),
            steps=LATENCY_STEPS,
            logarithmic=True,
            width=6,
        ),
        lines(
            "Errors by kind",
            "Failed predictions a second: invalid input, unknown models, models without a version, overload, faults.",
            "ops",
            Ask(rate("ml_prediction_errors_total", "model_name", "kind"), "{{model_name}} {{kind}}"),
        ),
        lines(
            "Predictions by arm",
            "Who answered: the champion, the challenger's share of an A/B split, and what shadows answered to nobody.",
            "ops",
            Ask(rate("ml_arm_predictions_total", *_ARM), _LEGEND),
        ),
        lines(
            "Duration by arm, p95",
            "A challenger that is slower than its champion shows here before it is promoted.",
            "s",
            Ask(quantile(0.95, "ml_arm_prediction_duration_seconds", *_ARM), _LEGEND),
            logarithmic=True,
        ),
    ],
    use=[
        figure(
            "Models in memory",
            "Models whose champion is loaded.",
            "short",
            Ask(now("ml_models_loaded_total"), "models"),
            height=8,
        ),
        figure(
            "Graphs in memory",
            "Bytes of the loaded graphs.",
            "bytes",
            Ask(now("ml_models_loaded_bytes"), "bytes"),
            height=8,
        ),
        lines(
            "Loads, evictions, failures",
            "Graphs a second. Evictions that don't end mean that MODEL_CACHE_SIZE is too small for the models in use.",
            "ops",
            Ask(rate("ml_model_loads_total"), "loaded"),
            Ask(rate("ml_model_evictions_total"), "evicted"),
            Ask(rate("ml_model_load_failures_total"), "failed"),
        ),
        lines(
            "Shadow rows lost",
            "Rows a second that no shadow was asked for (too many waited), or that it had no answer for.",
            "ops",
            Ask(rate("ml_shadow_rows_dropped_total"), "dropped"),
            Ask(rate("ml_shadow_rows_failed_total"), "failed"),
        ),
    ],
    model=[
        lines(
            "Mean absolute error, one day",
            "Of the predictions whose truth came in, in the cost's own unit.",
            "short",
            _live("ml_live_mae"),
        ),
        lines(
            "Mean error in percent, one day",
            "In percent of the true cost; actuals of 0 are left out.",
            "percent",
            _live("ml_live_mape_percent"),
        ),
        lines(
            "Bias, one day",
            "Mean of predicted minus true, in the cost's unit: above 0 the model says too much.",
            "short",
            _live("ml_live_bias"),
        ),
        lines(
            "Coverage, one day",
            "Share of true costs inside the intervals that were to hold 90 %.",
            "percent",
            _live("ml_live_coverage_percent"),
            steps=COVERAGE_STEPS,
            below=RED,
            bottom=60,
            top=100,
        ),
        lines(
            "Width of the intervals, one day",
            "Mean of upper minus lower at 90 %, in the cost's unit. Wide intervals are honest, but of less use.",
            "short",
            _live("ml_live_interval_width"),
        ),
        lines(
            "Actuals",
            "True costs that were joined with their prediction, a second.",
            "ops",
            Ask(rate("ml_live_actuals_total", *_ARM), _LEGEND),
        ),
        lines(
            "Correction of the intervals",
            "How far actuals move each side of the 90 % intervals: in the cost's unit, or the logarithm of a factor.",
            "short",
            Ask(now("ml_interval_correction", "model_name", "version", "side"), "{{model_name}} {{version}} {{side}}"),
        ),
        lines(
            "Answers beyond the training range",
            "Share of a model's answers that had a feature outside what it has seen: less to be trusted.",
            "percentunit",
            Ask(
                share(
                    rate("ml_extrapolated_predictions_total"), rate("ml_predictions_total", where='status="success"')
                ),
                "all chosen models",
            ),
            Ask(f"{rate('ml_extrapolated_predictions_total', 'model_name')} / {_ANSWERED}", "{{model_name}}"),
            steps=((0.2, YELLOW),),
        ),
        rows(
            "Versions",
            "Each alias and the version that it points to.",
            "short",
            f"max by (model_name, alias, version, type, workload) ({pick('ml_model_info')})",
            {"model_name": "Model", "alias": "Alias", "version": "Version", "type": "Family", "workload": "Workload"},
            width=8,
        ),
    ],
)
