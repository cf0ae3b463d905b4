"""A workload's YAML file: its declaration as people write it, and presets."""

from collections.abc import Mapping
from itertools import chain
from pathlib import Path

import msgspec

from perfcast.errors import InvalidDeclaration
from perfcast.workloads._declaration import Declaration, WorkloadName
from perfcast.workloads._each import ManyDerived, written_out
from perfcast.workloads._yaml import read_yaml


class PresetDeclaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A row that people know by a name, to begin with.

    Attributes:
        name: Lower-case words joined by hyphens, once a workload.
        title: What people read.
        group: Presets that belong together have the same.
        features: As a request gives them: defaults may be left out, and `timestamp` may stand for the clock features.
    """

    name: WorkloadName
    title: str
    features: Mapping[str, bool | float | str]
    group: str = ""


class WorkloadFile(Declaration, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A declaration as people write it, with what is no part of what a version says of its workload."""

    derived: tuple[ManyDerived, ...] = ()
    presets: tuple[PresetDeclaration, ...] = ()

    @property
    def declaration(self) -> Declaration:
        """The declaration alone, every derived quantity written out.

        Raises:
            InvalidDeclaration: One of them can't be.
        """
        parts = {name: getattr(self, name) for name in Declaration.__struct_fields__}
        return Declaration(**parts | {"derived": tuple(chain.from_iterable(map(written_out, self.derived)))})


def read_file(path: Path) -> WorkloadFile:
    """Read a YAML file.

    Raises:
        InvalidDeclaration: It can't be read, is not YAML, or has a field that is wrong; names file and place.
    """
    try:
        return read_yaml(path.read_bytes(), WorkloadFile)
    except OSError as error:
        raise InvalidDeclaration(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise InvalidDeclaration(f"{path}: {error}") from None
