"""Traffic between a model's versions, and whose answer a recorded prediction was."""

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


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
        _comment_kind(table, before="point or step_back", after="point, step_back or traffic")
    _make_predictions("id, 'champion', model, version, features, cost, lower, upper, at", armed=True)


def downgrade() -> None:
    """Take it back; shadows' predictions are lost."""
    op.execute("DELETE FROM prediction WHERE arm = 'shadow'")
    _make_predictions("id, model, version, features, cost, lower, upper, at", armed=False)
    with op.batch_alter_table("alias_history") as table:
        table.drop_column("share_after")
        table.drop_column("share_before")
        _comment_kind(table, before="point, step_back or traffic", after="point or step_back")
    op.execute("DELETE FROM alias_history WHERE kind = 'traffic'")
    with op.batch_alter_table("alias") as table:
        table.drop_column("share")


def _comment_kind(table: BatchOperations, *, before: str, after: str) -> None:
    table.alter_column("kind", existing_type=sa.String(16), existing_comment=before, comment=after)


def _make_predictions(values: str, *, armed: bool) -> None:
    """Copy the table into one with or without arms: SQLite can't change a primary key in place."""
    op.rename_table("prediction", "prediction_before")
    if op.get_bind().dialect.name == "postgresql":  # names of constraints are the schema's there, not the table's
        op.execute("ALTER TABLE prediction_before DROP CONSTRAINT pk_prediction")
    arm = [sa.Column("arm", sa.String(16), nullable=False, comment="champion, challenger, shadow or named")]
    op.create_table(
        "prediction",
        sa.Column("id", sa.String(32), nullable=False, comment="sorts by time"),
        *(arm if armed else []),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("features", sa.Text, nullable=False, comment="JSON: numbers in the order of the version's workload"),
        sa.Column("cost", sa.Float, nullable=False),
        sa.Column("lower", sa.Float, nullable=True),
        sa.Column("upper", sa.Float, nullable=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint(*(["id", "arm"] if armed else ["id"]), name="pk_prediction"),
        sqlite_with_rowid=False,
    )
    op.execute(f"INSERT INTO prediction SELECT {values} FROM prediction_before")  # noqa: S608 - our own columns
    op.drop_table("prediction_before")
