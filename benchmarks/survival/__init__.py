"""The scenarios of benchmarks/jobs.py: what is done to training jobs, and what must hold afterwards.

`_bench` is the installation and the checks that all share; the other modules are the scenarios, by what is done.
"""

from survival._bench import TRIALS, Bench, Finding, Scenario, installation
from survival.cancellations import CANCELLATIONS
from survival.frozen import FREEZES
from survival.kills import KILLS
from survival.outages import OUTAGES
from survival.unusable import UNUSABLE

__all__ = ["SCENARIOS", "TRIALS", "Bench", "Finding", "Scenario", "installation"]

SCENARIOS: dict[str, Scenario] = {
    scenario.run.__name__: scenario for scenario in (*KILLS, *FREEZES, *OUTAGES, *UNUSABLE, *CANCELLATIONS)
}
