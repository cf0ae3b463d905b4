"""Where workloads come from: built in, a folder of YAML files, other installed packages, a version's manifest."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import msgspec

from perfcast.errors import InvalidDeclaration, UnknownWorkload
from perfcast.workloads._declaration import Declaration, extend, leave_out
from perfcast.workloads._file import WorkloadFile, read_file
from perfcast.workloads._presets import with_presets
from perfcast.workloads._workload import Workload

ENTRY_POINTS = "perfcast.workloads"
_HERE = Path(__file__).parent
_BUILT_IN = ("cpu_utilization", "cnn_execution_time", "operator_execution_time", "convolution_across_devices")
"""Folders; what extends another comes after it."""


@cache
def builtin_workloads() -> Mapping[str, Workload]:
    """The workloads that come with Perfcast, by name."""
    found: dict[str, Workload] = {}
    for path in (_HERE / folder / "workload.yaml" for folder in _BUILT_IN):
        workload = _resolve(read_file(path), found, str(path))
        found[workload.name] = workload
    return found


@dataclass(frozen=True)
class Catalogue:
    """What a look at every place found: workloads by name, and why a file, folder or entry point can't be used."""

    workloads: dict[str, Workload]
    problems: dict[str, str]

    def add(self, workload: Workload, place: str) -> None:
        """Take in what was found at a place."""
        if workload.name in self.workloads:
            raise InvalidDeclaration(f"{place}: workload '{workload.name}' is declared twice")
        self.workloads[workload.name] = workload

    @contextmanager
    def noting(self, place: str) -> Iterator[None]:
        """Note what goes wrong, and go on."""
        try:
            yield
        except InvalidDeclaration as error:
            self.problems[place] = str(error)
        except Exception as error:  # noqa: BLE001 - others' files and packages may fail in any way
            self.problems[place] = f"{place}: {type(error).__name__}: {error}"


def survey_workloads(folder: Path | None = None) -> Catalogue:
    """Every workload that can be used; what can't be used is told, and keeps nothing else from being used.

    Your own `*.yaml` and `*.yml` files lie in the folder, if there is one.
    """
    survey = Catalogue(dict(builtin_workloads()), {})
    for point in entry_points(group=ENTRY_POINTS):
        place = f"entry point '{point.name}'"
        with survey.noting(place):
            survey.add(_installed(point), place)
    if folder is not None and folder.is_dir():
        _survey_files(folder, survey)
    elif folder is not None:
        survey.problems[str(folder)] = f"WORKLOADS_DIR: '{folder}' is not a folder"
    return survey


def load_workloads(folder: Path | None = None) -> dict[str, Workload]:
    """The same by name; where one can't be used, none is given.

    Raises:
        InvalidDeclaration: A file is wrong, two have one name, or the folder is missing.
    """
    catalogue = survey_workloads(folder)
    if catalogue.problems:
        raise InvalidDeclaration("; ".join(catalogue.problems.values()))
    return catalogue.workloads


def load_workload(path: Path, known: Mapping[str, Workload] | None = None) -> Workload:
    """The workload that one YAML file declares; it may extend a known one (by default one that is built in).

    Raises:
        InvalidDeclaration: The file is wrong.
    """
    return _resolve(read_file(path), known or builtin_workloads(), str(path))


def workload_from_document(document: Mapping[str, object]) -> Workload:
    """The workload whose `document()` this is, as a manifest carries it.

    Raises:
        InvalidDeclaration: It is not such a document.
    """
    try:
        return Workload(msgspec.convert(document, Declaration))
    except msgspec.ValidationError as error:
        raise InvalidDeclaration(f"workload document: {error}") from None


def without_features(workload: Workload, features: Collection[str]) -> Workload:
    """What the workload's rows are without some features: for files that lack them. No model learns from it."""
    return Workload(leave_out(workload.declaration, features)) if features else workload


def find_workload(name: str, workloads: Mapping[str, Workload]) -> Workload:
    """The workload of that name.

    Raises:
        UnknownWorkload: There is none.
    """
    if name not in workloads:
        raise UnknownWorkload(name, workloads, hint="your own go into the folder that WORKLOADS_DIR names")
    return workloads[name]


def _survey_files(folder: Path, survey: Catalogue) -> None:
    """Add the folder's workloads; a file may extend one of another file, whatever their order."""
    waiting: dict[Path, WorkloadFile] = {}
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        with survey.noting(str(path)):
            waiting[path] = read_file(path)
    while waiting:
        names = {declaration.name for declaration in waiting.values()}
        ready = [path for path, declaration in waiting.items() if declaration.extends not in names]
        if not ready:
            reason = f"{', '.join(map(str, waiting))}: these extend each other in a circle"
            survey.problems.update({str(path): reason for path in waiting})
            return
        for path in ready:
            declaration = waiting.pop(path)
            with survey.noting(str(path)):
                survey.add(_resolve(declaration, survey.workloads, str(path)), str(path))


def _resolve(file: WorkloadFile, known: Mapping[str, Workload], where: str) -> Workload:
    try:
        if file.extends is None:
            return with_presets(Workload(file.declaration), file.presets)
        base = find_workload(file.extends, known)
        return with_presets(Workload(extend(base.declaration, file.declaration)), file.presets, base.presets)
    except (InvalidDeclaration, UnknownWorkload) as error:
        raise InvalidDeclaration(f"{where}: {error}") from None


def _installed(point: EntryPoint) -> Workload:
    loaded = point.load()
    workload = loaded() if callable(loaded) else loaded
    if not isinstance(workload, Workload):
        raise InvalidDeclaration(f"entry point '{point.name}' of {ENTRY_POINTS} gave no Workload")
    return workload
