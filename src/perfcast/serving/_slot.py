"""A version's place among what is served, whether or not its graph is in memory just now."""

from threading import Lock

from perfcast.registry import Version
from perfcast.serving._predictor import Predictor
from perfcast.serving._reader import Reader

MOST_IMPORTANT = 4
"""The importance of a default model's champion."""


class Slot:
    """A version that can answer; only its graph comes and goes.

    Who wants an answer reads `predictor` once and keeps what it got: the next moment another thread may have taken it
    away, which does a prediction that has begun no harm.

    Attributes:
        version, model, number: What the registry says about it.
        reader: Reads its workload's features, also while the graph isn't loaded.
        predictor: The loaded graph; None while it isn't in memory.
        used: When it was asked for last, seconds of `time.perf_counter`.
        importance: Greater ones are loaded earlier at start; `MOST_IMPORTANT` ones leave memory last.
        reason: Why it could not be loaded at the last attempt; None where nothing is known against it.
        loading: Held while it is being loaded, so that it is loaded once.
    """

    __slots__ = ("importance", "loading", "model", "number", "predictor", "reader", "reason", "used", "version")

    def __init__(self, version: Version, reader: Reader) -> None:
        self.version = version
        self.model = version.model
        self.number = version.number
        self.reader = reader
        self.predictor: Predictor | None = None
        self.used = 0.0
        self.importance = 0
        self.reason: str | None = None
        self.loading = Lock()

    @property
    def name(self) -> str:
        """The reference that always means this version."""
        return f"{self.model}:{self.number}"

    @property
    def bytes(self) -> int:
        """Size of its graph."""
        return self.version.manifest.graph.bytes
