"""What a family is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import onnx

from perfcast.workloads import Rows

if TYPE_CHECKING:
    import optuna

Settings: TypeAlias = Mapping[str, Any]
Stop: TypeAlias = Callable[[], bool]
Report: TypeAlias = Callable[[int, float], None]
Trial: TypeAlias = "optuna.Trial"


def never() -> bool:
    """The `stop` of a fit that nothing interrupts."""
    return False


@dataclass(frozen=True)
class Lesson:
    """What a family learns from.

    Attributes:
        inputs: float32 [rows, inputs], features first.
        target: float32 [rows]: the cost, or its natural logarithm where `relative`, around 0.
        input_names: One a column.
        trends: For each input 1 where the target never falls with it, -1 where it never rises, else 0.
        relative: Whether the target is a logarithm.
        seed: Of everything random.
        threads: Most threads to use.
        validation: Inputs and target to stop early by; None on a final fit, whose settings carry the rounds found.
        seconds: After so many `stop` will be true; a schedule is best made for them.
        stated: Positions of the inputs that are features as they are given, not what a clock shows.
        straight: For each input whether it is a feature or a sum of some, not another quantity that grows otherwise;
            all are where it is empty.
    """

    inputs: Rows
    target: Rows
    input_names: tuple[str, ...]
    trends: tuple[int, ...]
    relative: bool = False
    seed: int = 0
    threads: int = 1
    validation: tuple[Rows, Rows] | None = None
    seconds: float = float("inf")
    stated: tuple[int, ...] = ()
    straight: tuple[bool, ...] = ()


class Fitted(Protocol):
    """A fitted model; pickles."""

    def predict(self, inputs: Rows) -> Rows:
        """The native model's answer in target space: float32 [rows, inputs] to float32 [rows]."""
        ...

    def graph(self) -> onnx.ModelProto:
        """The same as an ONNX graph with one input, float32 [rows, inputs], and one output in target space.

        A mean of members has a second output, `spread`: their standard deviation around it, float32 [rows, 1].
        """
        ...

    @property
    def settings(self) -> Settings:
        """Those with which to fit all rows without validation: as given, with the rounds that were found."""
        ...

    def details(self) -> dict[str, Any]:
        """What is worth knowing about the fit, as plain data."""
        ...

    def thresholds(self) -> Mapping[int, Rows]:
        """For trees: the split thresholds of each input, by its position; empty for smooth models."""
        ...


class Space:
    """Asks a trial for settings, under names that belong to one family, and collects them.

    Args:
        trial: Who decides.
        family: Prefix of the names, since one study holds all families.
    """

    def __init__(self, trial: Trial, family: str) -> None:
        self._trial, self._family = trial, family
        self.settings: dict[str, Any] = {}

    def number(self, name: str, low: float, high: float, *, log: bool = False) -> None:
        """Ask for a number."""
        self.settings[name] = self._trial.suggest_float(f"{self._family}.{name}", low, high, log=log)

    def whole(self, name: str, low: int, high: int, *, log: bool = False) -> None:
        """Ask for a whole number."""
        self.settings[name] = self._trial.suggest_int(f"{self._family}.{name}", low, high, log=log)

    def choice(self, name: str, choices: Sequence[str | int | float | bool]) -> None:
        """Ask for one of several values."""
        self.settings[name] = self._trial.suggest_categorical(f"{self._family}.{name}", choices)


class Family(Protocol):
    """A learning algorithm family.

    Attributes:
        name: As it stands in manifests and requests.
    """

    @property
    def name(self) -> str:
        """As it stands in manifests and requests."""
        ...

    def keeps_trends(self, settings: Settings) -> bool:  # noqa: ARG002
        """Whether a fit with these settings promises the lesson's trends."""
        return False

    @property
    def members(self) -> int:
        """How many fits, which differ by their seeds, make one final model where there is time."""
        return 1

    def join(self, members: Sequence[Fitted]) -> Fitted:
        """The mean in target space of one or more final fits, as one model."""
        (only,) = members
        return only

    def start(self, lesson: Lesson) -> Settings:
        """Settings known to be good and quick; the search begins there. All lie within `space`."""
        ...

    def plain(self, lesson: Lesson) -> Sequence[Settings]:  # noqa: ARG002
        """Settings of next to no time that few or plain rows need no more than; a search tries them before all else."""
        return ()

    def space(self, trial: Trial, lesson: Lesson) -> Settings:
        """The search space for such a lesson."""
        ...

    def fit(self, lesson: Lesson, settings: Settings, *, stop: Stop = never, report: Report | None = None) -> Fitted:
        """Fit.

        Args:
            lesson: What to learn from.
            settings: From `start`, `space` or a `Fitted`.
            stop: Asked every fraction of a second; once true, the fit ends with what it has.
            report: Called now and then with the progress (a rising whole number that means the same in every fit of
                the family) and the mean absolute error on the validation rows, in target space. May raise to abandon.

        Raises:
            Stopped: It was asked to stop before there was a usable model.
        """
        ...
