"""Whether the service lives, is ready and is well; each answered from memory."""

from perfcast.api.health._condition import Condition, Probe, system_info

__all__ = ["Condition", "Probe", "system_info"]
