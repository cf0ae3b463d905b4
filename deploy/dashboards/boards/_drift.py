"""Drift: whether models are still true, and what of their inputs has moved."""

from deploy.dashboards._board import Board
from deploy.dashboards._panels import GREEN, RED, YELLOW, figure, lines, ranking, states
from deploy.dashboards._queries import Query, increase, now, rate, ratio, top
from deploy.dashboards.boards._shared import COVERAGE_STEPS, beyond, champions, corrections

from perfcast.monitoring._prediction_log import CAPACITY

_ALARM_SAYS = {0: ("calm", GREEN), 1: ("alarm", RED)}
_HINT_SAYS = {0: ("calm", GREEN), 1: ("moved", YELLOW)}
_CONSEQUENCE = 'kind=~"coverage|error"'
_EXPLANATION = 'kind=~"inputs|quality|unexplained"'


def _state(where: str) -> Query:
    return now("ml_drift_state", "model_name", "kind", where=where)


_ALARMS = [
    figure(
        "Standing alarms",
        "Alarms of coverage lost or error up that stand now. These page.",
        Query(f"sum({_state(_CONSEQUENCE)}) or vector(0)", "alarms"),
        steps=((1, RED),),
    ),
    figure(
        "Standing hints",
        "Inputs moved, data of bad quality, cost that load doesn't explain. These don't page.",
        Query(f"sum({_state(_EXPLANATION)}) or vector(0)", "alarms"),
        steps=((1, YELLOW),),
    ),
    lines(
        "Alarms",
        "When each kind of alarm began, by model.",
        increase("ml_drift_alarms_total", "model_name", "kind"),
        bars=True,
    ),
    lines(
        "Answers beyond the training range",
        "Share of answers with a feature outside what the model has seen. It speaks before actuals do.",
        beyond(),
        unit="percentunit",
        steps=((0.2, YELLOW),),
    ),
]
_ACTUALS = [
    lines(
        "Feedback",
        "Actuals a second that were told. Without them only inputs can be watched.",
        rate("ml_feedback_total", "result"),
        unit="ops",
        stacked=True,
    ),
    lines(
        "Actuals joined",
        "True costs a second that found their prediction.",
        rate("ml_live_actuals_total", "model_name", "arm", "version").called("{{model_name}} {{version}} {{arm}}"),
        unit="ops",
    ),
]
_WAITING = [
    lines(
        "Actuals that wait",
        "Told, but not yet joined. A rise that stays means that no worker is there.",
        now("ml_actuals_waiting").called("waiting"),
    ),
    lines(
        "Prediction records that wait",
        f"Not yet written; above {CAPACITY:,} in a process they are dropped.",
        now("prediction_records_waiting", "instance"),
    ),
    lines(
        "Prediction records dropped",
        "Lost records a second: neither accuracy nor drift sees these predictions.",
        rate("prediction_records_dropped_total", "instance"),
        unit="ops",
        steps=((0.001, RED),),
    ),
]
_STATES = [
    states("Consequence", "Coverage lost, error up: what the models' users feel.", _ALARM_SAYS, _state(_CONSEQUENCE)),
    states(
        "Explanation", "Inputs that moved, bad data, cost that load doesn't explain.", _HINT_SAYS, _state(_EXPLANATION)
    ),
]
_DISTANCES = [
    ranking(
        "What moved most",
        "How far features, and what else is watched, are from what is usual, in units of their own thresholds.",
        top(now("ml_drift_score", "model_name", "feature")),
        steps=((0.8, YELLOW), (1, RED)),
        width=8,
    ),
    lines(
        "What moved, over time",
        "Distance from what is usual; the threshold of each is 1.",
        now("ml_drift_score", "model_name", "feature"),
        steps=((1, RED),),
    ),
]
_AGAINST_USUAL = [
    lines(
        "Coverage, an hour and a day",
        "Share of true costs inside the champions' 90 % intervals.",
        champions("ml_live_coverage_percent", "1h").called("{{model_name}} 1h"),
        champions("ml_live_coverage_percent", "24h").called("{{model_name}} 24h"),
        unit="percent",
        steps=COVERAGE_STEPS,
        below=RED,
        bottom=60,
        top=100,
    ),
    lines(
        "Error against the week's",
        "Mean absolute error of the last hour divided by the last week's: 1 is as ever.",
        ratio(champions("ml_live_mae", "1h"), champions("ml_live_mae", "7d")),
        steps=((1.5, YELLOW),),
    ),
    lines(
        "Width against the week's",
        "Mean width of the intervals of the last hour divided by the last week's. It speaks without actuals.",
        ratio(champions("ml_live_interval_width", "1h"), champions("ml_live_interval_width", "7d")),
        steps=((1.5, YELLOW),),
    ),
]
_DIRECTIONS = [
    corrections(),
    lines(
        "Bias, one day",
        "Mean of predicted minus true, in the cost's unit: above 0 the model says too much.",
        champions("ml_live_bias", "24h"),
    ),
]

DRIFT = Board(
    name="drift",
    title="Drift",
    about="Consequence first: coverage and error. Inputs that moved explain it, and page nobody.",
    hours=168,
    red=[_ALARMS, _ACTUALS],
    use=[_WAITING],
    model=[_STATES, _DISTANCES, _AGAINST_USUAL, _DIRECTIONS],
)
