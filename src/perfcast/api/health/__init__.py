"""Whether the service lives, is ready and is well; each answered from memory."""

from perfcast.api.health._backlog import backlog_problems
from perfcast.api.health._condition import Condition, Probe
from perfcast.api.health._host import look_at_host

__all__ = ["Condition", "Probe", "backlog_problems", "look_at_host"]
