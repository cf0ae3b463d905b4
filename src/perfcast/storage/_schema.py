"""The tables as SQLAlchemy sees them. A change here comes with a migration; a test compares the two."""

import sqlalchemy as sa

HEAD = "0002"
"""The migration that this code was written for."""

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

_NAME = sa.String(128)
_DIGEST = sa.String(64)
_TIME = sa.String(32)

dataset = sa.Table(
    "dataset",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", _NAME, nullable=False),
    sa.Column("workload", _NAME, nullable=False),
    sa.Column("digest", _DIGEST, nullable=False, comment="sha256 of the rows"),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("created_at", _TIME, nullable=False),
    sa.Column("provenance", sa.JSON, nullable=False),
    sa.Column("blob", _DIGEST, nullable=False, comment="sha256 of the file"),
    sa.UniqueConstraint("name", "digest"),
)
"""Measured rows, one row a stored dataset; the rows themselves are a blob."""

model = sa.Table(
    "model",
    metadata,
    sa.Column("name", _NAME, primary_key=True),
    sa.Column("workload", _NAME, nullable=False),
    sa.Column("dataset", _NAME, nullable=False, comment="name of the dataset line; empty where there is none"),
    sa.Column("newest", sa.Integer, nullable=False, comment="greatest version number ever given; never falls"),
    sa.Column("created_at", _TIME, nullable=False),
)
"""Named lines of versions."""

version = sa.Table(
    "version",
    metadata,
    sa.Column("model", _NAME, sa.ForeignKey("model.name"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("label", _NAME, nullable=True, comment="the name an imported version came with"),
    sa.Column("type", _NAME, nullable=False),
    sa.Column("manifest", sa.Text, nullable=False, comment="JSON"),
    sa.Column("graph", _DIGEST, nullable=False, comment="sha256 of the ONNX file"),
    sa.Column("bytes", sa.Integer, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("created_at", _TIME, nullable=False),
    sa.UniqueConstraint("model", "label"),
    sa.Index(None, "graph"),
)
"""Trained artifacts; all but the note is written once."""

alias = sa.Table(
    "alias",
    metadata,
    sa.Column("model", _NAME, primary_key=True),
    sa.Column("alias", _NAME, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("updated_at", _TIME, nullable=False),
    sa.ForeignKeyConstraint(["model", "number"], ["version.model", "version.number"]),
)
"""Where each alias points now; an alias that points nowhere has no row."""

alias_history = sa.Table(
    "alias_history",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("model", _NAME, sa.ForeignKey("model.name"), nullable=False),
    sa.Column("alias", _NAME, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False, comment="point or step_back"),
    sa.Column("before", sa.Integer, nullable=True),
    sa.Column("after", sa.Integer, nullable=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", _TIME, nullable=False),
    sa.Index(None, "model", "alias"),
)
"""Every move of every alias, in order of id."""

default_model = sa.Table(
    "default_model",
    metadata,
    sa.Column("workload", _NAME, primary_key=True),
    sa.Column("model", _NAME, sa.ForeignKey("model.name"), nullable=False),
)
"""The model that answers for a workload when a caller names none."""

revision = sa.Table(
    "revision",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("value", sa.Integer, nullable=False),
    sa.CheckConstraint("id = 1", name="single"),
)
"""One row whose value rises with every change of the registry, so that followers need to read only this."""

prediction = sa.Table(
    "prediction",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True, comment="sorts by time"),
    sa.Column("model", _NAME, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("features", sa.Text, nullable=False, comment="JSON: numbers in the order of the version's workload"),
    sa.Column("cost", sa.Float, nullable=False),
    sa.Column("lower", sa.Float, nullable=True),
    sa.Column("upper", sa.Float, nullable=True),
    sa.Column("at", _TIME, nullable=False),
    sqlite_with_rowid=False,
)
"""What was answered to whom asked; refers to no other table, so that it outlives a deleted version."""
