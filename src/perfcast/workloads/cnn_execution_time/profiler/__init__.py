"""The convolution profiler: measures how long convolutions take on the machine it runs on.

It samples distinct convolutions, measures them with PyTorch or ONNX Runtime in rounds spread in time, keeps a
journal from which an interrupted run goes on, accepts what two halves of the rounds agree on, and writes the
result as Parquet with a data card that publishes the noise floor. Nothing heavy is imported before `profile`
runs.
"""

from ._configurations import ConvConfig, WorkBound, sample_configurations
from ._dataset import ProfileResult
from ._fingerprint import Fingerprint, read_fingerprint
from ._journal import Block, Journal, read_journal
from ._options import ProfileOptions
from ._profile import ProfileProgress, journal_path, profile
from ._rounds import Measurements, Reading, half_spread, round_plan

__all__ = [
    "Block",
    "ConvConfig",
    "Fingerprint",
    "Journal",
    "Measurements",
    "ProfileOptions",
    "ProfileProgress",
    "ProfileResult",
    "Reading",
    "WorkBound",
    "half_spread",
    "journal_path",
    "profile",
    "read_fingerprint",
    "read_journal",
    "round_plan",
    "sample_configurations",
]
