"""Models over HTTP: look at them, upload and delete versions, move aliases, split callers, benchmark."""

from perfcast.api.models._benchmarks import Benchmarks

__all__ = ["Benchmarks"]
