"""Drift: whether models are still true, and what of their inputs has moved."""

from deploy.dashboards._board import Board
from deploy.dashboards._panels import GREEN, RED, YELLOW, Ask, figure, lines, ranking, states
from deploy.dashboards._queries import increase, now, rate
from deploy.dashboards.boards._shared import COVERAGE_STEPS, champions

from perfcast.monitoring._prediction_log import CAPACITY

_BUSIEST = 10
_ALARMS = {0: ("calm", GREEN), 1: ("alarm", RED)}
_HINTS = {0: ("calm", GREEN), 1: ("moved", YELLOW)}
_CONSEQUENCE = 'kind=~"coverage|error"'
_EXPLANATION = 'kind=~"inputs|quality|unexplained"'
_ANSWERED = rate("ml_predictions_total", "model_name", where='status="success"')
_BEYOND = f"{rate('ml_extrapolated_predictions_total', 'model_name')} / {_ANSWERED}"


def _state(where: str) -> str:
    return now("ml_drift_state", "model_name", "kind", where=where)


DRIFT = Board(
    name="drift",
    title="Drift",
    about="Consequence first: coverage and error. Inputs that moved explain it, and page nobody.",
    hours=168,
    red=[
        figure(
            "Standing alarms",
            "Alarms of coverage lost or error up that stand now. These page.",
            "short",
            Ask(f"sum({_state(_CONSEQUENCE)}) or vector(0)", "alarms"),
            steps=((1, RED),),
            height=8,
        ),
        figure(
            "Standing hints",
            "Inputs moved, data of bad quality, cost that load doesn't explain. These don't page.",
            "short",
            Ask(f"sum({_state(_EXPLANATION)}) or vector(0)", "alarms"),
            steps=((1, YELLOW),),
            height=8,
        ),
        lines(
            "Alarms",
            "When each kind of alarm began, by model.",
            "short",
            Ask(increase("ml_drift_alarms_total", "model_name", "kind"), "{{model_name}} {{kind}}"),
            bars=True,
        ),
        lines(
            "Answers beyond the training range",
            "Share of answers with a feature outside what the model has seen. It speaks before actuals do.",
            "percentunit",
            Ask(_BEYOND, "{{model_name}}"),
            steps=((0.2, YELLOW),),
        ),
        lines(
            "Feedback",
            "Actuals a second that were told. Without them only inputs can be watched.",
            "ops",
            Ask(rate("ml_feedback_total", "result"), "{{result}}"),
            stacked=True,
            width=12,
        ),
        lines(
            "Actuals joined",
            "True costs a second that found their prediction.",
            "ops",
            Ask(rate("ml_live_actuals_total", "model_name", "arm", "version"), "{{model_name}} {{version}} {{arm}}"),
            width=12,
        ),
    ],
    use=[
        lines(
            "Actuals that wait",
            "Told, but not yet joined. A rise that stays means that no worker is there.",
            "short",
            Ask(now("ml_actuals_waiting"), "waiting"),
        ),
        lines(
            "Prediction records that wait",
            f"Not yet written; above {CAPACITY:,} in a process they are dropped.",
            "short",
            Ask(now("prediction_records_waiting", "instance"), "{{instance}}"),
        ),
        lines(
            "Prediction records dropped",
            "Lost records a second: neither accuracy nor drift sees these predictions.",
            "ops",
            Ask(rate("prediction_records_dropped_total", "instance"), "{{instance}}"),
            steps=((0.001, RED),),
        ),
    ],
    model=[
        states(
            "Consequence",
            "Coverage lost, error up: what the models' users feel.",
            _ALARMS,
            Ask(_state(_CONSEQUENCE), "{{model_name}} {{kind}}"),
        ),
        states(
            "Explanation",
            "Inputs that moved, bad data, cost that load doesn't explain.",
            _HINTS,
            Ask(_state(_EXPLANATION), "{{model_name}} {{kind}}"),
        ),
        ranking(
            "What moved most",
            "How far features, and what else is watched, are from what is usual, in units of their own thresholds.",
            "short",
            Ask(f"topk({_BUSIEST}, {now('ml_drift_score', 'model_name', 'feature')})", "{{model_name}} {{feature}}"),
            steps=((0.8, YELLOW), (1, RED)),
        ),
        lines(
            "What moved, over time",
            "Distance from what is usual; the threshold of each is 1.",
            "short",
            Ask(now("ml_drift_score", "model_name", "feature"), "{{model_name}} {{feature}}"),
            steps=((1, RED),),
            width=16,
        ),
        lines(
            "Coverage, an hour and a day",
            "Share of true costs inside the champions' 90 % intervals.",
            "percent",
            Ask(champions("ml_live_coverage_percent", "1h"), "{{model_name}} 1h"),
            Ask(champions("ml_live_coverage_percent", "24h"), "{{model_name}} 24h"),
            steps=COVERAGE_STEPS,
            below=RED,
            bottom=60,
            top=100,
        ),
        lines(
            "Error against the week's",
            "Mean absolute error of the last hour divided by the last week's: 1 is as ever.",
            "short",
            Ask(f"{champions('ml_live_mae', '1h')} / {champions('ml_live_mae', '7d')}", "{{model_name}}"),
            steps=((1.5, YELLOW),),
        ),
        lines(
            "Width against the week's",
            "Mean width of the intervals of the last hour divided by the last week's. It speaks without actuals.",
            "short",
            Ask(
                f"{champions('ml_live_interval_width', '1h')} / {champions('ml_live_interval_width', '7d')}",
                "{{model_name}}",
            ),
            steps=((1.5, YELLOW),),
        ),
        lines(
            "Correction of the intervals",
            "How far actuals move each side of the 90 % intervals: in the cost's unit, or the logarithm of a factor.",
            "short",
            Ask(now("ml_interval_correction", "model_name", "version", "side"), "{{model_name}} {{version}} {{side}}"),
            width=12,
        ),
        lines(
            "Bias, one day",
            "Mean of predicted minus true, in the cost's unit: above 0 the model says too much.",
            "short",
            Ask(champions("ml_live_bias", "24h"), "{{model_name}}"),
            width=12,
        ),
    ],
)
