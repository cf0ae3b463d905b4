"""The first tables: the registry and the datasets."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NAME, DIGEST, TIME = sa.String(128), sa.String(64), sa.String(32)


def upgrade() -> None:
    """Make the tables. A new database gets today's at once; a backup of an old one begins here."""
    op.create_table(
        "dataset",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("workload", NAME, nullable=False),
        sa.Column("digest", DIGEST, nullable=False, comment="sha256 of the rows"),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("provenance", sa.JSON, nullable=False),
        sa.Column("blob", DIGEST, nullable=False, comment="sha256 of the file"),
        sa.PrimaryKeyConstraint("id", name="pk_dataset"),
        sa.UniqueConstraint("name", "digest", name="uq_dataset_name_digest"),
    )
    op.create_table(
        "model",
        sa.Column("name", NAME, nullable=False),
        sa.Column("workload", NAME, nullable=False),
        sa.Column("dataset", NAME, nullable=False, comment="name of the dataset line; empty where there is none"),
        sa.Column("newest", sa.Integer, nullable=False, comment="greatest version number ever given; never falls"),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_model"),
    )
    op.create_table(
        "version",
        sa.Column("model", NAME, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("label", NAME, nullable=True, comment="the name an imported version came with"),
        sa.Column("type", NAME, nullable=False),
        sa.Column("manifest", sa.Text, nullable=False, comment="JSON"),
        sa.Column("graph", DIGEST, nullable=False, comment="sha256 of the ONNX file"),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("model", "number", name="pk_version"),
        sa.UniqueConstraint("model", "label", name="uq_version_model_label"),
        sa.ForeignKeyConstraint(["model"], ["model.name"], name="fk_version_model"),
    )
    op.create_index("ix_version_graph", "version", ["graph"])
    _make_pointers()


def _make_pointers() -> None:
    op.create_table(
        "alias",
        sa.Column("model", NAME, nullable=False),
        sa.Column("alias", NAME, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("model", "alias", name="pk_alias"),
        sa.ForeignKeyConstraint(["model", "number"], ["version.model", "version.number"], name="fk_alias_model_number"),
    )
    op.create_table(
        "alias_history",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("model", NAME, nullable=False),
        sa.Column("alias", NAME, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False, comment="point or step_back"),
        sa.Column("before", sa.Integer, nullable=True),
        sa.Column("after", sa.Integer, nullable=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alias_history"),
        sa.ForeignKeyConstraint(["model"], ["model.name"], name="fk_alias_history_model"),
    )
    op.create_index("ix_alias_history_model_alias", "alias_history", ["model", "alias"])
    op.create_table(
        "default_model",
        sa.Column("workload", NAME, nullable=False),
        sa.Column("model", NAME, nullable=False),
        sa.PrimaryKeyConstraint("workload", name="pk_default_model"),
        sa.ForeignKeyConstraint(["model"], ["model.name"], name="fk_default_model_model"),
    )
    table = op.create_table(
        "revision",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("value", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_revision"),
        sa.CheckConstraint("id = 1", name=op.f("ck_revision_single")),
    )
    op.bulk_insert(table, [{"id": 1, "value": 0}])
