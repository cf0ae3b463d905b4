"""Records of predictions in blocks instead of a row each."""

import json
import zlib
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_MOST = 5_000
_BLOCK = "model, version, arm, first_id, last_id, first_at, last_at, count, records"
_ROW = "id, arm, model, version, features, cost, lower, upper, at"


def upgrade() -> None:
    """Make the table of blocks, and put what is recorded into it."""
    op.create_table(
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
        for records in _portions(
            [r.id, model, version, json.loads(r.features), r.cost, r.lower, r.upper, r.at, arm] for r in held
        ):
            moments = [record[7] for record in records]
            values = (model, version, arm, records[0][0], records[-1][0], min(moments), max(moments), len(records))
            packed = zlib.compress(msgspec.msgpack.encode(records))
            _insert("prediction_block", _BLOCK, (*values, packed))
    op.drop_table("prediction")


def downgrade() -> None:
    """Take the records out of their blocks again."""
    op.create_table(
        "prediction",
        sa.Column("id", sa.String(48), nullable=False, comment="sorts by time"),
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
    blocks = op.get_bind().execute(sa.text("SELECT records FROM prediction_block ORDER BY id")).scalars().all()
    for block in blocks:
        for name, model, version, row, cost, lower, upper, at, arm in msgspec.msgpack.decode(zlib.decompress(block)):
            _insert("prediction", _ROW, (name, arm, model, version, json.dumps(row), cost, lower, upper, at))
    op.drop_table("prediction_block")


def _portions(records: Iterator[list[Any]]) -> Iterator[list[list[Any]]]:
    portion: list[list[Any]] = []
    for record in records:
        portion.append(record)
        if len(portion) == _MOST:
            yield portion
            portion = []
    if portion:
        yield portion


def _insert(table: str, columns: str, values: tuple[Any, ...]) -> None:
    names = columns.split(", ")
    marks = ", ".join(f":{name}" for name in names)
    statement = sa.text(f"INSERT INTO {table} ({columns}) VALUES ({marks})")  # noqa: S608 - our own names
    op.get_bind().execute(statement, dict(zip(names, values, strict=True)))
