"""The convolution profiler: measures how long convolutions take on the machine it runs on.

It samples distinct convolutions, measures them with PyTorch or ONNX Runtime in rounds spread in time, keeps a
journal from which an interrupted run goes on, accepts what two halves of the rounds agree on, and writes the
result as Parquet with a data card that publishes the noise floor. Nothing heavy is imported before `profile`
runs.
"""

from ._configurations import WORKLOAD, ConvConfig
from ._improve import Guide
from ._options import ProfileOptions
from ._profile import ProfileProgress, profile

__all__ = ["WORKLOAD", "ConvConfig", "Guide", "ProfileOptions", "ProfileProgress", "profile"]
