"""The watcher keeps quiet while all is as usual, and says what has moved, of what kind, and since when."""

from datetime import timedelta

import msgspec
import numpy as np
import pytest

from perfcast.monitoring.drift import describe_drift, read_all_findings
from perfcast.storage import Database, schema, time_text
from perfcast.workloads import Rows

from .conftest import BEGIN, CPU, Watch, predicted, watching

RATE = CPU.feature_names.index("request_rate")


def costlier(factor: float):
    return lambda features, cost: (features, np.minimum(factor * cost, 100).astype(np.float32))


def busier(features: Rows, cost: Rows) -> tuple[Rows, Rows]:
    """Twice the requests, which cost what the model knows."""
    changed = features.copy()
    changed[:, RATE] *= 2
    return changed, cost + (predicted(CPU, changed) - predicted(CPU, features))


def test_two_quiet_weeks_pass_without_a_page(watch: Watch) -> None:
    watch.live(14)
    assert not watch.alarms
    assert watch.signals == []


def test_a_cost_that_rises_while_inputs_stay_is_seen_said_and_signalled(database: Database) -> None:
    watch = watching(database)
    watch.live(2)
    watch.live(1, costlier(1.3))
    assert {("error", None), ("coverage", None), ("unexplained", None)} <= watch.alarms
    assert not any(kind == "inputs" for kind, _ in watch.alarms)
    model, kind, reason = watch.signals[0]
    assert (model, kind) == ("m", "accuracy")
    assert "times what is usual" in reason or "intervals held" in reason
    assert "more than its inputs explain" in watch.signals[-1][2]
    with database.read() as connection:
        assert read_all_findings(connection).keys() == {"m"}
    found = watch.found
    first = found["findings"][0]
    assert first["pages"]
    assert first["score"] >= 1
    assert time_text(BEGIN + timedelta(days=2)) <= first["since"] <= time_text(BEGIN + timedelta(days=2, hours=12))
    assert found["state"]["error"]
    assert not found["state"]["inputs"]


def test_an_alarm_ends_when_errors_are_as_usual_again(watch: Watch) -> None:
    watch.live(1)
    watch.live(1, costlier(1.3))
    assert ("error", None) in watch.alarms
    watch.live(2)
    assert not watch.alarms
    assert watch.found["alarms"]["error"] == 1


def test_inputs_that_move_explain_and_never_page(watch: Watch) -> None:
    watch.live(1)
    watch.live(2, busier)
    assert ("inputs", "request_rate") in watch.alarms
    assert ("inputs", "(extrapolated)") in watch.alarms
    found = watch.found
    assert not any(one["pages"] for one in found["findings"])
    assert watch.signals == []
    assert "hour_sin" not in {one["feature"] for one in found["findings"]}


def test_without_actuals_the_share_of_extrapolated_rows_speaks(watch: Watch) -> None:
    watch.live(1, without_actuals=True)
    watch.live(2, busier, without_actuals=True)
    assert ("inputs", "(extrapolated)") in watch.alarms
    assert watch.signals[0][1] == "drift"
    assert "outside what was learnt" in watch.signals[0][2]


def test_one_hour_of_large_errors_is_no_drift_but_an_anomaly(watch: Watch) -> None:
    def burst(features: Rows, cost: Rows) -> tuple[Rows, Rows]:
        changed = cost.copy()
        changed[96:108] = 99.0  # an hour from eight o'clock on
        return features, changed

    watch.live(1, burst)
    watch.live(0.5)
    assert ("error", None) not in watch.alarms
    (found,) = watch.anomalies
    with watch.database.read() as connection:
        assert describe_drift(connection, "m")["anomalies"] == [found._asdict()]
    assert found.first_at == time_text(BEGIN + timedelta(hours=8))
    assert found.last_at == time_text(BEGIN + timedelta(hours=8, minutes=55))
    assert "for 55 min" in found.reason


def flood(features: Rows, cost: Rows) -> tuple[Rows, Rows]:
    return features, np.full_like(cost, 99.0)


@pytest.mark.parametrize(("hours_after", "anomalies"), [(0, 0), (3, 1)])
def test_errors_that_end_because_another_version_has_learnt_are_no_anomaly(
    watch: Watch, hours_after: float, anomalies: int
) -> None:
    watch.live(0.5)
    watch.live(0.25, flood)
    watch.version = 2
    if hours_after:
        watch.live(hours_after / 24, flood)
    watch.live(0.25)
    assert len(watch.anomalies) == anomalies


