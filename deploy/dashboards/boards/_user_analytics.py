"""User Analytics: who asks, for what, and what is unusual about it."""

from deploy.dashboards._board import Board
from deploy.dashboards._panels import YELLOW, figure, lines, ranking
from deploy.dashboards._queries import Query, descending, increase, most, pick, quantile, rate, top
from deploy.dashboards.boards._shared import answered

_KEYS = 'reason=~"key|scope"'
_HOUR = f"avg_over_time(({rate('http_requests_total')})[1h:])"
_ROWS = f"sum by (form) (rate({pick('ml_batch_rows_sum')}[$__rate_interval]))"

_CALLERS = [
    figure(
        "Callers, last hour",
        "Distinct callers, by key or else by address, of the busiest replica.",
        most("http_callers", where='window="1h"').called("callers"),
    ),
    figure(
        "Callers, last day",
        "Distinct callers, by key or else by address, of the busiest replica.",
        most("http_callers", where='window="24h"').called("callers"),
    ),
    figure(
        "Refused for their key",
        "Requests a second without a valid key, or with one that may not do this.",
        Query(f"{rate('http_refused_total', where=_KEYS)} or vector(0)", "refused"),
        unit="reqps",
        steps=((0.1, YELLOW),),
    ),
    lines(
        "Callers",
        "Distinct callers of the last hour and of the last day, of the busiest replica.",
        most("http_callers", "window"),
    ),
    lines(
        "New callers",
        "Callers that had not called in the day before, or since the replica began.",
        increase("http_new_callers_total").called("new"),
        bars=True,
    ),
]
_REQUESTS = [
    lines(
        "Requests by method and route",
        "Requests a second.",
        rate("http_requests_total", "method", "route"),
        unit="reqps",
        stacked=True,
    ),
    lines(
        "Answers by status",
        "Requests a second: 2xx are answers, 4xx are the caller's mistakes, 5xx ours.",
        rate("http_requests_total", "status"),
        unit="reqps",
        stacked=True,
    ),
    lines(
        "Refused by reason",
        "Requests a second: wrong key or scope are unusual access; rate is a caller above its limit.",
        rate("http_refused_total", "reason"),
        unit="reqps",
    ),
]
_BATCHES = [
    lines(
        "Bursts",
        "Requests a second now, beside the mean of the hour before. More than five times that is a burst.",
        rate("http_requests_total").called("now"),
        Query(_HOUR, "mean of an hour"),
        unit="reqps",
    ),
    lines(
        "Rows of a batch, p95",
        "95 of 100 batches bring at most so many rows, by their form.",
        quantile(0.95, "ml_batch_rows", "form"),
        logarithmic=True,
    ),
    lines(
        "Rows in batches",
        "Rows a second that came in batches, by their form.",
        Query(_ROWS, "{{form}}"),
        unit="ops",
        stacked=True,
    ),
]
_POPULAR = [
    ranking("Popular models", "Rows a second, the ten most asked.", top(answered("model_name")), unit="ops"),
    ranking(
        "Popular workloads",
        "Rows a second by workload.",
        descending(rate("ml_workload_predictions_total", "workload")),
        unit="ops",
    ),
    ranking(
        "Configuration patterns",
        "Rows a second by the workload's preset that they are nearest to, the ten most asked.",
        top(rate("ml_preset_predictions_total", "workload", "preset")).called("{{preset}}"),
        unit="ops",
    ),
]
_COURSES = [
    lines("Predictions by model", "Rows a second.", answered("model_name"), unit="ops", stacked=True),
    lines(
        "Configurations over time",
        "Rows a second by preset.",
        rate("ml_preset_predictions_total", "workload", "preset"),
        unit="ops",
        stacked=True,
    ),
    lines(
        "Feedback",
        "Actuals a second that callers told: accepted, told twice, refused.",
        rate("ml_feedback_total", "result"),
        unit="ops",
        stacked=True,
    ),
]

USER_ANALYTICS = Board(
    name="user-analytics",
    title="User Analytics",
    about="Usage patterns and trends: callers, popular models and configurations, batches, and unusual access.",
    hours=24,
    red=[_CALLERS, _REQUESTS],
    use=[_BATCHES],
    model=[_POPULAR, _COURSES],
)
