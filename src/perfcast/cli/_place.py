"""Where commands with `--url` find what they ask for: on a server, or in the local state. Both answer alike.

What they give and take is plain data in the shape of the HTTP contract.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from perfcast.cli._workbench import Workbench, workbench
from perfcast.errors import InvalidInput, NoUsableModel

if TYPE_CHECKING:
    from perfcast.cli._remote import Server
    from perfcast.jobs import Jobs, Submissions
    from perfcast.networks import Graph, Networks
    from perfcast.registry import Version
    from perfcast.serving import Predictor

_T = TypeVar("_T")


class Here:
    """The local state: what a server would answer, without one."""

    def __init__(self, bench: Workbench, jobs: "Jobs", submissions: "Submissions") -> None:
        from perfcast.jobs import Schedules

        self._bench, self._jobs, self._submissions = bench, jobs, submissions
        self._schedules = Schedules(bench.database, submissions, bench.settings.service_timezone)
        self._champions: dict[str, Predictor] = {}

    def predict(self, model: str, features: dict[str, Any], coverage: float) -> dict[str, Any]:
        version, predictor, row = self._asked(model, features)
        cost, answer = predictor.workload.cost, predictor.answer(row, coverage, self._bench.calibration(version))
        return {
            cost.name: answer.cost,
            "lower": answer.lower,
            "upper": answer.upper,
            "coverage": coverage,
            "unit": cost.unit,
            "extrapolated": list(answer.extrapolated),
            "model_name": version.model,
            "model_version": version.number,
            "model_type": version.manifest.type,
        }

    def explain(self, model: str, features: dict[str, Any]) -> dict[str, Any]:
        from perfcast.serving import explain_row

        _, predictor, row = self._asked(model, features)
        return explain_row(predictor, row)

    def headroom(self, asked: dict[str, Any]) -> dict[str, Any]:
        from perfcast.capacity import Question, answer_headroom

        question = _read(asked, Question)
        version, predictor, row = self._asked(question.model_name or "", dict(question.scenario))
        return answer_headroom(predictor, row, question, self._bench.calibration(version))

    def runway(self, asked: dict[str, Any]) -> dict[str, Any]:
        from perfcast.capacity import RunwayQuestion, answer_runway, named, newest_rows

        question, bench = _read(asked, RunwayQuestion), self._bench
        version = bench.registry.resolve(question.model_name or _default_model(bench, {}))
        record = newest_rows(bench.datasets, version)
        predictor, zone = bench.predictor(version), bench.settings.service_timezone
        rows = bench.datasets.load(record)
        return answer_runway(predictor, rows, named(record), question, zone, bench.calibration(version))

    def networks(self) -> dict[str, Any]:
        from perfcast.networks import list_networks

        return list_networks(self._answering)

    def predict_network(self, asked: dict[str, Any], file: Path | None = None) -> dict[str, Any]:
        from perfcast.networks import NetworkQuestion

        question = _read(asked, NetworkQuestion)
        graph = None if file is None else _read_network(file, question.input_shape)
        found = self._networks.answer(question, self._answering, self._champion, graph=graph)
        return {**found, "timestamp": datetime.now(UTC)}

    def submit(self, asked: dict[str, Any]) -> dict[str, Any]:
        from perfcast.jobs import Asked

        return self._jobs.submit(self._submissions.complete(_read(asked, Asked))).document()

    def jobs(self, status: str, model: str, limit: int) -> list[dict[str, Any]]:
        from perfcast.jobs import STATUSES

        if status and status not in STATUSES:
            raise InvalidInput.of("status", f"must be one of {', '.join(STATUSES)}, got '{status}'")
        return [job.document() for job in self._jobs.page(status=status, model=model, limit=limit)[0]]

    def job(self, identifier: str) -> dict[str, Any]:
        job = self._jobs.end_overdue(identifier)
        return job.document() | {"trials": job.trials()}

    def cancel(self, identifier: str) -> dict[str, Any]:
        return self._jobs.cancel(identifier).document()

    def arms(self, model: str) -> dict[str, dict[str, Any]]:
        from perfcast.monitoring import live_arms
        from perfcast.registry import CHAMPION
        from perfcast.workloads import workload_from_document

        summary, relative = self._bench.registry.model(model), None
        if CHAMPION in summary.aliases:
            champion = self._bench.registry.version(model, summary.aliases[CHAMPION])
            relative = workload_from_document(champion.manifest.workload).cost.relative
        with self._bench.database.read() as connection:
            told = live_arms(connection, model, summary.aliases, relative=relative)
        return {alias: {"version": summary.aliases[alias], **arm} for alias, arm in told.items()}

    def schedules(self) -> list[dict[str, Any]]:
        return [self._schedules.document(schedule) for schedule in self._schedules.every()]

    def schedule(self, model: str) -> dict[str, Any]:
        return self._schedules.document(self._schedules.find(model))

    def set_schedule(self, model: str, plan: dict[str, Any]) -> dict[str, Any]:
        from perfcast.jobs import Plan

        return self._schedules.document(self._schedules.put(model, _read(plan, Plan)))

    def remove_schedule(self, model: str) -> None:
        self._schedules.remove(model)

    def schedule_history(self, model: str, limit: int) -> list[dict[str, Any]]:
        return self._schedules.history(model, limit=limit)

    def drift(self, model: str) -> dict[str, Any]:
        from perfcast.monitoring.drift import describe_drift

        name = self._bench.registry.model(model).name
        with self._bench.database.read() as connection:
            return {"model_name": name, **describe_drift(connection, name)}

    @cached_property
    def _networks(self) -> "Networks":
        from perfcast.networks import Networks

        return Networks()

    @cached_property
    def _answering(self) -> list[str]:
        """The models that have a champion."""
        return [model.name for model in self._bench.registry.models() if "champion" in model.aliases]

    def _champion(self, model: str) -> "Predictor":
        if model not in self._champions:
            self._champions[model] = self._bench.predictor(self._bench.registry.resolve(model))
        return self._champions[model]

    def _asked(self, model: str, features: dict[str, Any]) -> "tuple[Version, Predictor, Sequence[float]]":
        """Who answers for these features, and their row."""
        from perfcast.workloads import RowReader

        bench = self._bench
        version = bench.registry.resolve(model or _default_model(bench, features))
        predictor = bench.predictor(version)
        return version, predictor, RowReader(predictor.workload, bench.settings.service_timezone).read(features)


@contextmanager
def open_place(url: str, key: str = "") -> "Iterator[Here | Server]":
    """A server, or the local state where no address is given."""
    if url:
        from perfcast.cli._remote import Server

        with closing(Server(url, key)) as server:
            yield server
        return
    from perfcast.jobs import Jobs, Submissions, make_transport

    with workbench() as bench:
        settings = bench.settings
        with closing(make_transport(settings)) as transport:
            jobs = Jobs(
                bench.database, transport, attempts=settings.job_attempts, retry_seconds=settings.job_retry_seconds
            )
            yield Here(bench, jobs, Submissions(bench.datasets, bench.registry, bench.workloads))


def _read(given: dict[str, Any], kind: type[_T]) -> _T:
    import msgspec

    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise InvalidInput.of("options", str(error)) from None


@cache
def _read_network(file: Path, input_shape: tuple[int, ...] | None) -> "Graph":
    from perfcast.networks import read_onnx

    return read_onnx(file, input_shape=input_shape)


def _default_model(bench: Workbench, features: dict[str, Any]) -> str:
    """The default model of the workload that has most of the given features, `cpu-utilization` when none is told."""
    shared = {name: len(features.keys() & set(workload.feature_names)) for name, workload in bench.workloads.items()}
    best = max(shared, key=lambda name: (shared[name], name == "cpu-utilization"))
    workload, defaults = best if shared[best] else "cpu-utilization", bench.registry.defaults()
    if workload not in defaults:
        raise NoUsableModel(
            f"no model for {workload} yet: perfcast up makes the starter models, "
            f"perfcast train --workload {workload} one from your own rows"
        )
    return str(defaults[workload])
