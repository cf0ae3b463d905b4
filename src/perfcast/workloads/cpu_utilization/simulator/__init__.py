"""A causal simulator of a service's CPU utilisation.

Calendar, noise, bursts and flash crowds make the load (`_load`); users and database connections follow it
through queues (`_load`, `_service`); requests, users, connections, garbage collections and cron jobs make
work, which becomes busy cores through the Universal Scalability Law (`_service`, `_scaling`); a scraper sees
that late, with gaps and errors (`_observation`). A `Scenario` holds every parameter, `simulate` runs it, and
since the truth is known, `expected_utilization` (`_service`) says exactly what a model of it should find.
"""

from ._files import write_csvs, write_parquet
from ._scenario import Scenario
from ._simulation import Simulation, simulate

__all__ = ["Scenario", "Simulation", "simulate", "write_csvs", "write_parquet"]
