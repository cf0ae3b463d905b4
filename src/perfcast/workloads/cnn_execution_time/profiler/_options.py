"""What to measure, how, and where the result goes."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from perfcast.errors import InvalidSetting

from ._configurations import WorkBound
from ._sampler import UNEVEN_SHARE

Runtime = Literal["torch", "onnxruntime"]
Device = Literal["cpu", "cuda"]
Pass = Literal["forward", "training"]
What = Literal["convolutions", "operators"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileOptions:
    """Options of one profiling run.

    Raises:
        InvalidSetting: An option has a value that can't be used.
    """

    output: Path  # folder for journal, Parquet file and data card
    what: What = "convolutions"  # the kind of work
    runtime: Runtime = "torch"  # library that does it
    device: Device = "cpu"  # where it runs; `cuda` needs torch with a visible GPU
    measured_pass: Pass = "forward"  # `forward`, or `training` for forward and backward together (torch only)
    configurations: int = 8000  # how many distinct configurations to measure
    rounds: int = 4  # rounds over all configurations
    max_rounds: int = 10  # rounds at most, counting the further ones for configurations not yet accepted
    tolerance: float = 0.05  # largest relative difference between the halves of a configuration's rounds
    budget_ms: float = 15.0  # time for the repetitions of one configuration in one round, in ms
    max_call_ms: float = 1000.0  # a configuration whose single call takes longer is left out
    core: int | None = None  # CPU core to pin the process to, or None to leave it unpinned
    seed: int = 0  # seed of sampler and orders
    uneven: float = UNEVEN_SHARE  # of convolutions, share whose kernel, stride or padding differs between directions
    bound: WorkBound = field(default_factory=WorkBound)  # most work of a usual call
    command: str = "perfcast profile"  # the command that started the run, for the data card

    def __post_init__(self) -> None:
        for option, value, choices in (
            ("what", self.what, get_args(What)),
            ("runtime", self.runtime, get_args(Runtime)),
            ("device", self.device, get_args(Device)),
            ("pass", self.measured_pass, get_args(Pass)),
        ):
            if value not in choices:
                raise InvalidSetting(f"{option} is '{value}', expected one of {', '.join(choices)}")
        if self.rounds < 2 or self.max_rounds < self.rounds:
            message = f"rounds {self.rounds} and max_rounds {self.max_rounds}: expected 2 <= rounds <= max_rounds"
            raise InvalidSetting(f"{message}, since a row is accepted when two halves of its rounds agree")
        for option in ("configurations", "tolerance", "budget_ms", "max_call_ms"):
            if getattr(self, option) <= 0:
                raise InvalidSetting(f"{option} is {getattr(self, option)}, expected more than 0")
        if not 0 <= self.uneven <= 1:
            raise InvalidSetting(f"uneven is {self.uneven}, expected a share from 0 to 1")

    @property
    def name(self) -> str:
        """Of the data set, for instance `cpu-torch`, `cpu-torch-operators` or `cuda-torch-training`."""
        kind = "-operators" if self.what == "operators" else ""
        measured = "-training" if self.measured_pass == "training" else ""
        return f"{self.device}-{self.runtime}{kind}{measured}"

    @property
    def asymmetric(self) -> bool:
        """Whether the runtime's convolution takes different padding on opposite sides; PyTorch's doesn't."""
        return self.runtime == "onnxruntime"

    def to_json(self) -> dict[str, Any]:
        """The options as plain data, without the folder they write to."""
        data = asdict(self)
        del data["output"]
        return data
