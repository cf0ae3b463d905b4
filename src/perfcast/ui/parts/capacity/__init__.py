"""What the page Capacity is made of, beside its curves: `headroom` below the limit, and the `runway` to it."""

from perfcast.ui.parts.capacity._headroom import headroom
from perfcast.ui.parts.capacity._runway import runway

__all__ = ["headroom", "runway"]
