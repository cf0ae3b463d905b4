"""What watching needs: actuals, live accuracy, corrections, inputs, findings; what a job's submission was called."""

import sqlalchemy as sa
from alembic import op

from perfcast.storage import schema

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables; blocks that are there already wait to be looked at."""
    connection = op.get_bind()
    with op.batch_alter_table("prediction_block") as block:
        block.add_column(
            sa.Column("bytes", sa.Integer, nullable=False, server_default="0", comment="length of records")
        )
    op.execute("UPDATE prediction_block SET bytes = length(records)")
    with op.batch_alter_table("prediction_block") as block:
        block.alter_column("bytes", server_default=None)
        block.create_index("ix_prediction_block_last_at_bytes", ["last_at", "bytes"])
    for table in TABLES:
        table.create(connection)
    op.execute("INSERT INTO unobserved_block (block) SELECT id FROM prediction_block")
    for name, length, meaning in (
        ("request_id", 128, "of the call that submitted it"),
        ("trace_parent", 64, "W3C traceparent of that call"),
    ):
        op.add_column("job", sa.Column(name, sa.String(length), nullable=True, comment=meaning))


TABLES = (
    *(schema.unobserved_block, schema.actual, schema.live_accuracy, schema.correction, schema.input_window),
    *(schema.watched, schema.anomaly),
)
