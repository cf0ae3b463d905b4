"""User Analytics: who asks, for what, and what is unusual about it."""

from deploy.dashboards._board import Board
from deploy.dashboards._panels import YELLOW, Ask, figure, lines, ranking
from deploy.dashboards._queries import increase, most, pick, quantile, rate

_BUSIEST = 10
_KEYS = 'reason=~"key|scope"'
_ANSWERED = 'status="success"'
_HOUR = f"avg_over_time(({rate('http_requests_total')})[1h:])"
_ROWS = f"sum by (form) (rate({pick('ml_batch_rows_sum')}[$__rate_interval]))"

USER_ANALYTICS = Board(
    name="user-analytics",
    title="User Analytics",
    about="Usage patterns and trends: callers, popular models and configurations, batches, and unusual access.",
    hours=24,
    red=[
        figure(
            "Callers, last hour",
            "Distinct callers, by key or else by address, of the busiest replica.",
            "short",
            Ask(most("http_callers", where='window="1h"'), "callers"),
            height=8,
        ),
        figure(
            "Callers, last day",
            "Distinct callers, by key or else by address, of the busiest replica.",
            "short",
            Ask(most("http_callers", where='window="24h"'), "callers"),
            height=8,
        ),
        figure(
            "Refused for their key",
            "Requests a second without a valid key, or with one that may not do this.",
            "reqps",
            Ask(f"{rate('http_refused_total', where=_KEYS)} or vector(0)", "refused"),
            steps=((0.1, YELLOW),),
            height=8,
        ),
        lines(
            "Callers",
            "Distinct callers of the last hour and of the last day, of the busiest replica.",
            "short",
            Ask(most("http_callers", "window"), "{{window}}"),
            width=6,
        ),
        lines(
            "New callers",
            "Callers that had not called in the day before, or since the replica began.",
            "short",
            Ask(increase("http_new_callers_total"), "new"),
            bars=True,
            width=6,
        ),
        lines(
            "Requests by method and route",
            "Requests a second.",
            "reqps",
            Ask(rate("http_requests_total", "method", "route"), "{{method}} {{route}}"),
            stacked=True,
        ),
        lines(
            "Answers by status",
            "Requests a second: 2xx are answers, 4xx are the caller's mistakes, 5xx ours.",
            "reqps",
            Ask(rate("http_requests_total", "status"), "{{status}}"),
            stacked=True,
        ),
        lines(
            "Refused by reason",
            "Requests a second: wrong key or scope are unusual access; rate is a caller above its limit.",
            "reqps",
            Ask(rate("http_refused_total", "reason"), "{{reason}}"),
        ),
    ],
    use=[
        lines(
            "Bursts",
            "Requests a second now, beside the mean of the hour before. More than five times that is a burst.",
            "reqps",
            Ask(rate("http_requests_total"), "now"),
            Ask(_HOUR, "mean of an hour"),
        ),
        lines(
            "Rows of a batch, p95",
            "95 of 100 batches bring at most so many rows, by their form.",
            "short",
            Ask(quantile(0.95, "ml_batch_rows", "form"), "{{form}}"),
            logarithmic=True,
        ),
        lines(
            "Rows in batches",
            "Rows a second that came in batches, by their form.",
            "ops",
            Ask(_ROWS, "{{form}}"),
            stacked=True,
        ),
    ],
    model=[
        ranking(
            "Popular models",
            "Rows a second, the ten most asked.",
            "ops",
            Ask(f"topk({_BUSIEST}, {rate('ml_predictions_total', 'model_name', where=_ANSWERED)})", "{{model_name}}"),
        ),
        ranking(
            "Popular workloads",
            "Rows a second by workload.",
            "ops",
            Ask(f"sort_desc({rate('ml_workload_predictions_total', 'workload')})", "{{workload}}"),
        ),
        ranking(
            "Configuration patterns",
            "Rows a second by the workload's preset that they are nearest to, the ten most asked.",
            "ops",
            Ask(f"topk({_BUSIEST}, {rate('ml_preset_predictions_total', 'workload', 'preset')})", "{{preset}}"),
        ),
        lines(
            "Predictions by model",
            "Rows a second.",
            "ops",
            Ask(rate("ml_predictions_total", "model_name", where=_ANSWERED), "{{model_name}}"),
            stacked=True,
        ),
        lines(
            "Configurations over time",
            "Rows a second by preset.",
            "ops",
            Ask(rate("ml_preset_predictions_total", "workload", "preset"), "{{workload}} {{preset}}"),
            stacked=True,
        ),
        lines(
            "Feedback",
            "Actuals a second that callers told: accepted, told twice, refused.",
            "ops",
            Ask(rate("ml_feedback_total", "result"), "{{result}}"),
            stacked=True,
        ),
    ],
)
