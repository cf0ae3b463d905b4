"""Corrections of intervals in the database: kept as actuals come, read by who answers and who shows them."""

from collections.abc import Collection, Mapping, Sequence
from math import exp
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog

from perfcast.manifest import Calibration, Move
from perfcast.monitoring._correction import State, Tracker
from perfcast.monitoring._judged import Judged, parted
from perfcast.monitoring._records import Record
from perfcast.monitoring._versions import VersionOf
from perfcast.storage import Database, insert_or_replace, now, schema

_ROW, _ALIAS = schema.correction, schema.alias
_SHOWN, _STATE = "shown", "state"

log = structlog.stdlib.get_logger("perfcast.monitoring")

Key = tuple[str, int]
"""Model and version."""


class Correction(msgspec.Struct, frozen=True):
    """How the intervals of a version are moved at present.

    Attributes:
        since: When the version got its alias; older predictions don't count. ISO 8601, UTC, as `updated_at`.
        actuals: How many have come since.
        moves: By coverage, for `Calibration.corrected`; empty while there are too few actuals.
        means: By coverage, how far that moves the lower and the upper bound, the mean over the newest actuals: in the
            cost's unit, or the logarithm of a factor where the version's widths are factors. Positive is upwards.
    """

    since: str
    updated_at: str
    actuals: int
    moves: Mapping[str, Move] = {}
    means: Mapping[str, tuple[float, float]] = {}

    def document(self, *, relative: bool) -> dict[str, Any]:
        """As answers show it: what is added to the bounds, or where widths are factors, what they are multiplied by."""
        bounds = {
            coverage: dict(zip(("lower", "upper"), map(exp, means) if relative else means, strict=True))
            for coverage, means in self.means.items()
        }
        about = {"since": self.since, "updated_at": self.updated_at, "actuals": self.actuals}
        return about | {"bounds": bounds, "kind": "factor" if relative else "added"}


class Corrections:
    """Keeps how far the bounds of each version's intervals must move, as its actuals come; a `Watcher`.

    A version is followed while an alias points to it, from the moment on when it last got one.

    Args:
        version_of: Gives a version by model and number; None where there is no such.
    """

    def __init__(self, version_of: VersionOf) -> None:
        self._version_of = version_of

    def predicted(self, connection: sa.Connection, records: Sequence[Record]) -> None:
        """Nothing follows from a prediction alone."""

    def judged(self, connection: sa.Connection, judged: Sequence[Judged]) -> None:
        """Learn from true costs, each version from its own."""
        told = [item for item in judged if not item.again]
        for key, items in parted(told, lambda item: (item.record.model, item.record.version)).items():
            version = self._version_of(*key)
            calibration = version.manifest.calibration if version is not None else None
            since = _since(connection, key)
            fresh = [item for item in items if since is not None and item.record.at >= since]
            if calibration is not None and since is not None and fresh:
                _learn(connection, key, calibration, since, fresh)


class CorrectionNews:
    """Tells who answers when corrections have changed, by one small query a look.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stamps: dict[Key, str] = {}
        self._moves: dict[Key, Mapping[str, Move]] = {}

    def look(self) -> Mapping[Key, Mapping[str, Move]] | None:
        """How the bounds of each corrected version are to be moved; None where nothing changed since the last look."""
        with self._database.read() as connection:
            stamps = {(row.model, row.version): row.updated_at for row in connection.execute(_valid(_ROW.c.updated_at))}
            changed = [key for key, stamp in stamps.items() if self._stamps.get(key) != stamp]
            if not changed and len(stamps) == len(self._stamps):
                return None
            found = read_corrections(connection, changed)
        kept = {key: moves for key, moves in self._moves.items() if key in stamps}
        self._moves = kept | {key: correction.moves for key, correction in found.items()}
        self._stamps = stamps
        return {key: moves for key, moves in self._moves.items() if moves}


def read_corrections(connection: sa.Connection, keys: Collection[Key] | None = None) -> dict[Key, Correction]:
    """The corrections in force, of these versions or of all: those that began when their version got its alias."""
    query = _valid(_ROW.c.since, _ROW.c.updated_at, _ROW.c.state[_SHOWN].label(_SHOWN))
    if keys is not None:
        query = query.where(sa.tuple_(_ROW.c.model, _ROW.c.version).in_(list(keys)))
    found = {}
    for row in connection.execute(query):
        about = {"since": row.since, "updated_at": row.updated_at}
        try:
            found[row.model, row.version] = msgspec.convert({**row.shown, **about}, Correction)
        except (msgspec.ValidationError, TypeError) as error:  # written by another Perfcast beside this one
            log.warning("a correction can't be read", model=row.model, version=row.version, reason=str(error))
    return found


def _valid(*columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    given = (
        sa.select(_ALIAS.c.model, _ALIAS.c.number, sa.func.max(_ALIAS.c.updated_at).label("since"))
        .group_by(_ALIAS.c.model, _ALIAS.c.number)
        .subquery()
    )
    same = (given.c.model == _ROW.c.model) & (given.c.number == _ROW.c.version) & (given.c.since == _ROW.c.since)
    return sa.select(_ROW.c.model, _ROW.c.version, *columns).join(given, same)


def _since(connection: sa.Connection, key: Key) -> str | None:
    """When the version last got an alias; None where none points to it."""
    which = (_ALIAS.c.model == key[0]) & (_ALIAS.c.number == key[1])
    since: str | None = connection.scalar(sa.select(sa.func.max(_ALIAS.c.updated_at)).where(which))
    return since


def _learn(connection: sa.Connection, key: Key, calibration: Calibration, since: str, judged: Sequence[Judged]) -> None:
    which = (_ROW.c.model == key[0]) & (_ROW.c.version == key[1])
    row = connection.execute(sa.select(_ROW.c.since, _ROW.c.state).where(which)).one_or_none()
    tracker = Tracker(calibration, _former(row.state) if row is not None and row.since == since else None)
    for item in judged:
        tracker.learn(item.at, item.record.cost, item.actual, item.record.spread)
    shown = {"actuals": tracker.actuals, "moves": tracker.moves(), "means": tracker.means()}
    state = msgspec.to_builtins({_STATE: tracker.state, _SHOWN: shown})
    held = {"since": since, "updated_at": now(), "state": state}
    insert_or_replace(connection, _ROW, {"model": key[0], "version": key[1], **held})


def _former(state: Mapping[str, Any]) -> State | None:
    try:
        return msgspec.convert(state.get(_STATE), State)
    except msgspec.ValidationError:  # as in `read_corrections`
        return None
