"""The profiler: measures how long convolutions, or other kinds of work, take on the machine it runs on.

It samples distinct configurations, measures them with PyTorch or ONNX Runtime in rounds spread in time, keeps a
journal from which an interrupted run goes on, accepts what two halves of the rounds agree on, and writes the
result as Parquet with a data card that publishes the noise floor. What it has to know of a kind of work is a `Kind`:
`CONVOLUTIONS` here, other operators in `perfcast.workloads.operator_execution_time.profiler`. Nothing heavy is
imported before `profile` runs.
"""

from ._configurations import WORKLOAD, ConvConfig, WorkBound
from ._convolutions import CONVOLUTIONS
from ._draws import draw_batch, draw_size
from ._improve import Chooser, Guide
from ._kind import Kind, Sampler, Timer
from ._options import ProfileOptions
from ._paths import BLOCKED
from ._profile import ProfileProgress, profile
from ._runners import OnnxRuntimeRunner, TorchRunner, time_calls

__all__ = [
    "BLOCKED",
    "CONVOLUTIONS",
    "WORKLOAD",
    "Chooser",
    "ConvConfig",
    "Guide",
    "Kind",
    "OnnxRuntimeRunner",
    "ProfileOptions",
    "ProfileProgress",
    "Sampler",
    "Timer",
    "TorchRunner",
    "WorkBound",
    "draw_batch",
    "draw_size",
    "profile",
    "time_calls",
]
