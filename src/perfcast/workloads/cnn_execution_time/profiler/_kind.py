"""What the profiler has to know of a kind of work to measure it: configurations, who chooses them, who runs them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Protocol, TypeAlias

from ._configurations import WorkBound
from ._options import ProfileOptions

Timer: TypeAlias = Callable[[int], float]
"""Makes so many calls and gives the seconds that they took together."""


class Configuration(Protocol):
    """One row of the workload, without its cost: a frozen dataclass with the features in declared order."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def flops(self) -> int:
        """Floating-point operations of a call."""

    @property
    def tensor_bytes(self) -> int:
        """Bytes that a call reads and writes at least."""


class Runner(Protocol):
    """A runtime on a device; `gpu` is the name of the GPU it runs on, or an empty string."""

    gpu: str

    def prepare(self, config: Any, /) -> Timer:
        """Make a configuration's tensors, and return its timer."""

    def path(self, config: Any, /) -> str | None:
        """Which way the runtime takes, where it tells."""

    def close(self) -> None:
        """Undo what it set."""


class Sampler(Protocol):
    """Chooses distinct configurations; the same arguments give the same ones."""

    def __call__(self, count: int, *, seed: int, bound: WorkBound, known: Iterable[Any] = ()) -> list[Any]:
        """So many, none of which is known."""


@dataclass(frozen=True)
class Kind:
    """A kind of work that can be measured.

    Attributes:
        name: Several of them, for people: `convolutions`.
        workload: Whose rows they are.
        configuration: The class of its configurations.
        sentinel: Measured again and again, to see whether the machine is slower than at its best.
        bound: The most work of a usual call.
        sampler: Who chooses configurations, for the options of a run.
        make_runner: The runner for the options of a run; raises as `profile` says.
        rows: What the rows are, for the data card.
        calls: What is timed, by runtime and pass, for the data card.
        remarks: What else is to be known of them, by runtime, for the data card.
        choice: How configurations were chosen, for the data card.
        told: A sentence about configurations, for the data card, beginning with a space; or nothing.
        label: The feature by which the data card counts rows, if there is one.
    """

    name: str
    workload: str
    configuration: type[Any]
    sentinel: Configuration
    bound: WorkBound
    sampler: Callable[[ProfileOptions], Sampler]
    make_runner: Callable[[ProfileOptions], Runner]
    rows: str
    calls: Mapping[tuple[str, str], str]
    choice: str
    remarks: Mapping[str, str] = field(default_factory=dict)
    told: Callable[[Sequence[Any]], str] = lambda configurations: ""
    label: str = ""

    @property
    def features(self) -> tuple[str, ...]:
        """Names of a configuration's values, in declared order."""
        return tuple(one.name for one in fields(self.configuration))
