"""Traffic between a model's versions, and whose answer a recorded prediction was."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the challenger's share and its history; let a shadow's prediction stand beside the caller's."""
    op.add_column(
        "alias",
        sa.Column("share", sa.Float, nullable=True, comment="percent of callers; the challenger's only, null is none"),
    )
    with op.batch_alter_table("alias_history") as table:
        table.add_column(
            sa.Column("share_before", sa.Float, nullable=True, comment="the challenger's, where it changed")
        )
        table.add_column(sa.Column("share_after", sa.Float, nullable=True))
        table.alter_column(
            "kind",
            existing_type=sa.String(16),
            existing_comment="point or step_back",
            comment="point, step_back or traffic",
        )
    _add_arms()


def _add_arms() -> None:
    """Copy the predictions into a table with arms: SQLite can't change a primary key in place."""
    op.rename_table("prediction", "prediction_before")
    if op.get_bind().dialect.name == "postgresql":  # names of constraints are the schema's there, not the table's
        op.execute("ALTER TABLE prediction_before DROP CONSTRAINT pk_prediction")
    op.create_table(
        "prediction",
        sa.Column("id", sa.String(32), nullable=False, comment="sorts by time"),
        sa.Column("arm", sa.String(16), nullable=False, comment="champion, challenger, shadow or named"),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("features", sa.Text, nullable=False, comment="JSON: numbers in the order of the version's workload"),
        sa.Column("cost", sa.Float, nullable=False),
        sa.Column("lower", sa.Float, nullable=True),
        sa.Column("upper", sa.Float, nullable=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", "arm", name="pk_prediction"),
        sqlite_with_rowid=False,
    )
    values = "id, 'champion', model, version, features, cost, lower, upper, at"
    op.execute(f"INSERT INTO prediction SELECT {values} FROM prediction_before")  # noqa: S608 - our own columns
    op.drop_table("prediction_before")
