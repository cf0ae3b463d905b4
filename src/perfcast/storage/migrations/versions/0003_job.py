"""Training jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NAME, TIME = sa.String(128), sa.String(32)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "job",
        sa.Column("id", sa.String(36), nullable=False, comment="sorts by time"),
        sa.Column("status", sa.String(16), nullable=False, comment="queued, running, succeeded, failed or cancelled"),
        sa.Column("model", NAME, nullable=False),
        sa.Column("workload", NAME, nullable=False),
        sa.Column("dataset", NAME, nullable=False),
        sa.Column("request", sa.JSON, nullable=False, comment="what to train, with the dataset's digest"),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True, comment="when it was claimed first"),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("heartbeat_at", TIME, nullable=True),
        sa.Column("cancel_requested_at", TIME, nullable=True),
        sa.Column("worker", NAME, nullable=True, comment="who claimed it last"),
        sa.Column("attempt", sa.Integer, nullable=False, comment="rises with each claim; fences every write"),
        sa.Column("handed_back", sa.Integer, nullable=False, comment="claims that don't count: the worker was stopped"),
        sa.Column("spent_seconds", sa.Float, nullable=False, comment="how long it has run in all"),
        sa.Column("stage", sa.String(16), nullable=False, comment="what is being done while it runs"),
        sa.Column("progress", sa.Float, nullable=False, comment="0 to 1"),
        sa.Column("trial", sa.Integer, nullable=False, comment="trials finished"),
        sa.Column("n_trials", sa.Integer, nullable=False),
        sa.Column("best_score", sa.Float, nullable=True),
        sa.Column("best_family", NAME, nullable=True),
        sa.Column("eta_seconds", sa.Float, nullable=True),
        sa.Column("trials", sa.JSON, nullable=False, comment="the last ones, oldest first"),
        sa.Column("versions", sa.JSON(none_as_null=True), nullable=True, comment="numbers registered, the best last"),
        sa.Column("model_version", sa.Integer, nullable=True),
        sa.Column("outcome", sa.Text, nullable=False, comment="what the promotion gate said"),
        sa.Column("error", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
    )
    op.create_index("ix_job_status_id", "job", ["status", "id"])
