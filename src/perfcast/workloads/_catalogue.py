"""Where workloads come from: built in, a folder of YAML files, other installed packages, a version's manifest."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import msgspec

from perfcast.errors import InvalidDeclaration, UnknownWorkload
from perfcast.workloads._declaration import Declaration, extend, read_declaration
from perfcast.workloads._workload import Workload

ENTRY_POINTS = "perfcast.workloads"
_HERE = Path(__file__).parent
_BUILT_IN = ("cpu_utilization", "cnn_execution_time")


@cache
def builtin_workloads() -> Mapping[str, Workload]:
    """The workloads that come with Perfcast, by name."""
    declarations = [read_declaration(_HERE / folder / "workload.yaml") for folder in _BUILT_IN]
    return {declaration.name: Workload(declaration) for declaration in declarations}


def load_workloads(folder: Path | None = None) -> dict[str, Workload]:
    """Every workload there is, by name.

    Args:
        folder: Where your own `*.yaml` and `*.yml` files lie; None for none.

    Raises:
        InvalidDeclaration: A file is wrong, two have one name, or the folder is missing.
    """
    workloads = dict(builtin_workloads())
    for workload in _installed():
        _add(workload, workloads)
    if folder is not None:
        if not folder.is_dir():
            raise InvalidDeclaration(f"WORKLOADS_DIR: '{folder}' is not a folder")
        for workload in _from_files(folder, workloads):
            _add(workload, workloads)
    return workloads


def load_workload(path: Path, known: Mapping[str, Workload] | None = None) -> Workload:
    """The workload that one YAML file declares.

    Args:
        path: The file.
        known: Workloads that it may extend; the built-in ones by default.

    Raises:
        InvalidDeclaration: The file is wrong.
    """
    return _resolve(read_declaration(path), known or builtin_workloads(), str(path))


def workload_from_document(document: Mapping[str, object]) -> Workload:
    """The workload whose `document()` this is, as a manifest carries it.

    Raises:
        InvalidDeclaration: It is not such a document.
    """
    try:
        return Workload(msgspec.convert(document, Declaration))
    except msgspec.ValidationError as error:
        raise InvalidDeclaration(f"workload document: {error}") from None


def find_workload(name: str, workloads: Mapping[str, Workload]) -> Workload:
    """The workload of that name.

    Raises:
        UnknownWorkload: There is none.
    """
    if name not in workloads:
        raise UnknownWorkload(name, workloads, hint="your own go into the folder that WORKLOADS_DIR names")
    return workloads[name]


def _from_files(folder: Path, known: Mapping[str, Workload]) -> list[Workload]:
    """The folder's workloads; a file may extend one of another file, whatever their order."""
    waiting = {path: read_declaration(path) for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])}
    found: dict[str, Workload] = {}
    while waiting:
        names = {declaration.name for declaration in waiting.values()}
        ready = [path for path, declaration in waiting.items() if declaration.extends not in names]
        if not ready:
            raise InvalidDeclaration(f"{', '.join(map(str, waiting))}: these extend each other in a circle")
        for path in ready:
            workload = _resolve(waiting.pop(path), {**known, **found}, str(path))
            if workload.name in found:
                raise InvalidDeclaration(f"{path}: another file declares '{workload.name}' too")
            found[workload.name] = workload
    return list(found.values())


def _resolve(declaration: Declaration, known: Mapping[str, Workload], where: str) -> Workload:
    try:
        if declaration.extends is not None:
            base = find_workload(declaration.extends, known)
            declaration = extend(base.declaration, declaration)
        return Workload(declaration)
    except (InvalidDeclaration, UnknownWorkload) as error:
        raise InvalidDeclaration(f"{where}: {error}") from None


def _installed() -> list[Workload]:
    found = []
    for point in entry_points(group=ENTRY_POINTS):
        loaded = point.load()
        workload = loaded() if callable(loaded) else loaded
        if not isinstance(workload, Workload):
            raise InvalidDeclaration(f"entry point '{point.name}' of {ENTRY_POINTS} gave no Workload")
        found.append(workload)
    return found


def _add(workload: Workload, workloads: dict[str, Workload]) -> None:
    if workload.name in workloads:
        raise InvalidDeclaration(f"workload '{workload.name}' is declared twice")
    workloads[workload.name] = workload
