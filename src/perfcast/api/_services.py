"""The composition root of an API process."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import cached_property
from typing import Any

import structlog

from perfcast.api.access import address_of, make_gate
from perfcast.api.batch import Batches
from perfcast.api.capacity import Autoscale
from perfcast.api.feedback import Feedback
from perfcast.api.health import Condition, Probe, backlog_problems, look_at_host
from perfcast.api.http._identifiers import Identifiers
from perfcast.api.http._lifetime import Lifetime
from perfcast.api.inference_protocol import InferenceProtocol
from perfcast.api.metrics import Callers, Exposition, Findings, Ledger, Summary, Tally, Usage
from perfcast.api.models import Benchmarks, Judgements
from perfcast.api.predict import Predict
from perfcast.datasets import Datasets
from perfcast.discovery import Records
from perfcast.errors import PerfcastError
from perfcast.jobs import Jobs, Schedules, Submissions, make_transport
from perfcast.logs import LatencyLines
from perfcast.monitoring import CorrectionNews, PredictionLog
from perfcast.networks import Networks
from perfcast.registry import Registry
from perfcast.serving import AnswerCache, Follower, Shadows
from perfcast.sessions import choose_inference
from perfcast.settings import Settings
from perfcast.storage import Blobs, Database
from perfcast.workloads import Catalogue, survey_workloads

SUMMARY_SECONDS = 5.0
"""How old what `/metrics` shows of the database may be; scrapes are mostly 15 s apart."""

log = structlog.stdlib.get_logger("perfcast.api")


class Services:
    """All that the API needs, made from the settings; opened and closed with the application.

    Attributes:
        gate: Who may call what, and how often; None where everybody may do everything.
        records: The log of predictions; None where `PREDICTION_LOG` is off.

    Raises:
        InvalidSetting: An access rule can't be used, or the device isn't there.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.gate = make_gate(settings)
        self.database = Database(settings.database_address, pool_size=settings.database_pool_size)
        self.blobs = Blobs(settings.artifacts_address)
        self.registry = Registry(self.database, self.blobs)
        self.tally = Tally()
        self.identifiers = Identifiers()
        self.inference = choose_inference(settings.inference_device)
        zone = settings.service_timezone
        self.follower = Follower(
            self.registry,
            zone=zone,
            refresh_seconds=settings.refresh_seconds,
            workloads=lambda: self.catalogue.workloads,
            corrections=CorrectionNews(self.database),
            cache_bytes=settings.model_cache_size,
            inference=self.inference,
        )
        self.callers = Callers(lambda name: name if self.gate is not None else address_of((name, 0)))
        self.usage = Usage(self.tally, self.follower)
        self.records = (
            PredictionLog(self.database, seconds=settings.prediction_log_seconds, on_written=self.usage.written)
            if settings.prediction_log
            else None
        )
        self.shadows = Shadows(self.follower.cache.load, self.records, self.tally.shadowed)
        ledger = Ledger(self.tally, self.records, self.shadows)
        self.latency_lines = LatencyLines(settings.log_predictions)
        self.predict = Predict(self.follower, ledger, self.latency_lines)
        self.inference_protocol = InferenceProtocol(self.follower, ledger)
        self.batches = Batches(settings, self.follower, ledger, self.identifiers)
        self.feedback = Feedback(self.database, self.follower, self.batches, ledger, zone)
        self.discovered = Records(self.database)
        self.answers = AnswerCache(settings.redis_url)
        self.benchmarks = Benchmarks(self.follower, self.answers)
        self.datasets = Datasets(self.database, self.blobs)
        self.networks = Networks()
        self.autoscale = Autoscale(self.follower, self.datasets)
        self.judgements = Judgements(self.follower, self.datasets, self.answers)
        self.transport = make_transport(settings)
        self.jobs = Jobs(
            self.database, self.transport, attempts=settings.job_attempts, retry_seconds=settings.job_retry_seconds
        )
        dependencies = [Probe("database", self.database.ping), Probe("artifacts", lambda: self.blobs.exists("0" * 64))]
        if settings.redis_url:
            dependencies.append(Probe("redis", self.transport.ping))
        self.lifetime = Lifetime(self.follower)
        system = Probe("system", self._look_around)
        self.summary = Probe("summary", Summary(self.database).read, seconds=SUMMARY_SECONDS)
        self.condition = Condition(self.lifetime, self.follower, self.inference, dependencies, system, self._problems)
        self.exposition = Exposition(ledger, self.follower, self.usage, self.callers)
        self.exposition.sources += [self.condition.samples, lambda: found.samples if (found := self._found) else {}]
        self._by_type = {type(thing): thing for thing in vars(self).values()}
        self._opened = ExitStack()
        self._opening: Future[None] | None = None

    def open_early(self) -> None:
        """Begin to open in a thread; `open` waits for its end."""
        executor = ThreadPoolExecutor(1, thread_name_prefix="perfcast-open")
        self._opening = executor.submit(self._open)
        executor.shutdown(wait=False)

    def open(self) -> None:
        """Migrate, load what is to be served, start the threads."""
        if self._opening is None:
            self._open()
        else:
            self._opening.result()
        event = "ready" if self.lifetime.ready else "no usable model yet"
        log.info(event, models=len(self.follower.routes.champions), workloads=len(self.catalogue.workloads))

    def _open(self) -> None:
        self.lifetime.begin()
        self._opened.callback(self.database.close)
        self._opened.callback(self.transport.close)
        migrated = self._migrate()
        self._opened.callback(self.answers.close)
        for thread in (self.records, self.shadows, self.latency_lines):
            if thread is not None:
                thread.start()
                self._opened.callback(thread.close)
        self._opened.callback(self.batches.close)
        self.follower.start(look=migrated)  # a database that hangs has cost enough; the thread keeps asking
        self._opened.callback(self.follower.close)
        for probe in (*self.condition.dependencies, self.condition.system, self.summary):
            probe.start()
            self._opened.callback(probe.close)

    def close(self) -> None:
        """Stop the threads, write what waits, close the database."""
        self.lifetime.draining = True
        self._opened.close()

    @cached_property
    def catalogue(self) -> Catalogue:
        """The workloads that can be used, looked for once; a file that can't be used is told and left out."""
        catalogue = survey_workloads(self.settings.workloads_dir)
        for place, reason in catalogue.problems.items():
            log.warning("workload can't be used", place=place, reason=reason)
        return catalogue

    @cached_property
    def submissions(self) -> Submissions:
        """Completes what callers ask to be trained."""
        return Submissions(self.datasets, self.registry, self.catalogue.workloads)

    @cached_property
    def schedules(self) -> Schedules:
        """When models are trained anew; workers look after them."""
        return Schedules(self.database, self.submissions, self.settings.service_timezone)

    def held(self, kind: type) -> Any:
        """What a route is given that asks for a thing of that type."""
        needs_workloads = {Catalogue: "catalogue", Schedules: "schedules", Submissions: "submissions"}
        return getattr(self, needs_workloads[kind]) if kind in needs_workloads else self._by_type[kind]

    @property
    def _found(self) -> Findings | None:
        """What the last look at the database has come to; None where there was none, or it failed."""
        return None if self.summary.finding is None else self.summary.finding.value

    def _look_around(self) -> Mapping[str, float]:
        self.callers.look()
        return look_at_host(self.settings.data_folders)

    def _problems(self) -> Mapping[str, str]:
        found = self._found
        return {
            **self.catalogue.problems,
            **(self.gate.problems if self.gate is not None else {}),
            **(self.records.problems if self.records is not None else {}),
            **backlog_problems(None if found is None else found.backlog),
        }

    def _migrate(self) -> bool:
        try:
            self.database.migrate()
        except PerfcastError as error:  # the routes say 503 and /health says why, until it is there
            log.error("the database can't be prepared", reason=str(error))
            return False
        return True
