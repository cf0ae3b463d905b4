"""One Optuna study over families and their settings, within a budget.

`search` asks for trials (`_proposal`), has them fitted, and keeps what came of them (`_study`); a study that was broken
off goes on where it stopped.
"""

from perfcast.training.search._proposal import Start
from perfcast.training.search._search import Search, SearchOptions, TrialReport, search
from perfcast.training.search._study import make_study_tables

__all__ = ["Search", "SearchOptions", "Start", "TrialReport", "make_study_tables", "search"]
