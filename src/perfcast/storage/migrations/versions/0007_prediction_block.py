"""Records of predictions in blocks instead of a row each."""

import json
import zlib
from itertools import groupby, islice

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_MOST = 5_000
_ROW = "id, arm, model, version, features, cost, lower, upper, at"


def upgrade() -> None:
    """Make the table of blocks, and put what is recorded into it."""
    table = op.create_table(
        "prediction_block",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("arm", sa.String(16), nullable=False, comment="champion, challenger, shadow or named"),
        sa.Column("first_id", sa.String(48), nullable=False, comment="least identifier in it; they sort by time"),
        sa.Column("last_id", sa.String(48), nullable=False, comment="greatest identifier in it"),
        sa.Column("first_at", sa.String(32), nullable=False),
        sa.Column("last_at", sa.String(32), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("records", sa.LargeBinary, nullable=False, comment="zlib of msgpack: a list of records"),
        sa.PrimaryKeyConstraint("id", name="pk_prediction_block"),
    )
    op.create_index("ix_prediction_block_last_id", "prediction_block", ["last_id"])
    op.create_index("ix_prediction_block_model_last_at", "prediction_block", ["model", "last_at"])
    statement = sa.text(f"SELECT {_ROW} FROM prediction ORDER BY model, version, arm, id")  # noqa: S608 - our own names
    rows = op.get_bind().execute(statement, execution_options={"yield_per": _MOST})
    for (model, version, arm), held in groupby(rows, key=lambda row: (row.model, row.version, row.arm)):
        while taken := list(islice(held, _MOST)):
            records = [
                [r.id, model, version, json.loads(r.features), r.cost, r.lower, r.upper, r.at, arm] for r in taken
            ]
            block = {"model": model, "version": version, "arm": arm, "first_id": taken[0].id, "last_id": taken[-1].id}
            block |= {"first_at": min(r.at for r in taken), "last_at": max(r.at for r in taken), "count": len(taken)}
            op.bulk_insert(table, [block | {"records": zlib.compress(msgspec.msgpack.encode(records))}])
    op.drop_table("prediction")
