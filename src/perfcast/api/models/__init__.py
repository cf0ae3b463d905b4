"""Models over HTTP: look at them and their held-out rows, upload and delete versions, move aliases, benchmark."""

from perfcast.api.models._benchmarks import Benchmarks
from perfcast.api.models._judged import Judgements

__all__ = ["Benchmarks", "Judgements"]
