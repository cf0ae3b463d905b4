"""What the Models page says of versions, in words."""

import msgspec
import pytest

from perfcast.ui.parts.models._answering import verdict
from perfcast.ui.parts.models._errors import family, held_out_error, live_error
from perfcast.ui.parts.models._upload import statement
from perfcast.ui.parts.models._version import errors_of
from perfcast_client.answers import ArmComparison, Cost, HeldOutMetrics, LiveAccuracy

CPU = Cost("cpu_utilization", "percent", 0, 100, relative=False, meaning="")
CNN = Cost("execution_time_ms", "ms", 0, None, relative=True, meaning="")
METRICS = HeldOutMetrics(rows=10, mae=1.5, rmse=2.0, r2=0.9, mape=12.0, median_ape=8.0)
OPEN = ArmComparison(
    measure="mae", hours=3, difference=None, lower=None, upper=None, confidence=0.95, significant=False, better=None
)


def live(actuals: int) -> LiveAccuracy:
    return LiveAccuracy(
        predictions=5,
        extrapolated=0.0,
        width=4.0,
        actuals=actuals,
        mae=1.25,
        rmse=2.0,
        bias=0.1,
        mape=7.0,
        coverage=90.0,
    )


def test_errors_are_told_in_the_terms_of_the_cost() -> None:
    assert held_out_error(METRICS, CPU) == "MAE 1.50\u00a0points"
    assert held_out_error(METRICS, CNN) == "MAPE 12.0\u202f%, median 8.00\u202f%"
    assert held_out_error(None, CPU) == "–"
    assert (live_error(live(3), CPU), live_error(live(3), CNN)) == ("MAE 1.25\u00a0points", "MAPE 7.00\u202f%")
    assert live_error(live(0), CPU) == live_error(None, CPU) == "–"


def test_residuals_are_in_percent_of_what_was_measured_where_costs_are_judged_so() -> None:
    assert errors_of([2.0, 4.0], [3.0, 3.0], CNN) == ([50.0, -25.0], "%")
    assert errors_of([2.0, 4.0], [3.0, 3.0], CPU) == ([1.0, -1.0], "points")


def test_a_comparison_is_open_until_it_is_significant() -> None:
    assert "open; 3 finished hours" in verdict("challenger", OPEN, CPU)
    known = msgspec.structs.replace(OPEN, hours=30, difference=-0.5, lower=-1.1, upper=0.1)
    assert "may be chance: MAE -0.5 points (-1.1 to +0.1), 30 hours" in verdict("challenger", known, CPU)
    clear = msgspec.structs.replace(known, upper=-0.1, significant=True, better="challenger")
    assert verdict("challenger", clear, CPU).startswith("**Challenger**: the **challenger** is better")


def test_what_was_typed_goes_over_the_manifest() -> None:
    said = statement(b'{"type": "xgboost", "label": "v1"}', {"label": "v2", "note": "", "workload": None})
    assert said == {"type": "xgboost", "label": "v2"}
    assert statement(b"", {"type": ""}) == {}


@pytest.mark.parametrize("manifest", [b"[1]", b"{", b"3", b"\xff"])
def test_a_manifest_that_is_no_object_is_refused(manifest: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        statement(manifest, {})


def test_families_have_the_names_that_people_write() -> None:
    assert (family("xgboost"), family("random_forest"), family(None)) == ("XGBoost", "random forest", "–")
