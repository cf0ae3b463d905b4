"""All SQL of the registry: each function does its part inside the caller's transaction.

Locks are always taken in the order model, default, revision, so that no two writers wait for each other.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import asdict, fields
from typing import Any

import msgspec
import sqlalchemy as sa

from perfcast.errors import BrokenVersion
from perfcast.manifest import Manifest
from perfcast.registry._types import CHALLENGER, CHAMPION, AliasChange, AliasEvent, ModelSummary, Version
from perfcast.storage import insert_new, now, schema

LARGEST_NUMBER = 2**31 - 1
"""The greatest whole number that the column holds on every database."""

_KEYS = 500
"""Versions asked for in one statement."""

_MODEL, _VERSION, _ALIAS, _HISTORY = schema.model, schema.version, schema.alias, schema.alias_history


def next_number(connection: sa.Connection, name: str, workload: str, dataset: str) -> tuple[int, str]:
    """A model's next version number and its workload, making the model if it is new; it stays locked until the end."""
    new = {"name": name, "workload": workload, "dataset": dataset, "newest": 0, "created_at": now()}
    insert_new(connection, _MODEL, new)
    statement = (
        sa.update(_MODEL)
        .where(_MODEL.c.name == name)
        .values(newest=_MODEL.c.newest + 1, dataset=sa.case((_MODEL.c.dataset == "", dataset), else_=_MODEL.c.dataset))
        .returning(_MODEL.c.newest, _MODEL.c.workload)
    )
    row = connection.execute(statement).one()
    return row.newest, row.workload


def lock_model(connection: sa.Connection, name: str) -> None:
    """Keep other writers from this model until the end."""
    connection.execute(sa.select(_MODEL.c.name).where(_MODEL.c.name == name).with_for_update())


def bump(connection: sa.Connection) -> None:
    """Raise the revision; from here to the end no other change of the registry commits."""
    connection.execute(sa.update(schema.revision).values(value=schema.revision.c.value + 1))


def lock_registry(connection: sa.Connection) -> None:
    """Keep every other change of the registry waiting, without making one."""
    connection.execute(sa.select(schema.revision.c.value).with_for_update())


def revision(connection: sa.Connection) -> int:
    """The number that rises with every change."""
    return int(connection.execute(sa.select(schema.revision.c.value)).scalar_one())


def add_version(connection: sa.Connection, version: Version) -> None:
    """Keep a version under the number that `next_number` gave."""
    manifest = version.manifest
    values = {"model": version.model, "number": version.number, "label": version.label, "type": version.type}
    values |= {"manifest": manifest.to_json().decode(), "graph": manifest.graph.sha256, "bytes": manifest.graph.bytes}
    connection.execute(sa.insert(_VERSION).values(**values, note=version.note, created_at=version.created_at))


def find_version(
    connection: sa.Connection, model: str, number: int | None = None, label: str | None = None
) -> Version | None:
    """A version by its number, or by its label where no number is given."""
    which = _VERSION.c.label == label if number is None else _is(model, number)
    row = connection.execute(sa.select(_VERSION).where(_VERSION.c.model == model, which)).one_or_none()
    return None if row is None else _version(row)


def all_versions(connection: sa.Connection, model: str) -> list[Version]:
    """A model's versions, oldest first."""
    query = sa.select(_VERSION).where(_VERSION.c.model == model).order_by(_VERSION.c.number)
    return [_version(row) for row in connection.execute(query)]


def some_versions(
    connection: sa.Connection, keys: Collection[tuple[str, int]]
) -> dict[tuple[str, int], Version | BrokenVersion]:
    """Versions by model and number, or why one can't be read; what doesn't exist is left out."""
    found: dict[tuple[str, int], Version | BrokenVersion] = {}
    wanted = list(keys)
    for start in range(0, len(wanted), _KEYS):
        group = wanted[start : start + _KEYS]
        which = sa.tuple_(_VERSION.c.model, _VERSION.c.number).in_(group)
        for row in connection.execute(sa.select(_VERSION).where(which)):
            try:
                found[row.model, row.number] = _version(row)
            except BrokenVersion as error:
                found[row.model, row.number] = error
    return found


def version_names(connection: sa.Connection, model: str) -> list[str]:
    """What a version of a model can be asked for by: `NAME:3`, `NAME:v1.2.0`."""
    query = sa.select(_VERSION.c.number, _VERSION.c.label).where(_VERSION.c.model == model)
    rows = connection.execute(query).all()
    return [f"{model}:{name}" for row in rows for name in (row.number, row.label) if name is not None]


def set_note(connection: sa.Connection, model: str, number: int, note: str) -> bool:
    """Change a version's note; False where there is no such version."""
    return connection.execute(sa.update(_VERSION).where(_is(model, number)).values(note=note)).rowcount == 1


def delete_version(connection: sa.Connection, model: str, number: int) -> str | None:
    """Forget a version, whose number isn't given again; the digest of its graph, None where there is no such."""
    digest: str | None = connection.scalar(sa.delete(_VERSION).where(_is(model, number)).returning(_VERSION.c.graph))
    return digest


