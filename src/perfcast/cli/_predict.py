"""`perfcast predict`: one answer, without a server or from one."""

import json
import sys
from typing import Any

import typer

from perfcast.cli._options import KEY, URL
from perfcast.cli._output import show_json
from perfcast.cli._place import open_place
from perfcast.errors import InvalidInput


def predict(
    features: list[str] = typer.Argument(None, help="FEATURE=VALUE …; or - to read a JSON object from standard input."),
    model: str = typer.Option("", help="NAME, NAME:VERSION or NAME@ALIAS; the workload's default model if not given."),
    coverage: float = typer.Option(0.9, help="Share of true costs the interval shall hold: 0.5, 0.8, 0.9, 0.95, 0.99."),
    url: str = URL,
    key: str = KEY,
) -> None:
    """Predict the cost of one piece of work with a model of the registry, no server needed; or ask a server.

    Examples:
        perfcast predict request_rate=120 active_users=60 db_connections=25 timestamp=2026-03-02T14:05:00Z
        perfcast predict --model cnn-execution-time-cpu-torch batch_size=8 input_channels=3 input_height=224
            input_width=224 output_channels=64 kernel_size=7 stride=2
        echo '{"batch_size": 1, …}' | perfcast predict --model cnn-execution-time-cpu-torch@challenger -
        perfcast predict --url http://localhost:8000 --model cpu-utilization request_rate=120 …
    """
    from perfcast.manifest import COVERAGES

    if coverage not in COVERAGES:
        raise InvalidInput.of("coverage", f"must be one of {', '.join(map(str, COVERAGES))}, got {coverage}")
    with open_place(url, key) as place:
        show_json(place.predict(model, _values(features or []), coverage))


def _values(words: list[str]) -> dict[str, Any]:
    if words == ["-"]:
        return _object(sys.stdin.read())
    values: dict[str, Any] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign:
            raise typer.BadParameter(f"'{word}' is not FEATURE=VALUE")
        try:
            values[name] = json.loads(text)
        except json.JSONDecodeError:
            values[name] = text
    return values


def _object(text: str) -> dict[str, Any]:

    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput.of("body", f"is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidInput.of("body", "must be a JSON object of features")
    return value
