"""Everything Perfcast raises on purpose.

::

    PerfcastError
    ├── InvalidInput          a caller's value breaks the workload's declaration; names every field
    ├── InvalidDeclaration    a workload's YAML or expression can't be used; names the place
    ├── InvalidData           a file of measured rows can't be taken
    ├── InvalidSetting        an environment variable or option is wrong
    ├── NotFound              nothing has that name; tells the closest ones
    │   ├── UnknownWorkload
    │   ├── UnknownDevice
    │   ├── UnknownDataset
    │   ├── UnknownModel
    │   ├── UnknownVersion
    │   ├── UnknownJob
    │   ├── UnknownSchedule
    │   └── UnknownNetwork
    ├── NoUsableModel         the name is right, but no version can answer yet
    ├── Conflict              somebody else changed it first, or it is in use
    │   └── Fenced            a worker wrote to a job that is no longer its own
    ├── BrokenVersion         a version's bytes can't be read or run
    ├── Refused               a rule forbids it (parity gate, size limit)
    ├── Stopped               work ended early because it was asked to
    ├── Unavailable           the database, the store of bytes or another server can't be used just now
    └── MissingDependency     an optional library or system service is not installed

Domain code raises these and knows nothing of HTTP; `perfcast.api` maps them to statuses in one table.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


class PerfcastError(Exception):
    """The root: its text says what was wrong, what was expected, and what to do next."""


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one field.

    Attributes:
        field: The field's name, or `body` for the whole.
        message: What was expected, in a sentence without the name.
    """

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class InvalidInput(PerfcastError):
    """A caller's value breaks the workload's declaration.

    Attributes:
        fields: Every field that is wrong, in declared order.
    """

    def __init__(self, fields: Sequence[FieldError]) -> None:
        self.fields = tuple(fields)
        super().__init__("; ".join(str(field) for field in self.fields))

    @classmethod
    def of(cls, field: str, message: str) -> "InvalidInput":
        """The refusal of one field."""
        return cls([FieldError(field, message)])


class InvalidDeclaration(PerfcastError):
    """A workload's YAML file or one of its expressions can't be used."""


class InvalidData(PerfcastError):
    """A file of measured rows can't be taken."""


class InvalidSetting(PerfcastError):
    """An environment variable or an option has a value that can't be used."""


class NotFound(PerfcastError):
    """Nothing of the kind that the subclass names has that name; tells up to three names that look alike."""

    def __init__(self, name: str, known: Iterable[str] = (), *, hint: str = "") -> None:
        names = sorted(known)
        closest = get_close_matches(name, names, n=3, cutoff=0.4)
        text = f"unknown {type(self).__name__.removeprefix('Unknown').lower()} '{name}'"
        if closest:
            text += "; did you mean " + " or ".join(f"'{other}'" for other in closest) + "?"
        elif names:
            text += "; known: " + ", ".join(f"'{other}'" for other in names[:10])
        super().__init__(text + (f"; {hint}" if hint else ""))


class UnknownWorkload(NotFound):
    """No workload has that name."""


class UnknownDevice(NotFound):
    """No descriptor has that name."""


class UnknownDataset(NotFound):
    """No dataset has that name."""


class UnknownModel(NotFound):
    """No model has that name."""


class UnknownVersion(NotFound):
    """The model has no such version or alias."""


class UnknownJob(NotFound):
    """No training job has that id."""


class UnknownSchedule(NotFound):
    """The model is trained by no schedule."""


class UnknownNetwork(NotFound):
    """No preset of a network has that name."""


class NoUsableModel(PerfcastError):
    """The name is right, but no version can answer yet."""


class Conflict(PerfcastError):
    """Somebody else changed it first, or it is in use."""


class Fenced(Conflict):
    """A worker wrote to a job that is no longer its own: it was taken for dead, or somebody cancelled the job."""


class BrokenVersion(PerfcastError):
    """A version's bytes can't be read or run."""


class Refused(PerfcastError):
    """A rule forbids it, such as the parity gate or the size limit."""


class Stopped(PerfcastError):
    """Work ended early because it was asked to."""


class Unavailable(PerfcastError):
    """The database, the store of bytes or a server can't be used just now; names its address, never its password."""


class MissingDependency(PerfcastError):
    """An optional library or a system service is not installed; the text says how to install it."""
