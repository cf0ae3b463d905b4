"""What the page Training is made of: `start` a run, jobs that are `live`, the `history`, `schedules`, `datasets`."""

from perfcast.ui.parts.training._datasets import datasets
from perfcast.ui.parts.training._history import history
from perfcast.ui.parts.training._live import live
from perfcast.ui.parts.training._schedules import schedules
from perfcast.ui.parts.training._start import start

__all__ = ["datasets", "history", "live", "schedules", "start"]