def is_referred_to(connection: sa.Connection, digest: str) -> bool:
    """Whether any version or dataset needs these bytes."""
    version = sa.select(_VERSION.c.number).where(_VERSION.c.graph == digest)
    dataset = sa.select(schema.dataset.c.id).where(schema.dataset.c.blob == digest)
    return bool(connection.execute(sa.select(sa.exists(version) | sa.exists(dataset))).scalar_one())


def set_share(connection: sa.Connection, model: str, percent: float) -> None:
    """Change the percent of callers that a model's challenger answers, where there is one."""
    which = (_ALIAS.c.model == model) & (_ALIAS.c.alias == CHALLENGER)
    connection.execute(sa.update(_ALIAS).where(which).values(share=percent or None))


def point_alias(connection: sa.Connection, change: AliasChange) -> None:
    """Write where an alias points now; the share of callers stays with it."""
    which = (_ALIAS.c.model == change.model) & (_ALIAS.c.alias == change.alias)
    if change.after is None:
        connection.execute(sa.delete(_ALIAS).where(which))
        return
    values = {"number": change.after, "updated_at": now()}
    if connection.execute(sa.update(_ALIAS).where(which).values(values)).rowcount == 0:
        connection.execute(sa.insert(_ALIAS).values(model=change.model, alias=change.alias, **values))


def add_event(connection: sa.Connection, event: AliasEvent) -> None:
    """Add to the history."""
    connection.execute(sa.insert(_HISTORY).values(asdict(event)))


def events(connection: sa.Connection, model: str, alias: str | None = None) -> list[AliasEvent]:
    """What happened to a model's aliases, oldest first."""
    query = sa.select(*(_HISTORY.c[field.name] for field in fields(AliasEvent)))
    query = query.where(_HISTORY.c.model == model).order_by(_HISTORY.c.id)
    if alias is not None:
        query = query.where(_HISTORY.c.alias == alias)
    return [AliasEvent(*row) for row in connection.execute(query)]


def model_names(connection: sa.Connection) -> list[str]:
    """The names of all models, sorted."""
    return sorted(connection.execute(sa.select(_MODEL.c.name)).scalars())


def summaries(connection: sa.Connection, name: str | None = None) -> list[ModelSummary]:
    """All models, or the one of that name, sorted by name."""
    models, versions, pointers = sa.select(_MODEL), sa.select(_VERSION.c.model, _VERSION.c.number), sa.select(_ALIAS)
    if name is not None:
        models = models.where(_MODEL.c.name == name)
        versions = versions.where(_VERSION.c.model == name)
        pointers = pointers.where(_ALIAS.c.model == name)
    known: dict[str, list[int]] = defaultdict(list)
    for row in connection.execute(versions.order_by(_VERSION.c.number)):
        known[row.model].append(row.number)
    pointing: dict[str, dict[str, int]] = defaultdict(dict)
    shares: dict[str, float] = defaultdict(float)
    for row in connection.execute(pointers):
        pointing[row.model][row.alias] = row.number
        shares[row.model] += row.share or 0.0
    rows = sorted(connection.execute(models), key=lambda row: row.name)
    named = ((row.name, row.workload, row.dataset, row.created_at) for row in rows)
    return [ModelSummary(*row, pointing[row[0]], tuple(known[row[0]]), shares[row[0]]) for row in named]


def aliased_graphs(connection: sa.Connection) -> dict[tuple[str, int], str]:
    """The sha256 of the graph of each version that an alias points to."""
    same = (_ALIAS.c.model == _VERSION.c.model) & (_ALIAS.c.number == _VERSION.c.number)
    query = sa.select(_VERSION.c.model, _VERSION.c.number, _VERSION.c.graph).join(_ALIAS, same)
    return {(row.model, row.number): row.graph for row in connection.execute(query)}


def defaults(connection: sa.Connection) -> Mapping[str, str]:
    """Each workload's default model."""
    return {row.workload: row.model for row in connection.execute(sa.select(schema.default_model))}


def add_default(connection: sa.Connection, workload: str, model: str) -> None:
    """Make a model its workload's default unless there is one."""
    insert_new(connection, schema.default_model, {"workload": workload, "model": model})


def set_default(connection: sa.Connection, workload: str, model: str) -> bool:
    """Make a model its workload's default; False where it was already."""
    add_default(connection, workload, model)
    table = schema.default_model
    which = (table.c.workload == workload) & (table.c.model != model)
    return connection.execute(sa.update(table).where(which).values(model=model)).rowcount == 1


def _is(model: str, number: int) -> sa.ColumnElement[bool]:
    """One version; none where the number is more than the column holds."""
    return (_VERSION.c.model == model) & (_VERSION.c.number == (number if 0 < number <= LARGEST_NUMBER else 0))


def _version(row: sa.Row[Any]) -> Version:
    try:
        manifest = Manifest.from_json(row.manifest)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BrokenVersion(
            f"{row.model}:{row.number}: its manifest can't be read ({error}); restore the database from a backup, "
            "or register the version again"
        ) from None
    return Version(row.model, row.number, row.label, manifest, row.note, row.created_at)


def activations(connection: sa.Connection) -> dict[str, str]:
    """When each model's champion became it."""
    rows = connection.execute(sa.select(_ALIAS.c.model, _ALIAS.c.updated_at).where(_ALIAS.c.alias == CHAMPION))
    return {model: at for model, at in rows}  # noqa: C416 - rows are no pairs to `dict`
