"""Presets: rows with names, checked as any row that a caller gives."""

from collections.abc import Sequence
from dataclasses import replace

from perfcast.errors import InvalidDeclaration, InvalidInput
from perfcast.workloads._file import PresetDeclaration
from perfcast.workloads._rows import TIMESTAMP, RowReader
from perfcast.workloads._workload import Preset, Workload


def with_presets(
    workload: Workload, declared: Sequence[PresetDeclaration], inherited: Sequence[Preset] = ()
) -> Workload:
    """The workload with its presets.

    Args:
        workload: Whose rows they are.
        declared: Its own.
        inherited: Those of a workload that it extends; one that doesn't fit this workload is left out, one of a name
            that is declared anew is replaced.

    Raises:
        InvalidDeclaration: One is no row of the workload, or a name comes twice; says which, where and why.
    """
    reader, presets = RowReader(workload), dict[str, Preset]()
    for preset in inherited:
        if (fitting := _fitting(preset, workload, reader)) is not None:
            presets[preset.name] = fitting
    names = [item.name for item in declared]
    for at, item in enumerate(declared):
        where = f"presets[{at}] '{item.name}'"
        if item.name in names[:at]:
            raise InvalidDeclaration(f"{where}: another preset has this name")
        try:
            presets[item.name] = _preset(item, workload, reader)
        except InvalidInput as error:
            raise InvalidDeclaration(f"{where}: {error}") from None
    return Workload(workload.declaration, tuple(presets.values()))


def _fitting(preset: Preset, workload: Workload, reader: RowReader) -> Preset | None:
    item = PresetDeclaration(preset.name, preset.title, preset.features, preset.group)
    try:
        return replace(_preset(item, workload, reader), stated=preset.stated)
    except InvalidInput:
        return None


def _preset(item: PresetDeclaration, workload: Workload, reader: RowReader) -> Preset:
    row, given = reader.read(item.features), item.features
    moment = {TIMESTAMP: given[TIMESTAMP]} if TIMESTAMP in given else {}
    read = {one.name: one.decode(number) for one, number in zip(workload.features, row, strict=True)}
    clock = {one.name for one in workload.features if one.declaration.clock and one.name not in given} if moment else ()
    features = {name: value for name, value in read.items() if name not in clock}
    return Preset(item.name, item.title, item.group, features | moment, tuple(given))
