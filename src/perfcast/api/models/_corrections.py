"""How a version's intervals are corrected at present, as answers show it."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any

from perfcast.api.http._reply import held
from perfcast.errors import BrokenVersion
from perfcast.monitoring import Correction, read_corrections
from perfcast.registry import Version
from perfcast.storage import Database

Stored = Annotated[Database, held(Database)]


def corrections_of(database: Database, keys: Collection[tuple[str, int]]) -> Mapping[tuple[str, int], Correction]:
    """The corrections in force of these versions, by model and number."""
    with database.read() as connection:
        return read_corrections(connection, keys)


def shown_correction(
    version: Version | BrokenVersion, corrections: Mapping[tuple[str, int], Correction]
) -> dict[str, Any]:
    """The part of an answer about a version; empty where nothing is known of its actuals."""
    if isinstance(version, BrokenVersion) or version.manifest.calibration is None:
        return {}
    correction = corrections.get((version.model, version.number))
    if correction is None:
        return {}
    return {"correction": correction.document(relative=version.manifest.calibration.relative)}
