"""What a version says about itself: where it comes from, how good it is, and how far to trust it.

Made by `perfcast.training`, kept by `perfcast.registry`, read by `perfcast.serving`; plain data that travels as JSON.
"""

from perfcast.manifest._calibration import COVERAGES, DEFAULT_COVERAGE, STAY, Calibration, Move
from perfcast.manifest._manifest import (
    CALIBRATED,
    LARGEST_GRAPH,
    Bounded,
    DataFacts,
    Draft,
    GraphFacts,
    Manifest,
    Metrics,
    Origin,
    Parity,
)
from perfcast.manifest._reference import BUDGETS, Chart, InputReference, Reference

__all__ = [
    "BUDGETS",
    "CALIBRATED",
    "COVERAGES",
    "DEFAULT_COVERAGE",
    "LARGEST_GRAPH",
    "STAY",
    "Bounded",
    "Calibration",
    "Chart",
    "DataFacts",
    "Draft",
    "GraphFacts",
    "InputReference",
    "Manifest",
    "Metrics",
    "Move",
    "Origin",
    "Parity",
    "Reference",
]
