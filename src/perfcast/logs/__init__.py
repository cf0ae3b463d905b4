"""How everything is logged: one line an event, as JSON for machines or text for people, without secrets.

`configure_logs` decides it for a process. A file of lines (`LOG_FILE`) may have several processes as writers, and is
rotated by size and by time (`_rotation`); what must not be told is taken out at the last moment (`_redaction`); of
predictions a few are told, off their hot path (`_latency`); of requests those that failed or were slow (`_requests`).
"""

from perfcast.logs._configure import configure_logs
from perfcast.logs._latency import LatencyLines
from perfcast.logs._redaction import Redaction
from perfcast.logs._requests import RequestLines
from perfcast.logs._rotation import RotatedFile

__all__ = ["LatencyLines", "Redaction", "RequestLines", "RotatedFile", "configure_logs"]
