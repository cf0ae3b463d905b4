"""How much load a service takes, over HTTP: headroom below a limit, and the figure that autoscalers read."""

from perfcast.api.capacity._autoscale import Autoscale

__all__ = ["Autoscale"]