def test_a_metric_that_stands_still_while_others_move_is_told_and_so_is_its_end(watch: Watch) -> None:
    def stuck(features: Rows, cost: Rows) -> tuple[Rows, Rows]:
        changed = features.copy()
        changed[:, RATE] = 300
        return changed, cost

    watch.live(1)
    watch.live(1, stuck)
    assert ("quality", "request_rate") in watch.alarms
    watch.live(0.5)
    assert ("quality", "request_rate") not in watch.alarms


def test_the_same_question_again_and_again_is_no_metric_that_stands_still(watch: Watch) -> None:
    watch.live(1, lambda features, cost: (np.repeat(features[:1], len(features), axis=0), cost))
    assert not any(kind == "quality" for kind, _ in watch.alarms)


@pytest.mark.parametrize("factor", [1000.0, 0.01])
def test_a_unit_that_changed_is_told(watch: Watch, factor: float) -> None:
    def other_unit(features: Rows, cost: Rows) -> tuple[Rows, Rows]:
        changed = features.copy()
        changed[:, RATE] *= factor
        return changed, cost

    watch.live(1)
    watch.live(0.5, other_unit)
    assert ("quality", "request_rate") in watch.alarms


def test_actuals_of_another_unit_are_told_and_not_learnt(watch: Watch) -> None:
    watch.live(1)
    watch.live(1, costlier(0.01))
    quality = next(one for one in watch.found["findings"] if one["kind"] == "quality")
    assert not quality["pages"]  # what is lost by it, pages
    assert quality["alarm"]
    assert "10^-2" in quality["words"]
    before = len(watch.signals)
    watch.live(0.25, costlier(0.01))
    assert len(watch.signals) == before


def test_a_value_that_is_missing_is_told(watch: Watch) -> None:
    def missing(features: Rows, cost: Rows) -> tuple[Rows, Rows]:
        changed = features.copy()
        changed[::4, RATE] = np.nan
        return changed, cost

    watch.live(0.25, missing)
    assert ("quality", "request_rate") in watch.alarms


def test_another_version_is_watched_by_its_own_reference_from_its_first_answer_on(watch: Watch) -> None:
    watch.live(1)
    watch.live(1, costlier(1.3))
    assert ("error", None) in watch.alarms
    watch.version = 2
    watch.live(0.5)
    assert not watch.alarms
    found = watch.found
    assert (found["version"], found["alarms"]["error"]) == (2, 1)
    watch.version = 1  # a server that hasn't followed yet
    watch.tell([watch.record(watch.minute - 719, [1.0] * 8, 1.0)], [])
    with watch.database.read() as connection:
        assert describe_drift(connection, "m")["version"] == 2


def test_a_version_without_a_reference_is_not_watched(watch: Watch) -> None:
    watch.version = 3
    watch.live(0.25)
    assert watch.found == {}
    with watch.database.read() as connection:
        assert "has no reference" in describe_drift(connection, "m")["note"]


def test_shadows_and_challengers_and_wrong_clocks_change_nothing(watch: Watch) -> None:
    watch.live(0.5)
    before = watch.found
    others = [
        msgspec.structs.replace(watch.record(watch.minute + 600, [9e9] * 8, 9e9), arm=arm)
        for arm in ("shadow", "challenger", "named")
    ]
    watch.tell([*others, watch.record(10**6, [9e9] * 8, 9e9)], [5.0] * 4)
    assert watch.found == before


def test_late_rows_are_counted_among_the_inputs_of_their_hour_and_judge_nothing_again(watch: Watch) -> None:
    watch.live(0.5)
    before = watch.found
    watch.tell([watch.record(3, [300.0] * 8, 30.0)], [99.0])
    window = schema.input_window
    with watch.database.read() as connection:
        rows = connection.execute(window.select().order_by(window.c.at)).first()
    assert rows is not None
    assert rows.rows == 13
    after = watch.found
    assert (after["findings"], after["actuals_until"]) == (before["findings"], before["actuals_until"])


def test_few_actuals_wait_until_they_are_enough(watch: Watch) -> None:
    hourly = [watch.record(60 * hour, [250.0, 100, 25, 0, 0, 0, 0, 0], 30.0) for hour in range(200)]
    for at in range(0, 200, 10):
        watch.tell(hourly[at : at + 10], [60.0] * 10)
    assert ("error", None) in watch.alarms
    assert not any(kind == "inputs" and feature == "request_rate" for kind, feature in watch.alarms)


def test_peaks_after_a_deploy_that_made_requests_costlier_are_no_anomalies(watch: Watch) -> None:
    watch.live(1)
    watch.live(3, costlier(1.3))
    assert ("error", None) in watch.alarms
    assert watch.anomalies == []
