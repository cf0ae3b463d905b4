"""What `benchmarks/dashboards.py` does to a server, and what it asks Prometheus afterwards."""

from watching._listing import listing
from watching._traffic import KEYS, Traffic

__all__ = ["KEYS", "Traffic", "listing"]
