"""Schedules of continuous training."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NAME, DIGEST, TIME, JOB = sa.String(128), sa.String(64), sa.String(32), sa.String(36)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "schedule",
        sa.Column("model", NAME, nullable=False),
        sa.Column("cron", NAME, nullable=True, comment="five fields, in the service's time zone"),
        sa.Column("new_rows", sa.Integer, nullable=True, comment="so many more than the last run learnt from"),
        sa.Column("drift", sa.Boolean, nullable=False, comment="whether it listens to signals"),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("minimum_interval_seconds", sa.Float, nullable=False, comment="least time from run to run"),
        sa.Column("request", sa.JSON, nullable=False, comment="how to train"),
        sa.Column("updated_at", TIME, nullable=False, comment="when its settings changed; cron counts from then"),
        sa.Column("signal", sa.String(16), nullable=True, comment="kind of a signal that waits to be acted on"),
        sa.Column("signal_reason", sa.Text, nullable=True),
        sa.Column("held_back", sa.Text, nullable=True, comment="why it waits although it is due"),
        sa.Column("last_fired_at", TIME, nullable=True, comment="decides which of several schedulers fires"),
        sa.Column("last_reason", sa.Text, nullable=True),
        sa.Column("last_job", JOB, nullable=True),
        sa.Column("last_digest", DIGEST, nullable=True, comment="of the rows the last run was given"),
        sa.Column("last_rows", sa.Integer, nullable=True),
        sa.PrimaryKeyConstraint("model", name="pk_schedule"),
        sa.ForeignKeyConstraint(["model"], ["model.name"], name="fk_schedule_model"),
    )
    op.create_table(
        "schedule_event",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("model", NAME, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False, comment="fired, held_back or signal"),
        sa.Column("trigger", sa.String(16), nullable=False, comment="cron, new_rows, drift or accuracy"),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("job", JOB, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_schedule_event"),
    )
    op.create_index("ix_schedule_event_model_id", "schedule_event", ["model", "id"])
