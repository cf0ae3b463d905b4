"""How calls are sent: what both clients do alike is decided without I/O, and each transport carries it out."""

from perfcast_client._sending._async_sender import AsyncSender
from perfcast_client._sending._bound import AsyncSending, Awaited, Blocking, Sending
from perfcast_client._sending._exchange import Raw
from perfcast_client._sending._options import Options, Server
from perfcast_client._sending._sender import Sender

__all__ = ["AsyncSender", "AsyncSending", "Awaited", "Blocking", "Options", "Raw", "Sender", "Sending", "Server"]
