"""What watching needs: actuals, live accuracy, corrections, inputs, findings; what a job's submission was called."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables; blocks that are there already wait to be looked at."""
    # their defaults stay: to take them away, SQLite would write all records anew
    for added in (
        sa.Column("bytes", sa.Integer, nullable=False, server_default="0", comment="length of records"),
        sa.Column(
            "observed", sa.Boolean, nullable=False, server_default=sa.false(), comment="watching has looked at it"
        ),
    ):
        op.add_column("prediction_block", added)
    op.execute("UPDATE prediction_block SET bytes = length(records)")
    op.create_index("ix_prediction_block_last_at_bytes", "prediction_block", ["last_at", "bytes"])
    op.create_index(
        "ix_prediction_block_unobserved",
        "prediction_block",
        ["id"],
        sqlite_where=sa.text("observed = 0"),  # as queries say it: SQLite uses the index for the same words only
        postgresql_where=sa.text("NOT observed"),
    )
    _make_tables()
    for name, length, meaning in (
        ("request_id", 128, "of the call that submitted it"),
        ("trace_parent", 64, "W3C traceparent of that call"),
    ):
        op.add_column("job", sa.Column(name, sa.String(length), nullable=True, comment=meaning))


def _make_tables() -> None:
    op.create_table(
        "actual",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column(
            "key",
            sa.String(length=64),
            nullable=False,
            comment="what counts once: a prediction's id, or a time and a digest of what was given",
        ),
        sa.Column(
            "prediction",
            sa.String(length=48),
            nullable=False,
            comment="identifier of the prediction that it belongs to",
        ),
        sa.Column("value", sa.Float, nullable=False, comment="the true cost, in the cost's unit"),
        sa.Column(
            "measured_at",
            sa.String(length=32),
            nullable=True,
            comment="where nobody said, the prediction's own time, once it is found",
        ),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="waiting, joined, unmatched or refused"),
        sa.Column(
            "model",
            sa.String(length=128),
            nullable=True,
            comment="who was joined: the arm that answered, not its shadow",
        ),
        sa.Column("version", sa.Integer, nullable=True),
        sa.Column("arm", sa.String(length=16), nullable=True),
        sa.Column("predicted", sa.Float, nullable=True),
        sa.Column("lower", sa.Float, nullable=True),
        sa.Column("upper", sa.Float, nullable=True),
        sa.Column("coverage", sa.Float, nullable=True, comment="what the interval was to hold"),
        sa.PrimaryKeyConstraint("id", name="pk_actual"),
        sa.UniqueConstraint("key", name="uq_actual_key"),
    )
    op.create_index("ix_actual_model_measured_at", "actual", ["model", "measured_at"])
    op.create_index("ix_actual_prediction", "actual", ["prediction"])
    op.create_index("ix_actual_state_id", "actual", ["state", "id"])
    op.create_table(
        "live_accuracy",
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("version", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("arm", sa.String(length=16), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False, comment="when the five minutes begin"),
        sa.Column("predictions", sa.Integer, nullable=False),
        sa.Column("extrapolated", sa.Integer, nullable=False),
        sa.Column("width", sa.Float, nullable=False, comment="sum of the intervals' widths, of predictions at 0.9"),
        sa.Column("intervals", sa.Integer, nullable=False, comment="predictions with an interval at 0.9"),
        sa.Column("actuals", sa.Integer, nullable=False),
        sa.Column("error", sa.Float, nullable=False, comment="sum of predicted - actual"),
        sa.Column("absolute", sa.Float, nullable=False, comment="sum of |predicted - actual|"),
        sa.Column("squared", sa.Float, nullable=False),
        sa.Column("percent", sa.Float, nullable=False, comment="sum of |predicted - actual| in percent of the actual"),
        sa.Column("percents", sa.Integer, nullable=False, comment="actuals that aren't 0"),
        sa.Column("covered", sa.Integer, nullable=False, comment="actuals inside an interval at 0.9"),
        sa.Column("judged_intervals", sa.Integer, nullable=False, comment="actuals with an interval at 0.9"),
        sa.PrimaryKeyConstraint("model", "version", "arm", "at", name="pk_live_accuracy"),
    )
    op.create_index("ix_live_accuracy_at", "live_accuracy", ["at"])
    op.create_table(
        "correction",
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("version", sa.Integer, autoincrement=False, nullable=False),
        sa.Column(
            "since",
            sa.String(length=32),
            nullable=False,
            comment="older predictions don't count: when the version got its alias",
        ),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.Column(
            "state", sa.JSON, nullable=False, comment="what the correction goes on from, and the correction itself"
        ),
        sa.PrimaryKeyConstraint("model", "version", name="pk_correction"),
    )
    op.create_table(
        "input_window",
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("version", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False, comment="when the hour begins"),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column(
            "counts", sa.JSON, nullable=False, comment="by feature: how many rows lay in each of the reference's bins"
        ),
        sa.PrimaryKeyConstraint("model", "version", "at", name="pk_input_window"),
    )
    op.create_table(
        "watched",
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.Column("state", sa.JSON, nullable=False, comment="what detectors go on from"),
        sa.Column("findings", sa.JSON, nullable=False, comment="as GET /models/{ref}/drift shows them"),
        sa.PrimaryKeyConstraint("model", name="pk_watched"),
    )
    op.create_table(
        "anomaly",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("first_at", sa.String(length=32), nullable=False),
        sa.Column("last_at", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_anomaly"),
    )
    op.create_index("ix_anomaly_model_last_at", "anomaly", ["model", "last_at"])
