"""The process that serves: it takes the port, alone or with others, and speaks HTTP on it.

`serve` is the way in. Connections that stand still are watched and heads are bounded (`_bounds`), and a
`POST /predict` that came whole is answered while its bytes are parsed (`_direct`).
"""

from perfcast.api.server._listening import listen, serve

__all__ = ["listen", "serve"]
