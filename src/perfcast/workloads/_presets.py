"""Presets: rows with names, checked as any row that a caller gives."""

from collections.abc import Sequence

from perfcast.errors import InvalidDeclaration, InvalidInput
from perfcast.workloads._declaration import PresetDeclaration
from perfcast.workloads._rows import RowReader
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
        return _preset(item, workload, reader)
    except InvalidInput:
        return None


def _preset(item: PresetDeclaration, workload: Workload, reader: RowReader) -> Preset:
    row = reader.read(item.features)
    values = (feature.decode(number) for feature, number in zip(workload.features, row, strict=True))
    return Preset(item.name, item.title, item.group, dict(zip(workload.feature_names, values, strict=True)))
