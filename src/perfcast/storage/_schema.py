"""The tables as a new database gets them. A change here comes with a migration; a test compares the two."""

import sqlalchemy as sa

HEAD = "0013"
"""The migration that this code was written for."""
_SINCE = "_since_"

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
    sa.Column("share", sa.Float, nullable=True, comment="percent of callers; the challenger's only, null is none"),
    sa.ForeignKeyConstraint(["model", "number"], ["version.model", "version.number"]),
)
"""Where each alias points now; an alias that points nowhere has no row."""

alias_history = sa.Table(
    "alias_history",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("model", _NAME, sa.ForeignKey("model.name"), nullable=False),
    sa.Column("alias", _NAME, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False, comment="point, step_back or traffic"),
    sa.Column("before", sa.Integer, nullable=True),
    sa.Column("after", sa.Integer, nullable=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", _TIME, nullable=False),
    sa.Column("share_before", sa.Float, nullable=True, comment="the challenger's, where it changed"),
    sa.Column("share_after", sa.Float, nullable=True),
    sa.Index(None, "model", "alias"),
)
"""Every move of every alias and every change of the traffic between them, in order of id."""

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

prediction_block = sa.Table(
    "prediction_block",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("model", _NAME, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("arm", sa.String(16), nullable=False, comment="champion, challenger, shadow or named"),
    sa.Column("first_id", sa.String(48), nullable=False, comment="least identifier in it; they sort by time"),
    sa.Column("last_id", sa.String(48), nullable=False, comment="greatest identifier in it"),
    sa.Column("first_at", _TIME, nullable=False),
    sa.Column("last_at", _TIME, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("records", sa.LargeBinary, nullable=False, comment="zlib of msgpack: a list of records"),
    sa.Column("bytes", sa.Integer, nullable=False, server_default="0", comment="length of records"),
    sa.Column("observed", sa.Boolean, nullable=False, server_default=sa.false(), comment="watching has looked at it"),
    sa.Index(None, "last_id"),
    sa.Index(None, "model", "last_at"),
    sa.Index(None, "last_at", "bytes"),
)
"""What was answered to whom asked, and beside it, under the same id, what a shadow would have answered.

Many predictions a row (`monitoring/_records.py`). Refers to no other table, so that it outlives a deleted version.
"""

_unobserved = ~prediction_block.c.observed
sa.Index(
    "ix_prediction_block_unobserved", prediction_block.c.id, sqlite_where=_unobserved, postgresql_where=_unobserved
)

actual = sa.Table(
    "actual",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column(
        "key",
        _DIGEST,
        nullable=False,
        comment="what counts once: a prediction's id, or a time and a digest of what was given",
    ),
    sa.Column("prediction", sa.String(48), nullable=False, comment="identifier of the prediction that it belongs to"),
    sa.Column("value", sa.Float, nullable=False, comment="the true cost, in the cost's unit"),
    sa.Column(
        "measured_at", _TIME, nullable=True, comment="where nobody said, the prediction's own time, once it is found"
    ),
    sa.Column("received_at", _TIME, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, comment="waiting, joined, unmatched or refused"),
    sa.Column("model", _NAME, nullable=True, comment="who was joined: the arm that answered, not its shadow"),
    sa.Column("version", sa.Integer, nullable=True),
    sa.Column("arm", sa.String(16), nullable=True),
    sa.Column("predicted", sa.Float, nullable=True),
    sa.Column("lower", sa.Float, nullable=True),
    sa.Column("upper", sa.Float, nullable=True),
    sa.Column("coverage", sa.Float, nullable=True, comment="what the interval was to hold"),
    sa.UniqueConstraint("key"),
    sa.Index(None, "prediction"),
    sa.Index(None, "state", "id"),
    sa.Index(None, "model", "measured_at"),
)
"""True costs that were told afterwards, kept for good with what was predicted."""

live_accuracy = sa.Table(
    "live_accuracy",
    metadata,
    sa.Column("model", _NAME, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("arm", sa.String(16), primary_key=True),
    sa.Column("at", _TIME, primary_key=True, comment="when the five minutes begin"),
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
    sa.Index(None, "at"),
)
"""Sums of what was predicted and of how true it was, five minutes a row."""

correction = sa.Table(
    "correction",
    metadata,
    sa.Column("model", _NAME, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("since", _TIME, nullable=False, comment="older predictions don't count: when the version got its alias"),
    sa.Column("updated_at", _TIME, nullable=False),
    sa.Column("state", sa.JSON, nullable=False, comment="what the correction goes on from, and the correction itself"),
)
"""How a version's intervals follow its actuals; few rows, so that followers see by the newest `updated_at`."""

input_window = sa.Table(
    "input_window",
    metadata,
    sa.Column("model", _NAME, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", _TIME, primary_key=True, comment="when the hour begins"),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column(
        "counts", sa.JSON, nullable=False, comment="by feature: how many rows lay in each of the reference's bins"
    ),
)
"""What inputs were like, an hour a row."""

watched = sa.Table(
    "watched",
    metadata,
    sa.Column("model", _NAME, primary_key=True),
    sa.Column("updated_at", _TIME, nullable=False),
    sa.Column("state", sa.JSON, nullable=False, comment="what detectors go on from"),
    sa.Column("findings", sa.JSON, nullable=False, comment="as GET /models/{ref}/drift shows them"),
)
"""What watching a model has come to."""

anomaly = sa.Table(
    "anomaly",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("model", _NAME, nullable=False),
    sa.Column("first_at", _TIME, nullable=False),
    sa.Column("last_at", _TIME, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index(None, "model", "last_at"),
)
"""Stretches of time whose rows aren't learnt from."""

job = sa.Table(
    "job",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True, comment="sorts by time"),
    sa.Column("status", sa.String(16), nullable=False, comment="queued, running, succeeded, failed or cancelled"),
    sa.Column("model", _NAME, nullable=False),
    sa.Column("workload", _NAME, nullable=False),
    sa.Column("dataset", _NAME, nullable=False),
    sa.Column("request", sa.JSON, nullable=False, comment="what to train, with the dataset's digest"),
    sa.Column("created_at", _TIME, nullable=False),
    sa.Column("started_at", _TIME, nullable=True, comment="when it was claimed first"),
    sa.Column("finished_at", _TIME, nullable=True),
    sa.Column("heartbeat_at", _TIME, nullable=True),
    sa.Column("cancel_requested_at", _TIME, nullable=True),
    sa.Column("worker", _NAME, nullable=True, comment="who claimed it last"),
    sa.Column("attempt", sa.Integer, nullable=False, comment="rises with each claim; fences every write"),
    sa.Column("handed_back", sa.Integer, nullable=False, comment="claims that don't count: the worker was stopped"),
    sa.Column("spent_seconds", sa.Float, nullable=False, comment="how long it has run in all"),
    sa.Column("stage", sa.String(16), nullable=False, comment="what is being done while it runs"),
    sa.Column("progress", sa.Float, nullable=False, comment="0 to 1"),
    sa.Column("trial", sa.Integer, nullable=False, comment="trials finished"),
    sa.Column("n_trials", sa.Integer, nullable=False),
    sa.Column("best_score", sa.Float, nullable=True),
    sa.Column("best_family", _NAME, nullable=True),
    sa.Column("eta_seconds", sa.Float, nullable=True),
    sa.Column("trials", sa.JSON, nullable=False, comment="the last ones, oldest first"),
    sa.Column("versions", sa.JSON(none_as_null=True), nullable=True, comment="numbers registered, the best last"),
    sa.Column("model_version", sa.Integer, nullable=True),
    sa.Column("outcome", sa.Text, nullable=False, comment="what the promotion gate said"),
    sa.Column("error", sa.Text, nullable=True),
    sa.Column("retry_at", _TIME, nullable=True, comment="nobody claims it before; null where it may be at once"),
    sa.Column("request_id", _NAME, nullable=True, comment="of the call that submitted it"),
    sa.Column("trace_parent", _DIGEST, nullable=True, comment="W3C traceparent of that call"),
    sa.Column("once", _DIGEST, nullable=True, comment="sha256 of what its caller calls that call"),
    sa.Column("once_asked", _DIGEST, nullable=True, comment="sha256 of what was asked by it"),
    sa.Index(None, "status", "id"),
    sa.Index(None, "once", unique=True),
)
"""Training runs; this row, not a message in any queue, is what a job is."""

job_export = sa.Table(
    "job_export",
    metadata,
    sa.Column("job", sa.String(36), primary_key=True),
    sa.Column("tried_at", _TIME, nullable=False, comment="when it was tried last; decides who does it"),
    sa.Column("run", sa.String(64), nullable=True, comment="MLflow's id, once all of it is there"),
)
"""Which finished jobs were written to MLflow; a job without a row hasn't been tried."""

schedule = sa.Table(
    "schedule",
    metadata,
    sa.Column("model", _NAME, sa.ForeignKey("model.name"), primary_key=True),
    sa.Column("cron", _NAME, nullable=True, comment="five fields, in the service's time zone"),
    sa.Column("new_rows", sa.Integer, nullable=True, comment="so many more than the last run learnt from"),
    sa.Column("drift", sa.Boolean, nullable=False, comment="whether it listens to signals"),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("minimum_interval_seconds", sa.Float, nullable=False, comment="least time from run to run"),
    sa.Column("most_per_day", sa.Integer, nullable=False, comment="runs that signals alone begin within 24 hours"),
    sa.Column("least_new_rows", sa.Integer, nullable=False, comment="that a signal alone needs"),
    sa.Column("request", sa.JSON, nullable=False, comment="how to train"),
    sa.Column("updated_at", _TIME, nullable=False, comment="when its settings changed; cron counts from then"),
    sa.Column("signal", sa.String(16), nullable=True, comment="kind of a signal that waits to be acted on"),
    sa.Column("signal_reason", sa.Text, nullable=True),
    sa.Column("held_back", sa.Text, nullable=True, comment="why it waits although it is due"),
    sa.Column("last_fired_at", _TIME, nullable=True, comment="decides which of several schedulers fires"),
    sa.Column("last_reason", sa.Text, nullable=True),
    sa.Column("last_job", sa.String(36), nullable=True),
    sa.Column("last_digest", _DIGEST, nullable=True, comment="of the rows the last run was given"),
    sa.Column("last_rows", sa.Integer, nullable=True),
    sa.Column("last_until", _TIME, nullable=True, comment="when the newest of them was measured"),
)
"""When models are trained anew, one row a model."""

schedule_event = sa.Table(
    "schedule_event",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("model", _NAME, nullable=False),
    sa.Column("at", _TIME, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False, comment="fired, held_back or signal"),
    sa.Column("trigger", sa.String(16), nullable=False, comment="cron, new_rows, drift or accuracy"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("job", sa.String(36), nullable=True),
    sa.Index(None, "model", "id"),
)
"""What schedules did and why, in order of id; refers to no other table, so that it outlives a removed schedule."""

discovery = sa.Table(
    "discovery",
    metadata,
    sa.Column("path", sa.Text, primary_key=True, comment="relative to MODELS_DIR"),
    sa.Column("model", _NAME, nullable=False),
    sa.Column("sha256", _DIGEST, nullable=False, comment="of what was read; empty where nothing was"),
    sa.Column("state", sa.String(16), nullable=False, comment="registered, converted or failed"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=True),
    sa.Column("at", _TIME, nullable=False),
)
"""What came of each file in the folder of models; refers to no other table, since versions may be deleted."""


def serves(migration: str | None) -> bool:
    """Whether this code can use the tables that a migration left.

    One that only adds what older code needn't know says so in its name, so that old replicas that are started again
    go on beside new ones: `0015_since_0013` serves code written for 0013 and later.
    """
    if migration is None or migration < HEAD:
        return False
    oldest = migration.partition(_SINCE)[2] or migration
    return migration == HEAD or oldest <= HEAD.partition(_SINCE)[0]


def set_up(connection: sa.Connection) -> None:
    """Make all tables in a database that has none, with the mark that a migrated one bears."""
    metadata.create_all(connection, checkfirst=False)
    connection.execute(sa.insert(revision).values(id=1, value=0))
    mark = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", _TIME, primary_key=True))
    mark.create(connection)
    connection.execute(sa.insert(mark).values(version_num=HEAD))
