"""The table of all champions."""

from perfcast.ui.parts.monitoring import read
from perfcast.ui.parts.monitoring._models import live_of

TEXT = """
ml_live_coverage_percent{arm="champion",model_name="cpu",version="4",window="24h"} 93
ml_live_coverage_percent{arm="champion",model_name="cpu",version="8",window="24h"} 92
ml_live_coverage_percent{arm="shadow",model_name="cpu",version="9",window="24h"} 91
ml_live_coverage_percent{arm="champion",model_name="cpu",version="8",window="1h"} 90
"""


def test_a_champion_has_its_own_accuracy_not_that_of_the_one_before_too() -> None:
    now = read(TEXT, 0.0)
    assert live_of(now, "ml_live_coverage_percent", "cpu", 8) == 92
    assert live_of(now, "ml_live_coverage_percent", "cpu", 9) is None
