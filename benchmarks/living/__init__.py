"""Living through a service's minutes with the product's own watcher, schedules, training and gate."""

from living._life import EFFORT, Life, live
from living._streams import DAY, FEATURES, Stream, server, simulated

__all__ = ["DAY", "EFFORT", "FEATURES", "Life", "Stream", "live", "server", "simulated"]
