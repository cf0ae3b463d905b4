"""What lines look like, and which are written at all."""

import json
import threading
from pathlib import Path

import pytest
import structlog
from tests.patience import until

from perfcast.logs import LatencyLines, RequestLines, configure_logs
from perfcast.settings import load_settings


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("form", ["json", "text"])
def test_grep_finds_errors_by_their_level_and_nothing_else(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(load_settings(log_format=form))
    log = structlog.stdlib.get_logger("perfcast.tried")
    log.info("an error was put right")
    log.error("it broke")
    found = [line for line in capsys.readouterr().err.splitlines() if "ERROR" in line]
    assert len(found) == 1
    assert "it broke" in found[0]


def test_each_line_says_what_the_process_is_about_unless_the_event_says_otherwise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs(load_settings(log_format="json"), about={"job": "7", "request_id": "r"})
    log = structlog.stdlib.get_logger("perfcast.tried")
    thread = threading.Thread(target=lambda: log.info("from a thread"))
    thread.start()
    thread.join()
    log.info("of another", job="8")
    told = [(line["job"], line["request_id"]) for line in lines(capsys.readouterr().err)]
    assert told == [("7", "r"), ("8", "r")]


def test_what_nobody_caught_in_a_thread_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    configure_logs(load_settings(log_format="json", database_url="postgresql://me:secret-word@db/x"))

    def fail() -> None:
        raise RuntimeError("secret-word")

    thread = threading.Thread(target=fail, name="worker 3")
    thread.start()
    thread.join()
    (line,) = lines(capsys.readouterr().err)
    assert (line["level"], line["thread"]) == ("ERROR", "worker 3")
    assert "RuntimeError: ***" in str(line["exception"])


def test_servers_write_the_file_and_commands_do_not(tmp_path: Path) -> None:
    settings = load_settings(log_format="auto", log_file=tmp_path / "perfcast.log")
    configure_logs(settings, of_command=True)
    structlog.stdlib.get_logger("perfcast.tried").warning("of a command")
    assert not (tmp_path / "perfcast.log").exists()
    configure_logs(settings)
    structlog.stdlib.get_logger("perfcast.tried").warning("of a server")
    assert [line["event"] for line in lines((tmp_path / "perfcast.log").read_text())] == ["of a server"]


def test_predictions_are_told_as_often_as_asked_and_by_a_thread(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(load_settings(log_format="json"))
    told = LatencyLines(1000)
    told.start()
    for number in range(3):
        until(lambda: told.due)
        told.take("cpu-utilization", 2, 0.0123456, f"id {number}")
        assert not told.due
    until(lambda: told._taken is None)
    told.close()
    found = lines(capsys.readouterr().err)
    assert [line["prediction_id"] for line in found] == ["id 0", "id 1", "id 2"]
    assert (found[0]["event"], found[0]["model"], found[0]["version"]) == ("prediction_latency", "cpu-utilization", 2)
    assert (found[0]["milliseconds"], found[0]["level"]) == (12.346, "INFO")


def test_the_last_prediction_is_told_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(load_settings(log_format="json"))
    told = LatencyLines(0.001)
    told.start()
    until(lambda: told.due)
    told.take("m", 1, 0.001, "the last")
    told.close()
    assert [line["prediction_id"] for line in lines(capsys.readouterr().err)] == ["the last"]


@pytest.mark.parametrize(("a_second", "level"), [(0.0, "INFO"), (1.0, "WARNING")])
def test_no_prediction_is_asked_for_where_none_would_be_told(a_second: float, level: str) -> None:
    configure_logs(load_settings(log_level=level))
    told = LatencyLines(a_second)
    told.start()
    assert not told._thread.is_alive()
    assert not told.due
    told.close()


def test_requests_are_told_that_failed_or_were_slow(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(load_settings(log_format="json"))
    told = RequestLines(2.0)
    told.tell("GET", "/models", 200, 0.1, "quick")
    told.tell("POST", "/predict", 422, 0.1, "the caller's fault")
    told.tell("GET", "/readyz", 503, 0.1, "a probe's answer")
    told.tell("GET", "/models", 500, 0.1, "broken")
    told.tell("POST", "/predict/batch", 200, 2.5, "slow")
    found = [(line["event"], line["level"], line["request_id"]) for line in lines(capsys.readouterr().err)]
    assert found == [("server error", "ERROR", "broken"), ("request was slow", "WARNING", "slow")]


def test_a_flood_of_refusals_is_counted_not_told(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    now = [100.0]
    monkeypatch.setattr("perfcast.logs._requests.time.monotonic", lambda: now[0])
    configure_logs(load_settings(log_format="json"))
    told = RequestLines(2.0)
    for _ in range(1000):
        told.tell("POST", "/predict", 503, 0.0, "overload")
    now[0] += 1
    told.tell("POST", "/predict", 503, 0.0, "overload")
    found = lines(capsys.readouterr().err)
    assert (len(found), found[-1]["unsaid"]) == (11, 990)
